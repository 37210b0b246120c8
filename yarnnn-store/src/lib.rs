#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod accounts;
mod activity;
mod capacity;
mod cleanup;
mod columns;
mod connections;
mod content;
mod db;
mod deliverables;
mod dialect;
mod doctor;
mod dump;
mod error;
mod events;
mod evidence;
mod heartbeat;
mod jobs;
mod left_runs;
mod lifecycle;
mod migrate;
mod model_calls;
mod outbox;
mod phases;
mod room;
mod seal;
mod search;
mod shapes;
mod signals;
mod slots;
mod text;
mod time;
#[cfg(feature = "redis")]
mod valkey;
mod versions;
mod web_pages;

use std::sync::Arc;

use yarnnn_core::StoreError;
use yarnnn_core::clock::Clock;
use yarnnn_core::id::{IdGen, RandomIds};

use crate::db::Db;
pub use crate::doctor::{PlatformStats, Stats};
use crate::jobs::JobState;
pub use crate::seal::{InvalidSealKeys, SealKeys};
#[cfg(feature = "redis")]
pub use crate::valkey::{Valkey, ValkeyAdmin, ValkeyError, ValkeyKeeper, ValkeyPresence, ValkeyQueue, ValkeyWakeUps};

#[cfg(not(any(feature = "sqlite", feature = "postgres")))]
compile_error!("choose at least one of the features `sqlite` and `postgres`");

/// One SQL database that implements every store port of the core. Cheap to clone: clones share the connections.
#[derive(Debug, Clone)]
pub struct SqlStore {
    db: Db,
    clock: Option<Arc<dyn Clock>>,
    ids: Arc<dyn IdGen>,
    jobs: JobState,
    seal: Option<SealKeys>,
}

impl SqlStore {
    /// Opens `sqlite://PATH`, `sqlite::memory:` or `postgres://…`. A file that is not there is made; nothing is migrated.
    ///
    /// # Errors
    /// `Unavailable` when the database cannot be reached, `Corrupt` when the URL is not one or the library is too old.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        let db = Db::connect(url).await?;
        Ok(Self { db, clock: None, ids: Arc::new(RandomIds), jobs: JobState::default(), seal: None })
    }

    /// Takes the time of jobs, leases and permits from this clock; without it `SQLite` uses the system's and Postgres its own.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock: Some(clock), ..self }
    }

    /// Takes the run tokens and permit ids that this store draws from this source, and the chance in retries.
    #[must_use]
    pub fn with_ids(self, ids: Arc<dyn IdGen>) -> Self {
        Self { ids, ..self }
    }

    /// Seals and opens credentials with these keys; without them whatever needs credentials answers `Locked`.
    #[must_use]
    pub fn with_seal(self, keys: SealKeys) -> Self {
        Self { seal: Some(keys), ..self }
    }

    /// A migrated database in memory that is gone with the last clone of the store.
    ///
    /// # Errors
    /// As [`SqlStore::connect`] and [`SqlStore::migrate`].
    #[cfg(feature = "sqlite")]
    pub async fn in_memory() -> Result<Self, StoreError> {
        let store = Self::connect("sqlite::memory:").await?;
        store.migrate().await?;
        Ok(store)
    }

    /// Waits for running statements and closes all connections; the store answers `Unavailable` afterwards.
    pub async fn close(&self) {
        self.db.close().await;
    }
}
