//! What a loop does when the store fails: wait, longer each time, and say so once.

use std::time::Duration;

use yarnnn_core::StoreError;
use yarnnn_core::id::IdGen;

/// The longest wait.
const LONGEST: Duration = Duration::from_secs(5);
const SHORTEST: Duration = Duration::from_millis(100);

/// A number from 0 to 1 for jitter, out of the ids that everything random comes from.
pub(super) fn draw(ids: &dyn IdGen) -> f64 {
    let low = u32::try_from(ids.uuid().as_u128() & 0xffff_ffff).unwrap_or_default();
    f64::from(low) / f64::from(u32::MAX)
}

/// From three quarters to five quarters of the time, so that workers that began together do not stay together.
pub(super) fn jittered(time: Duration, ids: &dyn IdGen) -> Duration {
    time.mul_f64(0.75 + draw(ids) / 2.0)
}

/// Failures in a row of one loop.
#[derive(Debug)]
pub(super) struct Streak {
    what: &'static str,
    failures: u32,
}

impl Streak {
    pub(super) const fn new(what: &'static str) -> Self {
        Self { what, failures: 0 }
    }

    /// One more failure: how long to wait.
    pub(super) fn failed(&mut self, error: &StoreError, ids: &dyn IdGen) -> Duration {
        if self.failures == 0 {
            tracing::warn!(%error, "{} failed; trying again", self.what);
        }
        let wait = SHORTEST.saturating_mul(1 << self.failures.min(6)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        wait.mul_f64(0.5 + draw(ids) / 2.0)
    }

    /// It works, or works again.
    pub(super) fn ended(&mut self) {
        if self.failures > 0 {
            tracing::info!(failures = self.failures, "{} works again", self.what);
        }
        self.failures = 0;
    }
}
