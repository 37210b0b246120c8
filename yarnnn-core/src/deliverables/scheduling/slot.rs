//! Slots: the runs that a schedule means, each of which is fired once, and what became of each.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::super::model::ReportType;
use crate::activity::NewActivity;
use crate::id::{DeliverableId, JobId, UserId};
use crate::jobs::NewJob;
use crate::scheduler::{PhaseLease, Schedule};

/// A deliverable whose time has come, with as much of it as firing needs; its run reads the whole.
#[derive(Debug, Clone)]
pub struct DueSlot {
    /// Whose.
    pub user: UserId,
    /// Which.
    pub deliverable: DeliverableId,
    /// Its title.
    pub title: String,
    /// Its type.
    pub report_type: ReportType,
    /// Its schedule; none for one that runs once. Or why what is stored cannot be read.
    pub schedule: Result<Option<Schedule>, String>,
    /// The instant that it is due.
    pub due_at: DateTime<Utc>,
}

/// How late a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lateness {
    /// When it was due.
    pub due_at: DateTime<Utc>,
    /// How many later slots had passed as well: it stands for them too.
    pub missed: u32,
}

/// A slot to be fired.
#[derive(Debug, Clone)]
pub struct FireSlot {
    /// Whose.
    pub user: UserId,
    /// Which deliverable.
    pub deliverable: DeliverableId,
    /// Its name: local date and time in the schedule's own terms.
    pub slot: String,
    /// The instant, which its deliverable must still be due at.
    pub due_at: DateTime<Utc>,
    /// When the deliverable is due next.
    pub next: Option<DateTime<Utc>>,
    /// Whether it is late.
    pub late: bool,
    /// Later slots that have passed as well.
    pub missed: u32,
    /// The line of the log.
    pub line: NewActivity,
    /// The run.
    pub job: NewJob,
}

/// Slots to be fired in one transaction.
#[derive(Debug, Clone)]
pub struct Fire {
    /// The right of the phase that fires; none when a person does.
    pub lease: Option<PhaseLease>,
    /// The tick that fires; none when a person does.
    pub cycle: Option<DateTime<Utc>>,
    /// Which.
    pub slots: Vec<FireSlot>,
    /// Now.
    pub at: DateTime<Utc>,
}

/// What became of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlotOutcome {
    /// Nothing was looked at: no source had been read since the last report, or its deliverable is paused.
    Skipped,
    /// Nothing new was found.
    NoNews,
    /// The report arrived.
    Delivered,
    /// The report waits for a person.
    Staged,
    /// There is no report.
    Failed,
}

impl SlotOutcome {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Skipped => "skipped",
            Self::NoNews => "no_news",
            Self::Delivered => "delivered",
            Self::Staged => "staged",
            Self::Failed => "failed",
        }
    }

    /// Reads the stored name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Skipped, Self::NoNews, Self::Delivered, Self::Staged, Self::Failed].into_iter().find(|it| it.as_str() == text)
    }

    /// Whether a later run of the slot cannot change it. One that failed may end in any way; one that waits for a person only as its
    /// report does.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Skipped | Self::NoNews | Self::Delivered)
    }
}

/// A slot that was fired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FiredSlot {
    /// Whose.
    pub user: UserId,
    /// Which deliverable.
    pub deliverable: DeliverableId,
    /// Its name: local date and time in the schedule's own terms.
    pub slot: String,
    /// When it was due.
    pub due_at: DateTime<Utc>,
    /// When it was fired.
    pub fired_at: DateTime<Utc>,
    /// The tick that fired it; none when a person did.
    pub cycle: Option<DateTime<Utc>>,
    /// Whether it was late.
    pub late: bool,
    /// Later slots that had passed as well.
    pub missed: u32,
    /// Its run.
    pub job: JobId,
    /// What became of it; none while its run has not ended.
    pub outcome: Option<SlotOutcome>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

impl FiredSlot {
    /// How late it is; none when it is on time.
    pub fn lateness(&self) -> Option<Lateness> {
        self.late.then_some(Lateness { due_at: self.due_at, missed: self.missed })
    }

    /// Its end, without a line.
    pub(in crate::deliverables) const fn ends(&self, outcome: SlotOutcome, at: DateTime<Utc>) -> EndSlot {
        let Self { user, deliverable, due_at, .. } = *self;
        EndSlot { user, deliverable, due_at, outcome, cancelled: false, line: None, at }
    }
}

/// A slot that has not ended, and whose run nobody is at any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostSlot {
    /// Which.
    pub slot: FiredSlot,
    /// What became of its job.
    pub loss: Loss,
}

/// What became of the job of a slot that was lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loss {
    /// It was given up, and why.
    GivenUp(String),
    /// Somebody cancelled it.
    Cancelled,
    /// It is no longer there.
    TakenAway,
}

/// Another job for a slot whose own is no longer there.
#[derive(Debug, Clone)]
pub struct RequeueSlot {
    /// Whose.
    pub user: UserId,
    /// Which deliverable.
    pub deliverable: DeliverableId,
    /// When it was due.
    pub due_at: DateTime<Utc>,
    /// The job that it had.
    pub gone: JobId,
    /// The one that it has from now on.
    pub job: NewJob,
}

/// The end of a slot.
#[derive(Debug, Clone)]
pub struct EndSlot {
    /// Whose.
    pub user: UserId,
    /// Which deliverable.
    pub deliverable: DeliverableId,
    /// When it was due.
    pub due_at: DateTime<Utc>,
    /// What became of it.
    pub outcome: SlotOutcome,
    /// Whether somebody cancelled its run: it is not for `open` to bring it up again.
    pub cancelled: bool,
    /// The line of the log, for one that was delivered.
    pub line: Option<NewActivity>,
    /// Now.
    pub at: DateTime<Utc>,
}

/// The slots of a tick, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct SlotTotals {
    /// Slots that it fired.
    pub fired: u64,
    /// Those that were late.
    pub late: u64,
    /// Slots that had passed besides.
    pub missed: u64,
    /// Those that were skipped.
    pub skipped: u64,
    /// Those without news.
    pub no_news: u64,
    /// Those that arrived.
    pub delivered: u64,
    /// Those that wait for a person.
    pub staged: u64,
    /// Those that failed.
    pub failed: u64,
}

impl SlotTotals {
    /// Those that have not ended.
    pub const fn open(&self) -> u64 {
        self.fired.saturating_sub(self.skipped + self.no_news + self.delivered + self.staged + self.failed)
    }
}

/// The name of a slot: one for each run that a schedule means, so that neither a change of the clocks nor of the zone's rules makes
/// it run twice in a day. What has no schedule has its instant.
pub(in crate::deliverables) fn slot_name(schedule: Option<&Schedule>, due_at: DateTime<Utc>) -> String {
    schedule.map_or_else(|| due_at.format("%Y-%m-%dT%H:%MZ").to_string(), |it| it.slot_of(due_at).key())
}
