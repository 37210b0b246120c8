//! Claiming: which jobs, in which order, and then the right to run them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::SqliteConnection;
use sqlx::types::Json;
use uuid::Uuid;
use yarnnn_core::StoreError;
use yarnnn_core::id::IdGen;
use yarnnn_core::jobs::{Claim, Claimed};

use super::super::row::{JobRow, job_columns};
use super::enqueue::later;
use super::groups::{Candidate, Group, due, groups};
use super::history::{Line, tell};
use super::owners::{Rooms, Turns, by_owner};
use crate::columns::{Id, Instant};
use crate::error::{DbError, Doing as _};
use crate::text::clean;

pub(super) const ONLY: &str =
    "select id from job_queue where id = $1 and status in ('queued', 'retrying') and scheduled_at <= $2";
pub(super) const ALONE: &str = "select id from job_queue indexed by job_queue_quarantine \
    where status in ('queued', 'retrying') and crashes >= 2 and scheduled_at <= $1 \
    and ($2 is null or job_type in (select value from json_each($2))) and ($3 is null or lane in (select value from json_each($3))) \
    order by scheduled_at, id limit 1";
pub(super) const TAKE: &str = concat!(
    "update job_queue set status = 'running', attempt = attempt + 1, worker_id = $2, run_token = it.token, lease_seconds = $3, \
     lease_until = $4, heartbeat_at = $5, started_at = $5, updated_at = $5 \
     from (select value ->> 0 as job, value ->> 1 as token from json_each($1)) as it where job_queue.id = it.job returning ",
    job_columns!()
);
/// Rows that are looked at before it is asked whose they are.
const WINDOW: usize = 64;

/// Takes jobs that are due.
pub(in crate::jobs) async fn claim(
    c: &mut SqliteConnection,
    claim: &Claim,
    now: DateTime<Utc>,
    (ids, turns): (&dyn IdGen, &Turns),
) -> Result<Vec<Claimed>, StoreError> {
    let chosen = if let Some(job) = claim.only {
        let query = sqlx::query_scalar(ONLY).bind(Id(job.as_uuid())).bind(Instant(now));
        query.fetch_all(&mut *c).await.doing("a due job")?
    } else if claim.alone {
        let query = sqlx::query_scalar(ALONE).bind(Instant(now)).bind(claim.kinds.as_ref().map(Json));
        query.bind(claim.lanes.as_ref().map(Json)).fetch_all(&mut *c).await.doing("a job in quarantine")?
    } else {
        choose(c, claim, now, turns).await?
    };
    take(c, claim, chosen, ids, now).await
}

/// The jobs to claim, in order: priority by priority.
async fn choose(c: &mut SqliteConnection, claim: &Claim, now: DateTime<Utc>, turns: &Turns) -> Result<Vec<Id>, DbError> {
    let groups = groups(c, claim.kinds.as_deref(), claim.lanes.as_deref()).await?;
    let mut levels: BTreeMap<Reverse<i64>, Vec<&Group>> = BTreeMap::new();
    for group in groups.iter().filter(|it| it.first_at.0 <= now) {
        levels.entry(Reverse(group.priority)).or_default().push(group);
    }
    if levels.is_empty() {
        return Ok(vec![]);
    }
    let mut rooms = Rooms::of(c, &clean(claim.worker.as_str()), claim.owner_limit).await?;
    let limit = usize::try_from(claim.limit).unwrap_or(usize::MAX);
    let mut chosen = vec![];
    for level in levels.values() {
        if chosen.len() == limit {
            break;
        }
        let jobs = of_level(c, level, (&mut rooms, turns), now, limit - chosen.len()).await?;
        chosen.extend(jobs.into_iter().map(|it| Id(it.id)));
    }
    Ok(chosen)
}

/// Due jobs of one priority. As long as owners have room, the first rows are the ones; else owners are gone through.
async fn of_level(
    c: &mut SqliteConnection,
    groups: &[&Group],
    (rooms, turns): (&mut Rooms, &Turns),
    now: DateTime<Utc>,
    limit: usize,
) -> Result<Vec<Candidate>, DbError> {
    let window = limit.saturating_mul(if rooms.are_bounded() { 4 } else { 1 }).max(WINDOW);
    let mut seen = vec![];
    // Beyond this one there may be rows that were not looked at.
    let mut horizon: Option<Candidate> = None;
    for group in groups {
        let first = due(c, group, now, window).await?;
        let end = first.last().copied().filter(|_| first.len() >= window);
        horizon = [horizon, end].into_iter().flatten().min();
        seen.extend(first);
    }
    seen.sort_unstable();
    let mut entered = rooms.clone();
    let kept: Vec<_> = seen.into_iter().filter(|it| entered.enter(it.owner)).take(limit).collect();
    let missed = horizon.is_some_and(|horizon| kept.len() < limit || kept.last().is_some_and(|it| *it > horizon));
    if missed {
        let mut stepped = rooms.clone();
        let found = by_owner(c, groups, (&mut stepped, turns), now, limit).await?;
        // A look at so many owners is not at all of them: what was seen first is never given up for less.
        if found.len() >= kept.len() {
            *rooms = stepped;
            return Ok(found);
        }
    }
    *rooms = entered;
    Ok(kept)
}

/// Gives the claimant the jobs, with a token each.
async fn take(
    c: &mut SqliteConnection,
    claim: &Claim,
    chosen: Vec<Id>,
    ids: &dyn IdGen,
    now: DateTime<Utc>,
) -> Result<Vec<Claimed>, StoreError> {
    if chosen.is_empty() {
        return Ok(vec![]);
    }
    let worker = clean(claim.worker.as_str());
    let pairs: Vec<Value> = chosen.iter().map(|it| json!([it.0, ids.uuid()])).collect();
    let query = sqlx::query_as(TAKE).bind(Json(pairs)).bind(worker.as_ref()).bind(claim.lease.as_secs_f64());
    let query = query.bind(Instant(later(now, claim.lease))).bind(Instant(now));
    let rows: Vec<JobRow> = query.fetch_all(&mut *c).await.doing("due jobs")?;
    // Rows come back in no order.
    let places: HashMap<Uuid, usize> = chosen.iter().enumerate().map(|(place, it)| (it.0, place)).collect();
    let mut rows: Vec<(usize, JobRow)> =
        rows.into_iter().map(|it| (places.get(&it.id.0).copied().unwrap_or(usize::MAX), it)).collect();
    rows.sort_by_key(|(place, _)| *place);
    let claimed = rows.into_iter().map(|(_, it)| it.claimed(now)).collect::<Result<Vec<_>, _>>()?;
    let line = |it: &Claimed| Line { job: it.job.id.as_uuid(), event: "claimed", attempt: it.job.attempt.into(), reason: None };
    tell(c, &claimed.iter().map(line).collect::<Vec<_>>(), Some(&worker), now).await?;
    Ok(claimed)
}
