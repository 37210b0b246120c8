//! Noticing that the machine slept: the monotonic clock does not count that time, so leases that ended meanwhile look alive.
//!
//! A jump of the wall clock for another reason is taken for the same. That costs no more than a beat and a pause.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::Instant;
use yarnnn_core::clock::Clock;

use super::shared::Shared;

/// How the wall clock and the monotonic one went when they were last compared.
pub(super) struct Sleep {
    clock: Arc<dyn Clock>,
    compared: Mutex<Compared>,
}

#[derive(Debug, Clone, Copy)]
struct Compared {
    wall: DateTime<Utc>,
    own: Instant,
    jumps: u64,
}

impl Sleep {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        let compared = Compared { wall: clock.now(), own: Instant::now(), jumps: 0 };
        Self { clock, compared: Mutex::new(compared) }
    }

    /// Compares the clocks; answers how often the wall clock has run ahead by more than this, and whether it has just done so.
    fn compare(&self, most: Duration) -> (u64, bool) {
        let (wall, own) = (self.clock.now(), Instant::now());
        let mut compared = self.compared.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = (wall - compared.wall).to_std().unwrap_or_default();
        let jumped = passed.saturating_sub(own.saturating_duration_since(compared.own)) > most;
        *compared = Compared { wall, own, jumps: compared.jumps + u64::from(jumped) };
        (compared.jumps, jumped)
    }
}

impl Shared {
    /// Looks whether the machine slept, and answers how often it did. If it has just woken, leases are in doubt until the keeper,
    /// who is told, has renewed them; and others have their time to renew theirs.
    pub(super) fn slept(&self) -> u64 {
        let (jumps, jumped) = self.sleep.compare(self.config.lease / 3);
        if jumped {
            tracing::warn!("the clock went ahead, as after a sleep of the machine; renewing leases first");
            self.slots.doubt();
            self.doubt();
        }
        jumps
    }
}
