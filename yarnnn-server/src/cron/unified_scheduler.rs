//! One tick of the clock for everything that is not a sync of a live platform: schedules, cleaning up, and telling users of it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;
use yarnnn_core::cleanup::CleanUp;
use yarnnn_core::deliverables::{FiredSlot, SlotTotals};
use yarnnn_core::heartbeat::Heartbeat;
use yarnnn_core::jobs::{Job as _, JobStatus};
use yarnnn_core::pipeline::CancelToken;
use yarnnn_core::scheduler::{PhaseReport, TickReport};
use yarnnn_core::signals::SignalProcessing;
use yarnnn_core::{Error, Yarnnn};

use super::TickMode;
use super::inline::{WorkHere, WorkedJob};
use crate::worker::has_worker;

/// The phase that looks through what people have.
const SIGNALS: &str = "signals";
/// Slots that are told one by one.
const TOLD: u32 = 100;

/// What a tick did.
#[derive(Debug, Default, Serialize)]
pub struct SchedulerTick {
    /// Its phases.
    #[serde(flatten)]
    pub report: TickReport,
    /// The slots that it fired, counted.
    pub deliverables: SlotTotals,
    /// The first of them.
    pub slots: Vec<SlotLine>,
    /// What was worked here.
    pub worked: Vec<WorkedJob>,
    /// Whether jobs wait although nobody takes any.
    pub unattended: bool,
}

/// A slot that was fired, for people.
#[derive(Debug, Serialize)]
pub struct SlotLine {
    /// The title of its deliverable.
    pub title: String,
    /// The slot.
    #[serde(flatten)]
    pub slot: FiredSlot,
}

impl SchedulerTick {
    /// One line about all of it.
    pub fn summary(&self) -> String {
        let SlotTotals { fired, skipped, failed, .. } = self.deliverables;
        let counted = |phase: &str, name: &str| self.report.counters(phase).get(name);
        let good = fired.saturating_sub(skipped + failed);
        let signals = counted(SIGNALS, "enqueued");
        let (cleaned, users) = (counted(CleanUp::NAME, "deleted"), counted(Heartbeat::NAME, "users"));
        format!("deliverables={good}/{fired} ({skipped} skipped), signals={signals}, cleanup={cleaned}, heartbeats={users}")
    }

    /// Whether nothing happened that anybody would want to read about: heartbeats, looks that found nothing, and rows of our own that were
    /// kept for long enough are no news.
    pub fn is_quiet(&self) -> bool {
        let is_news = |phase: &str, counter: &str| match phase {
            Heartbeat::NAME | WorkHere::NAME | SIGNALS => false,
            CleanUp::NAME => CleanUp::TOLD.contains(&counter),
            _ => true,
        };
        let counted = |it: &PhaseReport| it.counters.iter().any(|(name, count)| count > 0 && is_news(it.phase, name));
        let is_look = |it: &WorkedJob| it.kind == SignalProcessing::KIND && it.status == JobStatus::Succeeded;
        let idle = !self.report.phases.iter().any(counted) && self.worked.iter().all(is_look);
        idle && self.report.errors().next().is_none() && self.report.ended.is_empty()
    }
}

/// One tick at an instant: what is due is enqueued, and worked here if there is nobody else to. However many ticks overlap, each does
/// what the others have not.
///
/// # Errors
/// Those of the table of ticks. What befalls a phase is in the answer.
pub async fn unified_scheduler(yarnnn: &Yarnnn, now: DateTime<Utc>, mode: &TickMode) -> Result<SchedulerTick, Error> {
    let here = Arc::new(WorkHere::new(yarnnn.clone()));
    let (phases, cancel) = match mode {
        TickMode::Queue => (yarnnn.phases(true), CancelToken::default()),
        // Whoever takes one after the other need not spread them.
        TickMode::Inline(cancel) => (yarnnn.phases(false).with(here.clone()), cancel.clone()),
    };
    let report = phases.tick(now, &cancel).await?;
    let deliverables = yarnnn.deliverables();
    let totals = deliverables.slot_totals(report.cycle).await?;
    let slots = if totals.fired > 0 { lines(yarnnn, report.cycle).await? } else { vec![] };
    let waits = matches!(mode, TickMode::Queue) && totals.open() > 0;
    let unattended = waits && !has_worker(yarnnn.jobs()).await?;
    Ok(SchedulerTick { report, deliverables: totals, slots, worked: here.worked(), unattended })
}

async fn lines(yarnnn: &Yarnnn, cycle: DateTime<Utc>) -> Result<Vec<SlotLine>, Error> {
    let mut lines = Vec::new();
    for slot in yarnnn.deliverables().slots_of(cycle, TOLD).await? {
        // One that cannot be read, or is gone by now, takes nothing from the others.
        let title =
            yarnnn.deliverables().title(slot.user, slot.deliverable).await.unwrap_or_else(|_| slot.deliverable.to_string());
        lines.push(SlotLine { title, slot });
    }
    Ok(lines)
}
