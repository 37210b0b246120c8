//! Pages of the web that versions were written from.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::QueryBuilder;
use yarnnn_core::StoreError;
use yarnnn_core::agent::{NewWebPage, StoredWebPage, WebPages};
use yarnnn_core::hash::Sha256;
use yarnnn_core::id::{ContentId, UserId, VersionId};

use crate::SqlStore;
use crate::columns::{Id, Instant, Uuids};
use crate::db::{Tx, on_pool, on_tx};
use crate::error::{DbError, Doing as _};
use crate::text::cleaned;

/// Adds nothing when the version has a page of this address.
const INSERT: &str = "insert into web_pages (id, user_id, version_id, url_sha256, fetched_at, created_at, url, title, content) \
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (version_id, url_sha256) do nothing";
const IS_THE_USERS: &str = "select count(*) from deliverable_versions where id = $1 and user_id = $2";
const PAGES: &str = "select id, version_id, url, title, content, fetched_at from web_pages where user_id = ";

#[derive(sqlx::FromRow)]
struct PageRow {
    id: Id,
    version_id: Id,
    url: String,
    title: String,
    content: String,
    fetched_at: Instant,
}

impl From<PageRow> for StoredWebPage {
    fn from(row: PageRow) -> Self {
        Self {
            id: ContentId::from_uuid(row.id.0),
            version: VersionId::from_uuid(row.version_id.0),
            url: row.url,
            title: row.title,
            content: row.content,
            fetched_at: row.fetched_at.0,
        }
    }
}

#[async_trait]
impl WebPages for SqlStore {
    async fn keep(&self, user: UserId, version: VersionId, pages: Vec<NewWebPage>, at: DateTime<Utc>) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        let count: i64 = on_tx!(&mut tx, connection => sqlx::query_scalar(IS_THE_USERS)
            .bind(Id(version.as_uuid())).bind(Id(user.as_uuid())).fetch_one(connection).await)
        .doing("a version")?;
        if count == 0 {
            return Err(StoreError::NotFound { what: format!("version {version}") });
        }
        for page in pages {
            insert(&mut tx, (user, version), page, at).await?;
        }
        tx.commit().await
    }

    async fn find(&self, user: UserId, ids: &[ContentId]) -> Result<Vec<StoredWebPage>, StoreError> {
        let (open, close) = self.db.dialect().in_list();
        let ids = Uuids(ids.iter().map(|it| it.as_uuid()).collect());
        let rows: Vec<PageRow> = on_pool!(&self.db, pool => {
            let mut builder = QueryBuilder::new(PAGES);
            builder.push_bind(Id(user.as_uuid()));
            builder.push(" and id").push(open).push_bind(ids).push(close).push(" order by id");
            builder.build_query_as().fetch_all(pool).await
        })
        .doing("pages of the web")?;
        Ok(rows.into_iter().map(StoredWebPage::from).collect())
    }

    async fn of_version(&self, user: UserId, version: VersionId) -> Result<Vec<StoredWebPage>, StoreError> {
        let rows: Vec<PageRow> = on_pool!(&self.db, pool => {
            let mut builder = QueryBuilder::new(PAGES);
            builder.push_bind(Id(user.as_uuid()));
            builder.push(" and version_id = ").push_bind(Id(version.as_uuid())).push(" order by id");
            builder.build_query_as().fetch_all(pool).await
        })
        .doing("the pages of a version")?;
        Ok(rows.into_iter().map(StoredWebPage::from).collect())
    }
}

async fn insert(tx: &mut Tx, (user, version): (UserId, VersionId), page: NewWebPage, at: DateTime<Utc>) -> Result<(), DbError> {
    let url = cleaned(page.url);
    on_tx!(tx, connection => {
        let query = sqlx::query(INSERT)
            .bind(Id(page.id.as_uuid()))
            .bind(Id(user.as_uuid()))
            .bind(Id(version.as_uuid()))
            .bind(Sha256::of(&url).to_string())
            .bind(Instant(page.fetched_at))
            .bind(Instant(at))
            .bind(url)
            .bind(cleaned(page.title))
            .bind(cleaned(page.content));
        query.execute(connection).await.map(|_| ())
    })
    .doing(format!("page {}", page.id))
}
