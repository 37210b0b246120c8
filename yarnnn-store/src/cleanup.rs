//! What expires: content that nothing retains, and what was kept for long enough. Each call is one transaction that does not run for long.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;
use yarnnn_core::StoreError;
use yarnnn_core::cleanup::{Clean, EndedPasses, Old, PassPlace, Retention};
use yarnnn_core::id::UserId;

use crate::SqlStore;
use crate::activity;
use crate::columns::{Id, Instant};
use crate::db::{on_pool, on_tx};
use crate::error::Doing as _;

const OWNERS: &str = "select id from users where id > $2 and exists (select 1 from platform_content as c \
    where c.user_id = users.id and c.retained = false and c.expires_at < $1) order by id limit $3";
const DELETE: &str = "delete from platform_content where retained = false and id in \
    (select id from platform_content where user_id = $1 and retained = false and expires_at < $2 order by expires_at limit $3)";

/// Deletes rows of a table that are older than $1, oldest first, at most $2 of them. Each statement has an index that holds nothing else,
/// or nothing else in that order.
macro_rules! forget {
    ($table:literal, $instant:literal, $condition:literal) => {
        concat!(
            "delete from ",
            $table,
            " where id in (select id from ",
            $table,
            " where ",
            $instant,
            " < $1",
            $condition,
            " order by ",
            $instant,
            " limit $2)"
        )
    };
}
/// The newest of each deliverable stays: it says what became of its last run. That is looked up row by row, in the order of the index.
const SLOTS: &str = "delete from deliverable_slots where (deliverable_id, slot) in (select s.deliverable_id, s.slot \
    from deliverable_slots as s where s.ended_at < $1 \
    and s.due_at < (select max(n.due_at) from deliverable_slots as n where n.deliverable_id = s.deliverable_id) \
    order by s.ended_at limit $2)";

/// The statement that deletes what is old of a sort.
const fn forgetting(old: Old) -> &'static str {
    match old {
        Old::SignIns => {
            "delete from oauth_states where state in \
            (select state from oauth_states where created_at < $1 order by created_at limit $2)"
        }
        Old::Passes => forget!("signal_passes", "ended_at", " and outcome is not null"),
        Old::SignalHistory => forget!("signal_history", "last_triggered_at", ""),
        Old::Events => forget!("event_trigger_log", "triggered_at", ""),
        Old::Heartbeats => forget!("activity_log", "created_at", " and event_type = 'scheduler_heartbeat'"),
        Old::PassLines => forget!("activity_log", "created_at", " and event_type = 'signal_processed'"),
        Old::CleanupLines => forget!("activity_log", "created_at", " and event_type = 'content_cleanup'"),
        Old::Slots => SLOTS,
        // Queued again, a notice that is there already is not; its job has a key that holds for ever, and would not send another.
        Old::Notices => forget!(
            "outbox",
            "updated_at",
            " and purpose = 'notice' and state <> 'pending' \
            and 0 = (select count(*) from deliverable_versions as v where v.id = outbox.version_id \
            and (v.status not in ('delivered', 'rejected', 'failed') or (v.status = 'failed' and v.run_step = 'queued')))"
        ),
    }
}

#[async_trait]
impl Retention for SqlStore {
    async fn owners(&self, before: DateTime<Utc>, after: Option<UserId>, limit: u32) -> Result<Vec<UserId>, StoreError> {
        let after = after.map_or(Uuid::nil(), UserId::as_uuid);
        let query = on_pool!(&self.db, pool => sqlx::query_scalar::<_, Id>(OWNERS)
            .bind(Instant(before)).bind(Id(after)).bind(i64::from(limit)).fetch_all(pool).await);
        Ok(query.doing("who has expired items")?.into_iter().map(|it| UserId::from_uuid(it.0)).collect())
    }

    async fn clean(&self, clean: Clean) -> Result<u64, StoreError> {
        let mut tx = self.db.begin().await?;
        let query = on_tx!(&mut tx, connection => sqlx::query(DELETE)
            .bind(Id(clean.user.as_uuid())).bind(Instant(clean.before)).bind(i64::from(clean.limit))
            .execute(connection).await.map(|it| it.rows_affected()));
        let deleted = query.doing("expired items")?;
        if deleted > 0 {
            activity::add(&mut tx, clean.user, (Clean::FIELD, deleted), |it| clean.told(it), clean.at).await?;
            tx.commit().await?;
        }
        Ok(deleted)
    }

    async fn end_passes(
        &self,
        before: DateTime<Utc>,
        at: DateTime<Utc>,
        after: Option<PassPlace>,
        limit: u32,
    ) -> Result<EndedPasses, StoreError> {
        self.abandon_passes(before, at, after, limit).await
    }

    async fn forget(&self, old: Old, before: DateTime<Utc>, limit: u32) -> Result<u64, StoreError> {
        let mut tx = self.db.begin().await?;
        let query = on_tx!(&mut tx, connection => sqlx::query(forgetting(old))
            .bind(Instant(before)).bind(i64::from(limit)).execute(connection).await.map(|it| it.rows_affected()));
        let forgotten = query.doing("what was kept for long enough")?;
        tx.commit().await?;
        Ok(forgotten)
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use sqlx::AssertSqlSafe;

    use super::*;
    use crate::phases::PRUNE;
    use crate::signals::LEFT;

    /// What a statement that cleans up may look through from one end: what it deletes, or passes over by the row.
    const OWN: [(&str, &str); 12] = [
        (DELETE, "platform_content_expiring"),
        (LEFT, "signal_passes_open"),
        (PRUNE, "scheduler_slots_cycle"),
        (forgetting(Old::SignIns), "oauth_states_oldest"),
        (forgetting(Old::Passes), "signal_passes_ended"),
        (forgetting(Old::SignalHistory), "signal_history_age"),
        (forgetting(Old::Events), "event_trigger_log_age"),
        (forgetting(Old::Heartbeats), "activity_log_age"),
        (forgetting(Old::PassLines), "activity_log_age"),
        (forgetting(Old::CleanupLines), "activity_log_age"),
        (forgetting(Old::Slots), "deliverable_slots_ended"),
        (forgetting(Old::Notices), "outbox_notices"),
    ];

    #[tokio::test]
    async fn no_statement_walks_or_sorts_what_it_does_not_delete() {
        let store = SqlStore::in_memory().await.unwrap();
        for (sql, index) in OWN {
            let explain = AssertSqlSafe(format!("explain query plan {sql}"));
            let query = on_pool!(&store.db, pool => sqlx::query_as::<_, (i64, i64, i64, String)>(explain).fetch_all(pool).await);
            let plan: Vec<_> = query.unwrap().into_iter().map(|it| it.3).collect();
            assert!(plan.iter().any(|it| it.starts_with("SEARCH") && it.contains(index)), "{sql}\n{plan:#?}");
            let is_costly = |it: &String| it.starts_with("SCAN") || it.contains("TEMP B-TREE");
            assert!(!plan.iter().any(is_costly), "{sql}\n{plan:#?}");
        }
        assert!(Old::ALL.iter().all(|it| OWN.iter().any(|(sql, _)| *sql == forgetting(*it))));
    }
}
