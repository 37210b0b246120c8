//! Groups of claimable jobs: those of one lane, kind and priority. Stepping over them costs one seek each, however many jobs
//! they hold.

use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::claimable;
use crate::columns::{Id, Instant};
use crate::error::{DbError, Doing as _};

/// The first job of every group. Named indexes make a statement that cannot use them fail instead of walk.
pub(super) const GROUPS: &str = concat!(
    "with recursive step (row) as ( \
        select (select f.rowid from job_queue as f indexed by job_queue_ready where ",
    claimable!("f"),
    " order by f.lane, f.job_type, f.priority, f.scheduled_at, f.id limit 1) \
        union all \
        select (select n.rowid from job_queue as n indexed by job_queue_ready where ",
    claimable!("n"),
    " and (n.lane, n.job_type, n.priority) > (q.lane, q.job_type, q.priority) \
            order by n.lane, n.job_type, n.priority, n.scheduled_at, n.id limit 1) \
        from step cross join job_queue as q on q.rowid = step.row \
    ) select q.lane, q.job_type, q.priority, q.scheduled_at as first_at from step cross join job_queue as q on q.rowid = step.row"
);
pub(super) const DUE: &str = concat!(
    "select q.id, q.scheduled_at as at, q.owner_user_id as owner from job_queue as q indexed by job_queue_ready where ",
    claimable!("q"),
    " and q.lane = $1 and q.job_type = $2 and q.priority = $3 and q.scheduled_at <= $4 order by q.scheduled_at, q.id limit $5"
);

/// One group.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Group {
    pub(super) lane: String,
    pub(super) job_type: String,
    pub(super) priority: i64,
    /// When its first job is due.
    pub(super) first_at: Instant,
}

/// Lane, kind and priority.
pub(super) type GroupName = (String, String, i64);

impl Group {
    /// What it is known by.
    pub(super) fn name(&self) -> GroupName {
        (self.lane.clone(), self.job_type.clone(), self.priority)
    }
}

/// A job that may be claimed. In the order of claiming within a priority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Candidate {
    pub(super) at: Instant,
    pub(super) id: Uuid,
    pub(super) owner: Option<Uuid>,
}

#[derive(sqlx::FromRow)]
pub(super) struct CandidateRow {
    id: Id,
    at: Instant,
    owner: Option<Id>,
}

impl From<CandidateRow> for Candidate {
    fn from(row: CandidateRow) -> Self {
        Self { at: row.at, id: row.id.0, owner: row.owner.map(|it| it.0) }
    }
}

/// All groups that wait, of these kinds and lanes (none for any).
pub(super) async fn groups(
    c: &mut SqliteConnection,
    kinds: Option<&[String]>,
    lanes: Option<&[String]>,
) -> Result<Vec<Group>, DbError> {
    let mut groups: Vec<Group> = sqlx::query_as(GROUPS).fetch_all(c).await.doing("the waiting jobs")?;
    groups.retain(|it| {
        kinds.is_none_or(|kinds| kinds.contains(&it.job_type)) && lanes.is_none_or(|lanes| lanes.contains(&it.lane))
    });
    Ok(groups)
}

/// The first due jobs of a group.
pub(super) async fn due(
    c: &mut SqliteConnection,
    group: &Group,
    now: DateTime<Utc>,
    limit: usize,
) -> Result<Vec<Candidate>, DbError> {
    let query = sqlx::query_as(DUE).bind(&group.lane).bind(&group.job_type).bind(group.priority).bind(Instant(now));
    let rows: Vec<CandidateRow> = query.bind(i64::try_from(limit).unwrap_or(i64::MAX)).fetch_all(c).await.doing("due jobs")?;
    Ok(rows.into_iter().map(Candidate::from).collect())
}
