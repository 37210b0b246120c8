//! What others may see of a worker: what it is, what it has done, what is wrong with it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use yarnnn_core::jobs::{Outcome, WorkerPresence};

use super::shared::Shared;
use super::slots::Done;

/// How long an end may wait to be written before something is wrong.
const UNWRITTEN: Duration = Duration::from_mins(1);

/// Ends that a worker has written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Done.
    pub succeeded: u64,
    /// Failed for good, or out of tries.
    pub failed: u64,
    /// Failed, and to be tried again.
    pub retrying: u64,
    /// Put off without a charge.
    pub put_off: u64,
    /// Waiting for a person.
    pub needs_human: u64,
    /// Stopped by request.
    pub cancelled: u64,
    /// Given back because the worker stopped.
    pub handed_back: u64,
    /// Not written, because the lease was lost.
    pub lost: u64,
}

impl Tally {
    /// Ends that the jobs themselves brought about.
    pub const fn finished(&self) -> u64 {
        self.succeeded + self.failed + self.retrying + self.put_off + self.needs_human + self.cancelled
    }

    pub(super) fn count(&mut self, done: &Done) {
        let lease = &done.lease;
        let number = match &done.outcome {
            Outcome::Succeeded { .. } => &mut self.succeeded,
            Outcome::Backoff { .. } if lease.attempt < lease.policy.max_attempts => &mut self.retrying,
            Outcome::RetryAt { .. } | Outcome::Snoozed { .. } if lease.reschedules < lease.policy.max_reschedules => {
                &mut self.put_off
            }
            Outcome::Failed { .. } | Outcome::Backoff { .. } | Outcome::RetryAt { .. } | Outcome::Snoozed { .. } => {
                &mut self.failed
            }
            Outcome::NeedsUser { .. } | Outcome::NeedsOperator { .. } => &mut self.needs_human,
            Outcome::Cancelled => &mut self.cancelled,
            Outcome::HandedBack => &mut self.handed_back,
        };
        *number += 1;
    }
}

/// A look at a worker from outside, for its health page. Cheap to clone.
#[derive(Clone)]
pub struct WorkerHandle(pub(super) Arc<Shared>);

impl fmt::Debug for WorkerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WorkerHandle").field(self.0.worker()).finish()
    }
}

impl WorkerHandle {
    /// What it shows of itself.
    pub fn presence(&self) -> WorkerPresence {
        self.0.presence()
    }

    /// What it has written.
    pub fn tally(&self) -> Tally {
        self.0.tally()
    }

    /// The kinds that it knows.
    pub fn kinds(&self) -> Vec<String> {
        self.0.groups.names()
    }

    /// When its leases were last renewed.
    pub fn last_beat(&self) -> Option<DateTime<Utc>> {
        self.0.last_beat().map(|it| it.shown)
    }

    /// How long the oldest of the ends that wait to be written has been waiting.
    pub fn unwritten_for(&self) -> Option<Duration> {
        self.0.slots.oldest_unwritten()
    }

    /// What is wrong with it, in words; none if nothing is. A worker that has just started has time to begin.
    pub fn problem(&self) -> Option<String> {
        if let Some(silent) = self.0.stands_still_for() {
            return Some(format!("its jobs have kept all its threads busy for {} s", silent.as_secs()));
        }
        let config = &self.0.config;
        let patience = (config.poll * 10).max(Duration::from_secs(15));
        let since_beat = self.0.last_beat().map_or(self.0.began, |it| it.at).elapsed();
        if since_beat > config.beat * 3 {
            return Some(format!("its leases were last renewed {} s ago", since_beat.as_secs()));
        }
        let unwritten = self.unwritten_for().filter(|it| *it > UNWRITTEN);
        if let Some(waiting) = unwritten {
            return Some(format!("the end of a job waits to be written, for {} s now", waiting.as_secs()));
        }
        let since_look = self.0.since_look();
        let idle_hands = since_look > patience && !self.0.is_stopping();
        idle_hands.then(|| format!("it last reached the queue {} s ago", since_look.as_secs()))
    }
}
