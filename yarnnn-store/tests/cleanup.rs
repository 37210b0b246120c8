//! Cleaning up, where the contract cannot look: by which indexes it finds what it deletes, and what is stored and cannot be read.
#![cfg(all(feature = "sqlite", feature = "postgres"))]
#![expect(clippy::unwrap_used, reason = "tests panic when something is amiss")]
#![expect(clippy::disallowed_methods, reason = "tests find their Postgres by an environment variable")]

mod common;

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqliteConnection};
use yarnnn_core::contract::Ports;
use yarnnn_core::contract::fixtures::{ANA, fresh, minute};
use yarnnn_core::id::PassId;
use yarnnn_core::signals::{OpenPass, PassStatus, PassTrigger, Shown, SignalsFilter};
use yarnnn_store::SqlStore;

use common::{file_url, ports, sqlite_file, with_postgres};

/// Left open at these minutes; the first and the third cannot be read.
async fn left_open(ports: &Ports) -> Vec<PassId> {
    let mut passes = vec![];
    for minutes in 0..4 {
        let (id, filter, trigger) = (PassId::from_uuid(fresh()), SignalsFilter::All, PassTrigger::Hourly);
        let open = OpenPass { id, user: ANA, filter, trigger, shown: Shown::default(), at: minute(minutes) };
        ports.signals.begin(open).await.unwrap();
        passes.push(id);
    }
    passes
}

fn spoil(passes: &[PassId]) -> AssertSqlSafe<String> {
    AssertSqlSafe(format!("update signal_passes set shown = '7' where id in ('{}', '{}')", passes[0], passes[2]))
}

/// Those that can be read end with their lines, and those that cannot without: none is met again.
async fn all_end(ports: &Ports) {
    assert!(ports.signals.passes(ANA, 9).await.is_err(), "they cannot be read");
    let end = async || ports.retention.end_passes(minute(60), minute(60), None, 9).await.unwrap().ended;
    assert_eq!((end().await, end().await), (4, 0));
    let passes = ports.signals.passes(ANA, 9).await.unwrap();
    assert!(passes.iter().all(|it| it.outcome.as_ref().is_some_and(|it| it.status == PassStatus::Failed)), "{passes:?}");
    assert_eq!(ports.activity.recent(ANA, 9).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_pass_that_cannot_be_read_stops_no_other() {
    let (store, folder) = sqlite_file().await;
    let own = ports(store);
    let passes = left_open(&own).await;
    SqliteConnection::connect(&file_url(&folder)).await.unwrap().execute(spoil(&passes)).await.unwrap();
    all_end(&own).await;
    with_postgres(|url| async move {
        let store = SqlStore::connect(&url).await.unwrap();
        store.migrate().await.unwrap();
        let own = ports(store);
        let passes = left_open(&own).await;
        PgConnection::connect(&url).await.unwrap().execute(spoil(&passes)).await.unwrap();
        all_end(&own).await;
    })
    .await;
}
