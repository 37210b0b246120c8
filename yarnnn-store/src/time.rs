//! Whose time counts for jobs, leases and permits: that of the clock that the store was given, else the database's own.

use chrono::{DateTime, Utc};
use yarnnn_core::StoreError;
use yarnnn_core::clock::{Clock as _, SystemClock};

use crate::SqlStore;
use crate::columns::Instant;
use crate::db::{Tx, on_pool, on_tx};
use crate::error::Doing as _;

impl SqlStore {
    /// The time that this store was given, for verbs that otherwise read their own.
    pub(crate) fn given_now(&self) -> Option<DateTime<Utc>> {
        self.clock.as_ref().map(|clock| clock.now())
    }

    /// The time of a database that has none of its own. To be read within the transaction: those who wait for their turn get
    /// the time of their turn.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.given_now().unwrap_or_else(|| SystemClock.now())
    }

    /// The time within a transaction.
    pub(crate) async fn now_in(&self, tx: &mut Tx) -> Result<DateTime<Utc>, StoreError> {
        match (self.given_now(), tx.dialect().own_time()) {
            (Some(given), _) => Ok(given),
            (None, None) => Ok(self.now()),
            (None, Some(sql)) => {
                let now: Instant =
                    on_tx!(tx, connection => sqlx::query_scalar(sql).fetch_one(connection).await).doing("the time")?;
                Ok(now.0)
            }
        }
    }

    /// The time for those who only read.
    pub(crate) async fn now_read(&self) -> Result<DateTime<Utc>, StoreError> {
        match (self.given_now(), self.db.dialect().own_time()) {
            (Some(given), _) => Ok(given),
            (None, None) => Ok(self.now()),
            (None, Some(sql)) => {
                let now: Instant = on_pool!(&self.db, pool => sqlx::query_scalar(sql).fetch_one(pool).await).doing("the time")?;
                Ok(now.0)
            }
        }
    }
}
