//! A connection as a row, and the names under which rows of a provider may stand.

use serde_json::{Map, Value};
use sqlx::types::Json;
use sqlx::{FromRow, QueryBuilder};
use yarnnn_core::StoreError;
use yarnnn_core::connections::{Connection, ConnectionStatus, Landscape, Provider, UnreadableConnection};
use yarnnn_core::id::{ConnectionId, UserId};

use crate::columns::{Id, Instant, Texts};
use crate::db::{Tx, on_tx};
use crate::error::{DbError, Doing as _, unreadable};
use crate::text::cleaned_json;

/// What is read of a row: everything but its secrets.
macro_rules! columns {
    () => {
        "id, user_id, platform, status, metadata, landscape, landscape_discovered_at, last_synced_at, last_error, version, \
        account_epoch, created_at"
    };
}
/// Rows of providers that this version does not know are passed over.
macro_rules! known {
    () => {
        "platform in ('slack', 'notion', 'google', 'gmail', 'calendar')"
    };
}
pub(super) use {columns, known};

const OF_PROVIDER: &str = concat!("select ", columns!(), " from platform_connections where user_id = ");

/// A row without its secrets.
#[derive(FromRow)]
pub(super) struct ConnectionRow {
    id: Id,
    user_id: Id,
    platform: String,
    status: String,
    metadata: Json<Value>,
    landscape: Option<Json<Value>>,
    landscape_discovered_at: Option<Instant>,
    last_synced_at: Option<Instant>,
    last_error: Option<String>,
    version: i64,
    account_epoch: i64,
    created_at: Instant,
}

impl TryFrom<ConnectionRow> for Connection {
    type Error = StoreError;

    fn try_from(row: ConnectionRow) -> Result<Self, StoreError> {
        let what = || format!("connection {}", row.id.0);
        Ok(Self {
            id: ConnectionId::from_uuid(row.id.0),
            user: UserId::from_uuid(row.user_id.0),
            provider: row.platform.parse().map_err(|_| unreadable(what(), "unknown provider"))?,
            status: ConnectionStatus::parse(&row.status).unwrap_or(ConnectionStatus::Error),
            metadata: if let Value::Object(metadata) = row.metadata.0 { metadata } else { Map::new() },
            landscape: row.landscape.map(|it| Landscape::from(it.0)).unwrap_or_default(),
            landscape_discovered_at: row.landscape_discovered_at.map(|it| it.0),
            last_synced_at: row.last_synced_at.map(|it| it.0),
            last_error: row.last_error,
            version: row.version,
            epoch: row.account_epoch,
            created_at: row.created_at.0,
        })
    }
}

/// Each row by itself, or the id of one that cannot be read.
macro_rules! each_row {
    ($rows:expr) => {
        $rows
            .iter()
            .map(|row| {
                let id = ConnectionId::from_uuid(sqlx::Row::try_get::<Id, _>(row, "id")?.0);
                let read = ConnectionRow::from_row(row).map_err(|error| error.to_string());
                let read = read.and_then(|it| Connection::try_from(it).map_err(|error| error.to_string()));
                Ok::<_, sqlx::Error>(read.map_err(|problem| UnreadableConnection { id, problem }))
            })
            .collect::<Result<Vec<_>, sqlx::Error>>()
    };
}
pub(super) use each_row;

/// The names under which rows of a provider stand. The first is ours, the others are those of older installations.
pub(super) const fn names(provider: Provider) -> &'static [&'static str] {
    match provider {
        Provider::Slack => &["slack"],
        Provider::Notion => &["notion"],
        Provider::Google => &["google", "gmail", "calendar"],
    }
}

/// The same as one bind.
pub(super) fn name_list(provider: Provider) -> Texts {
    Texts(names(provider).iter().map(|it| (*it).to_owned()).collect())
}

/// A user's rows of a provider, locked until the end of the transaction; the newest, which is the one that counts, first.
/// Rows that cannot be read are named beside them.
pub(super) async fn of_provider(
    tx: &mut Tx,
    user: UserId,
    provider: Provider,
) -> Result<(Vec<Connection>, Vec<ConnectionId>), StoreError> {
    let ((open, close), lock) = (tx.dialect().in_list(), tx.dialect().for_update());
    let rows = on_tx!(tx, connection => {
        let mut builder = QueryBuilder::new(OF_PROVIDER);
        builder.push_bind(Id(user.as_uuid())).push(" and platform").push(open).push_bind(name_list(provider)).push(close);
        builder.push(" order by created_at desc, id desc").push(lock);
        builder.build().fetch_all(connection).await.and_then(|rows| each_row!(rows))
    })
    .doing("the connections of a user")?;
    let (mut read, mut unreadable) = (Vec::new(), Vec::new());
    for row in rows {
        match row {
            Ok(connection) => read.push(connection),
            Err(UnreadableConnection { id, .. }) => unreadable.push(id),
        }
    }
    Ok((read, unreadable))
}

/// Deletes rows of a user; their secrets go with them.
pub(super) async fn delete(tx: &mut Tx, user: UserId, connections: impl Iterator<Item = ConnectionId>) -> Result<(), DbError> {
    const DELETE: &str = "delete from platform_connections where user_id = $1 and id = $2";
    for id in connections {
        on_tx!(&mut *tx, connection => sqlx::query(DELETE)
            .bind(Id(user.as_uuid())).bind(Id(id.as_uuid())).execute(connection).await.map(|_| ()))
        .doing("a connection")?;
    }
    Ok(())
}

/// What can be seen, as it is stored.
pub(super) fn landscape(landscape: &Landscape) -> Result<Json<Value>, StoreError> {
    serde_json::to_value(landscape).map(cleaned_json).map(Json).map_err(|error| unreadable("a landscape", error))
}
