//! How a run ends: what a job says, and what that makes of its row.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::payload::scrub;
use super::{JobPolicy, JobStatus, Lease, NewJob, WaitingFor};
use crate::error::{Error, StoreError};
use crate::llm::LlmError;
use crate::platform::PlatformError;

/// What a run says about its end: a closed set, so that nothing ends by accident.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Done. Follow-up jobs are enqueued in the transaction that says so.
    Succeeded {
        /// For whoever asks for the job.
        result: Value,
        /// What follows from it.
        follow_up: Vec<NewJob>,
    },
    /// Not now, and the provider said when (`Retry-After`); charges nothing.
    RetryAt {
        /// When.
        at: DateTime<Utc>,
        /// Why not now.
        error: String,
    },
    /// Failed in a way that may pass: tried again by the kind's policy while tries are left, then dead.
    Backoff {
        /// What failed.
        error: String,
    },
    /// The person must do something first.
    NeedsUser {
        /// What, and how far it came.
        report: Value,
    },
    /// Whoever runs the installation must do something first.
    NeedsOperator {
        /// What, and how far it came.
        report: Value,
    },
    /// Failed for good.
    Failed {
        /// Why.
        error: String,
        /// What there is to show nevertheless.
        report: Option<Value>,
    },
    /// Nothing to do yet; charges nothing.
    Snoozed {
        /// When to look again.
        until: DateTime<Utc>,
    },
    /// The worker stops and gives the job back; charges nothing.
    HandedBack,
    /// It was asked to stop, and did.
    Cancelled,
}

impl Outcome {
    /// A failure for good with nothing to show.
    pub fn failed(error: impl Into<String>) -> Self {
        Self::Failed { error: error.into(), report: None }
    }

    /// What an error of a feature means for its job: what may pass is tried again, what a person can mend waits for one, the rest
    /// has failed. What someone else is at is looked at again a little after `now`.
    pub fn of_error(error: &Error, now: DateTime<Utc>) -> Self {
        /// How soon to look again.
        const BUSY: TimeDelta = TimeDelta::seconds(10);
        let text = error.to_string();
        let report = |class: &str| serde_json::json!({ "error": scrub(&text), "class": class });
        match error {
            Error::Cancelled => Self::Cancelled,
            Error::Busy(_) | Error::Store(StoreError::Conflict { .. }) => Self::Snoozed { until: now + BUSY },
            Error::Store(error) if error.is_transient() => Self::Backoff { error: text },
            Error::Model(LlmError::Transient { .. }) | Error::Platform(PlatformError::Unavailable { .. }) => {
                Self::Backoff { error: text }
            }
            Error::Model(LlmError::RateLimited { retry_after, .. }) => {
                let wait = TimeDelta::from_std(*retry_after).unwrap_or(TimeDelta::MAX);
                Self::RetryAt { at: now.checked_add_signed(wait).unwrap_or(DateTime::<Utc>::MAX_UTC), error: text }
            }
            Error::Undelivered(_) => Self::Backoff { error: text },
            Error::Model(LlmError::OverCap { .. }) => Self::NeedsOperator { report: report("over_cap") },
            Error::Platform(PlatformError::RateLimited { at, .. }) => Self::RetryAt { at: *at, error: text },
            Error::Platform(PlatformError::NeedsUser { .. }) => Self::NeedsUser { report: report("needs_user") },
            Error::NeedsOperator { .. }
            | Error::Model(LlmError::NeedsOperator { .. })
            | Error::Platform(PlatformError::NeedsOperator { .. })
            | Error::Store(StoreError::Locked { .. }) => Self::NeedsOperator { report: report("configuration") },
            _ => Self::failed(text),
        }
    }

    /// A success with a result and nothing that follows.
    pub const fn done(result: Value) -> Self {
        Self::Succeeded { result, follow_up: vec![] }
    }
}

/// What a job's row becomes: the same for both back-ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Settlement {
    /// The state.
    pub status: JobStatus,
    /// When it may run again, for the states that wait.
    pub again: Again,
    /// Whether this run counts as a failure.
    pub charged: bool,
    /// Whether this run counts as put off.
    pub put_off: bool,
    /// What went wrong, cut and without secrets.
    pub error: Option<String>,
    /// Why it is dead, or whom it waits for, as one word.
    pub cause: Option<&'static str>,
    /// Result or report.
    pub result: Option<Value>,
    /// What follows.
    pub follow_up: Vec<NewJob>,
    /// Until when the result can be read.
    pub result_ttl: Option<Duration>,
}

/// When a waiting job may run again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// At once, or never for states that end.
    Now,
    /// At this instant.
    At(DateTime<Utc>),
    /// This long after the store's now.
    After(Duration),
}

impl Settlement {
    /// What an outcome makes of the job that the lease is about. `draw` (0 to 1) decides the jitter of a retry.
    pub fn of(outcome: Outcome, lease: &Lease, draw: f64) -> Self {
        let policy = &lease.policy;
        match outcome {
            Outcome::Succeeded { result, follow_up } => {
                Self { result: Some(result), follow_up, result_ttl: ttl(policy), ..Self::ended(JobStatus::Succeeded) }
            }
            Outcome::RetryAt { at, error } => Self { error: Some(tidy(&error)), ..Self::put_off(lease, Again::At(at)) },
            Outcome::Snoozed { until } => Self::put_off(lease, Again::At(until)),
            Outcome::HandedBack => Self { charged: false, ..Self::waiting(JobStatus::Queued, Again::Now) },
            Outcome::Backoff { error } => Self::failed_once(lease, &error, draw),
            Outcome::Failed { error, report } => {
                Self { error: Some(tidy(&error)), result: report, ..Self::ended(JobStatus::Failed) }
            }
            Outcome::Cancelled => Self { charged: false, ..Self::ended(JobStatus::Cancelled) },
            Outcome::NeedsUser { report } => Self::needs_human(WaitingFor::User, report),
            Outcome::NeedsOperator { report } => Self::needs_human(WaitingFor::Operator, report),
        }
    }

    fn failed_once(lease: &Lease, error: &str, draw: f64) -> Self {
        let error = Some(tidy(error));
        if lease.attempt >= lease.policy.max_attempts {
            return Self { error, cause: Some(cause::ATTEMPTS), ..Self::ended(JobStatus::Dead) };
        }
        let wait = lease.policy.retry.wait(lease.attempt, draw);
        Self { error, ..Self::waiting(JobStatus::Retrying, Again::After(wait)) }
    }

    fn put_off(lease: &Lease, again: Again) -> Self {
        if lease.reschedules >= lease.policy.max_reschedules {
            let error = Some(format!("it was put off {} times", lease.reschedules));
            return Self { error, cause: Some(cause::RESCHEDULES), charged: false, ..Self::ended(JobStatus::Dead) };
        }
        Self { charged: false, put_off: true, ..Self::waiting(JobStatus::Queued, again) }
    }

    fn needs_human(who: WaitingFor, report: Value) -> Self {
        Self { cause: Some(who.as_str()), result: Some(report), charged: false, ..Self::ended(JobStatus::NeedsHuman) }
    }

    fn waiting(status: JobStatus, again: Again) -> Self {
        Self { again, ..Self::ended(status) }
    }

    fn ended(status: JobStatus) -> Self {
        Self {
            status,
            again: Again::Now,
            charged: true,
            put_off: false,
            error: None,
            cause: None,
            result: None,
            follow_up: vec![],
            result_ttl: None,
        }
    }
}

/// Why a job is dead, as stored.
pub mod cause {
    /// Every try failed.
    pub const ATTEMPTS: &str = "attempts";
    /// It was put off too often.
    pub const RESCHEDULES: &str = "reschedules";
    /// Its process died each time, also when it ran alone.
    pub const CRASH: &str = "crash";
}

fn ttl(policy: &JobPolicy) -> Option<Duration> {
    policy.result_ttl_seconds.map(|it| Duration::from_secs(it.into()))
}

fn tidy(error: &str) -> String {
    scrub(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{IdGen as _, JobId, RandomIds, RunToken};
    use crate::jobs::WorkerId;

    fn lease(attempt: u32, reschedules: u32) -> Lease {
        Lease {
            job: JobId::from_uuid(RandomIds.uuid()),
            token: RunToken::from_uuid(RandomIds.uuid()),
            worker: WorkerId::new("w"),
            attempt,
            reschedules,
            policy: JobPolicy { max_reschedules: 2, ..JobPolicy::scribe() },
        }
    }

    fn of(outcome: Outcome, lease: &Lease) -> Settlement {
        Settlement::of(outcome, lease, 0.5)
    }

    #[test]
    fn a_failure_waits_while_tries_are_left_and_then_the_job_is_dead() {
        let failure = || Outcome::Backoff { error: "x".into() };
        let again: Vec<_> = (1..=3).map(|it| of(failure(), &lease(it, 0))).map(|it| (it.status, it.again, it.charged)).collect();
        assert_eq!(
            again,
            [
                (JobStatus::Retrying, Again::After(Duration::from_secs(1)), true),
                (JobStatus::Retrying, Again::After(Duration::from_secs(2)), true),
                (JobStatus::Dead, Again::Now, true),
            ]
        );
        assert_eq!(of(failure(), &lease(3, 0)).cause, Some(cause::ATTEMPTS));
    }

    #[test]
    fn what_is_put_off_is_not_charged_but_bounded() {
        let at = DateTime::UNIX_EPOCH;
        for outcome in [Outcome::Snoozed { until: at }, Outcome::RetryAt { at, error: "429".into() }] {
            let settled = of(outcome.clone(), &lease(1, 1));
            assert_eq!((settled.status, settled.again, settled.charged), (JobStatus::Queued, Again::At(at), false));
            assert!(settled.put_off);
            let settled = of(outcome, &lease(1, 2));
            assert_eq!((settled.status, settled.cause), (JobStatus::Dead, Some(cause::RESCHEDULES)));
        }
        let back = of(Outcome::HandedBack, &lease(1, 2));
        assert_eq!((back.status, back.charged, back.put_off), (JobStatus::Queued, false, false));
    }

    #[test]
    fn errors_are_told_apart_by_what_can_be_done() {
        let now = DateTime::UNIX_EPOCH;
        let of = |error: Error| Outcome::of_error(&error, now);
        let passes = Error::Store(StoreError::Unavailable { source: "down".into() });
        let lasts = Error::Store(StoreError::Corrupt { what: "a page".into(), source: "torn".into() });
        assert!(matches!(of(passes), Outcome::Backoff { .. }));
        assert!(matches!(of(lasts), Outcome::Failed { .. }));
        assert!(matches!(of(Error::Busy("x".into())), Outcome::Snoozed { until } if until > now));
        assert!(
            matches!(of(PlatformError::RateLimited { call: "slack".into(), at: now }.into()), Outcome::RetryAt { at, .. } if at == now)
        );
        assert!(matches!(of(PlatformError::NeedsUser { action: "sign in".into() }.into()), Outcome::NeedsUser { .. }));
        assert!(matches!(of(PlatformError::NeedsOperator { setting: "X".into() }.into()), Outcome::NeedsOperator { .. }));
        assert_eq!(of(Error::Cancelled), Outcome::Cancelled);
    }

    #[test]
    fn ends_are_kept_apart() {
        let one = lease(1, 0);
        assert_eq!(of(Outcome::done(Value::Null), &one).result_ttl, Some(Duration::from_hours(1)));
        assert_eq!(of(Outcome::failed("no"), &one).status, JobStatus::Failed);
        assert_eq!(of(Outcome::NeedsOperator { report: Value::Null }, &one).cause, Some("operator"));
        assert_eq!(of(Outcome::NeedsUser { report: Value::Null }, &one).status, JobStatus::NeedsHuman);
        assert_eq!(of(Outcome::Cancelled, &one).status, JobStatus::Cancelled);
    }
}
