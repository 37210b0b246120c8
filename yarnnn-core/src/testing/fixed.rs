//! Time that stands still and ids that count.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::clock::Clock;
use crate::id::IdGen;
use crate::pipeline::{Holder, Liveness};

/// A clock that moves only when told to.
#[derive(Debug)]
pub struct FixedClock(Mutex<DateTime<Utc>>);

impl FixedClock {
    /// Stands at the given instant.
    pub fn at(instant: DateTime<Utc>) -> Self {
        Self(Mutex::new(instant))
    }

    /// Stands at an RFC 3339 instant.
    ///
    /// # Panics
    /// When the text is not one.
    pub fn parse(text: &str) -> Self {
        Self::at(text.parse().expect("an RFC 3339 instant"))
    }

    /// Moves on.
    pub fn advance(&self, by: TimeDelta) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }
}

impl Clock for FixedClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ids that count from 1: `00000000-0000-7000-8000-000000000001`, …
#[derive(Debug, Default)]
pub struct FixedIds(AtomicU64);

impl IdGen for FixedIds {
    fn uuid(&self) -> Uuid {
        let number = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0000 | u128::from(number))
    }
}

/// A host on which nothing is ever known to be gone.
#[derive(Debug, Clone)]
pub struct NoLiveness(pub Holder);

impl Default for NoLiveness {
    fn default() -> Self {
        Self(Holder::new("test"))
    }
}

impl Liveness for NoLiveness {
    fn me(&self) -> Holder {
        self.0.clone()
    }

    fn is_gone(&self, _other: &Holder) -> bool {
        false
    }
}
