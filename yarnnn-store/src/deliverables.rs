//! Standing report configurations, with the brief's columns and JSON shapes.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::types::Json;
use yarnnn_core::StoreError;
use yarnnn_core::deliverables::{
    Deliverable, DeliverableOrigin, DeliverableStatus, DeliverableStore, DeliverableUpdate, Kind, NewDeliverable, ReportOptions,
    ReportType, ResumeDeliverable, Schedule, ScheduleUpdate, SourceRef, TriggerType,
};
use yarnnn_core::id::{DeliverableId, UserId};

use crate::SqlStore;
use crate::columns::{Id, Instant};
use crate::db::{Tx, on_pool, on_tx};
use crate::error::{DbError, Doing as _, unreadable};
use crate::room::Room;
use crate::shapes::{DestinationsColumn, SourceColumn};
use crate::text::{clean, cleaned};

macro_rules! deliverable_where {
    ($condition:literal) => {
        concat!(
            "select id, user_id, title, description, deliverable_type, type_config, sources, destination, origin, trigger_type, ",
            "schedule, status, next_run_at, last_run_at, created_at, updated_at from deliverables where ",
            $condition
        )
    };
}
const BY_ID: &str = deliverable_where!("id = $1 and user_id = $2");
pub(crate) const LIST: &str = deliverable_where!("user_id = $1 and status <> 'archived' order by created_at, id");
const DUE: &str =
    deliverable_where!("user_id = $1 and status = 'active' and next_run_at <= $2 order by next_run_at, created_at, id");
const INSERT: &str = "insert into deliverables (id, user_id, title, description, deliverable_type, type_classification, \
    trigger_type, schedule, sources, destination, status, next_run_at, created_at, updated_at, type_config, origin) \
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'active', $11, $12, $12, $13, $14)";
const UPDATE: &str = "update deliverables set title = $4, description = $5, sources = $6, destination = $7, type_config = $8, \
    updated_at = $9 where id = $1 and user_id = $2 and updated_at = $3";
const SET_SCHEDULE: &str =
    "update deliverables set trigger_type = $3, schedule = $4, next_run_at = $5 where id = $1 and user_id = $2";
const SET_STATUS: &str = "update deliverables set status = $3, updated_at = $4 where id = $1 and user_id = $2";
const RESUME: &str =
    "update deliverables set status = 'active', updated_at = $3 where id = $1 and user_id = $2 and status = 'paused'";
const RESCHEDULE: &str = "update deliverables set next_run_at = $4 where id = $1 and user_id = $2 and next_run_at = $3";
const RAN: &str = "update deliverables set last_run_at = $3, updated_at = $3 \
    where id = (select deliverable_id from deliverable_versions where id = $1) and user_id = $2";
pub(crate) const EXISTS: &str = "select count(*) from deliverables where id = $1 and user_id = $2";

#[derive(sqlx::FromRow)]
pub(crate) struct DeliverableRow {
    id: Id,
    user_id: Id,
    title: String,
    description: Option<String>,
    deliverable_type: String,
    sources: Json<Vec<SourceColumn>>,
    type_config: Json<ReportOptions>,
    destination: Json<DestinationsColumn>,
    origin: String,
    trigger_type: String,
    schedule: Option<Json<Value>>,
    status: String,
    next_run_at: Option<Instant>,
    last_run_at: Option<Instant>,
    created_at: Instant,
    updated_at: Instant,
}

impl TryFrom<DeliverableRow> for Deliverable {
    type Error = StoreError;

    fn try_from(row: DeliverableRow) -> Result<Self, StoreError> {
        let bad = |reason: String| unreadable(format!("deliverable {}", row.id.0), reason);
        let status = DeliverableStatus::parse(&row.status).ok_or_else(|| bad(format!("unknown status {}", row.status)))?;
        Ok(Self {
            id: DeliverableId::from_uuid(row.id.0),
            user: UserId::from_uuid(row.user_id.0),
            title: row.title,
            description: row.description,
            report_type: ReportType::stored(row.deliverable_type),
            sources: row.sources.0.into_iter().map(SourceRef::try_from).collect::<Result<_, _>>().map_err(bad)?,
            destinations: row.destination.0.try_into().map_err(bad)?,
            options: row.type_config.0,
            origin: DeliverableOrigin::parse(&row.origin).ok_or_else(|| bad(format!("unknown origin {}", row.origin)))?,
            trigger: TriggerType::parse(&row.trigger_type).ok_or_else(|| bad(format!("unknown trigger {}", row.trigger_type)))?,
            schedule: row.schedule.and_then(|it| Schedule::stored(&it.0)),
            status,
            next_run_at: row.next_run_at.map(|it| it.0),
            last_run_at: row.last_run_at.map(|it| it.0),
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}

#[async_trait]
impl DeliverableStore for SqlStore {
    async fn create(&self, deliverable: NewDeliverable) -> Result<(), StoreError> {
        let id = deliverable.id;
        let mut tx = self.db.begin().await?;
        let room = Room::of(&mut tx, deliverable.user, deliverable.slots).await?;
        insert(&mut tx, deliverable).await?;
        room.check(&mut tx, id).await?;
        tx.commit().await
    }

    async fn get(&self, user: UserId, id: DeliverableId) -> Result<Deliverable, StoreError> {
        let query = on_pool!(&self.db, pool => sqlx::query_as::<_, DeliverableRow>(BY_ID)
            .bind(Id(id.as_uuid())).bind(Id(user.as_uuid())).fetch_one(pool).await);
        query.doing(format!("deliverable {id}"))?.try_into()
    }

    async fn list(&self, user: UserId) -> Result<Vec<Deliverable>, StoreError> {
        let query = on_pool!(&self.db, pool =>
            sqlx::query_as::<_, DeliverableRow>(LIST).bind(Id(user.as_uuid())).fetch_all(pool).await);
        query.doing("the deliverables")?.into_iter().map(Deliverable::try_from).collect()
    }

    async fn update(&self, update: DeliverableUpdate) -> Result<(), StoreError> {
        let (user, id) = (update.user, update.id);
        let mut tx = self.db.begin().await?;
        let schedule = update.schedule.clone();
        let room = Room::of(&mut tx, user, schedule.as_ref().and_then(|it| it.slots)).await?;
        if change(&mut tx, update).await? == 0 {
            return Err(refusal(&mut tx, user, id).await?);
        }
        if let Some(schedule) = schedule {
            set_schedule(&mut tx, user, id, schedule).await?;
        }
        room.check(&mut tx, id).await?;
        tx.commit().await
    }

    async fn set_status(
        &self,
        user: UserId,
        id: DeliverableId,
        status: DeliverableStatus,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        if status == DeliverableStatus::Active {
            // What becomes active again is counted.
            return Err(StoreError::Conflict { what: format!("deliverable {id}") });
        }
        let mut tx = self.db.begin().await?;
        let query = on_tx!(&mut tx, connection => sqlx::query(SET_STATUS)
            .bind(Id(id.as_uuid())).bind(Id(user.as_uuid())).bind(status.as_str()).bind(Instant(at))
            .execute(connection).await.map(|it| it.rows_affected()));
        match query.doing(format!("deliverable {id}"))? {
            0 => Err(StoreError::NotFound { what: format!("deliverable {id}") }),
            _ => tx.commit().await,
        }
    }

    async fn resume(&self, resume: ResumeDeliverable) -> Result<(), StoreError> {
        let ResumeDeliverable { id, user, slots, at } = resume;
        let mut tx = self.db.begin().await?;
        let room = Room::of(&mut tx, user, slots).await?;
        let query = on_tx!(&mut tx, connection => sqlx::query(RESUME)
            .bind(Id(id.as_uuid())).bind(Id(user.as_uuid())).bind(Instant(at))
            .execute(connection).await.map(|it| it.rows_affected()));
        if query.doing(format!("deliverable {id}"))? == 0 {
            return Err(refusal(&mut tx, user, id).await?);
        }
        room.check(&mut tx, id).await?;
        tx.commit().await
    }

    async fn due(&self, user: UserId, at: DateTime<Utc>) -> Result<Vec<Deliverable>, StoreError> {
        let query = on_pool!(&self.db, pool => sqlx::query_as::<_, DeliverableRow>(DUE)
            .bind(Id(user.as_uuid())).bind(Instant(at)).fetch_all(pool).await);
        query.doing("the deliverables that are due")?.into_iter().map(Deliverable::try_from).collect()
    }

    async fn reschedule(
        &self,
        user: UserId,
        id: DeliverableId,
        seen: DateTime<Utc>,
        next: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        let query = on_tx!(&mut tx, connection => sqlx::query(RESCHEDULE)
            .bind(Id(id.as_uuid())).bind(Id(user.as_uuid())).bind(Instant(seen)).bind(Instant::maybe(next))
            .execute(connection).await.map(|it| it.rows_affected()));
        match query.doing(format!("deliverable {id}"))? {
            0 => Err(refusal(&mut tx, user, id).await?),
            _ => tx.commit().await,
        }
    }
}

/// Adds a deliverable.
pub(crate) async fn insert(tx: &mut Tx, new: NewDeliverable) -> Result<(), DbError> {
    let sources: Vec<_> = new.sources.iter().map(SourceColumn::from).collect();
    let destination = DestinationsColumn::from(new.destinations.as_slice());
    on_tx!(tx, connection => {
        let query = sqlx::query(INSERT)
            .bind(Id(new.id.as_uuid()))
            .bind(Id(new.user.as_uuid()))
            .bind(clean(&new.title))
            .bind(new.description.map(cleaned))
            .bind(clean(new.report_type.as_str()))
            .bind(Json(classification(new.report_type.kind())))
            .bind(new.trigger.as_str())
            .bind(new.schedule.map(Json))
            .bind(Json(sources))
            .bind(Json(destination))
            .bind(Instant::maybe(new.next_run_at))
            .bind(Instant(new.at))
            .bind(Json(new.options))
            .bind(new.origin.as_str());
        query.execute(connection).await.map(|_| ())
    })
    .doing(format!("deliverable {}", new.id))
}

/// Everything but the schedule; answers how many rows were as the caller saw them.
async fn change(tx: &mut Tx, new: DeliverableUpdate) -> Result<u64, DbError> {
    let sources: Vec<_> = new.sources.iter().map(SourceColumn::from).collect();
    let destination = DestinationsColumn::from(new.destinations.as_slice());
    on_tx!(tx, connection => {
        let query = sqlx::query(UPDATE)
            .bind(Id(new.id.as_uuid()))
            .bind(Id(new.user.as_uuid()))
            .bind(Instant(new.seen))
            .bind(clean(&new.title))
            .bind(new.description.map(cleaned))
            .bind(Json(sources))
            .bind(Json(destination))
            .bind(Json(new.options))
            .bind(Instant(new.at));
        query.execute(connection).await.map(|it| it.rows_affected())
    })
    .doing(format!("deliverable {}", new.id))
}

async fn set_schedule(tx: &mut Tx, user: UserId, id: DeliverableId, new: ScheduleUpdate) -> Result<(), DbError> {
    on_tx!(tx, connection => sqlx::query(SET_SCHEDULE)
        .bind(Id(id.as_uuid())).bind(Id(user.as_uuid()))
        .bind(new.trigger.as_str()).bind(new.schedule.map(Json)).bind(Instant::maybe(new.next_run_at))
        .execute(connection).await.map(|_| ()))
    .doing(format!("deliverable {id}"))
}

/// What follows from the type, in the brief's words.
fn classification(kind: Kind) -> Value {
    let profile = kind.profile();
    let mut value = json!({
        "binding": profile.binding,
        "temporal_pattern": profile.temporal_pattern,
        "freshness_requirement_hours": profile.freshness_requirement_hours,
    });
    if let (Some(map), Some(platform)) = (value.as_object_mut(), profile.primary_platform) {
        map.insert("primary_platform".to_owned(), json!(platform));
    }
    value
}

/// Records that the deliverable of a version ran.
pub(crate) async fn ran(
    tx: &mut Tx,
    user: UserId,
    version: yarnnn_core::id::VersionId,
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    on_tx!(tx, connection => sqlx::query(RAN)
        .bind(Id(version.as_uuid())).bind(Id(user.as_uuid())).bind(Instant(at))
        .execute(connection).await.map(|_| ()))
    .doing("the deliverable of a version")
}

/// Why nothing was changed: it is not there, or someone else was first.
pub(crate) async fn refusal(tx: &mut Tx, user: UserId, id: DeliverableId) -> Result<StoreError, DbError> {
    let what = format!("deliverable {id}");
    let count: i64 = on_tx!(tx, connection => sqlx::query_scalar(EXISTS)
        .bind(Id(id.as_uuid())).bind(Id(user.as_uuid())).fetch_one(connection).await)
    .doing("a deliverable")?;
    Ok(if count == 0 { StoreError::NotFound { what } } else { StoreError::Conflict { what } })
}
