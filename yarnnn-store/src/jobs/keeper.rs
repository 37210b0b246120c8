//! Keepers of leases: each with a connection of its own, so that a beat waits for no job and no pool.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::ConnectOptions as _;
#[cfg(feature = "sqlite")]
use sqlx::Connection as _;
#[cfg(feature = "postgres")]
use sqlx::PgConnection;
#[cfg(feature = "sqlite")]
use sqlx::SqliteConnection;
use yarnnn_core::StoreError;
use yarnnn_core::id::{JobId, RunToken};
use yarnnn_core::jobs::{LeaseKeeper, OpenLeaseKeeper, Renewed, WorkerId, WorkerPresence};

#[cfg(feature = "postgres")]
use super::postgres;
#[cfg(feature = "sqlite")]
use super::sqlite;
use crate::SqlStore;
use crate::db::Db;
#[cfg(feature = "sqlite")]
use crate::db::{SqliteDb, Tx};
use crate::error::Doing as _;

/// How long a beat waits before it is given up and tried again: well within a lease.
const PATIENCE: Duration = Duration::from_secs(3);

#[async_trait]
impl OpenLeaseKeeper for SqlStore {
    async fn open(&self) -> Result<Box<dyn LeaseKeeper>, StoreError> {
        let mut keeper = Keeper { store: self.clone(), line: Line::to(&self.db) };
        within(keeper.line.connect()).await?;
        Ok(Box::new(keeper))
    }
}

/// Keeps the leases of one worker.
struct Keeper {
    /// For its time.
    store: SqlStore,
    line: Line,
}

/// The keeper's own way to the database. A connection that failed is made anew by the next call.
enum Line {
    #[cfg(feature = "postgres")]
    Postgres(Box<sqlx::postgres::PgConnectOptions>, Option<Box<PgConnection>>),
    #[cfg(feature = "sqlite")]
    File(Box<sqlx::sqlite::SqliteConnectOptions>, Option<SqliteConnection>),
    /// A database in memory has one connection, which all share.
    #[cfg(feature = "sqlite")]
    Memory(SqliteDb),
}

#[async_trait]
impl LeaseKeeper for Keeper {
    async fn renew(&mut self, worker: &WorkerId, leases: &[(JobId, RunToken)]) -> Result<Vec<Renewed>, StoreError> {
        if leases.is_empty() {
            return Ok(vec![]);
        }
        let renewed = within(self.try_renew(worker, leases)).await;
        self.line.mend(renewed)
    }

    async fn beat(&mut self, presence: &WorkerPresence) -> Result<(), StoreError> {
        let shown = within(self.try_beat(presence)).await;
        self.line.mend(shown)
    }
}

impl Keeper {
    async fn try_renew(&mut self, worker: &WorkerId, leases: &[(JobId, RunToken)]) -> Result<Vec<Renewed>, StoreError> {
        self.line.connect().await?;
        match &mut self.line {
            #[cfg(feature = "postgres")]
            Line::Postgres(_, Some(own)) => postgres::renew(own, worker, leases, self.store.given_now()).await,
            #[cfg(feature = "sqlite")]
            Line::File(_, Some(own)) => {
                let mut tx = own.begin_with("begin immediate").await.doing("renew leases")?;
                let renewed = sqlite::renew(&mut tx, worker, leases, self.store.now()).await?;
                tx.commit().await.doing("renew leases")?;
                Ok(renewed)
            }
            #[cfg(feature = "sqlite")]
            Line::Memory(db) => {
                let mut tx = db.begin().await?;
                let renewed = match &mut tx {
                    Tx::Sqlite(inner, _) => sqlite::renew(inner, worker, leases, self.store.now()).await?,
                    #[cfg(feature = "postgres")]
                    Tx::Postgres(_) => vec![],
                };
                tx.commit().await?;
                Ok(renewed)
            }
            _ => Err(lost()),
        }
    }

    async fn try_beat(&mut self, presence: &WorkerPresence) -> Result<(), StoreError> {
        self.line.connect().await?;
        match &mut self.line {
            #[cfg(feature = "postgres")]
            Line::Postgres(_, Some(own)) => postgres::beat(own, presence, self.store.given_now()).await,
            #[cfg(feature = "sqlite")]
            Line::File(_, Some(own)) => sqlite::beat(own, presence, self.store.now()).await,
            #[cfg(feature = "sqlite")]
            Line::Memory(db) => {
                let mut own = db.pool.acquire().await.doing("beat")?;
                sqlite::beat(&mut own, presence, self.store.now()).await
            }
            _ => Err(lost()),
        }
    }
}

impl Line {
    fn to(db: &Db) -> Self {
        match db {
            #[cfg(feature = "postgres")]
            Db::Postgres(pool) => Self::Postgres(Box::new(pool.connect_options().as_ref().clone()), None),
            #[cfg(feature = "sqlite")]
            Db::Sqlite(db) if db.in_memory => Self::Memory(db.clone()),
            #[cfg(feature = "sqlite")]
            Db::Sqlite(db) => Self::File(Box::new(db.pool.connect_options().as_ref().clone().busy_timeout(PATIENCE)), None),
        }
    }

    /// Connects unless it is connected.
    async fn connect(&mut self) -> Result<(), StoreError> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(options, own @ None) => {
                *own = Some(Box::new(options.connect().await.doing("connect to keep leases")?));
            }
            #[cfg(feature = "sqlite")]
            Self::File(options, own @ None) => *own = Some(options.connect().await.doing("connect to keep leases")?),
            _ => {}
        }
        Ok(())
    }

    /// Lets go of a connection that did not answer as it should.
    fn mend<T>(&mut self, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        if answer.is_err() {
            match self {
                #[cfg(feature = "postgres")]
                Self::Postgres(_, own) => *own = None,
                #[cfg(feature = "sqlite")]
                Self::File(_, own) => *own = None,
                #[cfg(feature = "sqlite")]
                Self::Memory(_) => {}
            }
        }
        answer
    }
}

async fn within<T>(call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    let late = |_| StoreError::Unavailable { source: "the database did not answer in time to keep leases".into() };
    tokio::time::timeout(PATIENCE, call).await.map_err(late)?
}

fn lost() -> StoreError {
    StoreError::Unavailable { source: "not connected to keep leases".into() }
}
