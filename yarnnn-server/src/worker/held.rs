//! One job that a worker holds: its lease, its limits, why it was asked to stop, and how far its end is.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::task::AbortHandle;
use tokio::time::Instant;
use yarnnn_core::jobs::{Lease, LeaseEnd, Outcome};
use yarnnn_core::pipeline::CancelHandle;

use super::limits::{Stop, decided};
use super::slots::Done;

/// How long code that was told to stop for good may hold its lease before its end is written without it.
pub(super) const GRACE: Duration = Duration::from_secs(5);

/// A job that is about to run.
pub(super) struct Hold {
    pub(super) lease: Arc<Lease>,
    pub(super) ends: LeaseEnd,
    pub(super) group: usize,
    pub(super) weight: u32,
    pub(super) alone: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// No end is decided.
    Open,
    /// Decided, and on its way to the store.
    Unwritten,
    /// Written, or lost.
    Over,
}

/// A job that is held.
pub(super) struct Held {
    pub(super) hold: Hold,
    pub(super) cancel: CancelHandle,
    pub(super) task: Option<AbortHandle>,
    pub(super) soft: Option<Instant>,
    pub(super) hard: Instant,
    pub(super) stop: Option<Stop>,
    /// When somebody asked for its end.
    pub(super) asked_at: Option<Instant>,
    pub(super) lost_at: Option<Instant>,
    pub(super) aborted_at: Option<Instant>,
    /// Whether its code no longer runs.
    pub(super) ended: bool,
    pub(super) fate: Fate,
    /// Since when its end waits to be written.
    pub(super) decided_at: Option<Instant>,
}

impl Held {
    pub(super) fn new(hold: Hold, cancel: CancelHandle, now: Instant) -> Self {
        let policy = &hold.lease.policy;
        let (soft, hard) = (policy.soft_limit().map(|it| now + it), now + policy.time_limit());
        Self {
            hold,
            cancel,
            task: None,
            soft,
            hard,
            stop: None,
            asked_at: None,
            lost_at: None,
            aborted_at: None,
            ended: false,
            fate: Fate::Open,
            decided_at: None,
        }
    }

    /// Whether the lease is still this worker's to renew and to end.
    pub(super) fn is_ours(&self) -> bool {
        self.fate != Fate::Over && self.stop != Some(Stop::Lost)
    }

    /// For how long its end has been waiting to be written.
    pub(super) fn unwritten_for(&self) -> Option<Duration> {
        self.decided_at.filter(|_| self.fate == Fate::Unwritten && self.is_ours()).map(|it| it.elapsed())
    }

    /// Whether its code goes on although it was ended by force a while ago.
    pub(super) fn is_stuck(&self, now: Instant) -> bool {
        self.aborted_at.is_some_and(|at| now >= at + GRACE)
    }

    pub(super) fn decide(&mut self, outcome: Option<Outcome>, now: DateTime<Utc>) -> Done {
        self.fate = Fate::Unwritten;
        self.decided_at = Some(Instant::now());
        // Its code may have seen that the lease is over before this worker has.
        let stop = self.stop.or_else(|| self.hold.ends.is_over().then_some(Stop::LeaseOver));
        Done { lease: self.hold.lease.clone(), outcome: decided(outcome, stop, &self.hold.lease.policy, now) }
    }

    pub(super) fn request(&mut self, why: Stop, now: Instant) {
        if self.stop >= Some(why) {
            return;
        }
        self.stop = Some(why);
        if why == Stop::Asked {
            self.asked_at.get_or_insert(now);
        }
        if why == Stop::Lost {
            self.lost_at.get_or_insert(now);
        }
        self.cancel.cancel();
    }

    pub(super) fn abort(&mut self, now: Instant) {
        if let Some(task) = &self.task {
            task.abort();
            self.aborted_at.get_or_insert(now);
        }
    }

    pub(super) fn check(&mut self, now: Instant, cancel_grace: Duration) {
        if now >= self.hard {
            if self.aborted_at.is_none() {
                self.request(Stop::HardLimit, now);
                self.abort(now);
            }
        } else if self.soft.is_some_and(|it| now >= it) {
            self.request(Stop::SoftLimit, now);
        } else if self.hold.ends.has_passed() {
            self.request(Stop::LeaseOver, now);
        }
        // Nothing that it still does would be stored, or is wanted.
        let is_over = |at: Option<Instant>, grace| at.is_some_and(|at| now >= at + grace);
        if is_over(self.lost_at, GRACE) || is_over(self.asked_at, cancel_grace) {
            self.abort(now);
        }
    }
}
