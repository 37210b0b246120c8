//! Rows of slots, and of what is due.

use serde_json::Value;
use yarnnn_core::StoreError;
use yarnnn_core::deliverables::{DueSlot, FiredSlot, Loss, LostSlot, ReportType, SlotOutcome, SlotTotals};
use yarnnn_core::id::{DeliverableId, JobId, UserId};
use yarnnn_core::scheduler::Schedule;

use crate::columns::{Id, Instant};
use crate::error::unreadable;

#[derive(sqlx::FromRow)]
pub(super) struct DueRow {
    id: Id,
    user_id: Id,
    title: String,
    deliverable_type: String,
    /// As it stands: one that cannot be read is no reason to read none.
    schedule: Option<String>,
    next_run_at: Instant,
}

impl From<DueRow> for DueSlot {
    fn from(row: DueRow) -> Self {
        let stored = row.schedule.map(|it| serde_json::from_str::<Value>(&it)).transpose();
        Self {
            user: UserId::from_uuid(row.user_id.0),
            deliverable: DeliverableId::from_uuid(row.id.0),
            title: row.title,
            report_type: ReportType::stored(row.deliverable_type),
            schedule: stored
                .map(|it| it.as_ref().and_then(Schedule::stored))
                .map_err(|error| format!("its schedule cannot be read: {error}")),
            due_at: row.next_run_at.0,
        }
    }
}

#[derive(sqlx::FromRow)]
pub(super) struct SlotRow {
    deliverable_id: Id,
    slot: String,
    user_id: Id,
    due_at: Instant,
    fired_at: Instant,
    cycle: Option<Instant>,
    late: bool,
    missed: i64,
    job_id: Id,
    outcome: Option<String>,
    ended_at: Option<Instant>,
}

impl TryFrom<SlotRow> for FiredSlot {
    type Error = StoreError;

    fn try_from(row: SlotRow) -> Result<Self, StoreError> {
        let outcome = row.outcome.map(|text| {
            let unknown = || unreadable(format!("the slot {}", row.slot), format!("unknown outcome {text}"));
            SlotOutcome::parse(&text).ok_or_else(unknown)
        });
        Ok(Self {
            outcome: outcome.transpose()?,
            user: UserId::from_uuid(row.user_id.0),
            deliverable: DeliverableId::from_uuid(row.deliverable_id.0),
            slot: row.slot,
            due_at: row.due_at.0,
            fired_at: row.fired_at.0,
            cycle: row.cycle.map(|it| it.0),
            late: row.late,
            missed: u32::try_from(row.missed).unwrap_or(u32::MAX),
            job: JobId::from_uuid(row.job_id.0),
            ended_at: row.ended_at.map(|it| it.0),
        })
    }
}

#[derive(sqlx::FromRow)]
pub(super) struct LostRow {
    #[sqlx(flatten)]
    slot: SlotRow,
    job_status: Option<String>,
    last_error: Option<String>,
    cause: Option<String>,
}

impl TryFrom<LostRow> for LostSlot {
    type Error = StoreError;

    fn try_from(row: LostRow) -> Result<Self, StoreError> {
        let slot = FiredSlot::try_from(row.slot)?;
        let loss = match row.job_status {
            None => Loss::TakenAway,
            Some(status) if status == "cancelled" => Loss::Cancelled,
            Some(status) => Loss::GivenUp(why(row.last_error, row.cause, status)),
        };
        Ok(Self { slot, loss })
    }
}

/// Why a job was given up, as far as that is known.
pub(crate) fn why(error: Option<String>, cause: Option<String>, status: String) -> String {
    error.or_else(|| cause.map(|it| format!("it was given up: {it}"))).unwrap_or(status)
}

#[derive(sqlx::FromRow)]
pub(super) struct TotalsRow {
    fired: i64,
    late: i64,
    missed: i64,
    skipped: i64,
    no_news: i64,
    delivered: i64,
    staged: i64,
    failed: i64,
}

impl From<TotalsRow> for SlotTotals {
    fn from(row: TotalsRow) -> Self {
        Self {
            fired: row.fired.unsigned_abs(),
            late: row.late.unsigned_abs(),
            missed: row.missed.unsigned_abs(),
            skipped: row.skipped.unsigned_abs(),
            no_news: row.no_news.unsigned_abs(),
            delivered: row.delivered.unsigned_abs(),
            staged: row.staged.unsigned_abs(),
            failed: row.failed.unsigned_abs(),
        }
    }
}
