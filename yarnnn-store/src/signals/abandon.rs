//! Passes that were left open: their jobs were cancelled, or gave up. They end as failed, so that each has its line.

use chrono::{DateTime, Utc};
use uuid::Uuid;
use yarnnn_core::StoreError;
use yarnnn_core::cleanup::{EndedPasses, PassPlace};
use yarnnn_core::id::{ActivityId, PassId, UserId};
use yarnnn_core::signals::{Pass, PassCommit, PassOutcome, SignalsFilter};

use super::commit;
use super::rows::PassRow;
use crate::SqlStore;
use crate::columns::{Id, Instant};
use crate::db::on_pool;
use crate::error::Doing as _;

/// From a place on: one that cannot be ended is passed over.
pub(crate) const LEFT: &str = "select id, user_id, signals_filter, pass_trigger, started_at, shown, outcome, ended_at from signal_passes \
    where outcome is null and started_at < $1 and (started_at, id) > ($2, $3) order by started_at, id limit $4";

impl SqlStore {
    /// Ends so many passes that were begun before an instant and are open, from after a place on. Each is a transaction of its own, the
    /// same as the end of any pass, so that of two that come at once one ends it.
    pub(crate) async fn abandon_passes(
        &self,
        before: DateTime<Utc>,
        at: DateTime<Utc>,
        after: Option<PassPlace>,
        limit: u32,
    ) -> Result<EndedPasses, StoreError> {
        let (begun, id) = after.map_or((DateTime::UNIX_EPOCH, Uuid::nil()), |(begun, id)| (begun, id.as_uuid()));
        let rows: Vec<PassRow> = on_pool!(&self.db, pool => sqlx::query_as(LEFT)
            .bind(Instant(before)).bind(Instant(begun)).bind(Id(id)).bind(i64::from(limit)).fetch_all(pool).await)
        .doing("passes that were left open")?;
        let next = rows.last().filter(|_| rows.len() >= limit as usize).map(PassRow::place);
        let mut ended = 0;
        for row in rows {
            ended += self.abandon(row, at).await?;
        }
        Ok(EndedPasses { ended, next })
    }

    /// Whether the pass has ended. What is wrong with one is no reason to leave the others.
    async fn abandon(&self, row: PassRow, at: DateTime<Utc>) -> Result<u64, StoreError> {
        let (id, user) = row.ids();
        let ended = match Pass::try_from(row) {
            Ok(pass) => self.end_as_left(&pass, at).await,
            Err(error) => {
                tracing::warn!(pass = %id, %error, "a pass that was left open cannot be read; it ends without its line");
                self.end_unread((id, user), at).await
            }
        };
        match ended {
            Ok(()) => Ok(1),
            Err(error) if error.is_transient() => Err(error),
            Err(error) => {
                tracing::warn!(pass = %id, %error, "a pass that was left open cannot be ended");
                Ok(0)
            }
        }
    }

    async fn end_as_left(&self, pass: &Pass, at: DateTime<Utc>) -> Result<(), StoreError> {
        let (outcome, line) = (PassOutcome::abandoned(pass.filter, pass.shown.total()), ActivityId::fresh(self.ids.as_ref()));
        let end = PassCommit { pass: pass.id, user: pass.user, wanted: vec![], slots: None, outcome, line, at };
        let mut tx = self.db.begin().await?;
        commit::apply(&mut tx, end, self.ids.as_ref()).await?;
        tx.commit().await
    }

    async fn end_unread(&self, pass: (PassId, UserId), at: DateTime<Utc>) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        commit::end(&mut tx, pass, &PassOutcome::abandoned(SignalsFilter::All, 0), at).await?;
        tx.commit().await
    }
}
