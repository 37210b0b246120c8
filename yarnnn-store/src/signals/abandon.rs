//! Passes that were left open: their jobs were cancelled, or gave up. They end as failed, so that each has its line.

use chrono::{DateTime, Utc};
use yarnnn_core::StoreError;
use yarnnn_core::id::ActivityId;
use yarnnn_core::signals::{Pass, PassCommit, PassOutcome};

use super::commit;
use super::rows::PassRow;
use crate::SqlStore;
use crate::columns::Instant;
use crate::db::on_pool;
use crate::error::Doing as _;

/// Passes that are read at once.
const PAGE: u16 = 500;
const LEFT: &str = "select id, user_id, signals_filter, pass_trigger, started_at, shown, outcome, ended_at from signal_passes \
    where outcome is null and started_at < $1 order by started_at, id limit $2";

impl SqlStore {
    /// Ends passes that were begun before an instant and are open; answers how many. Each is a transaction of its own, the same as
    /// the end of any pass, so that of two that come at once one ends it.
    pub(crate) async fn abandon_passes(&self, before: DateTime<Utc>, at: DateTime<Utc>) -> Result<u64, StoreError> {
        let mut ended = 0;
        loop {
            let rows: Vec<PassRow> = on_pool!(&self.db, pool =>
                sqlx::query_as(LEFT).bind(Instant(before)).bind(i64::from(PAGE)).fetch_all(pool).await)
            .doing("passes that were left open")?;
            let is_last = rows.len() < usize::from(PAGE);
            for row in rows {
                self.abandon(&row.try_into()?, at).await?;
                ended += 1;
            }
            if is_last {
                return Ok(ended);
            }
        }
    }

    async fn abandon(&self, pass: &Pass, at: DateTime<Utc>) -> Result<(), StoreError> {
        let (outcome, line) = (PassOutcome::abandoned(pass.filter, pass.shown.total()), ActivityId::fresh(self.ids.as_ref()));
        let end = PassCommit { pass: pass.id, user: pass.user, wanted: vec![], slots: None, outcome, line, at };
        let mut tx = self.db.begin().await?;
        commit::apply(&mut tx, end, self.ids.as_ref()).await?;
        tx.commit().await
    }
}
