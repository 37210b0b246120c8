//! The two drivers behind one handle: the only file that knows how connections and transactions are made.
//!
//! Statements are said once and expanded per driver by [`on_pool!`] and [`on_tx!`]. Everything that writes goes through
//! [`Db::begin`]: on `SQLite` that queues the writers of this process fairly and begins at once (`begin immediate`), so that
//! a transaction that reads first can never fail to be promoted.

#[cfg(feature = "sqlite")]
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[cfg(feature = "sqlite")]
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _};
#[cfg(feature = "postgres")]
use sqlx::{
    Executor as _, Postgres,
    postgres::{PgConnectOptions, PgPoolOptions},
};
#[cfg(feature = "sqlite")]
use sqlx::{Sqlite, SqliteConnection, SqlitePool};
#[cfg(feature = "sqlite")]
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use yarnnn_core::StoreError;

use crate::dialect::Dialect;
use crate::error::{Doing as _, unreadable};

/// How long a caller waits for a connection or for another writer.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a connection may idle and be taken for alive.
#[cfg(feature = "postgres")]
const UNASKED: Duration = Duration::from_secs(5);

/// A statement that runs this long is stuck; a transaction that idles this long has lost its program. Set by statement:
/// connection poolers refuse unknown start-up options.
#[cfg(feature = "postgres")]
const LIMITS: &str = "set statement_timeout = '60s'; set idle_in_transaction_session_timeout = '60s'";

/// The oldest `SQLite` whose write-ahead log is free of the reset defect that can lose committed pages.
#[cfg(feature = "sqlite")]
const OLDEST_SQLITE: (u32, u32, u32) = (3, 51, 3);

/// A database: one pool of one driver.
#[derive(Debug, Clone)]
pub(crate) enum Db {
    /// Postgres.
    #[cfg(feature = "postgres")]
    Postgres(sqlx::PgPool),
    /// `SQLite`.
    #[cfg(feature = "sqlite")]
    Sqlite(SqliteDb),
}

/// An `SQLite` pool, and the queue of those who want to write to it.
#[cfg(feature = "sqlite")]
#[derive(Debug, Clone)]
pub(crate) struct SqliteDb {
    pub(crate) pool: SqlitePool,
    /// Whether it lives in its only connection, so that there can be no other.
    pub(crate) in_memory: bool,
    writer: Arc<Semaphore>,
    /// Keeps a database in memory alive: the pool drops its connection when a caller goes away at the wrong instant.
    _anchor: Option<Arc<Mutex<SqliteConnection>>>,
}

/// A transaction that writes. Dropping it undoes it.
pub(crate) enum Tx {
    /// Postgres.
    #[cfg(feature = "postgres")]
    Postgres(sqlx::Transaction<'static, Postgres>),
    /// `SQLite`, with the turn among the writers of this process.
    #[cfg(feature = "sqlite")]
    Sqlite(sqlx::Transaction<'static, Sqlite>, OwnedSemaphorePermit),
}

/// Expands the body once per driver, with the pool under the given name.
macro_rules! on_pool {
    ($db:expr, $pool:ident => $body:expr) => {
        match $db {
            #[cfg(feature = "postgres")]
            $crate::db::Db::Postgres(inner) => {
                let $pool = inner;
                $body
            }
            #[cfg(feature = "sqlite")]
            $crate::db::Db::Sqlite(inner) => {
                let $pool = &inner.pool;
                $body
            }
        }
    };
}

/// Expands the body once per driver, with the transaction's connection under the given name.
macro_rules! on_tx {
    ($tx:expr, $connection:ident => $body:expr) => {
        match $tx {
            #[cfg(feature = "postgres")]
            $crate::db::Tx::Postgres(inner) => {
                let $connection = &mut **inner;
                $body
            }
            #[cfg(feature = "sqlite")]
            $crate::db::Tx::Sqlite(inner, _) => {
                let $connection = &mut **inner;
                $body
            }
        }
    };
}

/// One verb that each driver does in its own way, with the transaction's connection under the given name.
macro_rules! on_driver {
    ($tx:expr, $connection:ident, postgres: $postgres:expr, sqlite: $sqlite:expr $(,)?) => {
        match $tx {
            #[cfg(feature = "postgres")]
            $crate::db::Tx::Postgres(inner) => {
                let $connection = &mut **inner;
                $postgres
            }
            #[cfg(feature = "sqlite")]
            $crate::db::Tx::Sqlite(inner, _) => {
                let $connection = &mut **inner;
                $sqlite
            }
        }
    };
}

pub(crate) use {on_driver, on_pool, on_tx};

impl Db {
    /// Opens the database with this URL.
    pub(crate) async fn connect(url: &str) -> Result<Self, StoreError> {
        match url.split_once(':').map(|(scheme, _)| scheme) {
            #[cfg(feature = "sqlite")]
            Some("sqlite") => sqlite(url).await,
            #[cfg(feature = "postgres")]
            Some("postgres" | "postgresql") => postgres(url).await,
            _ => Err(unreadable(
                "the database URL",
                "it must begin with sqlite:// or postgres:// (and the program be built for it)",
            )),
        }
    }

    /// Whose SQL it speaks.
    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => Dialect::Postgres,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => Dialect::Sqlite,
        }
    }

    /// Begins a transaction that may write.
    pub(crate) async fn begin(&self) -> Result<Tx, StoreError> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(pool) => Ok(Tx::Postgres(pool.begin().await.doing("begin a transaction")?)),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(db) => db.begin().await,
        }
    }

    /// Waits for running statements and closes all connections.
    pub(crate) async fn close(&self) {
        on_pool!(self, pool => pool.close().await);
    }
}

impl Tx {
    /// Whose SQL it speaks.
    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => Dialect::Postgres,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(..) => Dialect::Sqlite,
        }
    }

    /// Makes everything of it last.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(inner) => Ok(inner.commit().await.doing("commit a transaction")?),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(inner, _turn) => Ok(inner.commit().await.doing("commit a transaction")?),
        }
    }
}

#[cfg(feature = "sqlite")]
impl SqliteDb {
    pub(crate) async fn begin(&self) -> Result<Tx, StoreError> {
        let turn = Arc::clone(&self.writer).acquire_owned().await.map_err(|_| sqlx::Error::PoolClosed).doing("wait to write")?;
        let inner = self.pool.begin_with("begin immediate").await.doing("begin a transaction")?;
        Ok(Tx::Sqlite(inner, turn))
    }
}

#[cfg(feature = "postgres")]
async fn postgres(url: &str) -> Result<Db, StoreError> {
    let options: PgConnectOptions = url.parse().doing("the database URL")?;
    let pool = PgPoolOptions::new()
        .max_connections(10)
        .acquire_timeout(PATIENCE)
        .after_connect(|connection, _| Box::pin(async move { connection.execute(LIMITS).await.map(|_| ()) }))
        .test_before_acquire(false)
        // A connection in use is not asked each time whether it is still there; one that idled is: others may have closed it.
        .before_acquire(|connection, it| Box::pin(async move { Ok(it.idle_for < UNASKED || connection.ping().await.is_ok()) }));
    let options = options.application_name("yarnnn");
    // A pool tries until its patience ends and then does not say why; one connection does.
    let first = options.connect().await.doing("connect to Postgres")?;
    first.close().await.doing("connect to Postgres")?;
    Ok(Db::Postgres(pool.connect_with(options).await.doing("connect to Postgres")?))
}

#[cfg(feature = "sqlite")]
async fn sqlite(url: &str) -> Result<Db, StoreError> {
    let in_memory = url.contains(":memory:") || url.contains("mode=memory");
    let options: SqliteConnectOptions = url.parse().doing("the database URL")?;
    let options = tuned(options);
    let path = options.get_filename().display().to_string();
    if !in_memory {
        prepare(&options).await.doing(format!("open the database file {path}"))?;
    }
    let anchor = if in_memory { Some(options.connect().await.doing("open a database in memory")?) } else { None };
    // One connection at a time: several would lock each other out of tables that they share in memory.
    let pool = if in_memory {
        SqlitePoolOptions::new().min_connections(1).max_connections(1).idle_timeout(None).max_lifetime(None)
    } else {
        SqlitePoolOptions::new().max_connections(5)
    };
    let pool = pool.acquire_timeout(PATIENCE).connect_with(options).await.doing(format!("open the database file {path}"))?;
    check_version(&pool).await?;
    let anchor = anchor.map(|it| Arc::new(Mutex::new(it)));
    Ok(Db::Sqlite(SqliteDb { pool, in_memory, writer: Arc::new(Semaphore::new(1)), _anchor: anchor }))
}

/// Makes the file and its write-ahead log. Programs that open a new file at once are in each other's way for a moment, and for
/// that SQLite does not wait by itself.
#[cfg(feature = "sqlite")]
async fn prepare(options: &SqliteConnectOptions) -> Result<(), sqlx::Error> {
    const PAUSE: Duration = Duration::from_millis(20);
    let mut waited = Duration::ZERO;
    loop {
        match options.connect().await {
            Ok(connection) => return connection.close().await,
            Err(sqlx::Error::Database(error)) if waited < PATIENCE && error.message().contains("locked") => {
                tokio::time::sleep(PAUSE).await;
                waited += PAUSE;
            }
            Err(error) => return Err(error),
        }
    }
}

/// What every connection is set to: durable, checked, patient, and with room to work in memory.
#[cfg(feature = "sqlite")]
fn tuned(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(PATIENCE)
        .statement_cache_capacity(200)
        .pragma("cache_size", "-65536")
        .pragma("temp_store", "memory")
        .pragma("wal_autocheckpoint", "4000")
}

#[cfg(feature = "sqlite")]
async fn check_version(pool: &SqlitePool) -> Result<(), StoreError> {
    let found: String = sqlx::query_scalar("select sqlite_version()").fetch_one(pool).await.doing("the SQLite version")?;
    match version_problem(&found) {
        None => Ok(()),
        Some(problem) => Err(unreadable("the SQLite library", problem)),
    }
}

/// Says both versions when the linked library is too old.
#[cfg(feature = "sqlite")]
fn version_problem(found: &str) -> Option<String> {
    let mut parts = found.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    let version = (next(), next(), next());
    let (major, minor, patch) = OLDEST_SQLITE;
    (version < OLDEST_SQLITE).then(|| {
        format!("this program is linked with SQLite {found}, and needs {major}.{minor}.{patch} or later to keep data safe")
    })
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use super::*;

    #[test]
    fn an_old_library_is_refused_with_both_versions() {
        assert_eq!(version_problem("3.51.3"), None);
        assert_eq!(version_problem("4.0"), None);
        let problem = version_problem("3.46.1").unwrap();
        assert!(problem.contains("3.46.1") && problem.contains("3.51.3"), "{problem}");
        assert!(version_problem("nonsense").is_some());
    }

    #[tokio::test]
    async fn a_url_of_another_kind_is_refused() {
        for url in ["mysql://x", "", "yarnnn.db"] {
            assert!(matches!(Db::connect(url).await, Err(StoreError::Corrupt { .. })), "{url:?}");
        }
    }

    #[tokio::test]
    async fn a_folder_that_is_not_there_is_named() {
        let error = Db::connect("sqlite:///nowhere/at/all/yarnnn.db").await.unwrap_err();
        assert!(error.is_transient() && error.to_string().contains("/nowhere/at/all/yarnnn.db"), "{error}");
    }
}
