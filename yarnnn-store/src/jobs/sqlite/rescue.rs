//! Taking back what workers lost.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;
use uuid::Uuid;
use yarnnn_core::StoreError;
use yarnnn_core::id::JobId;
use yarnnn_core::jobs::{JobStatus, Rescued, WorkerId, cause};

use super::enqueue::later;
use super::history::{Line, tell};
use crate::columns::{Id, Instant, Texts};
use crate::error::{DbError, Doing as _};
use crate::text::clean;

pub(super) const LOST: &str = "select id, worker_id, attempt, crashes, cancel_requested from job_queue indexed by job_queue_running \
    where status = 'running' and (lease_until <= $1 or worker_id in (select value from json_each($2)))";
pub(super) const TAKE_BACK: &str = "update job_queue set status = $2, attempt = $3, crashes = $4, scheduled_at = coalesce($5, scheduled_at), \
    last_error = $6, cause = $7, completed_at = $8, dead_letter_at = case when $2 = 'dead' then $8 end, run_token = null, \
    lease_seconds = null, lease_until = null, heartbeat_at = null, cancel_requested = false, updated_at = $9 where id = $1";
const OFF_THE_BOARD: &str = "delete from job_workers where worker_id in (select value from json_each($1))";
const END_PERMITS: &str = "update api_permits set released_at = $2 \
    where released_at is null and worker_id in (select value from json_each($1))";

/// After which crash a job waits how long for its next try; after one more it is dead.
const WAITS: [u64; 4] = [0, 1, 5, 15];

#[derive(sqlx::FromRow)]
struct LostRow {
    id: Id,
    worker_id: String,
    attempt: i64,
    crashes: i64,
    cancel_requested: bool,
}

/// What becomes of a job that was lost.
struct Fate {
    status: JobStatus,
    again: Option<DateTime<Utc>>,
    cause: Option<&'static str>,
}

impl Fate {
    fn of(lost: &LostRow, now: DateTime<Utc>) -> Self {
        let wait = usize::try_from(lost.crashes).ok().and_then(|it| WAITS.get(it));
        match wait {
            _ if lost.cancel_requested => Self { status: JobStatus::Cancelled, again: None, cause: None },
            Some(wait) => Self { status: JobStatus::Retrying, again: Some(later(now, Duration::from_secs(*wait))), cause: None },
            None => Self { status: JobStatus::Dead, again: None, cause: Some(cause::CRASH) },
        }
    }
}

/// Takes back jobs whose lease ended, and everything of the workers that are gone.
pub(in crate::jobs) async fn rescue(
    c: &mut SqliteConnection,
    gone: &[WorkerId],
    now: DateTime<Utc>,
) -> Result<Vec<Rescued>, StoreError> {
    let gone = Texts(gone.iter().map(|it| clean(it.as_str()).into_owned()).collect());
    if !gone.0.is_empty() {
        sqlx::query(OFF_THE_BOARD).bind(gone.clone()).execute(&mut *c).await.doing("workers that are gone")?;
        sqlx::query(END_PERMITS).bind(gone.clone()).bind(Instant(now)).execute(&mut *c).await.doing("permits of the gone")?;
    }
    let mut lost: Vec<LostRow> =
        sqlx::query_as(LOST).bind(Instant(now)).bind(gone).fetch_all(&mut *c).await.doing("lost jobs")?;
    lost.sort_by_key(|it| it.id.0);
    let mut rescued = Vec::with_capacity(lost.len());
    let mut lines: Vec<Line<'_>> = Vec::with_capacity(lost.len());
    for job in &lost {
        let fate = Fate::of(job, now);
        take_back(c, job, &fate, now).await?;
        lines.push(line(job.id.0, job.attempt - 1, &job.worker_id));
        rescued.push(Rescued {
            job: JobId::from_uuid(job.id.0),
            worker: WorkerId::new(job.worker_id.clone()),
            crashes: u32::try_from(job.crashes + 1).unwrap_or(u32::MAX),
            status: fate.status,
        });
    }
    tell(c, &lines, None, now).await?;
    Ok(rescued)
}

fn line(job: Uuid, attempt: i64, worker: &str) -> Line<'static> {
    Line { job, event: "rescued", attempt: attempt.max(0), reason: Some(worker.to_owned()) }
}

async fn take_back(c: &mut SqliteConnection, job: &LostRow, fate: &Fate, now: DateTime<Utc>) -> Result<(), DbError> {
    let ended = (fate.status != JobStatus::Retrying).then_some(now);
    let query = sqlx::query(TAKE_BACK)
        .bind(job.id)
        .bind(fate.status.as_str())
        .bind((job.attempt - 1).max(0))
        .bind(job.crashes + 1)
        .bind(Instant::maybe(fate.again))
        .bind(format!("its worker {} died or fell silent", job.worker_id))
        .bind(fate.cause)
        .bind(Instant::maybe(ended))
        .bind(Instant(now));
    query.execute(c).await.map(|_| ()).doing(format!("job {}", job.id.0))
}
