//! A job as a row: one type for both drivers.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use sqlx::types::Json;
use yarnnn_core::StoreError;
use yarnnn_core::id::{JobId, RunToken, UserId};
use yarnnn_core::jobs::{Claimed, JobPolicy, JobProgress, JobRecord, JobStatus, Lease, WorkerId};

use crate::columns::{Id, Instant};
use crate::error::unreadable;

macro_rules! job_columns {
    () => {
        "id, job_type, lane, priority, owner_user_id, job_payload, job_config, status, scheduled_at, attempt, crashes, \
         reschedules, worker_id, run_token, lease_until, cancel_requested, idempotency_key, correlation_id, parent_id, progress, \
         job_result, result_expires_at, last_error, cause, started_at, completed_at, created_at"
    };
}

pub(super) use job_columns;

/// The columns of [`job_columns!`].
#[derive(sqlx::FromRow)]
pub(super) struct JobRow {
    pub(super) id: Id,
    job_type: String,
    lane: String,
    priority: i32,
    owner_user_id: Option<Id>,
    job_payload: Json<Value>,
    job_config: Json<Value>,
    status: String,
    scheduled_at: Instant,
    attempt: i32,
    crashes: i32,
    reschedules: i32,
    worker_id: Option<String>,
    run_token: Option<Id>,
    lease_until: Option<Instant>,
    cancel_requested: bool,
    idempotency_key: Option<String>,
    correlation_id: String,
    parent_id: Option<Id>,
    progress: Option<Json<Value>>,
    job_result: Option<Json<Value>>,
    result_expires_at: Option<Instant>,
    last_error: Option<String>,
    cause: Option<String>,
    started_at: Option<Instant>,
    completed_at: Option<Instant>,
    created_at: Instant,
}

impl JobRow {
    /// The job as it stands at this instant.
    pub(super) fn record(self, now: DateTime<Utc>) -> Result<JobRecord, StoreError> {
        let what = format!("job {}", self.id.0);
        let bad = |field: &str| unreadable(what.clone(), format!("{field} cannot be read"));
        let count = |number: i32, field: &str| u32::try_from(number).map_err(|_| bad(field));
        let expired = self.result_expires_at.is_some_and(|it| it.0 <= now);
        Ok(JobRecord {
            id: JobId::from_uuid(self.id.0),
            status: JobStatus::parse(&self.status).ok_or_else(|| bad("status"))?,
            priority: u8::try_from(self.priority).map_err(|_| bad("priority"))?,
            attempt: count(self.attempt, "attempt")?,
            crashes: count(self.crashes, "crashes")?,
            reschedules: count(self.reschedules, "reschedules")?,
            policy: policy(self.job_config.0),
            kind: self.job_type,
            lane: self.lane,
            owner: self.owner_user_id.map(|it| UserId::from_uuid(it.0)),
            payload: self.job_payload.0,
            run_at: self.scheduled_at.0,
            started_at: self.started_at.map(|it| it.0),
            finished_at: self.completed_at.map(|it| it.0),
            worker: self.worker_id.map(WorkerId::new),
            lease_until: self.lease_until.map(|it| it.0),
            key: self.idempotency_key,
            correlation: self.correlation_id,
            parent: self.parent_id.map(|it| JobId::from_uuid(it.0)),
            progress: self.progress.and_then(|it| serde_json::from_value::<JobProgress>(it.0).ok()),
            result: self.job_result.filter(|_| !expired).map(|it| it.0),
            error: self.last_error,
            cause: self.cause,
            cancel_requested: self.cancel_requested,
            expired,
            created_at: self.created_at.0,
        })
    }

    /// The job and the right to run it, of a row that was claimed.
    pub(super) fn claimed(self, now: DateTime<Utc>) -> Result<Claimed, StoreError> {
        let token = self.run_token.map(|it| RunToken::from_uuid(it.0));
        let job = self.record(now)?;
        match (token, &job.worker) {
            (Some(token), Some(worker)) => {
                let worker = worker.clone();
                let (attempt, reschedules, policy) = (job.attempt, job.reschedules, job.policy.clone());
                Ok(Claimed { lease: Lease { job: job.id, token, worker, attempt, reschedules, policy }, job })
            }
            _ => Err(unreadable(format!("job {}", job.id), "a claimed job without a holder")),
        }
    }
}

/// The rules of a job. What this version cannot read (rules of a newer one, or written by hand) counts as not given: else one
/// such row would stop every claim that meets it.
fn policy(config: Value) -> JobPolicy {
    let read = |config: Map<String, Value>| serde_json::from_value::<JobPolicy>(Value::Object(config)).ok();
    let Value::Object(given) = config else {
        return JobPolicy::default();
    };
    read(given.clone()).unwrap_or_else(|| {
        let is_readable = |key: &str, value: &Value| read(Map::from_iter([(key.to_owned(), value.clone())])).is_some();
        read(given.into_iter().filter(|(key, value)| is_readable(key, value)).collect()).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rules_that_cannot_be_read_count_as_not_given() {
        let known = json!({ "max_attempts": 2, "time_limit_seconds": 9 });
        let odd = json!({ "max_attempts": 2, "time_limit_seconds": 9, "retry": "never", "mode": "turbo" });
        assert_eq!(policy(odd), policy(known.clone()));
        assert_eq!(policy(known).max_attempts, 2);
        for nothing in [json!(null), json!([1]), json!("x"), json!({})] {
            assert_eq!(policy(nothing), JobPolicy::default());
        }
    }
}
