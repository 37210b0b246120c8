//! Owners of a backlog: when the first jobs of a group are one owner's who has no room, the others are found by stepping from
//! owner to owner.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::claimable;
use super::groups::{Candidate, CandidateRow, Group, GroupName};
use crate::columns::{Id, Instant};
use crate::error::{DbError, Doing as _};

/// Owners that one look takes in.
const OWNERS: usize = 4_096;

/// The first job of each owner from the given text on.
pub(super) const HEADS: &str = concat!(
    "with recursive step (turn, row) as ( \
        select 1, (select f.rowid from job_queue as f indexed by job_queue_ready_by_owner where ",
    claimable!("f"),
    " and f.lane = $1 and f.job_type = $2 and f.priority = $3 and coalesce(f.owner_user_id, '') >= $4 \
            order by coalesce(f.owner_user_id, ''), f.scheduled_at, f.id limit 1) \
        union all \
        select step.turn + 1, (select n.rowid from job_queue as n indexed by job_queue_ready_by_owner where ",
    claimable!("n"),
    " and n.lane = $1 and n.job_type = $2 and n.priority = $3 \
            and coalesce(n.owner_user_id, '') > coalesce(q.owner_user_id, '') \
            order by coalesce(n.owner_user_id, ''), n.scheduled_at, n.id limit 1) \
        from step cross join job_queue as q on q.rowid = step.row where step.turn < $5 \
    ) select q.id, q.scheduled_at as at, q.owner_user_id as owner from step cross join job_queue as q on q.rowid = step.row"
);
pub(super) const NEXT: &str = concat!(
    "select q.id, q.scheduled_at as at, q.owner_user_id as owner \
        from job_queue as q indexed by job_queue_ready_by_owner where ",
    claimable!("q"),
    " and q.lane = $1 and q.job_type = $2 and q.priority = $3 and coalesce(q.owner_user_id, '') = $4 \
        and q.scheduled_at <= $5 order by q.scheduled_at, q.id limit $6"
);
pub(super) const RUNNING: &str = "select owner_user_id, count(*) from job_queue indexed by job_queue_running \
    where status = 'running' and worker_id = $1 and owner_user_id is not null group by owner_user_id";

/// Where the last look at each group ended, so that all owners get their turn however many there are. Cheap to clone: clones
/// share it.
#[derive(Debug, Clone, Default)]
pub(in crate::jobs) struct Turns(Arc<Mutex<HashMap<GroupName, String>>>);

impl Turns {
    fn begin(&self, group: &Group) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&group.name()).cloned()
    }

    fn end(&self, group: &Group, owner: Option<String>) {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match owner {
            Some(owner) => turns.insert(group.name(), owner),
            None => turns.remove(&group.name()),
        };
    }
}

/// How many more jobs of an owner a worker may run.
#[derive(Clone)]
pub(super) struct Rooms {
    limit: Option<u32>,
    running: HashMap<Uuid, u32>,
}

impl Rooms {
    /// As it stands before a claim.
    pub(super) async fn of(c: &mut SqliteConnection, worker: &str, limit: Option<u32>) -> Result<Self, DbError> {
        let mut running = HashMap::new();
        if limit.is_some() {
            let rows: Vec<(Id, i64)> = sqlx::query_as(RUNNING).bind(worker).fetch_all(c).await.doing("running jobs")?;
            running.extend(rows.into_iter().map(|(owner, count)| (owner.0, u32::try_from(count).unwrap_or(u32::MAX))));
        }
        Ok(Self { limit, running })
    }

    /// How many more; none for any number.
    fn left(&self, owner: Option<Uuid>) -> Option<u32> {
        let (limit, owner) = (self.limit?, owner?);
        Some(limit.saturating_sub(self.running.get(&owner).copied().unwrap_or(0)))
    }

    /// Whether owners have limits at all.
    pub(super) const fn are_bounded(&self) -> bool {
        self.limit.is_some()
    }

    /// Whether there was room for one more, which is taken.
    pub(super) fn enter(&mut self, owner: Option<Uuid>) -> bool {
        if self.left(owner) == Some(0) {
            return false;
        }
        if let Some(owner) = owner {
            *self.running.entry(owner).or_default() += 1;
        }
        true
    }
}

/// Up to `limit` due jobs of these groups, which are of one priority, in order, no owner beyond its room.
pub(super) async fn by_owner(
    c: &mut SqliteConnection,
    groups: &[&Group],
    (rooms, turns): (&mut Rooms, &Turns),
    now: DateTime<Utc>,
    limit: usize,
) -> Result<Vec<Candidate>, DbError> {
    let mut open = BinaryHeap::new();
    for (index, group) in groups.iter().enumerate() {
        let heads = heads(c, group, turns).await?;
        open.extend(heads.into_iter().filter(|it| it.at.0 <= now).map(|it| Reverse((it, Some(index)))));
    }
    let mut taken = vec![];
    while taken.len() < limit
        && let Some(Reverse((job, head))) = open.pop()
    {
        if !rooms.enter(job.owner) {
            continue;
        }
        taken.push(job);
        // The first of an owner brings those behind it, once.
        if let Some(index) = head {
            let room = rooms.left(job.owner).map_or(limit, |it| limit.min(it as usize));
            let behind = if room == 0 { vec![] } else { behind(c, groups[index], job.owner, now, room + 1).await? };
            open.extend(behind.into_iter().filter(|it| it.id != job.id).map(|it| Reverse((it, None))));
        }
    }
    Ok(taken)
}

/// The first jobs of up to [`OWNERS`] owners, from where the last look ended, and around.
async fn heads(c: &mut SqliteConnection, group: &Group, turns: &Turns) -> Result<Vec<Candidate>, DbError> {
    let begin = turns.begin(group);
    // Behind the last one, before the next: owners are texts of one length.
    let from = begin.as_ref().map(|it| format!("{it} ")).unwrap_or_default();
    let mut heads = heads_from(c, group, &from, OWNERS).await?;
    if let Some(begin) = begin
        && heads.len() < OWNERS
    {
        let mut around = heads_from(c, group, "", OWNERS - heads.len()).await?;
        around.retain(|it| owner_text(it.owner) <= begin);
        heads.extend(around);
    }
    let more = heads.len() >= OWNERS;
    turns.end(group, heads.last().filter(|_| more).map(|it| owner_text(it.owner)));
    Ok(heads)
}

/// As the index has it.
fn owner_text(owner: Option<Uuid>) -> String {
    owner.map(|it| it.hyphenated().to_string()).unwrap_or_default()
}

async fn heads_from(c: &mut SqliteConnection, group: &Group, from: &str, limit: usize) -> Result<Vec<Candidate>, DbError> {
    let query = sqlx::query_as(HEADS).bind(&group.lane).bind(&group.job_type).bind(group.priority).bind(from);
    let query = query.bind(i64::try_from(limit).unwrap_or(i64::MAX));
    let rows: Vec<CandidateRow> = query.fetch_all(c).await.doing("owners of waiting jobs")?;
    Ok(rows.into_iter().map(Candidate::from).collect())
}

async fn behind(
    c: &mut SqliteConnection,
    group: &Group,
    owner: Option<Uuid>,
    now: DateTime<Utc>,
    limit: usize,
) -> Result<Vec<Candidate>, DbError> {
    let query = sqlx::query_as(NEXT).bind(&group.lane).bind(&group.job_type).bind(group.priority).bind(owner_text(owner));
    let query = query.bind(Instant(now)).bind(i64::try_from(limit).unwrap_or(i64::MAX));
    let rows: Vec<CandidateRow> = query.fetch_all(c).await.doing("waiting jobs of an owner")?;
    Ok(rows.into_iter().map(Candidate::from).collect())
}
