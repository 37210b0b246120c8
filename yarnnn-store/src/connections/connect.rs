//! Storing a connection: a new one, the same account once more, or another account in place of the former.

use secrecy::SecretString;
use serde_json::{Map, Value};
use sqlx::types::Json;
use yarnnn_core::StoreError;
use yarnnn_core::connections::{Connected, Connection, NewConnection};
use yarnnn_core::id::ConnectionId;

use super::choices;
use super::credentials::{EXPIRES_AT, set_expiry};
use super::rows::{self, ConnectionRow, columns};
use crate::columns::{Id, Instant};
use crate::db::{Tx, on_tx};
use crate::error::Doing as _;
use crate::seal::{Field, Place, SealKeys};
use crate::text::cleaned_json;
use crate::{SqlStore, activity, content};

const INSERT: &str = concat!(
    "insert into platform_connections (id, user_id, platform, status, credentials_encrypted, refresh_token_encrypted, metadata, ",
    "landscape, landscape_discovered_at, created_at, updated_at) values ($1, $2, $3, 'active', $4, $5, $6, $7, $8, $8, $8) ",
    "returning ",
    columns!()
);
/// Of the same account ($9) the last sync and a refresh token that nothing replaces stay.
const REPLACE: &str = concat!(
    "update platform_connections set platform = $3, status = 'active', credentials_encrypted = $4, ",
    "refresh_token_encrypted = case when $9 then coalesce($5, refresh_token_encrypted) else $5 end, metadata = $6, ",
    "landscape = $7, landscape_discovered_at = $8, last_error = null, ",
    "last_synced_at = case when $9 then last_synced_at end, ",
    "account_epoch = account_epoch + case when $9 then 0 else 1 end, version = version + 1, ",
    "credential_generation = credential_generation + 1, refresh_holder = null, refresh_until = null, updated_at = $8 ",
    "where id = $1 and user_id = $2 returning ",
    columns!()
);

/// Our own key of the metadata.
const ACCOUNT_ID: &str = "account_id";

impl SqlStore {
    pub(super) async fn try_connect(&self, new: &NewConnection) -> Result<Connected, StoreError> {
        let keys = self.keys(|| format!("the credentials of {}", new.provider.name()))?;
        let mut tx = self.db.begin().await?;
        let (stored, unreadable) = rows::of_provider(&mut tx, new.user, new.provider).await?;
        let (former, older) = stored.split_first().map_or((None, &[][..]), |(former, older)| (Some(former), older));
        let is_same = former.is_some_and(|it| it.is_account(&new.account_id, &new.metadata));
        if let Some(former) = former.filter(|_| !is_same) {
            choices::keep(&mut tx, former, new.at).await?;
        }
        let purged = match former {
            // Of a row that cannot be read nobody knows whose it was.
            former if !is_same && (former.is_some() || !unreadable.is_empty()) => {
                content::purge(&mut tx, new.user, new.provider.platforms(), new.at).await?
            }
            _ => 0,
        };
        rows::delete(&mut tx, new.user, older.iter().map(|it| it.id).chain(unreadable)).await?;
        let connection = write(&mut tx, keys, new, former, is_same).await?;
        if !is_same {
            choices::restore(&mut tx, new, || content::first_token(self.ids.as_ref(), new.at)).await?;
        }
        activity::write(&mut tx, new.user, new.activity.clone(), new.at).await?;
        tx.commit().await?;
        Ok(Connected { connection, replaced: former.is_some(), purged })
    }
}

async fn write(
    tx: &mut Tx,
    keys: &SealKeys,
    new: &NewConnection,
    former: Option<&Connection>,
    is_same: bool,
) -> Result<Connection, StoreError> {
    let id = former.map_or(new.id, |it| it.id);
    let (access, refresh) = (sealed(keys, new, id, Field::Access)?, sealed(keys, new, id, Field::Refresh)?);
    let (metadata, landscape) = (Json(metadata(new, former, is_same)), rows::landscape(&new.landscape)?);
    let sql = if former.is_some() { REPLACE } else { INSERT };
    let row: ConnectionRow = on_tx!(tx, connection => {
        let query = sqlx::query_as(sql)
            .bind(Id(id.as_uuid()))
            .bind(Id(new.user.as_uuid()))
            .bind(new.provider.as_str())
            .bind(access)
            .bind(refresh)
            .bind(metadata)
            .bind(landscape)
            .bind(Instant(new.at));
        let query = if former.is_some() { query.bind(is_same) } else { query };
        query.fetch_one(connection).await
    })
    .doing(format!("the connection to {}", new.provider.name()))?;
    row.try_into()
}

fn sealed(keys: &SealKeys, new: &NewConnection, connection: ConnectionId, field: Field) -> Result<Option<String>, StoreError> {
    let secret: Option<&SecretString> = match field {
        Field::Access => new.credentials.access.as_ref(),
        Field::Refresh => new.credentials.refresh.as_ref(),
    };
    secret.map(|it| keys.seal(Place { user: new.user, connection, field }, it)).transpose()
}

/// The new metadata over the former ones of the same account. What was said of another account goes.
fn metadata(new: &NewConnection, former: Option<&Connection>, is_same: bool) -> Map<String, Value> {
    let mut merged = former.filter(|_| is_same).map(|it| it.metadata.clone()).unwrap_or_default();
    if let Value::Object(said) = cleaned_json(Value::Object(new.metadata.clone())) {
        merged.extend(said);
    }
    if let Value::String(account) = cleaned_json(Value::from(new.account_id.as_str())) {
        merged.insert(ACCOUNT_ID.to_owned(), Value::String(account));
    }
    merged.remove(EXPIRES_AT);
    set_expiry(&mut merged, new.credentials.expires_at);
    merged
}

impl SqlStore {
    /// What seals and opens secrets; says what is locked without.
    pub(super) fn keys(&self, what: impl FnOnce() -> String) -> Result<&SealKeys, StoreError> {
        self.seal.as_ref().ok_or_else(|| StoreError::Locked {
            what: what(),
            problem: "INTEGRATION_ENCRYPTION_KEY is not set; `yarnnn doctor --new-key` prints a key".to_owned(),
        })
    }
}
