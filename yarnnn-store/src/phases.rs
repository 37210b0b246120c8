//! Slots of the phases of ticks.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::types::Json;
use yarnnn_core::StoreError;
use yarnnn_core::pipeline::Holder;
use yarnnn_core::scheduler::{ClaimPhase, Counters, PhaseClaim, PhaseEnd, PhaseLease, PhaseRow, PhaseState, PhaseStore};

use crate::SqlStore;
use crate::columns::{Id, Instant};
use crate::db::{Tx, on_pool, on_tx};
use crate::error::{DbError, Doing as _, unreadable};
use crate::text::cleaned;

const PREVIOUS: &str = "select max(slot) from scheduler_slots where phase = $1 and slot < $2";
const CLAIM: &str = "insert into scheduler_slots (phase, slot, cycle, state, holder, token, held_until, late, missed, started_at) \
    values ($1, $2, $3, 'running', $4, $5, $6, $7, $8, $9) \
    on conflict (phase, slot) do update set cycle = excluded.cycle, state = 'running', holder = excluded.holder, \
    token = excluded.token, held_until = excluded.held_until, late = excluded.late, error = null, ended_at = null, \
    started_at = excluded.started_at \
    where scheduler_slots.state = 'failed' or (scheduler_slots.state = 'running' \
        and (scheduler_slots.held_until <= $9 or scheduler_slots.holder = $10)) \
    or (scheduler_slots.state = 'done' and scheduler_slots.ended_at < $11)";
const STANDING: &str = "select case when state = 'done' and ended_at < $3 then 'failed' else state end, holder \
    from scheduler_slots where phase = $1 and slot = $2";
const RENEW: &str =
    "update scheduler_slots set held_until = $4 where phase = $1 and slot = $2 and token = $3 and state = 'running'";
const FINISH: &str = "update scheduler_slots set state = $4, counters = $5, error = $6, ended_at = $7 \
    where phase = $1 and slot = $2 and token = $3 and state = 'running'";
const OF_CYCLE: &str = "select phase, slot, cycle, state, holder, late, missed, counters, error, started_at, ended_at \
    from scheduler_slots where cycle = $1 order by started_at, phase, slot";
const LATEST: &str =
    "select max(ended_at) from scheduler_slots where phase = $1 and state = 'done' and ($2 is null or ended_at <= $2)";
const UNFINISHED: &str = "select distinct cycle from scheduler_slots as s where s.cycle >= $2 and s.cycle < $3 \
    and not exists (select 1 from scheduler_slots as l where l.phase = $1 and l.slot = s.cycle and l.state = 'done') \
    order by cycle limit $4";
/// By the tick that ran it last, never before the slot itself, since there is an index of these.
pub(crate) const PRUNE: &str = "delete from scheduler_slots where (phase, slot) in (select phase, slot from scheduler_slots \
    where cycle < $1 and (state <> 'running' or held_until < $1) order by cycle limit $2)";

#[derive(sqlx::FromRow)]
struct SlotRow {
    phase: String,
    slot: Instant,
    cycle: Instant,
    state: String,
    holder: String,
    late: bool,
    missed: i64,
    counters: Json<Counters>,
    error: Option<String>,
    started_at: Instant,
    ended_at: Option<Instant>,
}

impl TryFrom<SlotRow> for PhaseRow {
    type Error = StoreError;

    fn try_from(row: SlotRow) -> Result<Self, StoreError> {
        Ok(Self {
            state: state(&row.phase, &row.state)?,
            phase: row.phase,
            slot: row.slot.0,
            cycle: row.cycle.0,
            holder: Holder::new(row.holder),
            late: row.late,
            missed: row.missed.unsigned_abs(),
            counters: row.counters.0,
            error: row.error,
            started_at: row.started_at.0,
            ended_at: row.ended_at.map(|it| it.0),
        })
    }
}

fn state(phase: &str, stored: &str) -> Result<PhaseState, StoreError> {
    PhaseState::parse(stored).ok_or_else(|| unreadable(format!("a slot of {phase}"), format!("unknown state {stored}")))
}

#[async_trait]
impl PhaseStore for SqlStore {
    async fn claim(&self, claim: ClaimPhase) -> Result<PhaseClaim, StoreError> {
        // Most are done already: that is seen without waiting for anybody's turn to write.
        if let Some((PhaseState::Done, _)) = self.standing(&claim).await? {
            return Ok(PhaseClaim::Done);
        }
        let mut tx = self.db.begin().await?;
        let previous = previous(&mut tx, &claim).await?;
        let missed = previous.map_or(0, |it| between(it, claim.slot, claim.period));
        let lease = PhaseLease { phase: claim.phase.clone(), slot: claim.slot, token: self.ids.uuid() };
        if take(&mut tx, &claim, &lease, missed).await? {
            tx.commit().await?;
            return Ok(PhaseClaim::Taken { lease, previous, missed });
        }
        drop(tx);
        Ok(match self.standing(&claim).await? {
            Some((PhaseState::Running | PhaseState::Failed, holder)) => PhaseClaim::Held(holder),
            Some((PhaseState::Done, _)) | None => PhaseClaim::Done,
        })
    }

    async fn renew(&self, lease: &PhaseLease, until: DateTime<Utc>) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        let query = on_tx!(&mut tx, connection => sqlx::query(RENEW)
            .bind(&lease.phase).bind(Instant(lease.slot)).bind(Id(lease.token)).bind(Instant(until))
            .execute(connection).await.map(|it| it.rows_affected()));
        ours(lease, query.doing("a slot of a phase")?)?;
        tx.commit().await
    }

    async fn finish(&self, lease: &PhaseLease, end: PhaseEnd) -> Result<(), StoreError> {
        let state = if end.error.is_some() { PhaseState::Failed } else { PhaseState::Done };
        let mut tx = self.db.begin().await?;
        let query = on_tx!(&mut tx, connection => sqlx::query(FINISH)
            .bind(&lease.phase).bind(Instant(lease.slot)).bind(Id(lease.token)).bind(state.as_str())
            .bind(Json(&end.counters)).bind(end.error.clone().map(cleaned)).bind(Instant(end.at))
            .execute(connection).await.map(|it| it.rows_affected()));
        ours(lease, query.doing("a slot of a phase")?)?;
        tx.commit().await
    }

    async fn of_cycle(&self, cycle: DateTime<Utc>) -> Result<Vec<PhaseRow>, StoreError> {
        let query = on_pool!(&self.db, pool =>
            sqlx::query_as::<_, SlotRow>(OF_CYCLE).bind(Instant(cycle)).fetch_all(pool).await);
        query.doing("what a tick ran")?.into_iter().map(PhaseRow::try_from).collect()
    }

    async fn latest(&self, phase: &str, by: Option<DateTime<Utc>>) -> Result<Option<DateTime<Utc>>, StoreError> {
        let query = on_pool!(&self.db, pool =>
            sqlx::query_scalar::<_, Option<Instant>>(LATEST).bind(phase).bind(Instant::maybe(by)).fetch_one(pool).await);
        Ok(query.doing("the last tick")?.map(|it| it.0))
    }

    async fn unfinished(
        &self,
        last_phase: &str,
        from: DateTime<Utc>,
        before: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<DateTime<Utc>>, StoreError> {
        let query = on_pool!(&self.db, pool => sqlx::query_scalar::<_, Instant>(UNFINISHED)
            .bind(last_phase).bind(Instant(from)).bind(Instant(before)).bind(i64::from(limit)).fetch_all(pool).await);
        Ok(query.doing("ticks that have not ended")?.into_iter().map(|it| it.0).collect())
    }

    async fn prune(&self, before: DateTime<Utc>, limit: u32) -> Result<u64, StoreError> {
        let mut tx = self.db.begin().await?;
        let query = on_tx!(&mut tx, connection =>
            sqlx::query(PRUNE).bind(Instant(before)).bind(i64::from(limit)).execute(connection).await.map(|it| it.rows_affected()));
        let pruned = query.doing("old ticks")?;
        tx.commit().await?;
        Ok(pruned)
    }
}

impl SqlStore {
    async fn standing(&self, claim: &ClaimPhase) -> Result<Option<(PhaseState, Holder)>, StoreError> {
        let query = on_pool!(&self.db, pool => sqlx::query_as::<_, (String, String)>(STANDING)
            .bind(&claim.phase).bind(Instant(claim.slot)).bind(Instant::maybe(claim.in_advance())).fetch_optional(pool).await);
        let standing = query.doing("a slot of a phase")?;
        standing.map(|(stored, holder)| Ok((state(&claim.phase, &stored)?, Holder::new(holder)))).transpose()
    }
}

async fn previous(tx: &mut Tx, claim: &ClaimPhase) -> Result<Option<DateTime<Utc>>, DbError> {
    let query = on_tx!(tx, connection => sqlx::query_scalar::<_, Option<Instant>>(PREVIOUS)
        .bind(&claim.phase).bind(Instant(claim.slot)).fetch_one(connection).await);
    Ok(query.doing("the slot before")?.map(|it| it.0))
}

async fn take(tx: &mut Tx, claim: &ClaimPhase, lease: &PhaseLease, missed: u64) -> Result<bool, DbError> {
    let missed = i64::try_from(missed).unwrap_or(i64::MAX);
    let query = on_tx!(tx, connection => sqlx::query(CLAIM)
        .bind(&claim.phase).bind(Instant(claim.slot)).bind(Instant(claim.cycle)).bind(claim.holder.as_str())
        .bind(Id(lease.token)).bind(Instant(claim.until)).bind(claim.late).bind(missed).bind(Instant(claim.at))
        .bind(claim.gone.as_ref().map(Holder::as_str))
        .bind(Instant::maybe(claim.in_advance()))
        .execute(connection).await.map(|it| it.rows_affected()));
    Ok(query.doing("a slot of a phase")? > 0)
}

/// Slots that lie between two.
fn between(previous: DateTime<Utc>, slot: DateTime<Utc>, period: TimeDelta) -> u64 {
    let steps = (slot - previous).num_seconds() / period.num_seconds().max(1);
    u64::try_from(steps - 1).unwrap_or_default()
}

/// Nothing written is somebody else's.
fn ours(lease: &PhaseLease, written: u64) -> Result<(), StoreError> {
    let what = || format!("the slot {} of {}", lease.slot, lease.phase);
    if written == 0 { Err(StoreError::Conflict { what: what() }) } else { Ok(()) }
}
