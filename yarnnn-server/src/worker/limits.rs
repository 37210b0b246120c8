//! Why jobs are stopped, what that makes of their end, and the watch over their time limits.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;
use yarnnn_core::jobs::{JobPolicy, Outcome};

use super::shared::Shared;

/// How often limits are looked at: one timer for all jobs, instead of two for each.
const TICK: Duration = Duration::from_millis(100);

/// Why a job was asked to stop; a later reason of the list outweighs an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stop {
    /// Its lease could not be renewed in time.
    LeaseOver,
    /// The worker stops.
    Draining,
    /// Its soft limit is over.
    SoftLimit,
    /// Its time limit is over.
    HardLimit,
    /// Somebody asked for it.
    Asked,
    /// Its lease is someone else's.
    Lost,
}

/// When a job that stopped although nobody had asked it to is looked at again: soon, and not in a busy loop.
const UNASKED: TimeDelta = TimeDelta::seconds(5);

/// The end of a run: what it said, unless it only says that it was stopped, or was stopped by force and says nothing. Only a
/// request ends a job as cancelled: nothing that befalls its run may end it for good.
pub(super) fn decided(outcome: Option<Outcome>, stop: Option<Stop>, policy: &JobPolicy, now: DateTime<Utc>) -> Outcome {
    match (outcome, stop) {
        (None | Some(Outcome::Cancelled), Some(Stop::HardLimit)) => too_long(policy.time_limit_seconds),
        (None | Some(Outcome::Cancelled), Some(Stop::SoftLimit)) => {
            too_long(policy.soft_limit_seconds.unwrap_or(policy.time_limit_seconds))
        }
        (None | Some(Outcome::Cancelled), Some(Stop::Asked)) => Outcome::Cancelled,
        (Some(Outcome::Cancelled), None) => Outcome::Snoozed { until: now + UNASKED },
        // Nobody wanted the job to end, only its run.
        (None, _) | (Some(Outcome::Cancelled), Some(Stop::LeaseOver | Stop::Draining | Stop::Lost)) => Outcome::HandedBack,
        (Some(outcome), _) => outcome,
    }
}

fn too_long(seconds: u32) -> Outcome {
    Outcome::Backoff { error: format!("it ran longer than {seconds} seconds and was stopped") }
}

/// Watches over the limits until told to stop. Runs on the keeper's thread, where no job can hold it up.
pub(super) async fn watch_limits(shared: Arc<Shared>, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            _ = stop.wait_for(|it| *it) => return,
            () = tokio::time::sleep(TICK) => {}
        }
        shared.slept();
        for done in shared.slots.check() {
            tracing::warn!(job = %done.lease.job, "the job was stopped, but its code still runs and keeps its slot");
            shared.write(done);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_was_stopped_ends_by_why_it_was() {
        let policy = JobPolicy { soft_limit_seconds: Some(5), time_limit_seconds: 9, ..JobPolicy::default() };
        let of = |stop| decided(Some(Outcome::Cancelled), stop, &policy, DateTime::UNIX_EPOCH);
        assert_eq!(of(None), Outcome::Snoozed { until: DateTime::UNIX_EPOCH + UNASKED }, "nobody asked");
        assert_eq!(of(Some(Stop::Asked)), Outcome::Cancelled);
        assert_eq!(of(Some(Stop::Draining)), Outcome::HandedBack);
        assert_eq!(of(Some(Stop::LeaseOver)), Outcome::HandedBack);
        assert_eq!(of(Some(Stop::SoftLimit)), too_long(5));
        assert_eq!(of(Some(Stop::HardLimit)), too_long(9));
    }

    #[test]
    fn what_it_did_in_time_counts() {
        let done = Outcome::done(serde_json::Value::Null);
        let of = |outcome, stop| decided(outcome, stop, &JobPolicy::default(), DateTime::UNIX_EPOCH);
        for stop in [Stop::Draining, Stop::HardLimit, Stop::Asked] {
            assert_eq!(of(Some(done.clone()), Some(stop)), done);
        }
        assert_eq!(of(None, None), Outcome::HandedBack);
    }
}
