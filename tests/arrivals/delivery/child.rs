//! The process that is killed: this test program once more, told by its environment what to run.

use std::process::Stdio;
use std::sync::Arc;

use tokio::process::{Child, Command};
use yarnnn::Config;
use yarnnn::deliverables::RunRequest;
use yarnnn::id::{DeliverableId, UserId};
use yarnnn::platforms::http::HttpTransport;
use yarnnn_sim::VirtualClock;

use super::cell::Cell;
use super::cuts::Cuts;
use super::desk::assemble;

const DELIVERABLE: &str = "YARNNN_KILL_DELIVERABLE";
const NOW: &str = "YARNNN_KILL_NOW";
const PLACE: &str = "YARNNN_KILL_PLACE";

/// Starts a process that runs the report, up to a place if one is named.
pub(super) fn start(cell: &Cell<'_>, place: Option<&str>) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "--nocapture", "delivery::child::to_be_killed"]);
    command.envs(cell.desk.office.variables().iter().map(|(name, value)| (*name, value.clone())));
    command.env(DELIVERABLE, cell.deliverable.id.to_string()).env(NOW, cell.desk.office.sim.now().to_rfc3339());
    command.env(PLACE, place.unwrap_or_default());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    command.spawn().unwrap()
}

#[expect(clippy::disallowed_methods, reason = "a process is told by its environment what to do")]
fn told(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[tokio::test]
#[ignore = "a process that another test starts and kills"]
async fn to_be_killed() {
    let Some(deliverable) = told(DELIVERABLE) else { return };
    let config = Config::from_env().unwrap();
    let clock = Arc::new(VirtualClock::at(told(NOW).unwrap().parse().unwrap()));
    let store = yarnnn::open_store(&config).await.unwrap().with_clock(clock.clone());
    let cuts = told(PLACE).filter(|it| !it.is_empty()).map_or_else(Cuts::none, |it| Cuts::in_child(&it));
    let yarnnn = assemble(&config, store, &clock, &cuts, &HttpTransport::new().unwrap());
    let deliverable = DeliverableId::from_uuid(deliverable.parse().unwrap());
    yarnnn.deliverables().run(&yarnnn.stage_cx(), &RunRequest::of(UserId::LOCAL, deliverable)).await.unwrap();
}
