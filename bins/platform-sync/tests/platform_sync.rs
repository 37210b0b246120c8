//! The real program: a tick starts what is due, once, leaves it to workers or does it, and fails loudly when it cannot.
#![allow(clippy::unwrap_used, reason = "what is not there fails the test")]

mod installation;

use chrono::{DateTime, TimeDelta, Timelike as _, Utc};
use serde_json::Value;
use yarnnn::clock::{Clock as _, SystemClock};
use yarnnn_sim::Fault;

use installation::{Backend, Installation};

/// The next full hour, in whose first minutes a pro's slot is open.
fn slot() -> DateTime<Utc> {
    let hour = SystemClock.now().with_minute(0).and_then(|it| it.with_second(0)).and_then(|it| it.with_nanosecond(0)).unwrap();
    hour + TimeDelta::hours(1)
}

fn counts(said: &Value) -> [u64; 4] {
    ["checked", "due", "enqueued", "existing"].map(|it| said[it].as_u64().unwrap_or_else(|| panic!("{it}: {said:#}")))
}

async fn overlapping_ticks_start_everything_once(backend: Backend) {
    let installation = Installation::connected(backend).await;
    let now = slot().to_rfc3339();
    let arguments = ["--json", "--now", now.as_str()];
    let ticks: Vec<_> = (0..4).map(|_| installation.command(&arguments).spawn().unwrap()).collect();
    let said: Vec<_> = ticks.into_iter().map(|it| installation::ended(it).expect(0)).collect();
    let counts: Vec<_> = said.iter().map(|it| counts(&it.json())).collect();
    assert!(counts.iter().all(|it| it[..2] == [2, 2]), "{counts:?}");
    assert_eq!(counts.iter().map(|it| it[2]).sum::<u64>(), 2, "each connection once: {counts:?}");
    assert_eq!(counts.iter().map(|it| it[3]).sum::<u64>(), 6, "{counts:?}");
    assert_eq!(installation.home.texts("select job_type from job_queue").await, ["platform_sync"; 2]);
    assert!(said.iter().all(|it| it.stderr.contains("nobody works the queue")), "{}", said[0].stderr);
    installation.home.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn overlapping_ticks_start_everything_once_on_sqlite() {
    overlapping_ticks_start_everything_once(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn overlapping_ticks_start_everything_once_on_postgres() {
    overlapping_ticks_start_everything_once(Backend::Postgres).await;
}

async fn a_tick_can_do_the_work_itself(backend: Backend) {
    let installation = Installation::connected(backend).await;
    let said = installation.tick(slot(), &["--inline"], 0);
    assert_eq!(counts(&said), [2, 2, 2, 0]);
    let mut outcomes: Vec<_> = said["ran"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["provider"].as_str().unwrap(), it["platforms"][0]["outcome"].as_str().unwrap()))
        .collect();
    outcomes.sort_unstable();
    assert_eq!(outcomes, [("notion", "ok"), ("slack", "ok")]);
    assert_eq!(
        installation.home.texts("select content from platform_content where platform = 'slack'").await,
        ["Who brings the kites?"]
    );

    let again = installation.tick(slot(), &["--inline"], 0);
    assert_eq!(counts(&again), [2, 0, 0, 0], "they were synced less than 45 minutes before");
    let later = installation.tick(slot() + TimeDelta::hours(1), &["--inline"], 0);
    assert_eq!(counts(&later), [2, 2, 2, 0]);
    let outside = installation.tick(slot() + TimeDelta::hours(3) + TimeDelta::minutes(10), &["--inline"], 0);
    assert_eq!(counts(&outside), [2, 0, 0, 0], "the slot is over");
    installation.home.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_can_do_the_work_itself_on_sqlite() {
    a_tick_can_do_the_work_itself(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_can_do_the_work_itself_on_postgres() {
    a_tick_can_do_the_work_itself(Backend::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_does_not_stop_the_others() {
    let installation = Installation::connected(Backend::Sqlite).await;
    installation.sim.faults().always("slack.*", Fault::Html);
    let said = installation.tick(slot(), &["--inline"], 0);
    let ran = said["ran"].as_array().unwrap();
    let of = |provider: &str| &ran.iter().find(|it| it["provider"] == provider).unwrap()["platforms"][0];
    assert_eq!((of("slack")["outcome"].as_str(), of("notion")["outcome"].as_str()), (Some("failed"), Some("ok")), "{said:#}");
    let now = (slot() + TimeDelta::hours(2)).to_rfc3339();
    let line = installation::ended(installation.command(&["--inline", "--now", &now]).spawn().unwrap()).expect(0);
    assert_eq!(line.stdout.trim(), "platform-sync: 1/2/2 synced/due/checked");
    assert!(line.stderr.contains("slack of user"), "{}", line.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_fails_loudly_when_it_cannot() {
    let installation = Installation::connected(Backend::Sqlite).await;
    let mut keyless = installation.command(&["--json"]);
    let said = installation::ended(keyless.env_remove("INTEGRATION_ENCRYPTION_KEY").spawn().unwrap()).expect(3);
    assert!(said.json()["error"]["message"].as_str().unwrap().contains("INTEGRATION_ENCRYPTION_KEY"), "{}", said.stdout);
    for (variable, value) in
        [("DATABASE_URL", "mysql://x"), ("DATABASE_URL", "postgres://ana:hunter2@127.0.0.1:1/x"), ("SLACK_BASE_URL", "here")]
    {
        let said = installation::ended(installation.command(&[]).env(variable, value).spawn().unwrap()).expect(3);
        assert!(!said.stderr.contains("hunter2") && said.stdout.is_empty(), "{}", said.stderr);
    }
    installation::ended(installation.command(&["--now", "soon"]).spawn().unwrap()).expect(2);
    let empty = Installation::empty(Backend::Sqlite).await;
    let mut keyless = empty.command(&["--json"]);
    let said = installation::ended(keyless.env_remove("INTEGRATION_ENCRYPTION_KEY").spawn().unwrap()).expect(0);
    assert_eq!(counts(&said.json()), [0; 4], "without a connection no key is needed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_is_named() {
    let installation = Installation::connected(Backend::Sqlite).await;
    let other = yarnnn::store::SealKeys::generate();
    let now = slot().to_rfc3339();
    for arguments in [&["--json", "--now", &now][..], &["--json", "--inline", "--now", &now]] {
        let mut command = installation.command(arguments);
        let said = installation::ended(command.env("INTEGRATION_ENCRYPTION_KEY", &other).spawn().unwrap()).expect(3).json();
        let message = said["error"]["message"].as_str().unwrap();
        assert!(message.starts_with("INTEGRATION_ENCRYPTION_KEY: ") && message.contains("`yarnnn doctor`"), "{message}");
    }
    assert_eq!(installation.home.texts("select job_type from job_queue").await, [""; 0], "nothing was begun");
}
