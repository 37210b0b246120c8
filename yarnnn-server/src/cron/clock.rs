//! A clock that runs as the system's does, from another instant on.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use yarnnn_core::clock::{Clock, SystemClock};

/// The system's clock, put forward or back.
#[derive(Debug)]
pub struct ShiftedClock {
    by_micros: AtomicI64,
}

impl ShiftedClock {
    /// A clock that shows this instant now.
    pub fn showing(instant: DateTime<Utc>) -> Self {
        Self { by_micros: AtomicI64::new(from_now(instant)) }
    }

    /// Puts it to another instant.
    pub fn set(&self, instant: DateTime<Utc>) {
        self.by_micros.store(from_now(instant), Ordering::Relaxed);
    }
}

/// Instants too far for microseconds are further than any clock is put.
fn from_now(instant: DateTime<Utc>) -> i64 {
    (instant - SystemClock.now()).num_microseconds().unwrap_or_default()
}

impl Clock for ShiftedClock {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + TimeDelta::microseconds(self.by_micros.load(Ordering::Relaxed))
    }
}
