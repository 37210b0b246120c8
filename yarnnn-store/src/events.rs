//! What waits for events, and the log of them. An event, its cool-down and the run that it sets going are one transaction.

use async_trait::async_trait;
use serde_json::json;
use sqlx::types::Json;
use uuid::Uuid;
use yarnnn_core::StoreError;
use yarnnn_core::deliverables::{Deliverable, EventStore, EventTrigger, FireEvent, Fired, Listen};
use yarnnn_core::id::UserId;
use yarnnn_core::platform::Platform;

use crate::SqlStore;
use crate::columns::{Id, Instant};
use crate::db::{Tx, on_pool, on_tx};
use crate::deliverables::{self, DeliverableRow};
use crate::error::{DbError, Doing as _};
use crate::room::Room;
use crate::text::{clean, cleaned};

/// A deliverable that waits for events has no schedule.
const LISTEN: &str = "update deliverables set trigger_type = $3, trigger_config = $4, schedule = null, next_run_at = null, updated_at = $5 \
    where id = $1 and user_id = $2";
const TRIGGERS: &str = "select id, trigger_config from deliverables where user_id = $1 and status = 'active' \
    and trigger_type = 'event' and trigger_config is not null";
const INSERT: &str = "insert into event_trigger_log (id, user_id, deliverable_id, event_id, platform, event_type, resource_id, \
    event_data, cooldown_key, result, skip_reason, triggered_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
    on conflict (deliverable_id, event_id) do nothing";
const RECENT: &str = "select count(*) from event_trigger_log \
    where deliverable_id = $1 and cooldown_key = $2 and result = 'executed' and triggered_at > $3";
const LAST: &str = "update deliverables set last_triggered_at = $3 where id = $1 and user_id = $2";

#[async_trait]
impl EventStore for SqlStore {
    async fn listen(&self, listen: Listen) -> Result<(), StoreError> {
        let Listen { user, deliverable, trigger, slots, at } = listen;
        let kind = if trigger.is_some() { "event" } else { "manual" };
        let mut tx = self.db.begin().await?;
        let room = Room::of(&mut tx, user, slots).await?;
        let query = on_tx!(&mut tx, connection => sqlx::query(LISTEN)
            .bind(Id(deliverable.as_uuid())).bind(Id(user.as_uuid())).bind(kind).bind(trigger.map(Json)).bind(Instant(at))
            .execute(connection).await.map(|it| it.rows_affected()));
        if query.doing(format!("deliverable {deliverable}"))? == 0 {
            return Err(StoreError::NotFound { what: format!("deliverable {deliverable}") });
        }
        room.check(&mut tx, deliverable).await?;
        tx.commit().await
    }

    async fn listening(&self, user: UserId, platform: Platform) -> Result<Vec<(Deliverable, EventTrigger)>, StoreError> {
        let triggers: Vec<(Id, Json<EventTrigger>)> = on_pool!(&self.db, pool =>
            sqlx::query_as(TRIGGERS).bind(Id(user.as_uuid())).fetch_all(pool).await)
        .doing("what waits for events")?;
        let waiting: Vec<_> = triggers.into_iter().filter(|(_, trigger)| trigger.0.platform == platform).collect();
        if waiting.is_empty() {
            return Ok(vec![]);
        }
        let rows: Vec<DeliverableRow> = on_pool!(&self.db, pool =>
            sqlx::query_as(deliverables::LIST).bind(Id(user.as_uuid())).fetch_all(pool).await)
        .doing("the deliverables")?;
        let all = rows.into_iter().map(Deliverable::try_from).collect::<Result<Vec<_>, _>>()?;
        let trigger = |it: &Deliverable| waiting.iter().find(|(id, _)| id.0 == it.id.as_uuid()).map(|(_, found)| found.0.clone());
        Ok(all.into_iter().filter_map(|it| trigger(&it).map(|found| (it, found))).collect())
    }

    async fn fire(&self, event: FireEvent) -> Result<Fired, StoreError> {
        let mut tx = self.db.begin().await?;
        if !exists(&mut tx, &event).await? {
            return Err(StoreError::NotFound { what: format!("deliverable {}", event.deliverable) });
        }
        // Whoever comes at the same time waits here, and counts what this one does.
        wait_for_turn(&mut tx, &event.cooldown_key).await?;
        let id = self.ids.uuid();
        if executed_since(&mut tx, &event).await? >= i64::from(event.max_triggers) {
            let logged = log(&mut tx, &event, id, ("skipped", Some("it is cooling down".to_owned()))).await?;
            tx.commit().await?;
            return Ok(if logged { Fired::Skipped } else { Fired::Repeated });
        }
        if !log(&mut tx, &event, id, ("executed", None)).await? {
            return Ok(Fired::Repeated);
        }
        triggered(&mut tx, &event).await?;
        match self.follow_up(tx, vec![event.job.clone()]).await {
            Ok(()) => Ok(Fired::Executed),
            Err(StoreError::Conflict { .. }) => self.failed(&event, id).await,
            Err(other) => Err(other),
        }
    }
}

impl SqlStore {
    /// Logs in a transaction of its own that the run was refused: the one that was to enqueue it is undone.
    async fn failed(&self, event: &FireEvent, id: Uuid) -> Result<Fired, StoreError> {
        let reason = "another run with other wishes is under way".to_owned();
        let mut tx = self.db.begin().await?;
        let logged = log(&mut tx, event, id, ("failed", Some(reason.clone()))).await?;
        tx.commit().await?;
        Ok(if logged { Fired::Failed { reason } } else { Fired::Repeated })
    }
}

async fn exists(tx: &mut Tx, event: &FireEvent) -> Result<bool, DbError> {
    let count: i64 = on_tx!(tx, connection => sqlx::query_scalar(deliverables::EXISTS)
        .bind(Id(event.deliverable.as_uuid())).bind(Id(event.user.as_uuid())).fetch_one(connection).await)
    .doing(format!("deliverable {}", event.deliverable))?;
    Ok(count > 0)
}

async fn wait_for_turn(tx: &mut Tx, key: &str) -> Result<(), DbError> {
    let Some(lock) = tx.dialect().lock_by_name() else { return Ok(()) };
    on_tx!(tx, connection => sqlx::query(lock).bind(clean(key)).execute(connection).await.map(|_| ())).doing("wait for an event")
}

async fn executed_since(tx: &mut Tx, event: &FireEvent) -> Result<i64, DbError> {
    on_tx!(tx, connection => sqlx::query_scalar(RECENT)
        .bind(Id(event.deliverable.as_uuid())).bind(clean(&event.cooldown_key)).bind(Instant(event.since))
        .fetch_one(connection).await)
    .doing("the log of events")
}

/// Whether the event is new to the deliverable.
async fn log(tx: &mut Tx, event: &FireEvent, id: Uuid, (result, reason): (&str, Option<String>)) -> Result<bool, DbError> {
    on_tx!(tx, connection => {
        let query = sqlx::query(INSERT)
            .bind(Id(id))
            .bind(Id(event.user.as_uuid()))
            .bind(Id(event.deliverable.as_uuid()))
            .bind(clean(&event.event_id))
            .bind(event.platform.as_str())
            .bind(clean(&event.event_type))
            .bind(event.resource_id.clone().map(cleaned))
            // What the event says is none of the log's business.
            .bind(Json(json!({})))
            .bind(clean(&event.cooldown_key))
            .bind(result)
            .bind(reason)
            .bind(Instant(event.at));
        query.execute(connection).await.map(|it| it.rows_affected() == 1)
    })
    .doing("the log of events")
}

async fn triggered(tx: &mut Tx, event: &FireEvent) -> Result<(), DbError> {
    on_tx!(tx, connection => sqlx::query(LAST)
        .bind(Id(event.deliverable.as_uuid())).bind(Id(event.user.as_uuid())).bind(Instant(event.at))
        .execute(connection).await.map(|_| ()))
    .doing(format!("deliverable {}", event.deliverable))
}
