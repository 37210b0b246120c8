//! Whether the runtime of the jobs still runs: a task on it stamps the time each second, and the keeper's thread looks.
//!
//! Jobs that block all its threads stop the drain, the finisher and the rescuer too. Renewed for ever, their leases would keep
//! those jobs from every other worker.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::held::GRACE;
use super::shared::Shared;

/// Between two stamps.
const EVERY: Duration = Duration::from_secs(1);
/// A silence that is never taken for an end.
const PATIENCE: Duration = Duration::from_mins(1);
/// After the time to stop is over, for what is on its way.
const OVERTIME: Duration = Duration::from_secs(2);

/// When the runtime of the jobs last ran.
pub(super) struct Pulse {
    began: Instant,
    millis: AtomicU64,
}

impl Pulse {
    pub(super) fn new() -> Self {
        Self { began: Instant::now(), millis: AtomicU64::new(0) }
    }

    fn stamp(&self) {
        self.millis.store(u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX), Ordering::Release);
    }

    fn silent_for(&self) -> Duration {
        self.began.elapsed().saturating_sub(Duration::from_millis(self.millis.load(Ordering::Acquire)))
    }
}

/// Stamps for as long as it is run.
pub(super) async fn stamp(shared: Arc<Shared>) {
    loop {
        shared.pulse.stamp();
        tokio::time::sleep(EVERY).await;
    }
}

impl Shared {
    /// For how long the runtime of the jobs has stood still, if that is longer than any of them may take.
    pub(super) fn stands_still_for(&self) -> Option<Duration> {
        let silent = self.pulse.silent_for();
        let patience = self.slots.longest_limit().map_or(PATIENCE, |it| (it + GRACE).max(PATIENCE));
        (silent > patience).then_some(silent)
    }

    /// Whether leases are worth renewing: somebody is there to end them.
    pub(super) fn is_able(&self) -> bool {
        let overdue = self.stopped_at.get().is_some_and(|it| it.elapsed() > self.config.drain + OVERTIME);
        !overdue && self.stands_still_for().is_none()
    }

    /// Returns when they are again.
    pub(super) async fn until_able(&self) {
        while !self.is_able() {
            tokio::time::sleep(EVERY).await;
        }
    }
}
