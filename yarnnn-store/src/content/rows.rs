//! The statements that write content: few per page, whatever the number of items.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::types::Json;
use sqlx::{FromRow, QueryBuilder};
use yarnnn_core::StoreError;
use yarnnn_core::id::ContentId;
use yarnnn_core::sync::{Origin, Retain, RetainReason, RunHandle};

use super::plan::{Known, Plan};
use super::prepare::Revision;
use crate::columns::{Id, Instant, Texts, Uuids};
use crate::db::{Tx, on_tx};
use crate::error::{DbError, Doing as _};
use crate::search;
use crate::text::clean;
use crate::versions::material;

const KNOWN: &str = "select id, item_id, content_hash, is_current, retained, origin, withdrawn_at, fetched_at from platform_content where user_id = ";
/// Ends before the column of words, which only one dialect has here.
const INSERT: &str = "insert into platform_content (id, user_id, platform, resource_id, resource_name, item_id, content, \
    content_type, content_hash, title, author, author_id, author_lower, is_user_authored, source_timestamp, metadata, \
    version_of, origin, fetched_at, retained, retained_reason, retained_at, expires_at, created_at, updated_at";
const RETIRE: &str = "update platform_content set is_current = false, updated_at = ";
const REVIVE: &str = "update platform_content set is_current = true, updated_at = ";
const RESTORE: &str = "update platform_content set withdrawn_at = null, updated_at = ";
const WITHDRAW: &str = "update platform_content set withdrawn_at = ";
const STILL_THERE: &str = "update platform_content set fetched_at = case when retained then fetched_at else ";
const DELETE: &str = "delete from platform_content where retained = false and user_id = ";
const RETAIN: &str = "update platform_content set retained = true, expires_at = null, retained_reason = ";

/// Rows of one statement: far below the number of binds that either driver takes.
const CHUNK: usize = 100;

/// What all rows of a page have in common.
pub(super) struct Scope<'a> {
    pub(super) run: &'a RunHandle,
    pub(super) origin: Origin,
    pub(super) at: DateTime<Utc>,
}

impl Scope<'_> {
    /// When an unretained row may be deleted.
    fn expires_at(&self) -> DateTime<Utc> {
        self.at.checked_add_signed(self.run.resource.platform().time_to_live()).unwrap_or(self.at)
    }
}

#[derive(FromRow)]
struct KnownRow {
    id: Id,
    item_id: String,
    content_hash: String,
    is_current: bool,
    retained: bool,
    origin: String,
    withdrawn_at: Option<Instant>,
    fetched_at: Instant,
}

impl From<KnownRow> for Known {
    fn from(row: KnownRow) -> Self {
        Self {
            id: ContentId::from_uuid(row.id.0),
            item_id: row.item_id,
            content_hash: row.content_hash,
            is_current: row.is_current,
            retained: row.retained,
            imported: row.origin == Origin::Import.as_str(),
            withdrawn: row.withdrawn_at.is_some(),
            fetched_at: row.fetched_at.0,
        }
    }
}

/// All rows of the given items, locked until the end of the transaction.
pub(super) async fn known(tx: &mut Tx, run: &RunHandle, item_ids: Vec<String>) -> Result<Vec<Known>, DbError> {
    if item_ids.is_empty() {
        return Ok(vec![]);
    }
    let ((open, close), lock) = (tx.dialect().in_list(), tx.dialect().for_update());
    let rows: Vec<KnownRow> = on_tx!(tx, connection => {
        let mut builder = QueryBuilder::new(KNOWN);
        builder.push_bind(Id(run.user.as_uuid()));
        builder.push(" and platform = ").push_bind(run.resource.platform().as_str());
        builder.push(" and resource_id = ").push_bind(clean(run.resource.as_str()));
        builder.push(" and item_id").push(open).push_bind(Texts(item_ids)).push(close).push(lock);
        builder.build_query_as().fetch_all(connection).await
    })
    .doing("the stored items of a page")?;
    Ok(rows.into_iter().map(Known::from).collect())
}

/// Starts the time to live of the unretained current rows of items anew that were seen unchanged. They are no longer withdrawn.
pub(super) async fn still_there(tx: &mut Tx, scope: &Scope<'_>, item_ids: Vec<String>) -> Result<(), DbError> {
    if item_ids.is_empty() {
        return Ok(());
    }
    let (open, close) = tx.dialect().in_list();
    on_tx!(tx, connection => {
        let mut builder = QueryBuilder::new(STILL_THERE);
        builder.push_bind(Instant(scope.at)).push(" end, expires_at = case when retained then null else ");
        builder.push_bind(Instant(scope.expires_at())).push(" end, withdrawn_at = null, updated_at = ");
        builder.push_bind(Instant(scope.at)).push(" where user_id = ").push_bind(Id(scope.run.user.as_uuid()));
        builder.push(" and platform = ").push_bind(scope.run.resource.platform().as_str());
        builder.push(" and resource_id = ").push_bind(clean(scope.run.resource.as_str()));
        builder.push(" and ((is_current = true and retained = false) or withdrawn_at is not null) and item_id");
        builder.push(open).push_bind(Texts(item_ids)).push(close);
        builder.build().execute(connection).await.map(|_| ())
    })
    .doing("items that were seen unchanged")
}

/// Writes what the plan says.
pub(super) async fn apply(tx: &mut Tx, scope: &Scope<'_>, plan: Plan) -> Result<(), StoreError> {
    let (user, at) = (scope.run.user, scope.at);
    touch(tx, RETIRE, scope, plan.retire).await?;
    insert_all(tx, scope, &plan.insert).await?;
    touch(tx, REVIVE, scope, plan.revive).await?;
    for chunk in plan.refresh.chunks(CHUNK) {
        refresh(tx, scope, chunk).await?;
    }
    let import = Retain { user, ids: plan.keep, reason: RetainReason::UserImport, reference: None, at };
    retain(tx, &import).await?;
    touch(tx, RESTORE, scope, plan.restore).await?;
    touch(tx, WITHDRAW, scope, plan.withdraw).await?;
    delete(tx, scope, plan.delete).await?;
    Ok(material::items_are_gone(tx, (user, &scope.run.resource), plan.gone, at).await?)
}

/// Marks rows with the given statement, which ends where the instant goes.
async fn touch(tx: &mut Tx, statement: &'static str, scope: &Scope<'_>, ids: Vec<ContentId>) -> Result<(), DbError> {
    if ids.is_empty() {
        return Ok(());
    }
    let (open, close) = tx.dialect().in_list();
    on_tx!(tx, connection => {
        let mut builder = QueryBuilder::new(statement);
        builder.push_bind(Instant(scope.at));
        builder.push(" where user_id = ").push_bind(Id(scope.run.user.as_uuid()));
        builder.push(" and id").push(open).push_bind(uuids(&ids)).push(close);
        builder.build().execute(connection).await.map(|_| ())
    })
    .doing("the state of stored items")
}

fn uuids(ids: &[ContentId]) -> Uuids {
    Uuids(ids.iter().map(|it| it.as_uuid()).collect())
}

/// A revision with the row that it replaces.
type NewRow = (Revision, Option<ContentId>);

/// New rows with their words, chunk by chunk: while the database writes one, the words of the next are cut.
async fn insert_all(tx: &mut Tx, scope: &Scope<'_>, rows: &[NewRow]) -> Result<(), DbError> {
    let mut chunks = rows.chunks(CHUNK);
    let mut next = chunks.next().map(|chunk| (chunk, documents(chunk)));
    while let Some((chunk, words)) = next {
        let cut = async { chunks.next().map(|following| (following, documents(following))) };
        let (written, following) = futures::join!(insert(tx, scope, chunk, words), cut);
        written?;
        next = following;
    }
    Ok(())
}

fn documents(chunk: &[NewRow]) -> Vec<search::Document> {
    chunk.iter().map(|(revision, _)| search::Document::of(revision)).collect()
}

async fn insert(tx: &mut Tx, scope: &Scope<'_>, chunk: &[NewRow], documents: Vec<search::Document>) -> Result<(), DbError> {
    let (column, open, close) = search::column(tx.dialect());
    let full = chunk.len() == CHUNK;
    on_tx!(&mut *tx, connection => {
        let mut builder = QueryBuilder::new(INSERT);
        builder.push(column).push(") ");
        builder.push_values(chunk.iter().zip(&documents), |mut row, ((revision, version_of), document)| {
            let Scope { run, origin, at } = scope;
            let (author, author_id) = revision.author.as_ref().map(|it| (it.name.as_str(), it.id.as_deref())).unzip();
            let imported = *origin == Origin::Import;
            row.push_bind(Id(revision.id.as_uuid())).push_bind(Id(run.user.as_uuid()));
            row.push_bind(run.resource.platform().as_str()).push_bind(clean(run.resource.as_str()));
            row.push_bind(clean(&run.resource_name)).push_bind(revision.item_id.as_str());
            row.push_bind(revision.content.as_str()).push_bind(revision.content_type.as_str());
            row.push_bind(revision.content_hash.to_string()).push_bind(revision.title.as_deref());
            row.push_bind(author).push_bind(author_id.flatten()).push_bind(author.map(str::to_lowercase));
            row.push_bind(revision.is_user_authored).push_bind(Instant::maybe(revision.source_timestamp));
            row.push_bind(Json(&revision.metadata)).push_bind(version_of.map(|it| Id(it.as_uuid())));
            row.push_bind(origin.as_str()).push_bind(Instant(*at)).push_bind(imported);
            row.push_bind(imported.then_some(RetainReason::UserImport.as_str()));
            row.push_bind(imported.then_some(Instant(*at)));
            row.push_bind((!imported).then_some(Instant(scope.expires_at())));
            row.push_bind(Instant(*at)).push_bind(Instant(*at));
            if !column.is_empty() {
                row.push(open).push_bind_unseparated(document.vector()).push_unseparated(close);
            }
        });
        // Only the statement of a full chunk is worth keeping: the others differ in length.
        builder.build().persistent(full).execute(connection).await.map(|_| ())
    })
    .doing("new items")?;
    #[cfg(feature = "sqlite")]
    search::index(tx, chunk.iter().map(|(revision, _)| revision.id).zip(documents).collect()).await?;
    Ok(())
}

/// Starts the time to live of unretained rows anew.
async fn refresh(tx: &mut Tx, scope: &Scope<'_>, chunk: &[(ContentId, Value)]) -> Result<(), DbError> {
    on_tx!(tx, connection => {
        let mut builder = QueryBuilder::new("update platform_content set metadata = v.column2, fetched_at = ");
        builder.push_bind(Instant(scope.at)).push(", updated_at = ").push_bind(Instant(scope.at));
        builder.push(", expires_at = ").push_bind(Instant(scope.expires_at())).push(" from (");
        builder.push_values(chunk, |mut row, (id, metadata)| {
            row.push_bind(Id(id.as_uuid())).push_bind(Json(metadata));
        });
        builder.push(") as v where platform_content.retained = false and platform_content.id = v.column1");
        builder.build().persistent(chunk.len() == CHUNK).execute(connection).await.map(|_| ())
    })
    .doing("items that were seen again")
}

/// Deletes rows that nothing retains.
async fn delete(tx: &mut Tx, scope: &Scope<'_>, ids: Vec<ContentId>) -> Result<(), DbError> {
    if ids.is_empty() {
        return Ok(());
    }
    let (open, close) = tx.dialect().in_list();
    on_tx!(tx, connection => {
        let mut builder = QueryBuilder::new(DELETE);
        builder.push_bind(Id(scope.run.user.as_uuid()));
        builder.push(" and id").push(open).push_bind(uuids(&ids)).push(close);
        builder.build().execute(connection).await.map(|_| ())
    })
    .doing("items that are gone")
}

/// Keeps rows beyond their time to live; answers how many were not kept so before. A row that a person imported is no longer one that
/// came from a live service only, whatever kept it before.
pub(crate) async fn retain(tx: &mut Tx, retain: &Retain) -> Result<u64, StoreError> {
    if retain.ids.is_empty() {
        return Ok(0);
    }
    let (open, close) = tx.dialect().in_list();
    let count = on_tx!(tx, connection => {
        let mut builder = QueryBuilder::new(RETAIN);
        builder.push_bind(retain.reason.as_str());
        builder.push(", retained_ref = ").push_bind(retain.reference.map(Id));
        builder.push(", retained_at = ").push_bind(Instant(retain.at)).push(", updated_at = ").push_bind(Instant(retain.at));
        if retain.reason == RetainReason::UserImport {
            builder.push(", origin = ").push_bind(Origin::Import.as_str());
            builder.push(" where (retained = false or origin = ").push_bind(Origin::Live.as_str()).push(")");
        } else if retain.reason == RetainReason::SignalProcessing {
            // What a report kept is freed with it; what a signal stands on stays.
            builder.push(" where (retained = false or retained_reason = ").push_bind(RetainReason::DeliverableExecution.as_str()).push(")");
        } else {
            builder.push(" where retained = false");
        }
        builder.push(" and user_id = ").push_bind(Id(retain.user.as_uuid()));
        builder.push(" and id").push(open).push_bind(uuids(&retain.ids)).push(close);
        builder.build().execute(connection).await.map(|it| it.rows_affected())
    });
    Ok(count.doing("items to be retained")?)
}
