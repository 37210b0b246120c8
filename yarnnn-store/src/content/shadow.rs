//! The pages of a run that rebuilds: kept aside, where no reader looks, until the last one puts all of them in place.

use yarnnn_core::StoreError;
use yarnnn_core::id::UserId;
use yarnnn_core::platform::ResourceId;
use yarnnn_core::sync::RunHandle;

use super::prepare::Page;
use crate::columns::{Id, Instant};
use crate::db::{Tx, on_tx};
use crate::error::{DbError, Doing as _, unreadable};
use crate::text::clean;

const KEEP: &str = "insert into content_shadow (user_id, platform, resource_id, run_token, number, page, created_at) \
    select $1, $2, $3, $4, coalesce(max(number), 0) + 1, $5, $6 from content_shadow \
    where user_id = $1 and platform = $2 and resource_id = $3 and run_token = $4";
const NEXT: &str = "select number, page from content_shadow \
    where user_id = $1 and platform = $2 and resource_id = $3 and run_token = $4 and number > $5 order by number limit 1";
const CLEAR: &str = "delete from content_shadow where user_id = $1 and platform = $2 and resource_id = $3";

/// Keeps a page aside. To be called behind the fence: its lock is what gives pages their numbers.
pub(super) async fn keep(tx: &mut Tx, run: &RunHandle, page: &Page) -> Result<(), StoreError> {
    let text = serde_json::to_string(page).map_err(|error| unreadable("a page of a rebuild", error))?;
    on_tx!(tx, connection => sqlx::query(KEEP)
        .bind(Id(run.user.as_uuid())).bind(run.resource.platform().as_str()).bind(clean(run.resource.as_str()))
        .bind(run.token.0).bind(text).bind(Instant(page.at)).execute(connection).await.map(|_| ()))
    .doing("a page of a rebuild")?;
    Ok(())
}

/// The page after the one with this number, with its own.
pub(super) async fn next(tx: &mut Tx, run: &RunHandle, after: i64) -> Result<Option<(i64, Page)>, StoreError> {
    let row: Option<(i64, String)> = on_tx!(tx, connection => sqlx::query_as(NEXT)
        .bind(Id(run.user.as_uuid())).bind(run.resource.platform().as_str()).bind(clean(run.resource.as_str()))
        .bind(run.token.0).bind(after).fetch_optional(connection).await)
    .doing("a page of a rebuild")?;
    let read = |(number, text): (i64, String)| Ok((number, serde_json::from_str(&text)?));
    row.map(read).transpose().map_err(|error: serde_json::Error| unreadable("a page of a rebuild", error))
}

/// Forgets what runs of a resource kept aside.
pub(super) async fn clear(tx: &mut Tx, user: UserId, resource: &ResourceId) -> Result<(), DbError> {
    on_tx!(tx, connection => sqlx::query(CLEAR)
        .bind(Id(user.as_uuid())).bind(resource.platform().as_str()).bind(clean(resource.as_str()))
        .execute(connection).await.map(|_| ()))
    .doing("the pages of a rebuild")
}
