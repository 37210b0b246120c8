//! New jobs: keys one by one, rows all at once.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use serde_json::{Value, json};
use sqlx::SqliteConnection;
use sqlx::types::Json;
use yarnnn_core::StoreError;
use yarnnn_core::clock::instant_text;
use yarnnn_core::id::JobId;
use yarnnn_core::jobs::{EnqueueError, Enqueued, KeyHolds, NewJob, Start};

use super::super::prepare::{digest, fixed_lanes};
use super::history::{Line, tell};
use crate::columns::{Id, Instant};
use crate::error::{DbError, Doing as _, unreadable};
use crate::text::plausible;

pub(super) const INSERT: &str = "insert into job_queue (id, job_type, job_name, lane, job_lane, priority, owner_user_id, job_payload, \
    job_config, scheduled_at, idempotency_key, correlation_id, parent_id, created_at, updated_at) \
    select value ->> 'id', value ->> 'kind', value ->> 'kind', value ->> 'lane', value ->> 'job_lane', value ->> 'priority', \
    value ->> 'owner', value ->> 'payload', value ->> 'config', value ->> 'at', value ->> 'key', value ->> 'correlation', \
    value ->> 'parent', $2, $2 from json_each($1)";
/// The job that a key stands for, if it stands.
pub(super) const STANDING: &str = "select k.job_id, k.payload_hash from job_keys as k where k.scope = $1 and k.key = $2 and case k.holds \
    when 'forever' then true \
    when 'window' then k.held_until > $3 \
    else exists (select 1 from job_queue as q where q.id = k.job_id and q.status in ('queued', 'running', 'retrying')) end";
pub(super) const TAKE: &str = "insert into job_keys (scope, key, job_id, payload_hash, holds, held_until) values ($1, $2, $3, $4, $5, $6) \
    on conflict (scope, key) do update set job_id = excluded.job_id, payload_hash = excluded.payload_hash, \
    holds = excluded.holds, held_until = excluded.held_until";

/// Stores new jobs, in the order given; none if one of them is refused and the caller undoes the transaction.
pub(in crate::jobs) async fn enqueue(
    c: &mut SqliteConnection,
    jobs: &[NewJob],
    now: DateTime<Utc>,
) -> Result<Vec<Enqueued>, EnqueueError> {
    let mut answers = Vec::with_capacity(jobs.len());
    let mut rows = vec![];
    let mut taken = HashMap::new();
    for job in jobs {
        let known = key_of(c, job, &mut taken, now).await?;
        answers.push(known.map_or(Enqueued::New(job.id), Enqueued::Existing));
        if known.is_none() {
            rows.push(job);
        }
    }
    insert(c, &rows, now).await?;
    Ok(answers)
}

/// Keys that were taken within the call, whose jobs are not stored yet.
type Taken = HashMap<(String, String), (JobId, String)>;

/// The job that the key stands for; if it stands for none it is taken for the new one.
async fn key_of(
    c: &mut SqliteConnection,
    job: &NewJob,
    taken: &mut Taken,
    now: DateTime<Utc>,
) -> Result<Option<JobId>, EnqueueError> {
    let Some(key) = &job.key else {
        return Ok(None);
    };
    let place = (scope(job), key.key.clone());
    let hash = digest(&job.payload);
    let known = match taken.get(&place) {
        Some(known) => Some(known.clone()),
        None => standing(c, &place, now).await.map_err(StoreError::from)?,
    };
    match known {
        Some((id, same)) if same == hash => Ok(Some(id)),
        Some(_) => Err(EnqueueError::Conflict { key: place.1 }),
        None => {
            take(c, &place, (job.id, &hash), key.holds, now).await.map_err(StoreError::from)?;
            taken.insert(place, (job.id, hash));
            Ok(None)
        }
    }
}

/// Where a key counts: among jobs of one kind and owner.
fn scope(job: &NewJob) -> String {
    format!("{}/{}", job.kind, job.owner.map(|it| it.to_string()).unwrap_or_default())
}

async fn standing(
    c: &mut SqliteConnection,
    (scope, key): &(String, String),
    now: DateTime<Utc>,
) -> Result<Option<(JobId, String)>, DbError> {
    let query = sqlx::query_as(STANDING).bind(scope).bind(key).bind(Instant(now));
    let row: Option<(Id, String)> = query.fetch_optional(c).await.doing("an idempotency key")?;
    Ok(row.map(|(id, hash)| (JobId::from_uuid(id.0), hash)))
}

async fn take(
    c: &mut SqliteConnection,
    (scope, key): &(String, String),
    (job, hash): (JobId, &str),
    holds: KeyHolds,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let (holds, until) = match holds {
        KeyHolds::Active => ("active", None),
        KeyHolds::Forever => ("forever", None),
        KeyHolds::Window(seconds) => ("window", Some(later(now, Duration::from_secs(seconds.into())))),
    };
    let query = sqlx::query(TAKE).bind(scope).bind(key).bind(Id(job.as_uuid())).bind(hash).bind(holds);
    query.bind(Instant::maybe(until)).execute(c).await.map(|_| ()).doing("an idempotency key")
}

async fn insert(c: &mut SqliteConnection, jobs: &[&NewJob], now: DateTime<Utc>) -> Result<(), StoreError> {
    if jobs.is_empty() {
        return Ok(());
    }
    let rows = jobs.iter().map(|job| row(job, now)).collect::<Result<Vec<_>, _>>()?;
    sqlx::query(INSERT).bind(Json(rows)).bind(Instant(now)).execute(&mut *c).await.doing("a new job")?;
    let lines: Vec<_> =
        jobs.iter().map(|job| Line { job: job.id.as_uuid(), event: "enqueued", attempt: 0, reason: None }).collect();
    Ok(tell(c, &lines, None, now).await?)
}

fn row(job: &NewJob, now: DateTime<Utc>) -> Result<Value, StoreError> {
    let config = serde_json::to_string(&job.policy).map_err(|error| unreadable("the rules of a job", error))?;
    Ok(json!({
        "id": job.id,
        "kind": job.kind,
        "lane": job.lane,
        "job_lane": fixed_lanes(&job.kind).map(|_| &job.lane),
        "priority": job.priority,
        "owner": job.owner,
        // As texts: else they would be taken apart on their way.
        "payload": job.payload.to_string(),
        "config": config,
        "at": instant_text(starts(job.start, now).trunc_subsecs(6)),
        "key": job.key.as_ref().map(|it| &it.key),
        "correlation": job.correlation,
        "parent": job.parent,
    }))
}

fn starts(start: Start, now: DateTime<Utc>) -> DateTime<Utc> {
    match start {
        Start::Now => now,
        Start::At(at) => plausible(at).map_or(if at > now { FAR } else { now }, |at| at.max(now)),
        Start::After(wait) => later(now, wait),
    }
}

/// The last instant whose text keeps its order.
const FAR: DateTime<Utc> = match DateTime::from_timestamp(253_402_300_799, 0) {
    Some(far) => far,
    None => DateTime::UNIX_EPOCH,
};

/// So long after, at most for as long as years have four digits.
pub(in crate::jobs) fn later(now: DateTime<Utc>, wait: Duration) -> DateTime<Utc> {
    let end = TimeDelta::from_std(wait).ok().and_then(|wait| now.checked_add_signed(wait));
    end.and_then(plausible).unwrap_or(FAR)
}

/// The instant, or the nearest whose text keeps its order.
pub(in crate::jobs) fn kept(at: DateTime<Utc>) -> DateTime<Utc> {
    plausible(at).unwrap_or(if at > DateTime::UNIX_EPOCH { FAR } else { DateTime::UNIX_EPOCH })
}
