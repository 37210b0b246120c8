//! How often and how late a call is tried again.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::random::jittered;

/// Tries again at most this often per call (rule 9 of the reliability rules).
pub(super) const RETRIES: u32 = 3;
/// A wait that is longer is not waited for: the work is put off instead.
pub(super) const PATIENCE: Duration = Duration::from_mins(2);

/// The wait before a retry: about 1, 2 and 4 s.
pub(super) fn backoff(retry: u32) -> Duration {
    jittered(Duration::from_secs(1 << retry.min(2)))
}

/// Retries are at most a tenth of a session's calls, after a first few: a provider that is down is not asked fourfold.
#[derive(Debug)]
pub(super) struct RetryBudget {
    /// In tenths.
    tenths: AtomicU32,
}

impl RetryBudget {
    const FULL: u32 = 200;

    pub(super) const fn new() -> Self {
        Self { tenths: AtomicU32::new(Self::FULL) }
    }

    /// A call succeeded.
    pub(super) fn earn(&self) {
        let add = |it: u32| Some((it + 1).min(Self::FULL));
        let _ = self.tenths.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    /// Whether one more retry is allowed; it is taken.
    pub(super) fn spend(&self) -> bool {
        self.tenths.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |it| it.checked_sub(10)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_stay_within_their_bounds() {
        for (retry, longest) in [(0, 1), (1, 2), (2, 4), (9, 4)] {
            let wait = backoff(retry);
            assert!(wait <= Duration::from_secs(longest) && wait >= Duration::from_millis(longest * 500), "{retry}: {wait:?}");
        }
    }

    #[test]
    fn retries_are_a_tenth_of_the_calls() {
        let budget = RetryBudget::new();
        assert_eq!((0..100).filter(|_| budget.spend()).count(), 20);
        for _ in 0..9 {
            budget.earn();
        }
        assert!(!budget.spend());
        budget.earn();
        assert!(budget.spend());
    }
}
