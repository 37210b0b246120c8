//! What a version no longer keeps, because a person rejected it, or it was let pass and then failed.

use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, FromRow, QueryBuilder};
use yarnnn_core::StoreError;
use yarnnn_core::id::{UserId, VersionId};
use yarnnn_core::platform::Platform;

use crate::columns::{Id, Instant};
use crate::db::{Tx, on_tx};
use crate::error::{DbError, Doing as _, unreadable};

macro_rules! cited_where {
    ($columns:literal, $condition:literal) => {
        concat!(
            "select ",
            $columns,
            " from platform_content c where c.user_id = $2 and c.retained = true and c.retained_reason = 'deliverable_execution' \
            and c.id in (select content_id from evidence where version_id = $1) ",
            $condition,
            "order by c.id"
        )
    };
}
/// Rows that reports keep and this version cites.
const CITED: &str = cited_where!("c.id", "");
/// Of those, the ones that no other version keeps as well: by citing them, unless it was rejected or failed before anything of it was
/// sent, or by having gathered them for what is or will be sent.
const KEPT_FOR_IT: &str = cited_where!(
    "c.id, c.platform, c.fetched_at",
    "and not exists (select 1 from evidence e join deliverable_versions v on v.id = e.version_id \
        where e.content_id = c.id and v.id <> $1 \
        and (v.run_step in ('queued', 'finished') or v.status not in ('rejected', 'failed'))) \
    and not exists (select 1 from version_material m join deliverable_versions v on v.id = m.version_id \
        where m.user_id = c.user_id and m.platform = c.platform and m.resource_id = c.resource_id and m.item_id = c.item_id \
        and m.content_id = c.id and v.id <> $1 and (v.run_step in ('queued', 'finished') or v.status = 'generating')) "
);
const RELEASE: &str = "update platform_content set retained = false, retained_reason = null, retained_ref = null, retained_at = null, \
    expires_at = v.column2, updated_at = ";
/// Rows of one statement: far below the number of binds that either driver takes.
const CHUNK: usize = 100;

#[derive(FromRow)]
struct KeptRow {
    id: Id,
    platform: String,
    fetched_at: Instant,
}

impl KeptRow {
    /// The row, and when it expires: as if it had never been kept.
    fn until(self) -> Result<(Id, DateTime<Utc>), StoreError> {
        let platform: Platform =
            self.platform.parse().map_err(|error| unreadable(format!("the platform of item {}", self.id.0), error))?;
        let fetched = self.fetched_at.0;
        Ok((self.id, fetched.checked_add_signed(platform.time_to_live()).unwrap_or(fetched)))
    }
}

/// Frees what only this version keeps, so that it expires as it would have without it.
///
/// The rows are locked first, and looked at by a statement of its own: whoever was gathering them at that moment has committed by then,
/// and one statement alone would still see everything as it was before it waited.
pub(crate) async fn release(tx: &mut Tx, user: UserId, version: VersionId, at: DateTime<Utc>) -> Result<(), StoreError> {
    lock(tx, user, version).await?;
    let kept: Vec<KeptRow> = on_tx!(&mut *tx, connection => sqlx::query_as(KEPT_FOR_IT)
        .bind(Id(version.as_uuid())).bind(Id(user.as_uuid())).fetch_all(connection).await)
    .doing("what a version keeps")?;
    let freed: Vec<_> = kept.into_iter().map(KeptRow::until).collect::<Result<_, _>>()?;
    for chunk in freed.chunks(CHUNK) {
        expire(tx, chunk, at).await?;
    }
    Ok(())
}

/// Holds what the version cites until the end of the transaction: nobody gathers, keeps or frees it meanwhile.
async fn lock(tx: &mut Tx, user: UserId, version: VersionId) -> Result<(), DbError> {
    let sql = format!("{CITED}{}", tx.dialect().for_update());
    let _: Vec<Id> = on_tx!(tx, connection => sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(Id(version.as_uuid())).bind(Id(user.as_uuid())).fetch_all(connection).await)
    .doing("what a version cites")?;
    Ok(())
}

async fn expire(tx: &mut Tx, chunk: &[(Id, DateTime<Utc>)], at: DateTime<Utc>) -> Result<(), DbError> {
    on_tx!(tx, connection => {
        let mut builder = QueryBuilder::new(RELEASE);
        builder.push_bind(Instant(at)).push(" from (");
        builder.push_values(chunk, |mut row, (id, until)| {
            row.push_bind(*id).push_bind(Instant(*until));
        });
        builder.push(") as v where platform_content.id = v.column1");
        builder.build().persistent(false).execute(connection).await.map(|_| ())
    })
    .doing("what a version kept")
}
