//! What a person chose of an account, kept while it is not connected: which sources are synced, and which must not be.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use sqlx::AssertSqlSafe;
use sqlx::types::Json;
use yarnnn_core::StoreError;
use yarnnn_core::connections::{Connection, NewConnection, Provider};
use yarnnn_core::id::UserId;
use yarnnn_core::platform::{Platform, ResourceId};
use yarnnn_core::sync::RunToken;

use crate::columns::{Id, Instant, Texts};
use crate::content::{self, EXCLUDED};
use crate::db::{Db, Tx, on_pool, on_tx};
use crate::error::{DbError, Doing as _};
use crate::text::clean;

const NOTES: &str = "select platform, resource_id, sync_metadata from sync_registry where user_id = $1 and platform";
const KEEP: &str = "insert into kept_choices (user_id, provider, account_id, selected, excluded, created_at) \
    values ($1, $2, $3, $4, $5, $6) on conflict (user_id, provider, account_id) do update set \
    selected = excluded.selected, excluded = excluded.excluded, created_at = excluded.created_at";
const SELECTED: &str = "select selected from kept_choices where user_id = $1 and provider = $2 and account_id = $3";
const TAKE: &str = "delete from kept_choices where user_id = $1 and provider = $2 and account_id = $3 returning excluded";
const WHAT: &str = "what was chosen of an account";

/// Ids as they are stored, with their platform.
type Ids = Json<Vec<String>>;
/// Platform, resource, and the notes on it.
type Noted = (String, String, Json<Map<String, Value>>);

/// Keeps what was chosen of a connection that is about to stand for nothing, or for another account.
pub(super) async fn keep(tx: &mut Tx, former: &Connection, at: DateTime<Utc>) -> Result<(), StoreError> {
    // What names no account cannot be known again.
    let Some(account) = former.account_id() else { return Ok(()) };
    let selected: Ids = Json(former.landscape.selected.iter().map(ToString::to_string).collect());
    let excluded: Ids = Json(excluded(tx, former.user, former.provider).await?);
    on_tx!(tx, connection => {
        let query = sqlx::query(KEEP)
            .bind(Id(former.user.as_uuid()))
            .bind(former.provider.as_str())
            .bind(clean(account))
            .bind(selected)
            .bind(excluded)
            .bind(Instant(at));
        query.execute(connection).await.map(|_| ())
    })
    .doing(WHAT)?;
    Ok(())
}

/// What of a provider the user keeps from being synced.
async fn excluded(tx: &mut Tx, user: UserId, provider: Provider) -> Result<Vec<String>, DbError> {
    let (open, close) = tx.dialect().in_list();
    let sql = format!("{NOTES}{open}$2{close} order by platform, resource_id");
    let platforms = Texts(provider.platforms().iter().map(|it| it.as_str().to_owned()).collect());
    let rows: Vec<Noted> = on_tx!(tx, connection => sqlx::query_as(AssertSqlSafe(sql))
        .bind(Id(user.as_uuid())).bind(platforms).fetch_all(connection).await)
    .doing(WHAT)?;
    let is_excluded = |notes: &Map<String, Value>| notes.get(EXCLUDED) == Some(&Value::Bool(true));
    let id = |(platform, id, _): (String, String, _)| {
        let platform: Platform = platform.parse().ok()?;
        ResourceId::new(platform, &id).ok().map(|it| it.to_string())
    };
    Ok(rows.into_iter().filter(|(_, _, notes)| is_excluded(&notes.0)).filter_map(id).collect())
}

/// What was selected of an account that is not connected.
pub(super) async fn selected(
    db: &Db,
    (user, provider): (UserId, Provider),
    account: &str,
) -> Result<Vec<ResourceId>, StoreError> {
    let kept: Option<Ids> = on_pool!(db, pool => sqlx::query_scalar(SELECTED)
        .bind(Id(user.as_uuid())).bind(provider.as_str()).bind(clean(account)).fetch_optional(pool).await)
    .doing(WHAT)?;
    Ok(ids(kept))
}

/// Excludes again what was excluded when the account was connected last; what was kept of it is used up.
pub(super) async fn restore(tx: &mut Tx, new: &NewConnection, first: impl Fn() -> RunToken) -> Result<(), StoreError> {
    let kept: Option<Ids> = on_tx!(tx, connection => sqlx::query_scalar(TAKE)
        .bind(Id(new.user.as_uuid())).bind(new.provider.as_str()).bind(clean(&new.account_id)).fetch_optional(connection).await)
    .doing(WHAT)?;
    for id in ids(kept) {
        let name = new.landscape.resource(&id).map_or_else(|| id.as_str().to_owned(), |it| it.name.clone());
        content::exclude(tx, (new.user, &id, &name), true, (first(), new.at)).await?;
    }
    Ok(())
}

/// Those that this version can read.
fn ids(kept: Option<Ids>) -> Vec<ResourceId> {
    kept.map(|it| it.0).unwrap_or_default().iter().filter_map(|it| it.parse().ok()).collect()
}
