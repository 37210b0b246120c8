//! The sealed secrets of connections, and whose turn it is to refresh them.
//!
//! A turn is a lease on the row: taken and ended under the row's lock, by the store's own time, with nothing held open between.

use async_trait::async_trait;
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use secrecy::SecretString;
use serde_json::{Map, Value};
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, FromRow};
use uuid::Uuid;
use yarnnn_core::StoreError;
use yarnnn_core::clock::instant_text;
use yarnnn_core::connections::{CredentialStore, Credentials, RefreshTurn, StoredCredentials, TakeRefresh};
use yarnnn_core::id::{ConnectionId, UserId};

use crate::SqlStore;
use crate::columns::{Id, Instant};
use crate::db::{Tx, on_pool, on_tx};
use crate::error::{DbError, Doing as _};
use crate::seal::{Field, Place, SealKeys};

const SECRETS: &str = "select credentials_encrypted, refresh_token_encrypted, metadata, credential_generation, refresh_holder, \
    refresh_until from platform_connections where id = $1 and user_id = $2";
const TAKE: &str = "update platform_connections set refresh_holder = $2, refresh_until = $3 where id = $1";
const REPLACE: &str = "update platform_connections set credentials_encrypted = $2, refresh_token_encrypted = $3, metadata = $4, \
    credential_generation = credential_generation + 1, refresh_holder = null, refresh_until = null, updated_at = $5 \
    where id = $1";
const GIVE_UP: &str = "update platform_connections set refresh_holder = null, refresh_until = null \
    where id = $1 and user_id = $2 and refresh_holder = $3";

/// The same secrets, sealed anew: what it was made of ($6, $7) must still stand there.
const SEAL_ANEW: &str = "update platform_connections set credentials_encrypted = $4, refresh_token_encrypted = $5 \
    where id = $1 and user_id = $2 and credential_generation = $3 \
    and credentials_encrypted is not distinct from $6 and refresh_token_encrypted is not distinct from $7";
/// A few values of each key. Fernet's do not say which they are of.
const SOME_OF_EACH_KEY: &str = "select id, user_id, credentials_encrypted, refresh_token_encrypted from (\
    select id, user_id, credentials_encrypted, refresh_token_encrypted, row_number() over (partition by \
        case when sealed like 'v1:%' then substr(sealed, 1, 11) else '' end order by id) as number \
    from (select id, user_id, credentials_encrypted, refresh_token_encrypted, \
        coalesce(nullif(credentials_encrypted, ''), nullif(refresh_token_encrypted, '')) as sealed \
        from platform_connections where status in ('active', 'connected')) as live \
    where sealed is not null) as numbered where number <= 3 order by id";

/// Where the metadata say when the access token ends.
pub(super) const EXPIRES_AT: &str = "expires_at";

#[derive(FromRow)]
struct SecretRow {
    credentials_encrypted: Option<String>,
    refresh_token_encrypted: Option<String>,
    metadata: Json<Map<String, Value>>,
    credential_generation: i64,
    refresh_holder: Option<Id>,
    refresh_until: Option<Instant>,
}

#[derive(FromRow)]
struct SealedRow {
    id: Id,
    user_id: Id,
    credentials_encrypted: Option<String>,
    refresh_token_encrypted: Option<String>,
}

#[async_trait]
impl CredentialStore for SqlStore {
    async fn credentials(&self, user: UserId, connection: ConnectionId) -> Result<StoredCredentials, StoreError> {
        let keys = self.keys(|| what(connection))?;
        let row: SecretRow = on_pool!(&self.db, pool => sqlx::query_as(SECRETS)
            .bind(Id(connection.as_uuid())).bind(Id(user.as_uuid())).fetch_one(pool).await)
        .doing(what(connection))?;
        let stored = row.open(keys, user, connection)?;
        if !row.is_current(keys) {
            // What was read is good whatever comes of this; the next who reads it tries again.
            if let Err(error) = self.seal_anew(keys, (user, connection), &row, &stored).await {
                tracing::warn!(%error, %connection, "credentials could not be sealed anew");
            }
        }
        Ok(stored)
    }

    async fn try_keys(&self) -> Result<(), StoreError> {
        const WHAT: &str = "what is connected";
        let rows: Vec<SealedRow> =
            on_pool!(&self.db, pool => sqlx::query_as(SOME_OF_EACH_KEY).fetch_all(pool).await).doing(WHAT)?;
        if rows.is_empty() {
            return Ok(());
        }
        let keys = self.keys(|| WHAT.to_owned())?;
        let mut problems: Vec<String> = Vec::new();
        for row in &rows {
            match row.open(keys) {
                Err(StoreError::Locked { problem, .. }) if !problems.contains(&problem) => problems.push(problem),
                Err(StoreError::Locked { .. }) => {}
                // What else is wrong with one connection is its own business.
                _ => return Ok(()),
            }
        }
        Err(StoreError::Locked { what: WHAT.to_owned(), problem: problems.join("; ") })
    }

    async fn take_refresh(&self, take: &TakeRefresh) -> Result<RefreshTurn, StoreError> {
        let keys = self.keys(|| what(take.connection))?;
        let mut tx = self.db.begin().await?;
        let row = locked(&mut tx, take).await?;
        let stored = row.open(keys, take.user, take.connection)?;
        if row.credential_generation != take.generation {
            return Ok(RefreshTurn::Newer(stored));
        }
        let now = self.now_in(&mut tx).await?;
        if let Some(left) = row.held_by_another(take.holder, now) {
            return Ok(RefreshTurn::Wait { retry_after: left.to_std().unwrap_or_default() });
        }
        let lease = TimeDelta::from_std(take.lease).unwrap_or(TimeDelta::MAX);
        let until = now.checked_add_signed(lease).unwrap_or(now);
        on_tx!(&mut tx, connection => sqlx::query(TAKE)
            .bind(Id(take.connection.as_uuid())).bind(Id(take.holder)).bind(Instant(until)).execute(connection).await.map(|_| ()))
        .doing(what(take.connection))?;
        tx.commit().await?;
        Ok(RefreshTurn::Yours(stored))
    }

    async fn replace(&self, take: &TakeRefresh, bought: Credentials) -> Result<StoredCredentials, StoreError> {
        let keys = self.keys(|| what(take.connection))?;
        let mut tx = self.db.begin().await?;
        let mut row = locked(&mut tx, take).await?;
        if row.refresh_holder != Some(Id(take.holder)) || row.credential_generation != take.generation {
            return Err(StoreError::Conflict { what: what(take.connection) });
        }
        let kept = row.open_field(keys, take.user, take.connection, Field::Refresh);
        let refresh = bought.refresh.map_or(kept, |it| Ok(Some(it)))?;
        let credentials = Credentials { refresh, ..bought };
        set_expiry(&mut row.metadata.0, credentials.expires_at);
        let now = self.now_in(&mut tx).await?;
        write(&mut tx, keys, take, &credentials, row.metadata, now).await?;
        tx.commit().await?;
        Ok(StoredCredentials { credentials, generation: row.credential_generation + 1 })
    }

    async fn give_up(&self, take: &TakeRefresh) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        on_tx!(&mut tx, connection => sqlx::query(GIVE_UP)
            .bind(Id(take.connection.as_uuid())).bind(Id(take.user.as_uuid())).bind(Id(take.holder))
            .execute(connection).await.map(|_| ()))
        .doing(what(take.connection))?;
        tx.commit().await
    }
}

impl SqlStore {
    /// Seals what was read with the first key. One write, and only over what was read: what others bought meanwhile stays.
    async fn seal_anew(
        &self,
        keys: &SealKeys,
        (user, connection): (UserId, ConnectionId),
        row: &SecretRow,
        stored: &StoredCredentials,
    ) -> Result<(), StoreError> {
        let StoredCredentials { credentials, generation } = stored;
        let (access, refresh) = sealed(keys, (user, connection), credentials)?;
        let mut tx = self.db.begin().await?;
        on_tx!(&mut tx, transaction => {
            let query = sqlx::query(SEAL_ANEW)
                .bind(Id(connection.as_uuid()))
                .bind(Id(user.as_uuid()))
                .bind(generation)
                .bind(access)
                .bind(refresh)
                .bind(&row.credentials_encrypted)
                .bind(&row.refresh_token_encrypted);
            query.execute(transaction).await.map(|_| ())
        })
        .doing(what(connection))?;
        tx.commit().await
    }
}

fn what(connection: ConnectionId) -> String {
    format!("the credentials of connection {connection}")
}

/// The row, locked until the end of the transaction.
async fn locked(tx: &mut Tx, take: &TakeRefresh) -> Result<SecretRow, DbError> {
    let sql = format!("{SECRETS}{}", tx.dialect().for_update());
    on_tx!(tx, connection => sqlx::query_as(AssertSqlSafe(sql))
        .bind(Id(take.connection.as_uuid())).bind(Id(take.user.as_uuid())).fetch_one(connection).await)
    .doing(what(take.connection))
}

async fn write(
    tx: &mut Tx,
    keys: &SealKeys,
    take: &TakeRefresh,
    credentials: &Credentials,
    metadata: Json<Map<String, Value>>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let (access, refresh) = sealed(keys, (take.user, take.connection), credentials)?;
    on_tx!(tx, connection => sqlx::query(REPLACE)
        .bind(Id(take.connection.as_uuid())).bind(access).bind(refresh).bind(metadata).bind(Instant(now))
        .execute(connection).await.map(|_| ()))
    .doing(what(take.connection))?;
    Ok(())
}

/// Access and refresh token, sealed for their places.
fn sealed(
    keys: &SealKeys,
    (user, connection): (UserId, ConnectionId),
    credentials: &Credentials,
) -> Result<(Option<String>, Option<String>), StoreError> {
    let seal = |field, secret: &Option<SecretString>| {
        secret.as_ref().map(|it| keys.seal(Place { user, connection, field }, it)).transpose()
    };
    Ok((seal(Field::Access, &credentials.access)?, seal(Field::Refresh, &credentials.refresh)?))
}

impl SealedRow {
    /// Opens the first value that there is.
    fn open(&self, keys: &SealKeys) -> Result<(), StoreError> {
        let (user, connection) = (UserId::from_uuid(self.user_id.0), ConnectionId::from_uuid(self.id.0));
        let both = [(Field::Access, &self.credentials_encrypted), (Field::Refresh, &self.refresh_token_encrypted)];
        let first = both.into_iter().find_map(|(field, value)| Some((field, value.as_deref().filter(|it| !it.is_empty())?)));
        first.map_or(Ok(()), |(field, value)| keys.open(Place { user, connection, field }, value).map(|_| ()))
    }
}

impl SecretRow {
    /// Whether all that is stored was sealed as it would be now.
    fn is_current(&self, keys: &SealKeys) -> bool {
        let values = [&self.credentials_encrypted, &self.refresh_token_encrypted];
        values.into_iter().flatten().filter(|it| !it.is_empty()).all(|it| keys.is_current(it))
    }

    fn open(&self, keys: &SealKeys, user: UserId, connection: ConnectionId) -> Result<StoredCredentials, StoreError> {
        let credentials = Credentials {
            access: self.open_field(keys, user, connection, Field::Access)?,
            refresh: self.open_field(keys, user, connection, Field::Refresh)?,
            expires_at: expiry(&self.metadata.0),
        };
        Ok(StoredCredentials { credentials, generation: self.credential_generation })
    }

    fn open_field(
        &self,
        keys: &SealKeys,
        user: UserId,
        connection: ConnectionId,
        field: Field,
    ) -> Result<Option<SecretString>, StoreError> {
        let stored = match field {
            Field::Access => &self.credentials_encrypted,
            Field::Refresh => &self.refresh_token_encrypted,
        };
        let stored = stored.as_deref().filter(|it| !it.is_empty());
        stored.map(|it| keys.open(Place { user, connection, field }, it)).transpose()
    }

    /// How long somebody else has the turn.
    fn held_by_another(&self, holder: Uuid, now: DateTime<Utc>) -> Option<TimeDelta> {
        let until = self.refresh_until.filter(|_| self.refresh_holder.is_some_and(|it| it.0 != holder))?;
        Some(until.0 - now).filter(|left| *left > TimeDelta::zero())
    }
}

/// Says in the metadata when the access token ends.
pub(super) fn set_expiry(metadata: &mut Map<String, Value>, at: Option<DateTime<Utc>>) {
    match at {
        Some(at) => _ = metadata.insert(EXPIRES_AT.to_owned(), Value::from(instant_text(at))),
        None => _ = metadata.remove(EXPIRES_AT),
    }
}

/// When the access token ends. Older installations wrote seconds, or an instant without a zone; what cannot be read is over.
fn expiry(metadata: &Map<String, Value>) -> Option<DateTime<Utc>> {
    let stored = metadata.get(EXPIRES_AT).filter(|it| !it.is_null())?;
    let of_text = |text: &str| {
        let zoned = DateTime::parse_from_rfc3339(text).map(|it| it.to_utc()).ok();
        zoned.or_else(|| text.parse::<NaiveDateTime>().ok().map(|it| it.and_utc()))
    };
    let of_number = |seconds: i64| DateTime::from_timestamp(seconds, 0);
    let at = stored.as_str().and_then(of_text).or_else(|| stored.as_i64().and_then(of_number));
    Some(at.unwrap_or(DateTime::UNIX_EPOCH))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_end_of_a_token_is_read_in_every_form_that_was_ever_written() {
        let read = |value: Value| expiry(json!({ EXPIRES_AT: value }).as_object().unwrap()).map(|it| it.to_rfc3339());
        for form in [
            json!("2026-01-05T09:00:00Z"),
            json!("2026-01-05T10:00:00+01:00"),
            json!("2026-01-05T09:00:00"),
            json!(1_767_603_600),
        ] {
            assert_eq!(read(form.clone()).as_deref(), Some("2026-01-05T09:00:00+00:00"), "{form}");
        }
        assert_eq!(read(Value::Null), None);
        assert_eq!(expiry(&Map::new()), None);
        assert_eq!(read(json!("soon")).as_deref(), Some("1970-01-01T00:00:00+00:00"));
    }
}
