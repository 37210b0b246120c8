//! What goes when an account is no longer the one that content came from.

use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;
use yarnnn_core::StoreError;
use yarnnn_core::id::UserId;
use yarnnn_core::platform::Platform;

use crate::columns::{Id, Instant, Texts};
use crate::db::{Tx, on_tx};
use crate::error::{DbError, Doing as _};
use crate::model_calls;
use crate::versions::material;

const REGISTRY: &str = "delete from sync_registry where user_id = $1";
const SHADOW: &str = "delete from content_shadow where user_id = $1";
const WITHDRAW: &str = "update platform_content set withdrawn_at = $3, updated_at = $3, retained = true, expires_at = null, \
    retained_at = coalesce(retained_at, $3), retained_reason = coalesce(retained_reason, 'deliverable_execution') \
    where user_id = $1 and origin = 'live' and withdrawn_at is null \
    and exists (select 1 from evidence e where e.content_id = platform_content.id)";
const DELETE: &str = "delete from platform_content where user_id = $1 and origin = 'live' \
    and not exists (select 1 from evidence e where e.content_id = platform_content.id)";

/// Rows that were withdrawn make way for what a person brought themselves.
const RETIRE: &str = "update platform_content set is_current = false, updated_at = $3 \
    where user_id = $1 and origin = 'live' and withdrawn_at = $3 and is_current = true \
    and exists (select 1 from platform_content o where o.user_id = platform_content.user_id \
    and o.platform = platform_content.platform and o.resource_id = platform_content.resource_id \
    and o.item_id = platform_content.item_id and o.withdrawn_at is null)";
/// The newest revision that is left is the one that is shown.
const PROMOTE: &str = "update platform_content set is_current = true, updated_at = $3 \
    where user_id = $1 and withdrawn_at is null and is_current = false \
    and not exists (select 1 from platform_content o where o.user_id = platform_content.user_id \
    and o.platform = platform_content.platform and o.resource_id = platform_content.resource_id \
    and o.item_id = platform_content.item_id and (o.is_current = true \
    or (o.withdrawn_at is null and (o.fetched_at, o.id) > (platform_content.fetched_at, platform_content.id))))";

/// Takes away what came from live services of these platforms, and what is known of their resources. Rows that reports cite are
/// withdrawn and kept, the material that versions recorded goes, and what models were told of it is forgotten; imported ones stay
/// and are shown again where they had been replaced. Answers how many rows of content went away or were withdrawn.
pub(crate) async fn purge(tx: &mut Tx, user: UserId, platforms: &[Platform], at: DateTime<Utc>) -> Result<u64, StoreError> {
    // The registry first: a run that is about to commit then meets its fence, and locks are taken in the order of a commit.
    run(tx, REGISTRY, user, platforms, None).await?;
    run(tx, SHADOW, user, platforms, None).await?;
    let withdrawn = run(tx, WITHDRAW, user, platforms, Some(at)).await?;
    let deleted = run(tx, DELETE, user, platforms, None).await?;
    run(tx, RETIRE, user, platforms, Some(at)).await?;
    run(tx, PROMOTE, user, platforms, Some(at)).await?;
    material::account_is_gone(tx, user, platforms, at).await?;
    model_calls::forget(tx, user, platforms).await?;
    Ok(withdrawn + deleted)
}

async fn run(
    tx: &mut Tx,
    statement: &'static str,
    user: UserId,
    platforms: &[Platform],
    at: Option<DateTime<Utc>>,
) -> Result<u64, DbError> {
    let (open, close) = tx.dialect().in_list();
    let sql = format!("{statement} and platform{open}$2{close}");
    let platforms = Texts(platforms.iter().map(|it| it.as_str().to_owned()).collect());
    on_tx!(tx, connection => {
        let query = sqlx::query(AssertSqlSafe(sql)).bind(Id(user.as_uuid())).bind(platforms);
        let query = if let Some(at) = at { query.bind(Instant(at)) } else { query };
        query.execute(connection).await.map(|it| it.rows_affected())
    })
    .doing("what came from the former account")
}
