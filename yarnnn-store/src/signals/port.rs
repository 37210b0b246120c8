//! The port over signals: opening and reading passes, preferences, turns, and whose content there is to look at.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::QueryBuilder;
use sqlx::types::Json;
use uuid::Uuid;
use yarnnn_core::StoreError;
use yarnnn_core::id::UserId;
use yarnnn_core::signals::{
    CandidateQuery, OpenPass, Pass, PassCommit, PreferenceChange, SignalPreferences, SignalRecord, SignalStore, TakeTurn, Turn,
};

use super::commit;
use super::rows::{PassRow, PreferencesRow, RecordRow};
use crate::SqlStore;
use crate::columns::{Id, Instant};
use crate::db::{Tx, on_pool, on_tx};
use crate::error::{DbError, Doing as _, unreadable};

macro_rules! pass_where {
    ($condition:literal) => {
        concat!(
            "select id, user_id, signals_filter, pass_trigger, started_at, shown, outcome, ended_at from signal_passes where ",
            $condition
        )
    };
}
const OPEN: &str = "insert into signal_passes (id, user_id, signals_filter, pass_trigger, started_at, shown, created_at, updated_at) \
    values ($1, $2, $3, $4, $5, $6, $5, $5) on conflict (id) do nothing";
pub(super) const BY_ID: &str = pass_where!("id = $1 and user_id = $2");
const PASSES: &str = pass_where!("user_id = $1 order by started_at desc, id desc limit $2");
const HISTORY: &str = "select signal_type, signal_ref, last_triggered_at, deliverable_id, metadata from signal_history \
    where user_id = $1 order by last_triggered_at desc, signal_type, signal_ref limit $2";
const PREFERENCES: &str = "select signal_meeting_prep, signal_silence_alert, signal_contact_drift \
    from user_notification_preferences where user_id = $1";
/// Every user has at most one row; everything in a new one is on.
const ENSURE_PREFERENCES: &str = "insert into user_notification_preferences (id, user_id, created_at, updated_at) \
    values ($1, $2, $3, $3) on conflict (user_id) do nothing";
const SET_PREFERENCES: &str = "update user_notification_preferences set signal_meeting_prep = coalesce($2, signal_meeting_prep), \
    signal_silence_alert = coalesce($3, signal_silence_alert), signal_contact_drift = coalesce($4, signal_contact_drift), \
    updated_at = $5 where user_id = $1";
const TAKE_TURN: &str = "update user_notification_preferences set signal_last_manual_trigger_at = $2, updated_at = $2 \
    where user_id = $1 and (signal_last_manual_trigger_at is null or signal_last_manual_trigger_at <= $3)";
const LAST_TURN: &str = "select signal_last_manual_trigger_at from user_notification_preferences where user_id = $1";
/// A connection is live in the words of today and of older installations.
const CANDIDATES: &str = "select u.id from users u where (exists (select 1 from platform_connections c where c.user_id = u.id \
    and c.status in ('active', 'connected')) or exists (select 1 from platform_content p where p.user_id = u.id)) and u.id > ";
/// The tier of the oldest workspace that the user owns, as accounts are read.
const PAYING: &str = " and (select w.subscription_status from workspaces w where w.owner_id = u.id \
    order by w.created_at, w.id limit 1) in ('starter', 'pro')";

#[async_trait]
impl SignalStore for SqlStore {
    async fn begin(&self, open: OpenPass) -> Result<Pass, StoreError> {
        let (user, id) = (open.user, open.id);
        let shown = serde_json::to_value(&open.shown).map_err(|error| unreadable("what a pass shows", error))?;
        let mut tx = self.db.begin().await?;
        on_tx!(&mut tx, connection => sqlx::query(OPEN)
            .bind(Id(id.as_uuid())).bind(Id(user.as_uuid())).bind(open.filter.as_str()).bind(open.trigger.as_str())
            .bind(Instant(open.at)).bind(Json(shown)).execute(connection).await.map(|_| ()))
        .doing(format!("signal pass {id}"))?;
        let row = on_tx!(&mut tx, connection => sqlx::query_as::<_, PassRow>(BY_ID)
            .bind(Id(id.as_uuid())).bind(Id(user.as_uuid())).fetch_one(connection).await)
        .doing(format!("signal pass {id}"))?;
        tx.commit().await?;
        row.try_into()
    }

    async fn commit(&self, commit: PassCommit) -> Result<Pass, StoreError> {
        let (user, pass) = (commit.user, commit.pass);
        let mut tx = self.db.begin().await?;
        let follow_up = commit::apply(&mut tx, commit, self.ids.as_ref()).await?;
        self.follow_up(tx, follow_up).await?;
        let row = on_pool!(&self.db, pool => sqlx::query_as::<_, PassRow>(BY_ID)
            .bind(Id(pass.as_uuid())).bind(Id(user.as_uuid())).fetch_one(pool).await);
        row.doing(format!("signal pass {pass}"))?.try_into()
    }

    async fn history(&self, user: UserId, limit: u32) -> Result<Vec<SignalRecord>, StoreError> {
        let rows: Vec<RecordRow> = on_pool!(&self.db, pool => sqlx::query_as(HISTORY)
            .bind(Id(user.as_uuid())).bind(i64::from(limit)).fetch_all(pool).await)
        .doing("the history of signals")?;
        Ok(rows.into_iter().map(SignalRecord::from).collect())
    }

    async fn passes(&self, user: UserId, limit: u32) -> Result<Vec<Pass>, StoreError> {
        let rows: Vec<PassRow> = on_pool!(&self.db, pool => sqlx::query_as(PASSES)
            .bind(Id(user.as_uuid())).bind(i64::from(limit)).fetch_all(pool).await)
        .doing("the passes of signals")?;
        rows.into_iter().map(Pass::try_from).collect()
    }

    async fn preferences(&self, user: UserId) -> Result<SignalPreferences, StoreError> {
        let row: Option<PreferencesRow> = on_pool!(&self.db, pool =>
            sqlx::query_as(PREFERENCES).bind(Id(user.as_uuid())).fetch_optional(pool).await)
        .doing("the preferences of a user")?;
        Ok(row.map(SignalPreferences::from).unwrap_or_default())
    }

    async fn set_preferences(
        &self,
        user: UserId,
        change: PreferenceChange,
        at: DateTime<Utc>,
    ) -> Result<SignalPreferences, StoreError> {
        let mut tx = self.db.begin().await?;
        ensure(&mut tx, user, self.ids.uuid(), at).await?;
        on_tx!(&mut tx, connection => sqlx::query(SET_PREFERENCES)
            .bind(Id(user.as_uuid())).bind(change.meeting_prep).bind(change.silence_alert).bind(change.contact_drift)
            .bind(Instant(at)).execute(connection).await.map(|_| ()))
        .doing("the preferences of a user")?;
        tx.commit().await?;
        self.preferences(user).await
    }

    async fn take_turn(&self, turn: TakeTurn) -> Result<Turn, StoreError> {
        let mut tx = self.db.begin().await?;
        ensure(&mut tx, turn.user, self.ids.uuid(), turn.at).await?;
        let granted = on_tx!(&mut tx, connection => sqlx::query(TAKE_TURN)
            .bind(Id(turn.user.as_uuid())).bind(Instant(turn.at)).bind(Instant(turn.at - turn.cool_down))
            .execute(connection).await.map(|it| it.rows_affected() == 1))
        .doing("the turn of a user")?;
        if granted {
            let given = turn.job.id;
            let enqueued = self.enqueue_with(tx, vec![turn.job]).await?;
            return Ok(Turn::Granted(enqueued.first().map_or(given, |it| it.id())));
        }
        let last: Option<Instant> = on_tx!(&mut tx, connection =>
            sqlx::query_scalar(LAST_TURN).bind(Id(turn.user.as_uuid())).fetch_one(connection).await)
        .doing("the turn of a user")?;
        Ok(Turn::TooSoon { last: last.map_or(turn.at, |it| it.0) })
    }

    async fn candidates(&self, query: CandidateQuery) -> Result<Vec<UserId>, StoreError> {
        let after = query.after.map_or(Uuid::nil(), UserId::as_uuid);
        let rows: Vec<Id> = on_pool!(&self.db, pool => {
            let mut builder = QueryBuilder::new(CANDIDATES);
            builder.push_bind(Id(after));
            if let Some(user) = query.user {
                builder.push(" and u.id = ").push_bind(Id(user.as_uuid()));
            }
            if query.paying {
                builder.push(PAYING);
            }
            builder.push(" order by u.id limit ").push_bind(i64::from(query.limit));
            builder.build_query_scalar().fetch_all(pool).await
        })
        .doing("whose content there is to look at")?;
        Ok(rows.into_iter().map(|it| UserId::from_uuid(it.0)).collect())
    }
}

async fn ensure(tx: &mut Tx, user: UserId, id: Uuid, at: DateTime<Utc>) -> Result<(), DbError> {
    on_tx!(tx, connection => sqlx::query(ENSURE_PREFERENCES)
        .bind(Id(id)).bind(Id(user.as_uuid())).bind(Instant(at)).execute(connection).await.map(|_| ()))
    .doing("the preferences of a user")
}
