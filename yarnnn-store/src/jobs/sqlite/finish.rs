//! The ends of runs: each under its lease, and none depends on another.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::types::Json;
use sqlx::{Connection as _, SqliteConnection};
use yarnnn_core::StoreError;
use yarnnn_core::jobs::{Again, EnqueueError, Lease, Settlement, Written};

use super::super::prepare::{reason, refused, waits};
use super::enqueue::{enqueue, kept, later};
use super::history::{Line, tell};
use crate::columns::{Id, Instant};
use crate::error::{DbError, Doing as _};
use crate::text::clean;

/// The least that a job is put off by.
const PUT_OFF: TimeDelta = TimeDelta::seconds(1);

/// A job that was asked to stop does not wait for another run.
pub(super) const SETTLE: &str = "update job_queue set status = case when $5 and cancel_requested then 'cancelled' else $4 end, \
    scheduled_at = coalesce($6, scheduled_at), attempt = max(attempt - $7, 0), reschedules = reschedules + $8, \
    last_error = case when $4 = 'succeeded' then null else coalesce($9, last_error) end, cause = $10, job_result = $11, \
    result_expires_at = $12, completed_at = case when $5 and not cancel_requested then null else $13 end, \
    dead_letter_at = case when $4 = 'dead' then $13 end, run_token = null, lease_seconds = null, lease_until = null, \
    heartbeat_at = null, cancel_requested = false, updated_at = $13 \
    where id = $1 and run_token = $2 and worker_id = $3 and status = 'running' returning status, attempt";

/// Writes ends in the order given.
pub(in crate::jobs) async fn finish(
    c: &mut SqliteConnection,
    settled: &[(Lease, Settlement)],
    now: DateTime<Utc>,
) -> Result<Vec<Written>, StoreError> {
    let mut answers = Vec::with_capacity(settled.len());
    for (lease, settlement) in settled {
        let written = if settlement.follow_up.is_empty() {
            settle(c, lease, settlement, now).await?
        } else {
            with_follow_up(c, lease, settlement, now).await?
        };
        answers.push(written);
    }
    Ok(answers)
}

/// The end and what follows from it, or a failure that says why it must not follow.
async fn with_follow_up(
    c: &mut SqliteConnection,
    lease: &Lease,
    settlement: &Settlement,
    now: DateTime<Utc>,
) -> Result<Written, StoreError> {
    let mut point = c.begin().await.doing("the end of a job")?;
    if settle(&mut point, lease, settlement, now).await? == Written::LeaseLost {
        return Ok(Written::LeaseLost);
    }
    match enqueue(&mut point, &settlement.follow_up, now).await {
        Ok(_) => {
            point.commit().await.doing("the end of a job")?;
            Ok(Written::Done)
        }
        Err(EnqueueError::Store(error)) if !matches!(error, StoreError::Conflict { .. }) => Err(error),
        Err(why) => {
            point.rollback().await.doing("the end of a job")?;
            settle(c, lease, &refused(lease, &why.to_string()), now).await
        }
    }
}

async fn settle(c: &mut SqliteConnection, lease: &Lease, it: &Settlement, now: DateTime<Utc>) -> Result<Written, StoreError> {
    match write(c, lease, it, now).await? {
        None => Ok(Written::LeaseLost),
        Some((status, attempt)) => {
            let line = Line { job: lease.job.as_uuid(), event: &status, attempt, reason: reason(it) };
            tell(c, &[line], Some(&clean(lease.worker.as_str())), now).await?;
            Ok(Written::Done)
        }
    }
}

/// The state and try of the job, if the lease holds.
async fn write(
    c: &mut SqliteConnection,
    lease: &Lease,
    it: &Settlement,
    now: DateTime<Utc>,
) -> Result<Option<(String, i64)>, DbError> {
    let query = sqlx::query_as(SETTLE)
        .bind(Id(lease.job.as_uuid()))
        .bind(Id(lease.token.as_uuid()))
        .bind(clean(lease.worker.as_str()).into_owned())
        .bind(it.status.as_str())
        .bind(waits(it.status))
        .bind(Instant::maybe(again(it, now)))
        .bind(i32::from(!it.charged))
        .bind(i32::from(it.put_off))
        .bind(it.error.as_deref())
        .bind(it.cause)
        .bind(it.result.as_ref().map(Json))
        .bind(Instant::maybe(it.result_ttl.map(|ttl| later(now, ttl))))
        .bind(Instant(now));
    query.fetch_optional(c).await.doing(format!("job {}", lease.job))
}

/// When it may run again; none for jobs that ended.
fn again(it: &Settlement, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let at = match it.again {
        Again::Now => now,
        Again::At(at) => kept(at),
        Again::After(wait) => later(now, wait),
    };
    // Clocks differ: what is put off is never due at once.
    let soonest = if it.put_off { now + PUT_OFF } else { at };
    waits(it.status).then(|| at.max(soonest))
}
