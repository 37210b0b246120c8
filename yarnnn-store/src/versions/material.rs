//! What versions were written from, item by item, as it was then; and how it goes when its source takes it back.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, QueryBuilder};
use yarnnn_core::StoreError;
use yarnnn_core::deliverables::{MaterialItem, RecordedMaterial, VersionMaterial};
use yarnnn_core::id::{UserId, VersionId};
use yarnnn_core::platform::{Platform, ResourceId};

use crate::SqlStore;
use crate::columns::{Id, Instant, Texts};
use crate::db::{Tx, on_pool, on_tx};
use crate::error::{DbError, Doing as _, unreadable};
use crate::text::{clean, cleaned_json};

const RECORDED: &str =
    "select material, removed_at from version_material where version_id = $1 and user_id = $2 order by content_id";
const FORGET: &str = "delete from version_material where version_id = $1";
/// Ends where the instant goes.
const REMOVE: &str = "update version_material set material = null, removed_at = ";

#[derive(sqlx::FromRow)]
struct MaterialRow {
    material: Option<Json<MaterialItem>>,
    removed_at: Option<Instant>,
}

#[async_trait]
impl VersionMaterial for SqlStore {
    async fn recorded(&self, user: UserId, version: VersionId) -> Result<RecordedMaterial, StoreError> {
        let rows: Vec<MaterialRow> = on_pool!(&self.db, pool => sqlx::query_as(RECORDED)
            .bind(Id(version.as_uuid())).bind(Id(user.as_uuid())).fetch_all(pool).await)
        .doing(format!("the material of version {version}"))?;
        let removed_at = rows.iter().filter_map(|it| it.removed_at.map(|it| it.0)).max();
        Ok(RecordedMaterial { items: rows.into_iter().filter_map(|it| it.material).map(|it| it.0).collect(), removed_at })
    }
}

/// Records items of a version, those of them that are still stored. Their rows are held until the end of the transaction: whoever
/// takes one back meanwhile finds it here afterwards.
pub(super) async fn record(
    tx: &mut Tx,
    (user, version): (UserId, VersionId),
    items: &[MaterialItem],
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    if items.is_empty() {
        return Ok(());
    }
    let items = serde_json::to_value(items).map_err(|error| unreadable("the material of a version", error))?;
    let ((each, id), lock) = (tx.dialect().each_with_id(), tx.dialect().for_share());
    let sql = format!(
        "insert into version_material (version_id, content_id, user_id, platform, resource_id, item_id, origin, material, created_at) \
         select $1, c.id, c.user_id, c.platform, c.resource_id, c.item_id, c.origin, it.value, $3 from {each}($4) as it \
         join platform_content c on c.id = {id} where c.user_id = $2 order by c.id{lock} \
         on conflict (version_id, content_id) do nothing"
    );
    let recorded: Result<(), DbError> = on_tx!(tx, connection => {
        let query = sqlx::query(AssertSqlSafe(sql))
            .bind(Id(version.as_uuid()))
            .bind(Id(user.as_uuid()))
            .bind(Instant(at))
            .bind(Json(cleaned_json(items)));
        query.execute(connection).await.map(|_| ())
    })
    .doing(format!("the material of version {version}"));
    Ok(recorded?)
}

/// Deletes what is recorded of a version.
pub(super) async fn forget(tx: &mut Tx, version: VersionId) -> Result<(), DbError> {
    on_tx!(tx, connection => sqlx::query(FORGET).bind(Id(version.as_uuid())).execute(connection).await.map(|_| ()))
        .doing(format!("the material of version {version}"))
}

/// Takes back items that are gone at their source, in all revisions. Comes after their rows were changed: who records them at the
/// same time was waited for then.
pub(crate) async fn items_are_gone(
    tx: &mut Tx,
    (user, resource): (UserId, &ResourceId),
    items: Vec<String>,
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    if items.is_empty() {
        return Ok(());
    }
    let (open, close) = tx.dialect().in_list();
    on_tx!(tx, connection => {
        let mut builder = QueryBuilder::new(REMOVE);
        builder.push_bind(Instant(at)).push(" where material is not null and user_id = ").push_bind(Id(user.as_uuid()));
        builder.push(" and platform = ").push_bind(resource.platform().as_str());
        builder.push(" and resource_id = ").push_bind(clean(resource.as_str()));
        builder.push(" and item_id").push(open).push_bind(Texts(items)).push(close);
        builder.build().execute(connection).await.map(|_| ())
    })
    .doing("recorded material of items that are gone")
}

/// Takes back what came from live services of these platforms; what a person imported, then or since, stays. Comes after the rows
/// of content were changed, as above.
pub(crate) async fn account_is_gone(tx: &mut Tx, user: UserId, platforms: &[Platform], at: DateTime<Utc>) -> Result<(), DbError> {
    let (open, close) = tx.dialect().in_list();
    let platforms = Texts(platforms.iter().map(|it| it.as_str().to_owned()).collect());
    on_tx!(tx, connection => {
        let mut builder = QueryBuilder::new(REMOVE);
        builder.push_bind(Instant(at)).push(" where material is not null and user_id = ").push_bind(Id(user.as_uuid()));
        builder.push(" and origin = 'live' and platform").push(open).push_bind(platforms).push(close);
        builder.push(" and not exists (select 1 from platform_content c where c.id = version_material.content_id and c.origin = 'import')");
        builder.build().execute(connection).await.map(|_| ())
    })
    .doing("recorded material of the former account")
}
