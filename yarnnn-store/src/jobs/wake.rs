//! Wake-ups: within the process on `SQLite`, by `LISTEN` and `NOTIFY` on Postgres.

#[cfg(feature = "postgres")]
use std::sync::atomic::Ordering;

use async_trait::async_trait;
#[cfg(feature = "postgres")]
use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::sync::watch;
use yarnnn_core::StoreError;
use yarnnn_core::jobs::{WakeUpListener, WakeUps};

use crate::SqlStore;
use crate::db::Db;
#[cfg(feature = "postgres")]
use crate::error::Doing as _;

/// Also what the functions of the database notify.
#[cfg(feature = "postgres")]
const CHANNEL: &str = "yarnnn_jobs";

#[async_trait]
impl WakeUps for SqlStore {
    async fn listen(&self) -> Result<Box<dyn WakeUpListener>, StoreError> {
        match &self.db {
            #[cfg(feature = "postgres")]
            Db::Postgres(pool) => Ok(Box::new(listener(pool).await.doing("listen for jobs")?)),
            #[cfg(feature = "sqlite")]
            Db::Sqlite(_) => Ok(Box::new(Bell(self.jobs.bell.subscribe()))),
        }
    }
}

impl SqlStore {
    /// Says that there may be something to claim; to be called after the commit. Never waits and never fails.
    pub(crate) fn wake(&self) {
        match &self.db {
            #[cfg(feature = "postgres")]
            Db::Postgres(pool) => self.notify(pool.clone()),
            #[cfg(feature = "sqlite")]
            Db::Sqlite(_) => {
                self.jobs.bell.send_replace(());
            }
        }
    }

    /// Not within the transaction: a transaction that notifies commits under one lock for the whole server. One notification
    /// stands for all commits until it is sent.
    #[cfg(feature = "postgres")]
    fn notify(&self, pool: sqlx::PgPool) {
        if self.jobs.notifying.swap(true, Ordering::AcqRel) {
            return;
        }
        let notifying = self.jobs.notifying.clone();
        tokio::spawn(async move {
            // Cleared before it is sent, so that no commit relies on one that has gone.
            notifying.store(false, Ordering::Release);
            // A hint: who misses it looks by itself.
            let _sent = sqlx::query("select pg_notify($1, '')").bind(CHANNEL).execute(&pool).await;
        });
    }
}

/// Woken by the stores of this process.
struct Bell(watch::Receiver<()>);

#[async_trait]
impl WakeUpListener for Bell {
    async fn woken(&mut self) -> Result<(), StoreError> {
        let gone = |_| StoreError::Unavailable { source: "the store is closed".into() };
        self.0.changed().await.map_err(gone)
    }
}

/// A connection of its own, outside of the pool: it is held for as long as somebody listens.
#[cfg(feature = "postgres")]
async fn listener(pool: &sqlx::PgPool) -> Result<Notified, sqlx::Error> {
    let options = pool.connect_options().as_ref().clone();
    let own = PgPoolOptions::new().max_connections(1).max_lifetime(None).idle_timeout(None).connect_with(options).await?;
    let mut listener = PgListener::connect_with(&own).await?;
    listener.listen(CHANNEL).await?;
    Ok(Notified(listener))
}

#[cfg(feature = "postgres")]
struct Notified(PgListener);

#[cfg(feature = "postgres")]
#[async_trait]
impl WakeUpListener for Notified {
    async fn woken(&mut self) -> Result<(), StoreError> {
        // None is a lost connection, which the next call mends: something may have been missed, so that is a wake-up too.
        self.0.try_recv().await.map(|_| ()).doing("wait for jobs")?;
        // What was notified meanwhile is the same wake-up.
        while self.0.next_buffered().is_some() {}
        Ok(())
    }
}
