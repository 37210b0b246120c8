#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod accounts;
mod activity;
mod columns;
mod content;
mod db;
mod deliverables;
mod dialect;
mod doctor;
mod dump;
mod error;
mod evidence;
mod migrate;
mod outbox;
mod search;
mod text;
#[cfg(feature = "redis")]
mod valkey;
mod versions;

use yarnnn_core::StoreError;

use crate::db::Db;
pub use crate::doctor::{PlatformStats, Stats};
#[cfg(feature = "redis")]
pub use crate::valkey::{Valkey, ValkeyAdmin, ValkeyError, ValkeyKeeper, ValkeyPresence, ValkeyQueue, ValkeyWakeUps};

#[cfg(not(any(feature = "sqlite", feature = "postgres")))]
compile_error!("choose at least one of the features `sqlite` and `postgres`");

/// One SQL database that implements every store port of the core. Cheap to clone: clones share the connections.
#[derive(Debug, Clone)]
pub struct SqlStore {
    db: Db,
}

impl SqlStore {
    /// Opens `sqlite://PATH`, `sqlite::memory:` or `postgres://…`. A file that is not there is made; nothing is migrated.
    ///
    /// # Errors
    /// `Unavailable` when the database cannot be reached, `Corrupt` when the URL is not one or the library is too old.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Ok(Self { db: Db::connect(url).await? })
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
