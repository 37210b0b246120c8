//! What is read back from the content store.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use sqlx::types::Json;
use sqlx::{FromRow, QueryBuilder};
use yarnnn_core::StoreError;
use yarnnn_core::id::{ContentId, UserId};
use yarnnn_core::platform::{Author, ContentType, Cursor, Gap, Interval, KnownItem, Platform, ResourceId};
use yarnnn_core::sync::{ContentQuery, ResourceStatus, StoredItem};

use super::registry::EXCLUDED;
use crate::columns::{Id, Instant, Uuids};
use crate::db::{Db, on_pool};
use crate::error::{Doing as _, unreadable};
use crate::text::clean;

const ITEMS: &str = "select id, platform, resource_id, resource_name, item_id, content_type, content, content_hash, title, \
    author, author_id, is_user_authored, source_timestamp, metadata, fetched_at, retained, expires_at, is_current, version_of, \
    withdrawn_at from platform_content where user_id = ";
const REGISTRY: &str = "select platform, resource_id, resource_name, last_synced_at, platform_cursor, item_count, \
    source_latest_at, last_error, last_error_at, audited_at, sync_metadata, covered, gaps from sync_registry where user_id = ";

const KNOWN: &str = "select item_id, source_timestamp, metadata from platform_content \
    where user_id = $1 and platform = $2 and resource_id = $3 and origin = 'live' and is_current = true \
    and withdrawn_at is null and (retained = true or expires_at >= $4)";

/// The given rows, in any state, by id.
pub(super) async fn find(db: &Db, user: UserId, ids: &[ContentId]) -> Result<Vec<StoredItem>, StoreError> {
    let (open, close) = db.dialect().in_list();
    let ids = Uuids(ids.iter().map(|it| it.as_uuid()).collect());
    let rows: Vec<ItemRow> = on_pool!(db, pool => {
        let mut builder = QueryBuilder::new(ITEMS);
        builder.push_bind(Id(user.as_uuid()));
        builder.push(" and id").push(open).push_bind(ids).push(close).push(" order by id");
        builder.build_query_as().fetch_all(pool).await
    })
    .doing("stored items")?;
    rows.into_iter().map(StoredItem::try_from).collect()
}

/// Current items, newest first.
pub(super) async fn query(db: &Db, query: &ContentQuery) -> Result<Vec<StoredItem>, StoreError> {
    let (open, close) = db.dialect().in_pairs();
    let rows: Vec<ItemRow> = on_pool!(db, pool => {
        let mut builder = QueryBuilder::new(ITEMS);
        builder.push_bind(Id(query.user.as_uuid()));
        builder.push(" and is_current = true and withdrawn_at is null and (retained = true or expires_at >= ");
        builder.push_bind(Instant(query.at)).push(")");
        if !query.resources.is_empty() {
            builder.push(" and ").push(open).push_bind(pairs(&query.resources)).push(close);
        }
        if let Some(Interval { from, to }) = query.within {
            builder.push(" and (source_timestamp is null or (source_timestamp >= ").push_bind(Instant(from));
            builder.push(" and source_timestamp < ").push_bind(Instant(to)).push("))");
        }
        builder.push(" order by source_timestamp desc nulls last, id limit ").push_bind(i64::from(query.limit));
        builder.build_query_as().fetch_all(pool).await
    })
    .doing("stored items")?;
    rows.into_iter().map(StoredItem::try_from).collect()
}

/// What is known of resources, sorted by resource.
pub(super) async fn coverage(db: &Db, user: UserId, resources: &[ResourceId]) -> Result<Vec<ResourceStatus>, StoreError> {
    let (open, close) = db.dialect().in_pairs();
    let rows: Vec<StatusRow> = on_pool!(db, pool => {
        let mut builder = QueryBuilder::new(REGISTRY);
        builder.push_bind(Id(user.as_uuid()));
        if !resources.is_empty() {
            builder.push(" and ").push(open).push_bind(pairs(resources)).push(close);
        }
        builder.build_query_as().fetch_all(pool).await
    })
    .doing("the registry of resources")?;
    let mut known: Vec<_> = rows.into_iter().map(ResourceStatus::try_from).collect::<Result<_, _>>()?;
    known.sort_by(|left, right| left.resource.cmp(&right.resource));
    Ok(known)
}

/// What is kept of a resource of what came from a live service, by item.
pub(super) async fn known(db: &Db, user: UserId, resource: &ResourceId, at: DateTime<Utc>) -> Result<Vec<KnownItem>, StoreError> {
    let rows: Vec<KnownRow> = on_pool!(db, pool => sqlx::query_as(KNOWN)
        .bind(Id(user.as_uuid())).bind(resource.platform().as_str()).bind(clean(resource.as_str())).bind(Instant(at))
        .fetch_all(pool).await)
    .doing("what is kept of a resource")?;
    let mut known: Vec<_> = rows.into_iter().map(KnownItem::from).collect();
    // In byte order, whatever the database's collation.
    known.sort_by(|left, right| left.item_id.cmp(&right.item_id));
    Ok(known)
}

/// Platform and resource of each, as one bind.
pub(crate) fn pairs(resources: &[ResourceId]) -> Json<Vec<(&'static str, String)>> {
    Json(resources.iter().map(|it| (it.platform().as_str(), clean(it.as_str()).into_owned())).collect())
}

/// Reads the two columns that name a resource.
pub(crate) fn resource(platform: &str, id: &str) -> Result<ResourceId, StoreError> {
    let what = || format!("the resource {platform}:{id}");
    let platform: Platform =
        platform.parse().map_err(|error| unreadable(what(), Box::new(error) as yarnnn_core::error::Cause))?;
    ResourceId::new(platform, id).map_err(|error| unreadable(what(), error))
}

#[derive(FromRow)]
struct ItemRow {
    id: Id,
    platform: String,
    resource_id: String,
    resource_name: String,
    item_id: String,
    content_type: String,
    content: String,
    content_hash: String,
    title: Option<String>,
    author: Option<String>,
    author_id: Option<String>,
    is_user_authored: bool,
    source_timestamp: Option<Instant>,
    metadata: Json<Value>,
    fetched_at: Instant,
    retained: bool,
    expires_at: Option<Instant>,
    is_current: bool,
    version_of: Option<Id>,
    withdrawn_at: Option<Instant>,
}

impl TryFrom<ItemRow> for StoredItem {
    type Error = StoreError;

    fn try_from(row: ItemRow) -> Result<Self, StoreError> {
        let what = || format!("item {}", row.id.0);
        let content_type = ContentType::parse(&row.content_type).ok_or_else(|| unreadable(what(), "unknown content type"))?;
        let author_id = row.author_id;
        Ok(Self {
            id: ContentId::from_uuid(row.id.0),
            resource: resource(&row.platform, &row.resource_id)?,
            resource_name: row.resource_name,
            item_id: row.item_id,
            content_type,
            content: row.content,
            content_hash: row
                .content_hash
                .parse()
                .map_err(|error| unreadable(what(), Box::new(error) as yarnnn_core::error::Cause))?,
            title: row.title,
            author: row.author.map(|name| Author { name, id: author_id }),
            is_user_authored: row.is_user_authored,
            source_timestamp: instant(row.source_timestamp),
            metadata: row.metadata.0,
            fetched_at: row.fetched_at.0,
            retained: row.retained,
            expires_at: instant(row.expires_at),
            is_current: row.is_current,
            version_of: row.version_of.map(|it| ContentId::from_uuid(it.0)),
            withdrawn_at: instant(row.withdrawn_at),
        })
    }
}

fn instant(column: Option<Instant>) -> Option<DateTime<Utc>> {
    column.map(|it| it.0)
}

#[derive(FromRow)]
struct KnownRow {
    item_id: String,
    source_timestamp: Option<Instant>,
    metadata: Json<Value>,
}

impl From<KnownRow> for KnownItem {
    fn from(row: KnownRow) -> Self {
        Self { item_id: row.item_id, source_timestamp: instant(row.source_timestamp), metadata: row.metadata.0 }
    }
}

#[derive(FromRow)]
struct StatusRow {
    platform: String,
    resource_id: String,
    resource_name: String,
    last_synced_at: Option<Instant>,
    platform_cursor: Option<String>,
    item_count: i64,
    source_latest_at: Option<Instant>,
    last_error: Option<String>,
    last_error_at: Option<Instant>,
    audited_at: Option<Instant>,
    sync_metadata: Json<Map<String, Value>>,
    covered: Json<Vec<Interval>>,
    gaps: Json<Vec<Gap>>,
}

impl TryFrom<StatusRow> for ResourceStatus {
    type Error = StoreError;

    fn try_from(row: StatusRow) -> Result<Self, StoreError> {
        let resource = resource(&row.platform, &row.resource_id)?;
        let item_count =
            u64::try_from(row.item_count).map_err(|error| unreadable(format!("the registry entry of {resource}"), error))?;
        Ok(Self {
            resource,
            resource_name: row.resource_name,
            last_synced_at: instant(row.last_synced_at),
            cursor: row.platform_cursor.map(Cursor::new),
            item_count,
            source_latest_at: instant(row.source_latest_at),
            last_error_at: instant(row.last_error_at).filter(|_| row.last_error.is_some()),
            last_error: row.last_error,
            audited_at: instant(row.audited_at),
            excluded: row.sync_metadata.0.get(EXCLUDED) == Some(&Value::Bool(true)),
            covered: row.covered.0,
            gaps: row.gaps.0,
        })
    }
}
