//! Suggestions, and deliverables that came up once and come again: each verb is one transaction.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::types::Json;
use yarnnn_core::StoreError;
use yarnnn_core::deliverables::{
    EnableSuggestion, LifecycleStore, NewSuggestion, PromoteDeliverable, ReportType, Schedule, Suggestion, SuggestionReason,
};
use yarnnn_core::id::{DeliverableId, UserId, VersionId};

use crate::SqlStore;
use crate::columns::{Id, Instant};
use crate::db::{Tx, on_pool, on_tx};
use crate::deliverables;
use crate::error::{DbError, Doing as _, unreadable};
use crate::room::Room;
use crate::text::cleaned_json;
use crate::versions;

const WAITS: &str = "update deliverables set status = 'paused', next_run_at = null where id = $1 and user_id = $2";
const INSERT: &str = "insert into deliverable_versions (id, user_id, deliverable_id, version_number, status, run_step, run_state, \
    analyst_metadata, created_at, updated_at) values ($1, $2, $3, 1, 'suggested', 'gathered', $4, $5, $6, $6)";
const SUGGESTED: &str = "select v.id, v.deliverable_id, d.title, d.deliverable_type, d.schedule, v.analyst_metadata, v.created_at \
    from deliverable_versions v join deliverables d on d.id = v.deliverable_id \
    where v.user_id = $1 and v.status = 'suggested' and d.status <> 'archived' order by v.created_at desc, v.id desc limit $2";
const TAKE: &str = "update deliverable_versions set status = 'approved', approved_at = $3, updated_at = $3 \
    where id = $1 and user_id = $2 and status = 'suggested' returning deliverable_id";
const DROP: &str =
    "delete from deliverable_versions where id = $1 and user_id = $2 and status = 'suggested' returning deliverable_id";
const ACTIVATE: &str = "update deliverables set status = 'active', next_run_at = $3, updated_at = $4 \
    where id = $1 and user_id = $2 and status <> 'archived'";
const ARCHIVE: &str = "update deliverables set status = 'archived', updated_at = $3 where id = $1 and user_id = $2";
const PROMOTE: &str = "update deliverables set trigger_type = 'schedule', schedule = $3, next_run_at = $4, updated_at = $5 \
    where id = $1 and user_id = $2 and origin = 'signal_emergent' and trigger_type <> 'schedule' and status <> 'archived'";

#[derive(sqlx::FromRow)]
struct SuggestionRow {
    id: Id,
    deliverable_id: Id,
    title: String,
    deliverable_type: String,
    schedule: Option<Json<Schedule>>,
    analyst_metadata: Json<SuggestionReason>,
    created_at: Instant,
}

impl From<SuggestionRow> for Suggestion {
    fn from(row: SuggestionRow) -> Self {
        Self {
            version: VersionId::from_uuid(row.id.0),
            deliverable: DeliverableId::from_uuid(row.deliverable_id.0),
            title: row.title,
            report_type: ReportType::stored(row.deliverable_type),
            schedule: row.schedule.map(|it| it.0),
            why: row.analyst_metadata.0,
            created_at: row.created_at.0,
        }
    }
}

#[async_trait]
impl LifecycleStore for SqlStore {
    async fn suggest(&self, suggestion: NewSuggestion) -> Result<(), StoreError> {
        let (id, user, at) = (suggestion.deliverable.id, suggestion.deliverable.user, suggestion.deliverable.at);
        let run_state = versions::state(&suggestion.state)?;
        let why = serde_json::to_value(&suggestion.why).map_err(|error| unreadable("a suggestion", error))?;
        let mut tx = self.db.begin().await?;
        deliverables::insert(&mut tx, suggestion.deliverable).await?;
        on_tx!(&mut tx, connection => sqlx::query(WAITS)
            .bind(Id(id.as_uuid())).bind(Id(user.as_uuid())).execute(connection).await.map(|_| ()))
        .doing(format!("deliverable {id}"))?;
        on_tx!(&mut tx, connection => {
            let query = sqlx::query(INSERT)
                .bind(Id(suggestion.version.as_uuid()))
                .bind(Id(user.as_uuid()))
                .bind(Id(id.as_uuid()))
                .bind(Json(run_state))
                .bind(Json(cleaned_json(why)))
                .bind(Instant(at));
            query.execute(connection).await.map(|_| ())
        })
        .doing(format!("version {}", suggestion.version))?;
        tx.commit().await
    }

    async fn suggested(&self, user: UserId, limit: u32) -> Result<Vec<Suggestion>, StoreError> {
        let query = on_pool!(&self.db, pool => sqlx::query_as::<_, SuggestionRow>(SUGGESTED)
            .bind(Id(user.as_uuid())).bind(i64::from(limit)).fetch_all(pool).await);
        Ok(query.doing("the suggestions")?.into_iter().map(Suggestion::from).collect())
    }

    async fn enable(&self, enable: EnableSuggestion) -> Result<(), StoreError> {
        let EnableSuggestion { user, version, next_run_at, slots, at } = enable;
        let mut tx = self.db.begin().await?;
        let room = Room::of(&mut tx, user, slots).await?;
        let taken: Option<Id> = on_tx!(&mut tx, connection => sqlx::query_scalar(TAKE)
            .bind(Id(version.as_uuid())).bind(Id(user.as_uuid())).bind(Instant(at)).fetch_optional(connection).await)
        .doing(format!("version {version}"))?;
        let Some(deliverable) = taken else { return Err(versions::refusal(&mut tx, user, version).await?) };
        let activated = on_tx!(&mut tx, connection => sqlx::query(ACTIVATE)
            .bind(deliverable).bind(Id(user.as_uuid())).bind(Instant::maybe(next_run_at)).bind(Instant(at))
            .execute(connection).await.map(|it| it.rows_affected()));
        if activated.doing(format!("deliverable {}", deliverable.0))? == 0 {
            return Err(StoreError::Conflict { what: format!("deliverable {}", deliverable.0) });
        }
        room.check(&mut tx, DeliverableId::from_uuid(deliverable.0)).await?;
        tx.commit().await
    }

    async fn dismiss(&self, user: UserId, version: VersionId, at: DateTime<Utc>) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        let dropped: Option<Id> = on_tx!(&mut tx, connection => sqlx::query_scalar(DROP)
            .bind(Id(version.as_uuid())).bind(Id(user.as_uuid())).fetch_optional(connection).await)
        .doing(format!("version {version}"))?;
        let Some(deliverable) = dropped else { return Err(versions::refusal(&mut tx, user, version).await?) };
        archive(&mut tx, user, deliverable, at).await?;
        tx.commit().await
    }

    async fn promote(&self, promote: PromoteDeliverable) -> Result<(), StoreError> {
        let PromoteDeliverable { user, deliverable, schedule, next_run_at, slots, at } = promote;
        let mut tx = self.db.begin().await?;
        let room = Room::of(&mut tx, user, slots).await?;
        let query = on_tx!(&mut tx, connection => sqlx::query(PROMOTE)
            .bind(Id(deliverable.as_uuid())).bind(Id(user.as_uuid())).bind(Json(schedule)).bind(Instant(next_run_at))
            .bind(Instant(at)).execute(connection).await.map(|it| it.rows_affected()));
        if query.doing(format!("deliverable {deliverable}"))? == 0 {
            return Err(deliverables::refusal(&mut tx, user, deliverable).await?);
        }
        room.check(&mut tx, deliverable).await?;
        tx.commit().await
    }
}

async fn archive(tx: &mut Tx, user: UserId, deliverable: Id, at: DateTime<Utc>) -> Result<(), DbError> {
    on_tx!(tx, connection => sqlx::query(ARCHIVE)
        .bind(deliverable).bind(Id(user.as_uuid())).bind(Instant(at)).execute(connection).await.map(|_| ()))
    .doing(format!("deliverable {}", deliverable.0))
}
