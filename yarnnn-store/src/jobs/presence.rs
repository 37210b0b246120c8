//! The board of workers: plain statements, the same on both drivers.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use yarnnn_core::StoreError;
use yarnnn_core::jobs::{PRESENCE_TTL, Presence, WorkerId, WorkerPresence};
use yarnnn_core::pipeline::Holder;

use crate::SqlStore;
use crate::columns::Instant;
use crate::db::{on_pool, on_tx};
use crate::error::{Doing as _, unreadable};
use crate::text::clean;

const WORKERS: &str = "select worker_id, name, process, version, concurrency, running, draining, started_at, last_claim_at, beat_at \
    from job_workers where beat_at > $1 order by started_at, worker_id";
const LEAVE: &str = "delete from job_workers where worker_id = $1";

#[derive(sqlx::FromRow)]
struct WorkerRow {
    worker_id: String,
    name: String,
    process: String,
    version: String,
    concurrency: i32,
    running: i32,
    draining: bool,
    started_at: Instant,
    last_claim_at: Option<Instant>,
    beat_at: Instant,
}

impl TryFrom<WorkerRow> for WorkerPresence {
    type Error = StoreError;

    fn try_from(row: WorkerRow) -> Result<Self, StoreError> {
        let bad = |field: &str| unreadable(format!("worker {}", row.worker_id), format!("{field} cannot be read"));
        Ok(Self {
            concurrency: u32::try_from(row.concurrency).map_err(|_| bad("concurrency"))?,
            running: u32::try_from(row.running).map_err(|_| bad("running"))?,
            worker: WorkerId::new(row.worker_id),
            name: row.name,
            process: Holder::new(row.process),
            version: row.version,
            draining: row.draining,
            started_at: row.started_at.0,
            last_claim_at: row.last_claim_at.map(|it| it.0),
            beat_at: Some(row.beat_at.0),
        })
    }
}

#[async_trait]
impl Presence for SqlStore {
    async fn workers(&self) -> Result<Vec<WorkerPresence>, StoreError> {
        let since = earlier(self.now_read().await?, PRESENCE_TTL);
        let rows: Vec<WorkerRow> = on_pool!(&self.db, pool =>
            sqlx::query_as(WORKERS).bind(Instant(since)).fetch_all(pool).await)
        .doing("the workers")?;
        rows.into_iter().map(WorkerPresence::try_from).collect()
    }

    async fn leave(&self, worker: &WorkerId) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        on_tx!(&mut tx, connection => sqlx::query(LEAVE).bind(clean(worker.as_str())).execute(connection).await.map(|_| ()))
            .doing("a worker that leaves")?;
        tx.commit().await
    }
}

/// So long before.
pub(crate) fn earlier(now: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(by).ok().and_then(|by| now.checked_sub_signed(by)).unwrap_or(DateTime::UNIX_EPOCH)
}
