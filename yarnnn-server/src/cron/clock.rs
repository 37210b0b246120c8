//! A clock that runs as the system's does, from another instant on.

use chrono::{DateTime, TimeDelta, Utc};
use yarnnn_core::clock::{Clock, SystemClock};

/// The system's clock, put forward or back.
#[derive(Debug, Clone, Copy)]
pub struct ShiftedClock {
    by: TimeDelta,
}

impl ShiftedClock {
    /// A clock that shows this instant now.
    pub fn showing(instant: DateTime<Utc>) -> Self {
        Self { by: instant - SystemClock.now() }
    }
}

impl Clock for ShiftedClock {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + self.by
    }
}
