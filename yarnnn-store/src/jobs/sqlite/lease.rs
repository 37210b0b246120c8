//! What a worker writes while it runs jobs: renewals, its beat, progress.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::SqliteConnection;
use sqlx::types::Json;
use uuid::Uuid;
use yarnnn_core::StoreError;
use yarnnn_core::clock::instant_text;
use yarnnn_core::id::{JobId, RunToken};
use yarnnn_core::jobs::{JobProgress, Lease, Renewed, WorkerId, WorkerPresence, Written};

use super::enqueue::later;
use crate::columns::{Id, Instant};
use crate::error::{DbError, Doing as _, unreadable};
use crate::text::{clean, cleaned_json};

pub(super) const HELD: &str = "select id, run_token, lease_seconds, cancel_requested from job_queue indexed by job_queue_running \
    where status = 'running' and worker_id = $1";
pub(super) const RENEW: &str = "update job_queue set lease_until = it.until, heartbeat_at = $2 \
    from (select value ->> 0 as job, value ->> 1 as until from json_each($1)) as it where job_queue.id = it.job";
const BEAT: &str = "insert into job_workers (worker_id, name, process, version, concurrency, running, draining, started_at, \
    last_claim_at, beat_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
    on conflict (worker_id) do update set name = excluded.name, process = excluded.process, version = excluded.version, \
    concurrency = excluded.concurrency, running = excluded.running, draining = excluded.draining, \
    started_at = excluded.started_at, last_claim_at = excluded.last_claim_at, beat_at = excluded.beat_at";
pub(super) const PROGRESS: &str = "select progress from job_queue \
    where id = $1 and run_token = $2 and worker_id = $3 and status = 'running'";
pub(super) const SET_PROGRESS: &str = "update job_queue set progress = $2, updated_at = $3 where id = $1";

#[derive(sqlx::FromRow)]
struct HeldRow {
    id: Id,
    run_token: Id,
    lease_seconds: Option<f64>,
    cancel_requested: bool,
}

/// Renews the leases that hold, each for as long as it was claimed.
pub(in crate::jobs) async fn renew(
    c: &mut SqliteConnection,
    worker: &WorkerId,
    leases: &[(JobId, RunToken)],
    now: DateTime<Utc>,
) -> Result<Vec<Renewed>, StoreError> {
    let rows: Vec<HeldRow> = sqlx::query_as(HELD).bind(clean(worker.as_str())).fetch_all(&mut *c).await.doing("leases")?;
    let held: HashMap<(Uuid, Uuid), HeldRow> = rows.into_iter().map(|it| ((it.id.0, it.run_token.0), it)).collect();
    let mut renewals: Vec<Value> = vec![];
    let mut answers = Vec::with_capacity(leases.len());
    for (job, token) in leases {
        answers.push(match held.get(&(job.as_uuid(), token.as_uuid())) {
            None => Renewed::Lost,
            Some(row) => {
                let length = Duration::try_from_secs_f64(row.lease_seconds.unwrap_or_default()).unwrap_or_default();
                renewals.push(json!([row.id.0, instant_text(later(now, length))]));
                if row.cancel_requested { Renewed::CancelRequested } else { Renewed::Held }
            }
        });
    }
    if !renewals.is_empty() {
        sqlx::query(RENEW).bind(Json(renewals)).bind(Instant(now)).execute(c).await.doing("leases")?;
    }
    Ok(answers)
}

/// Shows that the worker lives.
pub(in crate::jobs) async fn beat(
    c: &mut SqliteConnection,
    presence: &WorkerPresence,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let query = sqlx::query(BEAT)
        .bind(clean(presence.worker.as_str()))
        .bind(clean(&presence.name))
        .bind(clean(presence.process.as_str()))
        .bind(clean(&presence.version))
        .bind(presence.concurrency)
        .bind(presence.running)
        .bind(presence.draining)
        .bind(Instant(presence.started_at))
        .bind(Instant::maybe(presence.last_claim_at))
        .bind(Instant(now));
    Ok(query.execute(c).await.map(|_| ()).doing(format!("worker {}", presence.worker))?)
}

/// Stores progress if it is further than what is stored.
pub(in crate::jobs) async fn progress(
    c: &mut SqliteConnection,
    lease: &Lease,
    progress: &JobProgress,
    now: DateTime<Utc>,
) -> Result<Written, StoreError> {
    let Some(stored) = stored_progress(c, lease).await? else {
        return Ok(Written::LeaseLost);
    };
    let stored = stored.and_then(|it| serde_json::from_value::<JobProgress>(it.0).ok());
    if stored.is_none_or(|it| (it.index, it.percent) <= (progress.index, progress.percent)) {
        let value = serde_json::to_value(progress).map_err(|error| unreadable("progress", error))?;
        let query = sqlx::query(SET_PROGRESS).bind(Id(lease.job.as_uuid())).bind(Json(cleaned_json(value)));
        query.bind(Instant(now)).execute(c).await.doing(format!("job {}", lease.job))?;
    }
    Ok(Written::Done)
}

/// None if the lease is lost.
async fn stored_progress(c: &mut SqliteConnection, lease: &Lease) -> Result<Option<Option<Json<Value>>>, DbError> {
    let query = sqlx::query_scalar(PROGRESS).bind(Id(lease.job.as_uuid())).bind(Id(lease.token.as_uuid()));
    query.bind(clean(lease.worker.as_str())).fetch_optional(c).await.doing(format!("job {}", lease.job))
}
