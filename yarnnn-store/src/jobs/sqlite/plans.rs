//! Tests of plans: no statement of a worker walks the table or sorts a backlog.

use serde_json::json;
use sqlx::AssertSqlSafe;
use yarnnn_core::id::{IdGen as _, JobId, RandomIds, UserId};
use yarnnn_core::jobs::{JobQueue as _, NewJob};

use super::{claim, due, enqueue, finish, groups, history, lease, owners, rescue};
use crate::SqlStore;
use crate::db::Db;

const STATEMENTS: &[(&str, &str)] = &[
    ("claim ONLY", claim::ONLY),
    ("claim ALONE", claim::ALONE),
    ("claim TAKE", claim::TAKE),
    ("due QUARANTINED", due::QUARANTINED),
    ("enqueue STANDING", enqueue::STANDING),
    ("enqueue TAKE", enqueue::TAKE),
    ("enqueue INSERT", enqueue::INSERT),
    ("finish SETTLE", finish::SETTLE),
    ("groups GROUPS", groups::GROUPS),
    ("groups DUE", groups::DUE),
    ("owners HEADS", owners::HEADS),
    ("owners NEXT", owners::NEXT),
    ("owners RUNNING", owners::RUNNING),
    ("rescue LOST", rescue::LOST),
    ("rescue TAKE_BACK", rescue::TAKE_BACK),
    ("lease HELD", lease::HELD),
    ("lease RENEW", lease::RENEW),
    ("lease PROGRESS", lease::PROGRESS),
    ("lease SET_PROGRESS", lease::SET_PROGRESS),
    ("history TELL", history::TELL),
];
/// Indexes that hold only what waits or runs, and that a statement may walk from one end until its limit or the end of what runs.
const SMALL: [&str; 4] = ["job_queue_ready ", "job_queue_ready_by_owner ", "job_queue_quarantine ", "job_queue_running "];

async fn plan(store: &SqlStore, sql: &str) -> Vec<String> {
    let sql = format!("explain query plan {sql}");
    let lines: Vec<(i64, i64, i64, String)> = match &store.db {
        Db::Sqlite(db) => sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&db.pool).await.unwrap(),
        #[cfg(feature = "postgres")]
        Db::Postgres(_) => vec![],
    };
    lines.into_iter().map(|it| it.3).collect()
}

/// Whether a line of a plan reads all of a table of jobs, or collects rows in order to sort them.
fn is_costly(line: &str) -> bool {
    let spaced = format!("{line} ");
    let own = ["job_queue", "job_keys", "job_events", "f", "n", "q", "k"];
    let walks = own.iter().any(|it| spaced.starts_with(&format!("SCAN {it} "))) && !SMALL.iter().any(|it| spaced.contains(it));
    walks || line.contains("TEMP B-TREE FOR ORDER BY")
}

#[tokio::test]
async fn no_statement_of_a_worker_walks_or_sorts_the_backlog() {
    let store = SqlStore::in_memory().await.unwrap();
    let job = |it: usize| NewJob {
        owner: Some(UserId::from_uuid(RandomIds.uuid())),
        ..NewJob::new(JobId::fresh(&RandomIds), ["a", "b"][it % 2], json!({}))
    };
    store.enqueue((0..50).map(job).collect()).await.unwrap();
    for (name, sql) in STATEMENTS {
        let lines = plan(&store, sql).await;
        assert!(!lines.is_empty() || name.ends_with("TELL") || name.ends_with("TAKE"), "{name} has no plan");
        assert!(!lines.iter().any(|it| is_costly(it)), "{name}: {lines:#?}");
    }
    assert!(is_costly("SCAN job_queue") && is_costly("SCAN q USING INDEX job_queue_ended"));
    assert!(!is_costly("SCAN q USING INDEX job_queue_ready"));
}
