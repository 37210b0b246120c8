//! Administration of the queue: plain statements, the same on both drivers.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{AssertSqlSafe, FromRow};
use yarnnn_core::StoreError;
use yarnnn_core::id::JobId;
use yarnnn_core::jobs::{Depth, JobAdmin, JobEvent, JobFilter, JobRecord, JobStatus};

#[cfg(feature = "postgres")]
use super::postgres;
use super::prepare::waits;
use super::row::{JobRow, job_columns};
#[cfg(feature = "sqlite")]
use super::sqlite;
use crate::SqlStore;
use crate::columns::{Id, Instant, Texts, Uuids};
use crate::db::{Tx, on_driver, on_pool, on_tx};
use crate::error::{DbError, Doing as _, unreadable};
use crate::text::clean;

const EVENTS: &str = "select at, event, actor, attempt, reason from job_events where job_id = $1 order by seq";
const STANDS: &str = "select status from job_queue where id = $1";
const HURRY: &str = "update job_queue set scheduled_at = $2, updated_at = $2 \
    where id = $1 and status = 'retrying' and scheduled_at > $2";
const CANCEL: &str = "update job_queue set status = 'cancelled', completed_at = $2, updated_at = $2 \
    where id = $1 and status in ('queued', 'retrying')";
const ASK_TO_STOP: &str = "update job_queue set cancel_requested = true, updated_at = $2 \
    where id = $1 and status = 'running' and cancel_requested = false";
const TELL: &str = "insert into job_events (job_id, at, event, actor, attempt, reason) \
    select id, $2, $3, $4, attempt, null from job_queue where id = $1";
const DEPTH: &str = "\
    select job_type, status, count(*) as jobs, 0 as quarantined, min(scheduled_at) as oldest from job_queue \
        where status in ('queued', 'retrying') and crashes < 2 group by job_type, status \
    union all select job_type, status, count(*), count(*), min(scheduled_at) from job_queue \
        where status in ('queued', 'retrying') and crashes >= 2 group by job_type, status \
    union all select job_type, status, count(*), 0, null from job_queue where status = 'running' group by job_type, status \
    union all select job_type, status, count(*), 0, null from job_queue \
        where status in ('failed', 'dead', 'needs_human') group by job_type, status";
/// Those that ended before an instant, by an index in the order of their ends.
const ENDED: &str = "select id from job_queue \
    where status in ('succeeded', 'failed', 'dead', 'cancelled', 'needs_human') and completed_at < $1 and status";
const EXPIRED: &str = "select id from job_queue \
    where result_expires_at is not null and result_expires_at <= $1 and status not in ('queued', 'running', 'retrying') \
    order by result_expires_at limit $2";
/// What no window, no lease and no living worker needs any more at $2; $1 is an hour before.
const STALE: [&str; 3] = [
    "delete from api_permits where acquired_at < $1 and (released_at is not null or expires_at <= $2)",
    "delete from job_keys where holds = 'window' and held_until <= $2 and $1 <= $2",
    "delete from job_workers where beat_at < $1 and $1 <= $2",
];

#[async_trait]
impl JobAdmin for SqlStore {
    async fn list(&self, filter: &JobFilter) -> Result<Vec<JobRecord>, StoreError> {
        let now = self.now_read().await?;
        let (open, close) = self.db.dialect().in_list();
        let sql = format!(
            "select {} from job_queue where ($1 = 0 or status{open}$2{close}) and ($3 is null or job_type = $3) \
             and ($4 is null or owner_user_id = $4) order by created_at desc, id desc limit $5",
            job_columns!()
        );
        let statuses = names(&filter.statuses);
        let rows: Vec<JobRow> = on_pool!(&self.db, pool => {
            let query = sqlx::query_as(AssertSqlSafe(sql))
                .bind(i32::from(!statuses.0.is_empty()))
                .bind(statuses)
                .bind(filter.kind.as_deref().map(clean))
                .bind(filter.owner.map(|it| Id(it.as_uuid())))
                .bind(i64::from(filter.limit));
            query.fetch_all(pool).await
        })
        .doing("the jobs")?;
        rows.into_iter().map(|it| it.record(now)).collect()
    }

    async fn events(&self, job: JobId) -> Result<Vec<JobEvent>, StoreError> {
        let rows: Vec<EventRow> = on_pool!(&self.db, pool =>
            sqlx::query_as(EVENTS).bind(Id(job.as_uuid())).fetch_all(pool).await)
        .doing(format!("the history of job {job}"))?;
        rows.into_iter().map(JobEvent::try_from).collect()
    }

    async fn retry(&self, job: JobId, actor: &str) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        let retried = on_driver!(&mut tx, connection,
            postgres: postgres::retry(connection, job, actor, self.given_now()).await,
            sqlite: sqlite::retry(connection, job, actor, self.now()).await,
        )?;
        if !retried {
            return Err(refusal(&mut tx, job).await?);
        }
        tx.commit().await?;
        self.wake();
        Ok(())
    }

    async fn hurry(&self, job: JobId, actor: &str) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        let now = self.now_in(&mut tx).await?;
        if change(&mut tx, HURRY, job, now).await? {
            tell(&mut tx, (job, now), "hurried", actor).await?;
        } else if stands(&mut tx, job).await?.is_none() {
            return Err(refusal(&mut tx, job).await?);
        }
        tx.commit().await?;
        self.wake();
        Ok(())
    }

    async fn cancel(&self, job: JobId, actor: &str) -> Result<JobStatus, StoreError> {
        let mut tx = self.db.begin().await?;
        let now = self.now_in(&mut tx).await?;
        let after = if change(&mut tx, CANCEL, job, now).await? {
            tell(&mut tx, (job, now), "cancelled", actor).await?;
            JobStatus::Cancelled
        } else if change(&mut tx, ASK_TO_STOP, job, now).await? {
            tell(&mut tx, (job, now), "cancel_requested", actor).await?;
            JobStatus::Running
        } else if stands(&mut tx, job).await? == Some(JobStatus::Running) {
            JobStatus::Running
        } else {
            return Err(refusal(&mut tx, job).await?);
        };
        tx.commit().await?;
        Ok(after)
    }

    async fn purge(&self, before: DateTime<Utc>, statuses: &[JobStatus], limit: u32) -> Result<u64, StoreError> {
        let mut tx = self.db.begin().await?;
        let now = self.now_in(&mut tx).await?;
        let ended = to_purge(&mut tx, (before, now), statuses, limit).await?;
        let purged = u64::try_from(ended.len()).unwrap_or(u64::MAX);
        delete(&mut tx, ended).await?;
        sweep(&mut tx, now).await?;
        tx.commit().await?;
        Ok(purged)
    }

    async fn depth(&self) -> Result<Vec<Depth>, StoreError> {
        let now = self.now_read().await?;
        let rows: Vec<DepthRow> =
            on_pool!(&self.db, pool => sqlx::query_as(DEPTH).fetch_all(pool).await).doing("the depth of the queue")?;
        let mut sums: BTreeMap<(String, usize), Depth> = BTreeMap::new();
        for row in rows {
            let depth = row.depth(now)?;
            let place = JobStatus::ALL.iter().position(|it| *it == depth.status).unwrap_or_default();
            let sum = sums.entry((depth.kind.clone(), place)).or_insert_with(|| Depth {
                count: 0,
                quarantined: 0,
                oldest_seconds: 0,
                ..depth.clone()
            });
            sum.count += depth.count;
            sum.quarantined += depth.quarantined;
            sum.oldest_seconds = sum.oldest_seconds.max(depth.oldest_seconds);
        }
        Ok(sums.into_values().collect())
    }
}

#[derive(FromRow)]
struct EventRow {
    at: Instant,
    event: String,
    actor: Option<String>,
    attempt: i32,
    reason: Option<String>,
}

impl TryFrom<EventRow> for JobEvent {
    type Error = StoreError;

    fn try_from(row: EventRow) -> Result<Self, StoreError> {
        let attempt = u32::try_from(row.attempt).map_err(|error| unreadable("the history of a job", error))?;
        Ok(Self { at: row.at.0, event: row.event, actor: row.actor, attempt, reason: row.reason })
    }
}

#[derive(FromRow)]
struct DepthRow {
    job_type: String,
    status: String,
    jobs: i64,
    quarantined: i64,
    oldest: Option<Instant>,
}

impl DepthRow {
    fn depth(self, now: DateTime<Utc>) -> Result<Depth, StoreError> {
        let status = JobStatus::parse(&self.status).ok_or_else(|| unreadable("the queue", "unknown status"))?;
        let due = self.oldest.filter(|_| waits(status)).map_or(0, |it| (now - it.0).num_seconds());
        let count = |number: i64| u64::try_from(number).unwrap_or_default();
        Ok(Depth {
            kind: self.job_type,
            status,
            count: count(self.jobs),
            quarantined: count(self.quarantined),
            oldest_seconds: count(due),
        })
    }
}

fn names(statuses: &[JobStatus]) -> Texts {
    Texts(statuses.iter().map(|it| it.as_str().to_owned()).collect())
}

/// Deletes what is left behind: permits beyond every window, keys whose window is over, workers that died elsewhere.
async fn sweep(tx: &mut Tx, now: DateTime<Utc>) -> Result<(), DbError> {
    let hour = Instant(now - TimeDelta::hours(1));
    for sql in STALE {
        on_tx!(&mut *tx, connection =>
            sqlx::query(sql).bind(hour).bind(Instant(now)).execute(connection).await.map(|_| ()))
        .doing("what is left behind")?;
    }
    Ok(())
}

/// Whether the job was changed.
async fn change(tx: &mut Tx, sql: &'static str, job: JobId, now: DateTime<Utc>) -> Result<bool, DbError> {
    on_tx!(tx, connection => {
        let query = sqlx::query(sql).bind(Id(job.as_uuid())).bind(Instant(now));
        query.execute(connection).await.map(|it| it.rows_affected() == 1)
    })
    .doing(format!("job {job}"))
}

async fn tell(tx: &mut Tx, (job, now): (JobId, DateTime<Utc>), event: &'static str, actor: &str) -> Result<(), DbError> {
    on_tx!(tx, connection => {
        let query = sqlx::query(TELL).bind(Id(job.as_uuid())).bind(Instant(now)).bind(event).bind(clean(actor));
        query.execute(connection).await.map(|_| ())
    })
    .doing(format!("the history of job {job}"))
}

async fn stands(tx: &mut Tx, job: JobId) -> Result<Option<JobStatus>, DbError> {
    let name: Option<String> = on_tx!(tx, connection =>
        sqlx::query_scalar(STANDS).bind(Id(job.as_uuid())).fetch_optional(connection).await)
    .doing(format!("job {job}"))?;
    Ok(name.and_then(|it| JobStatus::parse(&it)))
}

/// Why nothing was changed: the job is not there, or it does not stand where that is possible.
async fn refusal(tx: &mut Tx, job: JobId) -> Result<StoreError, DbError> {
    let what = format!("job {job}");
    Ok(if stands(tx, job).await?.is_some() { StoreError::Conflict { what } } else { StoreError::NotFound { what } })
}

/// Up to a limit, and held until the end of the transaction, so that none is retried meanwhile: those that ended before, in these states (in any, if none is named), and those whose result has expired.
async fn to_purge(
    tx: &mut Tx,
    (before, now): (DateTime<Utc>, DateTime<Utc>),
    statuses: &[JobStatus],
    limit: u32,
) -> Result<Vec<Id>, DbError> {
    let (open, close) = tx.dialect().in_list();
    let statuses = names(if statuses.is_empty() { &JobStatus::ALL } else { statuses });
    let ended = format!("{ENDED}{open}$2{close} order by completed_at limit $3{}", tx.dialect().for_update_of_free());
    let mut ids: Vec<Id> = on_tx!(&mut *tx, connection => {
        let query = sqlx::query_scalar(AssertSqlSafe(ended)).bind(Instant(before)).bind(statuses).bind(i64::from(limit));
        query.fetch_all(connection).await
    })
    .doing("ended jobs")?;
    let expired = format!("{EXPIRED}{}", tx.dialect().for_update_of_free());
    let expired: Vec<Id> = on_tx!(tx, connection =>
        sqlx::query_scalar(AssertSqlSafe(expired)).bind(Instant(now)).bind(i64::from(limit)).fetch_all(connection).await)
    .doing("expired jobs")?;
    ids.extend(expired);
    ids.sort_by_key(|it| it.0);
    ids.dedup();
    ids.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(ids)
}

/// Deletes jobs with their history and with the keys that stand only while they do. A slot whose job was cancelled knows it from then on.
async fn delete(tx: &mut Tx, ids: Vec<Id>) -> Result<(), DbError> {
    let (open, close) = tx.dialect().in_list();
    let slots = format!(
        "update deliverable_slots set cancelled = true where (outcome is null or outcome = 'failed') \
         and job_id in (select id from job_queue where status = 'cancelled' and id{open}$1{close})"
    );
    let keys = format!(
        "delete from job_keys where holds = 'active' and (scope, key, job_id) in (select \
         job_type || '/' || coalesce(cast(owner_user_id as text), ''), idempotency_key, id from job_queue \
         where idempotency_key is not null and id{open}$1{close})"
    );
    let events = format!("delete from job_events where job_id{open}$1{close}");
    let jobs = format!("delete from job_queue where id{open}$1{close}");
    for sql in [slots, keys, events, jobs] {
        let ids = Uuids(ids.iter().map(|it| it.0).collect());
        on_tx!(&mut *tx, connection =>
            sqlx::query(AssertSqlSafe(sql)).bind(ids).execute(connection).await.map(|_| ()))
        .doing("ended jobs")?;
    }
    Ok(())
}
