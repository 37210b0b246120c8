//! Users and workspaces.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;
use yarnnn_core::StoreError;
use yarnnn_core::accounts::{AccountStore, Email, MailPreferences, NewUser, PreferenceStore, Tier, User};
use yarnnn_core::id::UserId;

use crate::SqlStore;
use crate::columns::{Id, Instant};
use crate::db::{Tx, on_pool, on_tx};
use crate::error::{DbError, Doing as _, unreadable};
use crate::text::clean;

/// A user with the tier of the oldest workspace they own.
macro_rules! user_where {
    ($condition:literal) => {
        concat!(
            "select u.id, u.email, (select w.subscription_status from workspaces w where w.owner_id = u.id ",
            "order by w.created_at, w.id limit 1) as tier, (select c.value from user_context c where c.user_id = u.id ",
            "and c.key = 'timezone') as timezone from users u where ",
            $condition
        )
    };
}
const BY_ID: &str = user_where!("u.id = $1");
const BY_EMAIL: &str = user_where!("u.email_lower = $1");
const INSERT_USER: &str = "insert into users (id, email, email_lower, created_at, updated_at) values ($1, $2, $3, $4, $4) \
    on conflict (email_lower) do nothing";
/// What a person states outweighs whatever else is known.
const SET_TIMEZONE: &str = "insert into user_context (id, user_id, key, value, source, confidence, created_at, updated_at) \
    values ($1, $2, 'timezone', $3, 'user_stated', 1.0, $4, $4) on conflict (user_id, key) do update set \
    value = excluded.value, source = excluded.source, confidence = excluded.confidence, source_ref = null, source_type = null, \
    updated_at = excluded.updated_at";
const INSERT_WORKSPACE: &str = "insert into workspaces \
    (id, name, owner_id, owner_email, subscription_status, created_at, updated_at) values ($1, $2, $3, $2, $4, $5, $5)";

const MAIL_PREFERENCES: &str = "select email_deliverable_ready, email_deliverable_failed, email_work_complete, \
    email_weekly_digest, email_suggestion_created from user_notification_preferences where user_id = $1";
const SAVE_MAIL_PREFERENCES: &str = "insert into user_notification_preferences (id, user_id, email_deliverable_ready, \
    email_deliverable_failed, email_work_complete, email_weekly_digest, email_suggestion_created, created_at, updated_at) \
    values ($1, $2, $3, $4, $5, $6, $7, $8, $8) on conflict (user_id) do update set \
    email_deliverable_ready = excluded.email_deliverable_ready, email_deliverable_failed = excluded.email_deliverable_failed, \
    email_work_complete = excluded.email_work_complete, email_weekly_digest = excluded.email_weekly_digest, \
    email_suggestion_created = excluded.email_suggestion_created, updated_at = excluded.updated_at";

#[expect(clippy::struct_excessive_bools, reason = "the columns of the table")]
#[derive(sqlx::FromRow)]
struct MailPreferencesRow {
    email_deliverable_ready: bool,
    email_deliverable_failed: bool,
    email_work_complete: bool,
    email_weekly_digest: bool,
    email_suggestion_created: bool,
}

impl From<MailPreferencesRow> for MailPreferences {
    fn from(row: MailPreferencesRow) -> Self {
        Self {
            deliverable_ready: row.email_deliverable_ready,
            deliverable_failed: row.email_deliverable_failed,
            work_complete: row.email_work_complete,
            weekly_digest: row.email_weekly_digest,
            suggestion_created: row.email_suggestion_created,
        }
    }
}

#[derive(sqlx::FromRow)]
struct UserRow {
    id: Id,
    email: String,
    tier: Option<String>,
    timezone: Option<String>,
}

impl TryFrom<UserRow> for User {
    type Error = StoreError;

    fn try_from(row: UserRow) -> Result<Self, StoreError> {
        let email = row.email.parse().map_err(|error| unreadable(format!("user {}", row.id.0), error_box(error)))?;
        let tier = Tier::parse(row.tier.as_deref().unwrap_or_default());
        let timezone = row.timezone.map(|it| it.trim().to_owned()).filter(|it| !it.is_empty());
        Ok(Self { id: UserId::from_uuid(row.id.0), email, tier, timezone })
    }
}

fn error_box(error: impl std::error::Error + Send + Sync + 'static) -> yarnnn_core::error::Cause {
    Box::new(error)
}

/// Addresses differ only by more than case.
fn compared(email: &Email) -> String {
    email.as_str().to_lowercase()
}

#[async_trait]
impl AccountStore for SqlStore {
    async fn user(&self, id: UserId) -> Result<User, StoreError> {
        let query = on_pool!(&self.db, pool => sqlx::query_as::<_, UserRow>(BY_ID).bind(Id(id.as_uuid())).fetch_one(pool).await);
        query.doing(format!("user {id}"))?.try_into()
    }

    async fn user_by_email(&self, email: &Email) -> Result<Option<User>, StoreError> {
        let query = on_pool!(&self.db, pool =>
            sqlx::query_as::<_, UserRow>(BY_EMAIL).bind(compared(email)).fetch_optional(pool).await);
        query.doing("a user by address")?.map(User::try_from).transpose()
    }

    async fn ensure(&self, user: NewUser) -> Result<User, StoreError> {
        if let Some(known) = self.user_by_email(&user.email).await? {
            return Ok(known);
        }
        let mut tx = self.db.begin().await?;
        if insert_user(&mut tx, &user).await? {
            insert_workspace(&mut tx, &user).await?;
        }
        let query = on_tx!(&mut tx, connection =>
            sqlx::query_as::<_, UserRow>(BY_EMAIL).bind(compared(&user.email)).fetch_one(connection).await);
        let stored = User::try_from(query.doing(format!("user {}", user.email))?)?;
        tx.commit().await?;
        Ok(stored)
    }

    async fn set_timezone(&self, user: UserId, zone: &str, at: DateTime<Utc>) -> Result<(), StoreError> {
        // Derived from what the row is about: no second row can be meant.
        let id = Uuid::new_v5(&user.as_uuid(), b"user_context/timezone");
        let mut tx = self.db.begin().await?;
        let written = on_tx!(&mut tx, connection => sqlx::query(SET_TIMEZONE)
            .bind(Id(id)).bind(Id(user.as_uuid())).bind(clean(zone)).bind(Instant(at))
            .execute(connection).await.map(|_| ()));
        written.doing("the time zone")?;
        tx.commit().await
    }
}

#[async_trait]
impl PreferenceStore for SqlStore {
    async fn mail_preferences(&self, user: UserId) -> Result<MailPreferences, StoreError> {
        let row: Option<MailPreferencesRow> = on_pool!(&self.db, pool =>
            sqlx::query_as(MAIL_PREFERENCES).bind(Id(user.as_uuid())).fetch_optional(pool).await)
        .doing("the preferences of a user")?;
        Ok(row.map_or_else(MailPreferences::default, MailPreferences::from))
    }

    async fn save_mail_preferences(
        &self,
        user: UserId,
        preferences: MailPreferences,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        // Derived from the user's: no second row can be meant.
        let id = Uuid::new_v5(&user.as_uuid(), b"user_notification_preferences");
        let mut tx = self.db.begin().await?;
        let written = on_tx!(&mut tx, connection => {
            let query = sqlx::query(SAVE_MAIL_PREFERENCES)
                .bind(Id(id))
                .bind(Id(user.as_uuid()))
                .bind(preferences.deliverable_ready)
                .bind(preferences.deliverable_failed)
                .bind(preferences.work_complete)
                .bind(preferences.weekly_digest)
                .bind(preferences.suggestion_created)
                .bind(Instant(at));
            query.execute(connection).await.map(|_| ())
        });
        written.doing("the preferences of a user")?;
        tx.commit().await
    }
}

/// Whether the address was new.
async fn insert_user(tx: &mut Tx, user: &NewUser) -> Result<bool, DbError> {
    on_tx!(tx, connection => {
        let query = sqlx::query(INSERT_USER)
            .bind(Id(user.id.as_uuid()))
            .bind(user.email.as_str())
            .bind(compared(&user.email))
            .bind(Instant(user.at));
        query.execute(connection).await.map(|it| it.rows_affected() == 1)
    })
    .doing(format!("user {}", user.id))
}

async fn insert_workspace(tx: &mut Tx, user: &NewUser) -> Result<(), DbError> {
    // Derived from the user's id: making the same user makes the same workspace.
    let id = Uuid::new_v5(&user.id.as_uuid(), b"workspace");
    on_tx!(tx, connection => {
        let query = sqlx::query(INSERT_WORKSPACE)
            .bind(Id(id))
            .bind(user.email.as_str())
            .bind(Id(user.id.as_uuid()))
            .bind(Tier::Free.as_str())
            .bind(Instant(user.at));
        query.execute(connection).await.map(|_| ())
    })
    .doing(format!("the workspace of {}", user.email))
}
