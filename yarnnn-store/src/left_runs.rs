//! What runs left behind: jobs that died without a word, and versions that nobody goes on with.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;
use yarnnn_core::StoreError;
use yarnnn_core::deliverables::{DeadRun, LeftRuns, LeftVersion, RunDeliverable};
use yarnnn_core::id::{DeliverableId, JobId, UserId, VersionId};
use yarnnn_core::jobs::Job as _;

use crate::SqlStore;
use crate::columns::{Id, Instant};
use crate::db::on_pool;
use crate::error::Doing as _;
use crate::slots::{first_instant, why};

/// There are few dead jobs of a kind; the states are named as the index has them. Lines of earlier releases have the job's id among what
/// they tell.
const UNTOLD: &str = "select j.id, j.owner_user_id, j.job_payload, j.status, j.last_error, j.cause, j.completed_at from job_queue as j \
    where j.status in ('failed', 'dead', 'needs_human') and j.status = 'dead' and j.job_type = $1 and j.completed_at <= $2 \
    and (j.completed_at, j.id) > ($3, $4) and j.owner_user_id is not null and j.job_payload ->> 'slot' is null \
    and not exists (select 1 from activity_log as l \
        where l.user_id = j.owner_user_id and l.event_type = 'deliverable_run' \
        and (l.event_ref = j.id or l.metadata ->> 'job_id' = cast(j.id as text))) \
    and (j.job_payload ->> 'key' is not null or not exists (select 1 from deliverables as d \
        join deliverable_versions as v on v.deliverable_id = d.id \
        where d.user_id = j.owner_user_id and cast(d.id as text) = j.job_payload ->> 'deliverable' \
        and v.status <> 'generating' and v.updated_at >= j.completed_at)) \
    order by j.completed_at, j.id limit $5";
const LEFT: &str = "select id, user_id, deliverable_id, updated_at from deliverable_versions \
    where status = 'generating' and updated_at <= $1 and (updated_at, id) > ($2, $3) order by updated_at, id limit $4";

#[derive(sqlx::FromRow)]
struct DeadRow {
    id: Id,
    owner_user_id: Id,
    job_payload: Json<Value>,
    status: String,
    last_error: Option<String>,
    cause: Option<String>,
    completed_at: Instant,
}

impl From<DeadRow> for DeadRun {
    fn from(row: DeadRow) -> Self {
        Self {
            job: JobId::from_uuid(row.id.0),
            owner: UserId::from_uuid(row.owner_user_id.0),
            payload: row.job_payload.0,
            error: why(row.last_error, row.cause, row.status),
            ended_at: row.completed_at.0,
        }
    }
}

#[derive(sqlx::FromRow)]
struct LeftRow {
    id: Id,
    user_id: Id,
    deliverable_id: Id,
    updated_at: Instant,
}

impl From<LeftRow> for LeftVersion {
    fn from(row: LeftRow) -> Self {
        Self {
            user: UserId::from_uuid(row.user_id.0),
            deliverable: DeliverableId::from_uuid(row.deliverable_id.0),
            version: VersionId::from_uuid(row.id.0),
            since: row.updated_at.0,
        }
    }
}

#[async_trait]
impl LeftRuns for SqlStore {
    async fn untold(
        &self,
        since: DateTime<Utc>,
        before: DateTime<Utc>,
        after: Option<(DateTime<Utc>, JobId)>,
        limit: u32,
    ) -> Result<Vec<DeadRun>, StoreError> {
        let (instant, id) = after.map_or((since, Uuid::nil()), |(at, job)| (at, job.as_uuid()));
        let query = on_pool!(&self.db, pool => sqlx::query_as::<_, DeadRow>(UNTOLD)
            .bind(RunDeliverable::KIND).bind(Instant(before)).bind(Instant(instant)).bind(Id(id)).bind(i64::from(limit))
            .fetch_all(pool).await);
        Ok(query.doing("runs that were given up")?.into_iter().map(DeadRun::from).collect())
    }

    async fn left(
        &self,
        before: DateTime<Utc>,
        after: Option<(DateTime<Utc>, VersionId)>,
        limit: u32,
    ) -> Result<Vec<LeftVersion>, StoreError> {
        let (instant, id) = after.map_or_else(|| (first_instant(), Uuid::nil()), |(at, version)| (at, version.as_uuid()));
        let query = on_pool!(&self.db, pool => sqlx::query_as::<_, LeftRow>(LEFT)
            .bind(Instant(before)).bind(Instant(instant)).bind(Id(id)).bind(i64::from(limit)).fetch_all(pool).await);
        Ok(query.doing("versions that were left")?.into_iter().map(LeftVersion::from).collect())
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use sqlx::AssertSqlSafe;

    use super::*;

    #[tokio::test]
    async fn what_is_left_is_found_by_an_index() {
        let store = SqlStore::in_memory().await.unwrap();
        for (sql, index) in [(UNTOLD, "job_queue_unwell"), (LEFT, "deliverable_versions_left")] {
            let explain = AssertSqlSafe(format!("explain query plan {sql}"));
            let query = on_pool!(&store.db, pool => sqlx::query_as::<_, (i64, i64, i64, String)>(explain).fetch_all(pool).await);
            let plan: Vec<_> = query.unwrap().into_iter().map(|it| it.3).collect();
            assert!(plan[0].starts_with("SEARCH") && plan[0].contains(index), "{sql}\n{plan:#?}");
            assert!(plan.iter().all(|it| !it.starts_with("SCAN")), "{sql}\n{plan:#?}");
        }
    }
}
