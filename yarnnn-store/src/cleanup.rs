//! What expires: content that nothing retains, sign-ins that nobody ended, and what signals and events left behind.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;
use yarnnn_core::StoreError;
use yarnnn_core::cleanup::{Clean, Retention, TidySignals};
use yarnnn_core::id::UserId;

use crate::SqlStore;
use crate::activity;
use crate::columns::{Id, Instant};
use crate::db::{on_pool, on_tx};
use crate::error::Doing as _;

/// Rows of one statement: none runs for long.
const BATCH: u64 = 1_000;

const OWNERS: &str = "select id from users where id > $2 and exists (select 1 from platform_content as c \
    where c.user_id = users.id and c.retained = false and c.expires_at < $1) order by id limit $3";
const DELETE: &str = "delete from platform_content where retained = false and id in \
    (select id from platform_content where user_id = $1 and retained = false and expires_at < $2 order by expires_at limit $3)";
const FORGET: &str = "delete from oauth_states where created_at <= $1";
const PASSES: &str = "delete from signal_passes where id in \
    (select id from signal_passes where outcome is not null and ended_at < $1 limit $2)";
const HISTORY: &str =
    "delete from signal_history where id in (select id from signal_history where last_triggered_at < $1 limit $2)";
const EVENTS: &str =
    "delete from event_trigger_log where id in (select id from event_trigger_log where triggered_at < $1 limit $2)";

#[async_trait]
impl Retention for SqlStore {
    async fn owners(&self, before: DateTime<Utc>, after: Option<UserId>, limit: u32) -> Result<Vec<UserId>, StoreError> {
        let after = after.map_or(Uuid::nil(), UserId::as_uuid);
        let query = on_pool!(&self.db, pool => sqlx::query_scalar::<_, Id>(OWNERS)
            .bind(Instant(before)).bind(Id(after)).bind(i64::from(limit)).fetch_all(pool).await);
        Ok(query.doing("who has expired items")?.into_iter().map(|it| UserId::from_uuid(it.0)).collect())
    }

    async fn clean(&self, clean: Clean) -> Result<u64, StoreError> {
        let mut tx = self.db.begin().await?;
        let mut deleted = 0;
        loop {
            let query = on_tx!(&mut tx, connection => sqlx::query(DELETE)
                .bind(Id(clean.user.as_uuid())).bind(Instant(clean.before)).bind(BATCH.cast_signed())
                .execute(connection).await.map(|it| it.rows_affected()));
            let batch = query.doing("expired items")?;
            deleted += batch;
            if batch < BATCH {
                break;
            }
        }
        if deleted > 0 {
            activity::write(&mut tx, clean.user, clean.told(deleted), clean.at).await?;
            tx.commit().await?;
        }
        Ok(deleted)
    }

    async fn forget_sign_ins(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        let mut tx = self.db.begin().await?;
        let query = on_tx!(&mut tx, connection =>
            sqlx::query(FORGET).bind(Instant(before)).execute(connection).await.map(|it| it.rows_affected()));
        let forgotten = query.doing("old sign-ins")?;
        tx.commit().await?;
        Ok(forgotten)
    }

    async fn tidy_signals(&self, tidy: TidySignals) -> Result<u64, StoreError> {
        let mut rows = self.abandon_passes(tidy.left_before, tidy.at).await?;
        rows += self.delete_old(PASSES, tidy.passes_before).await?;
        rows += self.delete_old(HISTORY, tidy.history_before).await?;
        Ok(rows + self.delete_old(EVENTS, tidy.events_before).await?)
    }
}

impl SqlStore {
    /// Deletes by a statement until nothing is left, a transaction for each batch.
    async fn delete_old(&self, sql: &'static str, before: DateTime<Utc>) -> Result<u64, StoreError> {
        let mut deleted = 0;
        loop {
            let mut tx = self.db.begin().await?;
            let query = on_tx!(&mut tx, connection => sqlx::query(sql)
                .bind(Instant(before)).bind(BATCH.cast_signed()).execute(connection).await.map(|it| it.rows_affected()));
            let batch = query.doing("what signals and events left")?;
            tx.commit().await?;
            deleted += batch;
            if batch < BATCH {
                return Ok(deleted);
            }
        }
    }
}
