//! The port of connections.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::FromRow as _;
use yarnnn_core::StoreError;
use yarnnn_core::activity::NewActivity;
use yarnnn_core::connections::{
    Connected, Connection, ConnectionChange, ConnectionStore, NewConnection, Provider, UnreadableConnection,
};
use yarnnn_core::id::{ConnectionId, UserId};
use yarnnn_core::platform::ResourceId;

use super::choices;
use super::rows::{self, ConnectionRow, columns, each_row, known};
use crate::columns::{Id, Instant};
use crate::db::{Tx, on_pool, on_tx};
use crate::error::{DbError, Doing as _};
use crate::text::{cleaned, cut};
use crate::{SqlStore, activity, content};

const OF_USER: &str = concat!(
    "select ",
    columns!(),
    " from platform_connections where user_id = $1 and ",
    known!(),
    " order by created_at desc, id desc"
);
/// Of two rows of Google's, the newer counts.
const LIVE: &str = concat!(
    "select ",
    columns!(),
    " from platform_connections c where status in ('active', 'connected') and ",
    known!(),
    " and ($1 is null or id > $1) and not exists (select 1 from platform_connections n where n.user_id = c.user_id ",
    "and c.platform in ('google', 'gmail', 'calendar') and n.platform in ('google', 'gmail', 'calendar') ",
    "and (n.created_at, n.id) > (c.created_at, c.id)) order by id limit $2"
);
const SAVE: &str = concat!(
    "update platform_connections set status = coalesce($4, status), ",
    "last_error = case when $4 is null then last_error else $5 end, landscape = coalesce($6, landscape), ",
    "landscape_discovered_at = case when $6 is null then landscape_discovered_at else $8 end, ",
    "last_synced_at = coalesce($7, last_synced_at), version = version + 1, updated_at = $8 ",
    "where id = $1 and user_id = $2 and version = $3 returning ",
    columns!()
);

/// `last_error` is cut at this many characters.
const MAX_ERROR_CHARS: usize = 500;

#[async_trait]
impl ConnectionStore for SqlStore {
    async fn connect(&self, new: NewConnection) -> Result<Connected, StoreError> {
        match self.try_connect(&new).await {
            // Two first connections at once: the row is there now.
            Err(StoreError::Conflict { .. }) => self.try_connect(&new).await,
            connected => connected,
        }
    }

    async fn connections(&self, user: UserId) -> Result<Vec<Connection>, StoreError> {
        let rows: Vec<ConnectionRow> = on_pool!(&self.db, pool =>
            sqlx::query_as(OF_USER).bind(Id(user.as_uuid())).fetch_all(pool).await)
        .doing("the connections of a user")?;
        let mut connections = rows.into_iter().map(Connection::try_from).collect::<Result<Vec<_>, _>>()?;
        // The newest of a provider comes first, and the sort keeps it so.
        connections.sort_by_key(|it| it.provider);
        connections.dedup_by_key(|it| it.provider);
        Ok(connections)
    }

    async fn live(
        &self,
        after: Option<ConnectionId>,
        limit: u32,
    ) -> Result<Vec<Result<Connection, UnreadableConnection>>, StoreError> {
        on_pool!(&self.db, pool => {
            let query = sqlx::query(LIVE).bind(after.map(|it| Id(it.as_uuid()))).bind(i64::from(limit));
            query.fetch_all(pool).await.and_then(|rows| each_row!(rows))
        })
        .doing("the active connections")
        .map_err(StoreError::from)
    }

    async fn save(&self, change: ConnectionChange) -> Result<Connection, StoreError> {
        let (user, at) = (change.user, change.at);
        let mut tx = self.db.begin().await?;
        let what = format!("connection {}", change.id);
        let (line, row) = save(&mut tx, change).await?;
        let row = row.ok_or(StoreError::Conflict { what })?;
        if let Some(line) = line {
            activity::write(&mut tx, user, line, at).await?;
        }
        tx.commit().await?;
        row.try_into()
    }

    async fn disconnect(
        &self,
        user: UserId,
        provider: Provider,
        activity: NewActivity,
        at: DateTime<Utc>,
    ) -> Result<Option<u64>, StoreError> {
        let mut tx = self.db.begin().await?;
        let (stored, unreadable) = rows::of_provider(&mut tx, user, provider).await?;
        if stored.is_empty() && unreadable.is_empty() {
            return Ok(None);
        }
        if let Some(former) = stored.first() {
            choices::keep(&mut tx, former, at).await?;
        }
        rows::delete(&mut tx, user, stored.iter().map(|it| it.id).chain(unreadable)).await?;
        let purged = content::purge(&mut tx, user, provider.platforms(), at).await?;
        activity::write(&mut tx, user, activity, at).await?;
        tx.commit().await?;
        Ok(Some(purged))
    }

    async fn selected_before(&self, user: UserId, provider: Provider, account_id: &str) -> Result<Vec<ResourceId>, StoreError> {
        choices::selected(&self.db, (user, provider), account_id).await
    }
}

/// The row after the change, if it was the one that was read before.
async fn save(tx: &mut Tx, change: ConnectionChange) -> Result<(Option<NewActivity>, Option<ConnectionRow>), StoreError> {
    let ConnectionChange { id, user, version, status, landscape, last_synced_at, activity, at } = change;
    let (status, error) = status.unzip();
    let landscape = landscape.as_ref().map(rows::landscape).transpose()?;
    let row: Result<_, DbError> = on_tx!(tx, connection => {
        let query = sqlx::query_as(SAVE)
            .bind(Id(id.as_uuid()))
            .bind(Id(user.as_uuid()))
            .bind(version)
            .bind(status.map(yarnnn_core::connections::ConnectionStatus::as_str))
            .bind(error.flatten().map(|it| cleaned(cut(it, MAX_ERROR_CHARS))))
            .bind(landscape)
            .bind(Instant::maybe(last_synced_at))
            .bind(Instant(at));
        query.fetch_optional(connection).await
    })
    .doing(format!("connection {id}"));
    Ok((activity, row?))
}
