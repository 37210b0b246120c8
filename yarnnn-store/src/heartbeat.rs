//! What was done for users, counted from rows.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;
use yarnnn_core::StoreError;
use yarnnn_core::activity::NewActivity;
use yarnnn_core::heartbeat::{AskNumbers, HeartbeatStore, UserNumbers};
use yarnnn_core::id::UserId;

use crate::SqlStore;
use crate::activity;
use crate::columns::{Id, Instant};
use crate::db::on_pool;
use crate::error::Doing as _;

/// Whoever has a row of the tick, a page of them, and then the rows of each. All of it is found by indexes that hold nothing else: a
/// tick that did nothing costs nothing, however many users there are.
///
/// Users of slots are looked for one after the other: a tick may have fired a million, and no plan may read them all for a page.
const NUMBERS: &str = "with recursive fired (user_id) as ( \
        select (select user_id from deliverable_slots where cycle = $1 and user_id > $4 order by user_id limit 1) \
        union all select (select s.user_id from deliverable_slots as s where s.cycle = $1 and s.user_id > fired.user_id \
            order by s.user_id limit 1) from fired where fired.user_id is not null \
    ) select u.user_id, \
    (select count(*) from deliverable_slots as s where s.cycle = $1 and s.user_id = u.user_id) as fired, \
    (select count(*) from deliverable_slots as s where s.cycle = $1 and s.user_id = u.user_id and s.outcome = 'skipped') as skipped, \
    (select count(*) from deliverables as d where d.user_id = u.user_id and d.origin = 'signal_emergent' \
        and d.created_at >= $2 and d.created_at < $1) as signals, \
    (select cast(a.metadata ->> 'items_deleted' as bigint) from activity_log as a \
        where a.user_id = u.user_id and a.event_type = 'content_cleanup' and a.event_ref = $3) as cleaned \
    from ( \
        select user_id from (select user_id from fired where user_id is not null limit $5) as fired \
        union select user_id from (select distinct user_id from deliverables \
            where origin = 'signal_emergent' and created_at >= $2 and created_at < $1 and user_id > $4 order by user_id limit $5) as called \
        union select user_id from (select user_id from activity_log \
            where event_type = 'content_cleanup' and event_ref = $3 and user_id > $4 order by user_id limit $5) as cleaned \
        order by user_id limit $5 \
    ) as u order by u.user_id";

#[derive(sqlx::FromRow)]
struct NumbersRow {
    user_id: Id,
    fired: i64,
    skipped: i64,
    signals: i64,
    cleaned: Option<i64>,
}

impl From<NumbersRow> for UserNumbers {
    fn from(row: NumbersRow) -> Self {
        Self {
            user: UserId::from_uuid(row.user_id.0),
            fired: row.fired.unsigned_abs(),
            skipped: row.skipped.unsigned_abs(),
            signals: row.signals.unsigned_abs(),
            cleaned: row.cleaned.unwrap_or_default().unsigned_abs(),
        }
    }
}

#[async_trait]
impl HeartbeatStore for SqlStore {
    async fn numbers(&self, ask: &AskNumbers) -> Result<Vec<UserNumbers>, StoreError> {
        let after = ask.after.map_or(Uuid::nil(), UserId::as_uuid);
        let query = on_pool!(&self.db, pool => sqlx::query_as::<_, NumbersRow>(NUMBERS)
            .bind(Instant(ask.cycle)).bind(Instant(ask.since)).bind(Id(ask.cleanup)).bind(Id(after)).bind(i64::from(ask.limit))
            .fetch_all(pool).await);
        Ok(query.doing("what was done for users")?.into_iter().map(UserNumbers::from).collect())
    }

    async fn tell(&self, lines: Vec<(UserId, NewActivity)>, at: DateTime<Utc>) -> Result<(), StoreError> {
        if lines.is_empty() {
            return Ok(());
        }
        let mut tx = self.db.begin().await?;
        activity::write_all(&mut tx, lines, at).await?;
        tx.commit().await
    }
}
