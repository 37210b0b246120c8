//! The port.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;
use yarnnn_core::StoreError;
use yarnnn_core::deliverables::{DueSlot, EndSlot, Fire, FiredSlot, LostSlot, RequeueSlot, SlotStore, SlotTotals};
use yarnnn_core::id::{DeliverableId, UserId};

use super::rows::{DueRow, LostRow, SlotRow, TotalsRow};
use crate::SqlStore;
use crate::activity;
use crate::columns::{Id, Instant};
use crate::db::{Tx, on_pool, on_tx};
use crate::error::{DbError, Doing as _};

macro_rules! slots_where {
    ($condition:literal) => {
        concat!(
            "select deliverable_id, slot, user_id, due_at, fired_at, cycle, late, missed, job_id, outcome, ended_at ",
            "from deliverable_slots as s where ",
            $condition
        )
    };
}
const DUE: &str = "select id, user_id, title, deliverable_type, cast(schedule as text) as schedule, next_run_at from deliverables \
    where status = 'active' and next_run_at is not null and next_run_at <= $1 and (next_run_at, id) > ($2, $3) \
    order by next_run_at, id limit $4";
const ONE: &str = slots_where!("deliverable_id = $1 and user_id = $2 and due_at = $3 order by fired_at limit 1");
const OPEN: &str = slots_where!(
    "user_id = $1 and (outcome is null or outcome = 'failed') and not cancelled \
    and not exists (select 1 from deliverable_slots as later where later.deliverable_id = s.deliverable_id and later.due_at > s.due_at) \
    and not exists (select 1 from job_queue as j where j.id = s.job_id and j.status = 'cancelled') order by due_at, deliverable_id"
);
/// What had failed has not ended any more: who loses the new job is told of it.
const REQUEUE: &str = "update deliverable_slots set job_id = $5, \
    ended_at = case when outcome = 'failed' then null else ended_at end, outcome = case when outcome = 'failed' then null else outcome end where deliverable_id = $1 and user_id = $2 and due_at = $3 \
    and job_id = $4 and not exists (select 1 from job_queue where id = $4)";
/// A job that waits, runs, or waits for a person may still end its slot; of one that has succeeded, the run has.
const LOST: &str = "select s.deliverable_id, s.slot, s.user_id, s.due_at, s.fired_at, s.cycle, s.late, s.missed, s.job_id, s.outcome, \
    s.ended_at, j.status as job_status, j.last_error, j.cause from deliverable_slots as s left join job_queue as j on j.id = s.job_id \
    where s.outcome is null and s.fired_at <= $1 and (s.fired_at, s.deliverable_id) > ($2, $3) \
    and (j.id is null or j.status in ('failed', 'dead', 'cancelled')) order by s.fired_at, s.deliverable_id limit $4";
const OF_CYCLE: &str = slots_where!("cycle = $1 order by user_id, due_at, deliverable_id limit $2");
const TOTALS: &str = "select count(*) as fired, count(*) filter (where late) as late, cast(coalesce(sum(missed), 0) as bigint) as missed, \
    count(*) filter (where outcome = 'skipped') as skipped, count(*) filter (where outcome = 'no_news') as no_news, \
    count(*) filter (where outcome = 'delivered') as delivered, count(*) filter (where outcome = 'staged') as staged, \
    count(*) filter (where outcome = 'failed') as failed from deliverable_slots where cycle = $1";
/// What waits for a person ends as its report does: $7 is whether that says so.
const END: &str = "update deliverable_slots set outcome = $4, ended_at = $5, cancelled = (cancelled or $6) \
    where deliverable_id = $1 and user_id = $2 and due_at = $3 \
    and (outcome is null or outcome = 'failed' or (outcome = 'staged' and ($7 or $4 = 'delivered')))";

#[async_trait]
impl SlotStore for SqlStore {
    async fn due_anywhere(
        &self,
        at: DateTime<Utc>,
        after: Option<(DateTime<Utc>, DeliverableId)>,
        limit: u32,
    ) -> Result<Vec<DueSlot>, StoreError> {
        let (instant, id) = after.unwrap_or_else(first_place);
        let query = on_pool!(&self.db, pool => sqlx::query_as::<_, DueRow>(DUE)
            .bind(Instant(at)).bind(Instant(instant)).bind(Id(id.as_uuid())).bind(i64::from(limit)).fetch_all(pool).await);
        Ok(query.doing("what is due")?.into_iter().map(DueSlot::from).collect())
    }

    async fn fire(&self, fire: Fire) -> Result<Vec<DeliverableId>, StoreError> {
        self.fire_slots(fire).await
    }

    async fn slot(
        &self,
        user: UserId,
        deliverable: DeliverableId,
        due_at: DateTime<Utc>,
    ) -> Result<Option<FiredSlot>, StoreError> {
        let query = on_pool!(&self.db, pool => sqlx::query_as::<_, SlotRow>(ONE)
            .bind(Id(deliverable.as_uuid())).bind(Id(user.as_uuid())).bind(Instant(due_at)).fetch_optional(pool).await);
        query.doing("a slot")?.map(FiredSlot::try_from).transpose()
    }

    async fn end(&self, given: EndSlot) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        end(&mut tx, given, Says::WhoeverRanIt).await?;
        tx.commit().await
    }

    async fn open(&self, user: UserId) -> Result<Vec<FiredSlot>, StoreError> {
        let query = on_pool!(&self.db, pool =>
            sqlx::query_as::<_, SlotRow>(OPEN).bind(Id(user.as_uuid())).fetch_all(pool).await);
        slots(query.doing("slots that have not ended"))
    }

    async fn requeue(&self, requeue: RequeueSlot) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        let query = on_tx!(&mut tx, connection => sqlx::query(REQUEUE)
            .bind(Id(requeue.deliverable.as_uuid())).bind(Id(requeue.user.as_uuid())).bind(Instant(requeue.due_at))
            .bind(Id(requeue.gone.as_uuid())).bind(Id(requeue.job.id.as_uuid()))
            .execute(connection).await.map(|it| it.rows_affected()));
        if query.doing("the job of a slot")? == 0 {
            return Err(StoreError::Conflict { what: format!("the slot of {} at {}", requeue.deliverable, requeue.due_at) });
        }
        self.follow_up(tx, vec![requeue.job]).await
    }

    async fn lost(
        &self,
        before: DateTime<Utc>,
        after: Option<(DateTime<Utc>, DeliverableId)>,
        limit: u32,
    ) -> Result<Vec<LostSlot>, StoreError> {
        let (instant, id) = after.unwrap_or_else(first_place);
        let query = on_pool!(&self.db, pool => sqlx::query_as::<_, LostRow>(LOST)
            .bind(Instant(before)).bind(Instant(instant)).bind(Id(id.as_uuid())).bind(i64::from(limit)).fetch_all(pool).await);
        query.doing("slots that nobody is at")?.into_iter().map(LostSlot::try_from).collect()
    }

    async fn of_cycle(&self, cycle: DateTime<Utc>, limit: u32) -> Result<Vec<FiredSlot>, StoreError> {
        let query = on_pool!(&self.db, pool =>
            sqlx::query_as::<_, SlotRow>(OF_CYCLE).bind(Instant(cycle)).bind(i64::from(limit)).fetch_all(pool).await);
        slots(query.doing("the slots of a tick"))
    }

    async fn totals(&self, cycle: DateTime<Utc>) -> Result<SlotTotals, StoreError> {
        let query = on_pool!(&self.db, pool =>
            sqlx::query_as::<_, TotalsRow>(TOTALS).bind(Instant(cycle)).fetch_one(pool).await);
        Ok(query.doing("the slots of a tick")?.into())
    }
}

/// Before all instants that are stored as text in order.
pub(crate) fn first_instant() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH - chrono::TimeDelta::days(700_000)
}

fn first_place() -> (DateTime<Utc>, DeliverableId) {
    (first_instant(), DeliverableId::from_uuid(Uuid::nil()))
}

/// Who says how a slot ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Says {
    /// The end of its report.
    ItsVersion,
    /// A run of it, or who found it lost.
    WhoeverRanIt,
}

/// Ends a slot that has not ended, or not well, with its line.
pub(crate) async fn end(tx: &mut Tx, end: EndSlot, says: Says) -> Result<(), DbError> {
    let query = on_tx!(&mut *tx, connection => sqlx::query(END)
        .bind(Id(end.deliverable.as_uuid())).bind(Id(end.user.as_uuid())).bind(Instant(end.due_at))
        .bind(end.outcome.as_str()).bind(Instant(end.at)).bind(end.cancelled).bind(says == Says::ItsVersion)
        .execute(connection).await.map(|it| it.rows_affected()));
    let has_ended = query.doing("the end of a slot")? > 0;
    match end.line.filter(|_| has_ended) {
        Some(line) => activity::write(tx, end.user, line, end.at).await,
        None => Ok(()),
    }
}

fn slots(rows: Result<Vec<SlotRow>, DbError>) -> Result<Vec<FiredSlot>, StoreError> {
    rows?.into_iter().map(FiredSlot::try_from).collect()
}
