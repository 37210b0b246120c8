//! The process that is killed: this test program once more, told by its environment what to sync.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::process::{Child, Command};
use yarnnn::connections::Provider;
use yarnnn::platform_sync::SyncTrigger;
use yarnnn::platforms::http::HttpTransport;
use yarnnn::store::SqlStore;
use yarnnn_sim::{Sim, VirtualClock};

use crate::model::{Installation, Opening};

const DATABASE: &str = "YARNNN_KILL_DATABASE";
const KEY: &str = "YARNNN_KILL_KEY";
const ADDRESS: &str = "YARNNN_KILL_ADDRESS";
const PROVIDER: &str = "YARNNN_KILL_PROVIDER";
const NOW: &str = "YARNNN_KILL_NOW";

/// What a process is to sync.
#[derive(Debug, Clone)]
pub(super) struct Order<'a> {
    pub(super) database: &'a Path,
    pub(super) key: &'a str,
    pub(super) address: &'a str,
    pub(super) provider: Provider,
    pub(super) now: DateTime<Utc>,
}

impl Order<'_> {
    /// Starts the process.
    pub(super) fn start(&self) -> Child {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--ignored", "--exact", "kills::child::to_be_killed"]);
        command.env(DATABASE, self.database).env(KEY, self.key).env(ADDRESS, self.address);
        command.env(PROVIDER, self.provider.as_str()).env(NOW, self.now.to_rfc3339());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        command.spawn().unwrap()
    }
}

/// The product on a database file.
pub(super) async fn open(database: &Path, key: &str, address: &str, clock: Arc<VirtualClock>, sim: &Sim) -> Installation {
    let store = SqlStore::connect(&format!("sqlite://{}", database.display())).await.unwrap();
    store.migrate().await.unwrap();
    let opening = Opening::over(store, key, address, clock, HttpTransport::new().unwrap()).unwrap();
    Installation::found(sim, opening).await.unwrap()
}

#[expect(clippy::disallowed_methods, reason = "a process is told by its environment what to do")]
fn told(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[tokio::test]
#[ignore = "a process that another test starts and kills"]
async fn to_be_killed() {
    let Some(database) = told(DATABASE) else { return };
    let (key, address) = (told(KEY).unwrap(), told(ADDRESS).unwrap());
    let clock = Arc::new(VirtualClock::at(told(NOW).unwrap().parse().unwrap()));
    // Nobody looks at this one: the parent's is asked over the network.
    let sim = Sim::new(clock.clone());
    let installation = open(Path::new(&database), &key, &address, clock, &sim).await;
    installation.sync_one(told(PROVIDER).unwrap().parse().unwrap(), SyncTrigger::Manual).await.unwrap();
}
