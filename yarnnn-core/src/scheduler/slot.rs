//! A slot: one time that a schedule means, and the instant it has.

use chrono::{DateTime, NaiveDateTime, Utc};
use chrono_tz::Tz;

use super::local_time::LocalTime;

/// What a change of the clocks does to a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockChange {
    /// The clocks skip its time; it comes when they go on.
    Moved,
    /// The clocks show its time twice; it comes the first time.
    FirstOfTwo,
}

/// One time that a schedule means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// When it comes.
    pub at: DateTime<Utc>,
    /// Its local time as the schedule says it, also where no clock shows that.
    pub local: NaiveDateTime,
    /// What a change of the clocks does to it.
    pub clock_change: Option<ClockChange>,
}

impl Slot {
    /// The slot of a local time; none only at the ends of representable time.
    pub(super) fn of(local: NaiveDateTime, zone: Tz) -> Option<Self> {
        let shown = LocalTime::of(local, zone)?;
        let clock_change = match shown {
            LocalTime::Once(_) => None,
            LocalTime::Twice(_) => Some(ClockChange::FirstOfTwo),
            LocalTime::Skipped(_) => Some(ClockChange::Moved),
        };
        Some(Self { at: shown.instant(), local, clock_change })
    }

    /// An instant that is no slot of its schedule, by the minute that clocks show.
    pub(super) fn plain(at: DateTime<Utc>, zone: Tz) -> Self {
        Self { at, local: at.with_timezone(&zone).naive_local(), clock_change: None }
    }

    /// Its local date and time to the minute, for example `2026-03-08T02:30`: one for each run that a schedule means.
    pub fn key(&self) -> String {
        self.local.format("%Y-%m-%dT%H:%M").to_string()
    }

    /// What to tell a person about the clocks on that day.
    pub fn remark(&self) -> Option<String> {
        let time = self.local.format("%H:%M");
        match self.clock_change? {
            ClockChange::Moved => Some(format!("moved: {time} does not exist")),
            ClockChange::FirstOfTwo => Some(format!("first of two {time}")),
        }
    }
}
