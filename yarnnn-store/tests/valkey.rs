//! Valkey beside the table: what it adds while it is there, and that nothing needs it.
#![cfg(all(feature = "redis", feature = "sqlite"))]
#![expect(clippy::unwrap_used, reason = "tests panic when something is amiss")]
#![expect(clippy::disallowed_methods, reason = "the address of the tests' Redis is handed over in a variable")]

#[path = "common/redis.rs"]
mod server;

use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use redis::AsyncCommands as _;
use serde_json::json;
use tokio::time::timeout;
use yarnnn_core::StoreError;
use yarnnn_core::id::{JobId, RandomIds};
use yarnnn_core::jobs::{
    Enqueued, JobQueue, LeaseKeeper, MockJobQueue, MockLeaseKeeper, MockOpenLeaseKeeper, MockPresence, MockWakeUpListener,
    MockWakeUps, NewJob, OpenLeaseKeeper, Presence, WakeUpListener, WakeUps, WorkerId, WorkerPresence,
};
use yarnnn_core::pipeline::Holder;
use yarnnn_core::testing::FixedClock;
use yarnnn_store::{Valkey, ValkeyKeeper, ValkeyPresence, ValkeyQueue, ValkeyWakeUps};

use server::Server;

/// Only a test that fails waits as long.
const FAR_TOO_LONG: Duration = Duration::from_secs(30);

async fn connect(server: &Server) -> Valkey {
    Valkey::connect(&server.url(), Arc::new(FixedClock::at(DateTime::from_timestamp(1_800_000_000, 5_000).unwrap())))
        .await
        .unwrap()
}

/// A queue that stores what it is given, and says so through the server.
fn queue(valkey: &Valkey) -> ValkeyQueue {
    let mut inner = MockJobQueue::new();
    inner.expect_enqueue().returning(|jobs| Ok(jobs.iter().map(|it| Enqueued::New(it.id)).collect()));
    ValkeyQueue::new(Arc::new(inner), valkey.clone())
}

fn job() -> NewJob {
    NewJob::new(JobId::fresh(&RandomIds), "test", json!({"a": 1}))
}

/// A store that hears nothing: what wakes comes from the server.
fn deaf() -> Arc<dyn WakeUps> {
    let mut inner = MockWakeUps::new();
    inner.expect_listen().returning(|| Err(StoreError::Unavailable { source: "no LISTEN here".into() }));
    Arc::new(inner)
}

async fn woken(listener: &mut Box<dyn WakeUpListener>) {
    timeout(FAR_TOO_LONG, listener.woken()).await.expect("nobody was woken").unwrap();
}

fn presence(worker: &str) -> WorkerPresence {
    WorkerPresence {
        worker: WorkerId::new(worker),
        name: "work".to_owned(),
        process: Holder::new("host/boot/1/1"),
        version: "1.2.3".to_owned(),
        concurrency: 50,
        running: 2,
        draining: false,
        started_at: DateTime::UNIX_EPOCH,
        last_claim_at: None,
        beat_at: None,
    }
}

async fn keeper(valkey: &Valkey) -> Box<dyn LeaseKeeper> {
    let mut inner = MockOpenLeaseKeeper::new();
    inner.expect_open().returning(|| {
        let mut keeper = MockLeaseKeeper::new();
        keeper.expect_beat().returning(|_| Ok(()));
        Ok(Box::new(keeper))
    });
    ValkeyKeeper::new(Arc::new(inner), valkey.clone()).open().await.unwrap()
}

async fn raw(server: &Server) -> redis::aio::MultiplexedConnection {
    redis::Client::open(server.url()).unwrap().get_multiplexed_async_connection().await.unwrap()
}

/// A beat does not wait for the server, so its reader does.
async fn until_there(connection: &mut redis::aio::MultiplexedConnection, key: &str) -> String {
    let read = async {
        loop {
            let value: Option<String> = connection.get(key).await.unwrap();
            if let Some(value) = value {
                return value;
            }
        }
    };
    timeout(FAR_TOO_LONG, read).await.expect("the key was not written")
}

#[tokio::test]
async fn an_enqueue_wakes_the_workers_of_other_programs() {
    let server = Server::start().await;
    let mut listener = ValkeyWakeUps::new(deaf(), connect(&server).await).listen().await.unwrap();
    for _ in 0..3 {
        queue(&connect(&server).await).enqueue(vec![job()]).await.unwrap();
        woken(&mut listener).await;
    }
}

#[tokio::test]
async fn nobody_is_woken_for_a_job_that_was_there_already() {
    let server = Server::start().await;
    let valkey = connect(&server).await;
    let mut listener = ValkeyWakeUps::new(deaf(), valkey.clone()).listen().await.unwrap();
    let mut inner = MockJobQueue::new();
    inner.expect_enqueue().returning(|jobs| Ok(jobs.iter().map(|it| Enqueued::Existing(it.id)).collect()));
    ValkeyQueue::new(Arc::new(inner), valkey.clone()).enqueue(vec![job()]).await.unwrap();
    // Whatever was published before this would have been heard before this.
    let mut connection = raw(&server).await;
    let receivers: u32 = connection.publish("yarnnn:jobs", "").await.unwrap();
    assert_eq!(receivers, 1);
    woken(&mut listener).await;
    let facts: redis::InfoDict = redis::cmd("INFO").arg("commandstats").query_async(&mut connection).await.unwrap();
    let published: String = facts.get("cmdstat_publish").unwrap();
    assert!(published.starts_with("calls=1,"), "{published}");
}

#[tokio::test]
async fn the_stores_own_wake_ups_are_heard_as_well() {
    let mut server = Server::start().await;
    let valkey = connect(&server).await;
    server.kill();
    let mut inner = MockWakeUps::new();
    inner.expect_listen().returning(|| {
        let mut listener = MockWakeUpListener::new();
        listener.expect_woken().returning(|| Ok(()));
        Ok(Box::new(listener))
    });
    let mut listener = ValkeyWakeUps::new(Arc::new(inner), valkey).listen().await.unwrap();
    woken(&mut listener).await;
}

#[tokio::test]
async fn a_beat_is_shown_for_ninety_seconds_and_taken_down_on_leaving() {
    let server = Server::start().await;
    let valkey = connect(&server).await;
    let mut keeper = keeper(&valkey).await;
    keeper.beat(&presence("w1")).await.unwrap();
    let mut connection = raw(&server).await;
    let shown = until_there(&mut connection, "worker:presence:w1").await;
    let shown: WorkerPresence = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown, WorkerPresence { beat_at: DateTime::from_timestamp(1_800_000_000, 5_000), ..presence("w1") });
    assert_eq!(until_there(&mut connection, "worker:heartbeat:work").await, "1800000000");
    for key in ["worker:heartbeat:work", "worker:presence:w1"] {
        let seconds: i64 = connection.ttl(key).await.unwrap();
        assert!((1..=90).contains(&seconds), "{key} ends in {seconds} s");
    }
    drop(keeper);
    let mut inner = MockPresence::new();
    inner.expect_workers().returning(|| Ok(vec![presence("w1")]));
    inner.expect_leave().times(1).returning(|_| Ok(()));
    ValkeyPresence::new(Arc::new(inner), valkey).leave(&WorkerId::new("w1")).await.unwrap();
    let left: Vec<String> = connection.keys("*").await.unwrap();
    assert_eq!(left, Vec::<String>::new());
}

#[tokio::test]
async fn nothing_needs_the_server_and_everything_comes_back_with_it() {
    let mut server = Server::start().await;
    let valkey = connect(&server).await;
    let queue = queue(&valkey);
    let mut keeper = keeper(&valkey).await;
    let mut listener = ValkeyWakeUps::new(deaf(), valkey.clone()).listen().await.unwrap();
    queue.enqueue(vec![job()]).await.unwrap();
    woken(&mut listener).await;
    server.kill();
    for _ in 0..100 {
        assert_eq!(queue.enqueue(vec![job()]).await.unwrap().len(), 1);
        keeper.beat(&presence("w1")).await.unwrap();
    }
    // A listener that begins while the server is gone hears it, too, when it is back.
    let mut late = ValkeyWakeUps::new(deaf(), valkey).listen().await.unwrap();
    server.start_again();
    let mut connection = raw(&server).await;
    for listener in [&mut listener, &mut late] {
        woken(listener).await;
    }
    queue.enqueue(vec![job()]).await.unwrap();
    keeper.beat(&presence("w2")).await.unwrap();
    for listener in [&mut listener, &mut late] {
        woken(listener).await;
    }
    until_there(&mut connection, "worker:presence:w2").await;
}

#[tokio::test]
async fn a_server_that_is_not_there_or_not_for_us_is_an_error() {
    let mut server = Server::start().await;
    let clock = Arc::new(FixedClock::at(DateTime::UNIX_EPOCH));
    for url in ["http://127.0.0.1", "nonsense", &server.url().replace("redis://", "redis://:secret@")] {
        let error = Valkey::connect(url, clock.clone()).await.unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    server.kill();
    assert!(Valkey::connect(&server.url(), clock).await.is_err());
}
