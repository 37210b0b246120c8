//! The verbs on Postgres: calls of the SQL functions that any other program may call too.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::types::Json;
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;
use yarnnn_core::StoreError;
use yarnnn_core::id::{JobId, RunToken};
use yarnnn_core::jobs::payload::Refusal;
use yarnnn_core::jobs::{
    Again, Claim, Claimed, EnqueueError, Enqueued, JobPolicy, JobProgress, JobStatus, KeyHolds, Lease, NewJob, NextDue, Renewed,
    Rescued, Settlement, Start, WorkerId, WorkerPresence, Written,
};

use super::prepare::refused as refused_follow_up;
use super::row::JobRow;
use crate::error::{Doing as _, unreadable};
use crate::text::{clean, cleaned_json};

const ENQUEUE: &str = "select job_id, is_new from enqueue_jobs_v3($1, true, $2)";
const CLAIM: &str = "select id, job_type, lane, priority, owner_user_id, job_payload, job_config, status, scheduled_at, attempt, \
    crashes, reschedules, worker_id, run_token, lease_until, cancel_requested, idempotency_key, correlation_id, parent_id, progress, \
    null::jsonb as job_result, null::timestamptz as result_expires_at, last_error, null::text as cause, started_at, \
    null::timestamptz as completed_at, created_at \
    from claim_next_job_v3($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const COMPLETE: &str = "select complete_jobs($1, $2, $3, $4, $5, $6)";
const SETTLE: &str = "select job_settle($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, coalesce($13, clock_timestamp()))";
const FURTHER: &str = "update job_queue set progress = $4 where id = $1 and worker_id = $2 and run_token = $3 and status = 'running' \
    and (progress is null or ((progress ->> 'index')::bigint, (progress ->> 'percent')::bigint) <= ($5, $6))";
const HOLDS: &str =
    "select exists (select from job_queue where id = $1 and worker_id = $2 and run_token = $3 and status = 'running')";
const RESCUE: &str = "select job_id, worker_id, crashes, status from rescue_jobs($1, $2)";
const NEXT_DUE: &str = "select job_next_due($1, $2, $3, $4)";
const RETRY: &str = "select retry_job($1, $2, $3)";
const RENEW: &str = "select run_token, is_renewed, cancel_requested from renew_job_leases($1, $2, $3, $4)";
const BEAT: &str = "insert into job_workers (worker_id, name, process, version, concurrency, running, draining, started_at, \
    last_claim_at, beat_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, coalesce($10, clock_timestamp())) \
    on conflict (worker_id) do update set name = excluded.name, process = excluded.process, version = excluded.version, \
    concurrency = excluded.concurrency, running = excluded.running, draining = excluded.draining, \
    last_claim_at = excluded.last_claim_at, beat_at = excluded.beat_at";

/// Stores jobs that were checked, in the caller's transaction.
pub(super) async fn enqueue(
    connection: &mut PgConnection,
    jobs: &[NewJob],
    now: Option<DateTime<Utc>>,
) -> Result<Vec<Enqueued>, EnqueueError> {
    let given: Vec<Value> = jobs.iter().map(as_json).collect();
    let answers: Vec<(Uuid, bool)> =
        sqlx::query_as(ENQUEUE).bind(Json(given)).bind(now).fetch_all(connection).await.map_err(|error| refused(error, jobs))?;
    let answer = |(id, new)| if new { Enqueued::New(JobId::from_uuid(id)) } else { Enqueued::Existing(JobId::from_uuid(id)) };
    Ok(answers.into_iter().map(answer).collect())
}

fn as_json(job: &NewJob) -> Value {
    let mut object = json!({
        "id": job.id, "type": job.kind, "lane": job.lane, "priority": job.priority, "payload": job.payload,
        "correlation": job.correlation,
    });
    if job.policy != JobPolicy::default() {
        object["config"] = json!(job.policy);
    }
    match job.start {
        Start::Now => {}
        Start::At(at) => object["run_at"] = json!(at),
        Start::After(delay) => object["delay"] = json!(delay.as_secs_f64()),
    }
    if let Some(owner) = job.owner {
        object["owner"] = json!(owner);
    }
    if let Some(parent) = job.parent {
        object["parent"] = json!(parent);
    }
    if let Some(key) = &job.key {
        object["key"] = json!(key.key);
        match key.holds {
            KeyHolds::Active => {}
            KeyHolds::Forever => object["holds"] = json!("forever"),
            KeyHolds::Window(seconds) => {
                object["holds"] = json!("window");
                object["window"] = json!(seconds);
            }
        }
    }
    object
}

/// Errors of our functions carry a name before the colon.
fn refused(error: sqlx::Error, jobs: &[NewJob]) -> EnqueueError {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code).unwrap_or_default().into_owned();
    let message = error.as_database_error().map(|it| it.message().to_owned()).unwrap_or_default();
    match code.as_str() {
        "YJ409" => {
            let key = jobs.iter().filter_map(|it| it.key.as_ref()).find(|it| message.contains(&format!("\"{}\"", it.key)));
            EnqueueError::Conflict { key: key.map(|it| it.key.clone()).unwrap_or_default() }
        }
        "YJ400" => {
            let (name, problem) = message.split_once(": ").unwrap_or(("refused", &message));
            EnqueueError::Refused(Refusal::new(name, problem))
        }
        _ => EnqueueError::Store(
            Err::<(), _>(error).doing("jobs").map_or_else(StoreError::from, |()| unreadable("jobs", "no error")),
        ),
    }
}

pub(super) async fn claim(
    connection: &mut PgConnection,
    claim: &Claim,
    now: Option<DateTime<Utc>>,
) -> Result<Vec<Claimed>, StoreError> {
    let rows: Vec<JobRow> = sqlx::query_as(CLAIM)
        .bind(claim.worker.as_str())
        .bind(&claim.kinds)
        .bind(&claim.lanes)
        .bind(number(claim.limit))
        .bind(claim.lease.as_secs_f64())
        .bind(claim.owner_limit.map(number))
        .bind(claim.only.map(JobId::as_uuid))
        .bind(claim.alone)
        .bind(now)
        .fetch_all(connection)
        .await
        .doing("claim jobs")?;
    rows.into_iter().map(|row| row.claimed(DateTime::UNIX_EPOCH)).collect()
}

/// Ends runs. Successes without anything that follows are one statement; the rest go one by one, each undone alone when what
/// follows from it is refused.
pub(super) async fn finish(
    connection: &mut PgConnection,
    done: &[(Lease, Settlement)],
    now: Option<DateTime<Utc>>,
) -> Result<Vec<Written>, StoreError> {
    let (plain, others): (Vec<_>, Vec<_>) = done.iter().partition(|(_, it)| is_plain(it));
    let mut written = complete(connection, &plain, now).await?;
    for (lease, settlement) in others {
        if settle_with_follow_up(connection, lease, settlement, now).await? {
            written.insert(lease.token);
        }
    }
    // A lease that stands there twice ends once.
    let mut answer = |token| if written.remove(token) { Written::Done } else { Written::LeaseLost };
    Ok(done.iter().map(|(lease, _)| answer(&lease.token)).collect())
}

async fn complete(
    connection: &mut PgConnection,
    done: &[&(Lease, Settlement)],
    now: Option<DateTime<Utc>>,
) -> Result<HashSet<RunToken>, StoreError> {
    let Some((first, _)) = done.first() else { return Ok(HashSet::new()) };
    let ids: Vec<Uuid> = done.iter().map(|(lease, _)| lease.job.as_uuid()).collect();
    let tokens: Vec<Uuid> = done.iter().map(|(lease, _)| lease.token.as_uuid()).collect();
    let results: Vec<Json<&Value>> = done.iter().map(|(_, it)| Json(it.result.as_ref().unwrap_or(&Value::Null))).collect();
    let ttls: Vec<Option<f64>> = done.iter().map(|(_, it)| it.result_ttl.map(|ttl| ttl.as_secs_f64())).collect();
    let ended: Vec<Uuid> = sqlx::query_scalar(COMPLETE)
        .bind(first.worker.as_str())
        .bind(ids)
        .bind(tokens)
        .bind(results)
        .bind(ttls)
        .bind(now)
        .fetch_all(connection)
        .await
        .doing("end jobs")?;
    Ok(ended.into_iter().map(RunToken::from_uuid).collect())
}

/// Ends one run with what follows from it. What is refused undoes neither the batch nor the end: the job has failed then.
async fn settle_with_follow_up(
    connection: &mut PgConnection,
    lease: &Lease,
    settlement: &Settlement,
    now: Option<DateTime<Utc>>,
) -> Result<bool, StoreError> {
    if settlement.follow_up.is_empty() {
        return settle(connection, lease, settlement, now).await;
    }
    let mut savepoint = connection.begin().await.doing("end a job")?;
    if !settle(&mut savepoint, lease, settlement, now).await? {
        return Ok(false);
    }
    match enqueue(&mut savepoint, &settlement.follow_up, now).await {
        Ok(_) => savepoint.commit().await.doing("end a job").map(|()| true).map_err(StoreError::from),
        Err(EnqueueError::Store(error)) => Err(error),
        Err(refusal) => {
            savepoint.rollback().await.doing("end a job")?;
            settle(connection, lease, &refused_follow_up(lease, &refusal.to_string()), now).await
        }
    }
}

async fn settle(
    connection: &mut PgConnection,
    lease: &Lease,
    settlement: &Settlement,
    now: Option<DateTime<Utc>>,
) -> Result<bool, StoreError> {
    let (at, after) = match settlement.again {
        Again::Now => (None, None),
        Again::At(at) => (Some(at), None),
        Again::After(wait) => (None, Some(wait.as_secs_f64())),
    };
    sqlx::query_scalar(SETTLE)
        .bind(lease.job.as_uuid())
        .bind(lease.worker.as_str())
        .bind(lease.token.as_uuid())
        .bind(settlement.status.as_str())
        .bind(settlement.charged)
        .bind(settlement.put_off)
        .bind(at)
        .bind(after)
        .bind(&settlement.error)
        .bind(settlement.cause)
        .bind(settlement.result.as_ref().map(Json))
        .bind(settlement.result_ttl.map(|it| it.as_secs_f64()))
        .bind(now)
        .fetch_one(connection)
        .await
        .doing("end a job")
        .map_err(StoreError::from)
}

pub(super) async fn progress(
    connection: &mut PgConnection,
    lease: &Lease,
    progress: &JobProgress,
    _now: Option<DateTime<Utc>>,
) -> Result<Written, StoreError> {
    let (id, token) = (lease.job.as_uuid(), lease.token.as_uuid());
    let further = sqlx::query(FURTHER)
        .bind(id)
        .bind(lease.worker.as_str())
        .bind(token)
        .bind(Json(cleaned_json(serde_json::json!(progress))))
        .bind(i64::from(progress.index))
        .bind(i64::from(progress.percent))
        .execute(&mut *connection)
        .await
        .doing("a job's progress")?;
    if further.rows_affected() > 0 {
        return Ok(Written::Done);
    }
    let holds: bool = sqlx::query_scalar(HOLDS)
        .bind(id)
        .bind(lease.worker.as_str())
        .bind(token)
        .fetch_one(connection)
        .await
        .doing("a lease")?;
    Ok(if holds { Written::Done } else { Written::LeaseLost })
}

pub(super) async fn rescue(
    connection: &mut PgConnection,
    gone: &[WorkerId],
    now: Option<DateTime<Utc>>,
) -> Result<Vec<Rescued>, StoreError> {
    let gone: Vec<&str> = gone.iter().map(WorkerId::as_str).collect();
    let rows: Vec<(Uuid, String, i32, String)> =
        sqlx::query_as(RESCUE).bind(gone).bind(now).fetch_all(connection).await.doing("rescue jobs")?;
    let rescued = |(id, worker, crashes, status): (Uuid, String, i32, String)| {
        let status = JobStatus::parse(&status).ok_or_else(|| unreadable("the state of a job", status))?;
        Ok(Rescued { job: JobId::from_uuid(id), worker: WorkerId::new(worker), crashes: count(crashes), status })
    };
    rows.into_iter().map(rescued).collect()
}

pub(super) async fn retry(
    connection: &mut PgConnection,
    job: JobId,
    actor: &str,
    now: Option<DateTime<Utc>>,
) -> Result<bool, StoreError> {
    let retry = sqlx::query_scalar(RETRY).bind(job.as_uuid()).bind(clean(actor)).bind(now);
    Ok(retry.fetch_one(connection).await.doing(format!("job {job}"))?)
}

/// Whether all of these are one statement, which needs no transaction around it.
pub(super) fn are_plain(done: &[(Lease, Settlement)]) -> bool {
    done.iter().all(|(_, it)| is_plain(it))
}

fn is_plain(settlement: &Settlement) -> bool {
    settlement.status == JobStatus::Succeeded && settlement.follow_up.is_empty()
}

pub(super) async fn next_due(
    connection: &mut PgConnection,
    due: &NextDue,
    now: Option<DateTime<Utc>>,
) -> Result<Option<Duration>, StoreError> {
    let seconds: Option<f64> = sqlx::query_scalar(NEXT_DUE)
        .bind(&due.kinds)
        .bind(&due.lanes)
        .bind(due.alone)
        .bind(now)
        .fetch_one(connection)
        .await
        .doing("the next due job")?;
    Ok(seconds.map(|it| Duration::try_from_secs_f64(it).unwrap_or(Duration::MAX)))
}

/// Keeps leases; the answers are in the order asked.
pub(super) async fn renew(
    connection: &mut PgConnection,
    worker: &WorkerId,
    leases: &[(JobId, RunToken)],
    now: Option<DateTime<Utc>>,
) -> Result<Vec<Renewed>, StoreError> {
    let ids: Vec<Uuid> = leases.iter().map(|(job, _)| job.as_uuid()).collect();
    let tokens: Vec<Uuid> = leases.iter().map(|(_, token)| token.as_uuid()).collect();
    let held: Vec<(Uuid, bool, bool)> = sqlx::query_as(RENEW)
        .bind(worker.as_str())
        .bind(ids)
        .bind(tokens)
        .bind(now)
        .fetch_all(connection)
        .await
        .doing("renew leases")?;
    let held: HashMap<Uuid, (bool, bool)> = held.into_iter().map(|(token, renewed, cancel)| (token, (renewed, cancel))).collect();
    let answer = |token: RunToken| match held.get(&token.as_uuid()) {
        Some((false, _)) => Renewed::Unanswered,
        Some((true, false)) => Renewed::Held,
        Some((true, true)) => Renewed::CancelRequested,
        None => Renewed::Lost,
    };
    Ok(leases.iter().map(|(_, token)| answer(*token)).collect())
}

pub(super) async fn beat(
    connection: &mut PgConnection,
    presence: &WorkerPresence,
    now: Option<DateTime<Utc>>,
) -> Result<(), StoreError> {
    sqlx::query(BEAT)
        .bind(presence.worker.as_str())
        .bind(&presence.name)
        .bind(presence.process.as_str())
        .bind(&presence.version)
        .bind(number(presence.concurrency))
        .bind(number(presence.running))
        .bind(presence.draining)
        .bind(presence.started_at)
        .bind(presence.last_claim_at)
        .bind(now)
        .execute(connection)
        .await
        .doing("a worker's beat")?;
    Ok(())
}

fn number(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn count(number: i32) -> u32 {
    u32::try_from(number).unwrap_or(0)
}
