//! A pass as a job: hourly for every user, and by hand.

use async_trait::async_trait;
use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::model::{PassTrigger, SignalsFilter};
use super::run::{PassRequest, Signals};
use crate::clock::instant_text;
use crate::id::{PassId, UserId};
use crate::jobs::{Job, JobCx, JobKey, JobPolicy, KeyHolds, Outcome, WithoutWorker};

/// Looks through one user's content. The pass has the id of its job, so that every try of the job is the same pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalProcessing {
    /// Whose.
    pub user: UserId,
    /// Which platforms.
    pub filter: SignalsFilter,
    /// The hour that it is for; none for a pass by hand.
    pub hour: Option<DateTime<Utc>>,
}

impl SignalProcessing {
    /// The pass of an hour: the one in which the instant lies.
    pub fn hourly(user: UserId, at: DateTime<Utc>) -> Self {
        let hour = at.duration_trunc(TimeDelta::hours(1)).unwrap_or(at);
        Self { user, filter: SignalsFilter::All, hour: Some(hour) }
    }

    /// A pass by hand.
    pub const fn manual(user: UserId, filter: SignalsFilter) -> Self {
        Self { user, filter, hour: None }
    }
}

/// How long an hour's key holds, in seconds: only the newest hour is ever asked for, so after two days nobody asks for it again.
const HOUR_HOLDS: u32 = 2 * 24 * 3_600;

/// The key of an hour's pass: it outlasts its hour by far, so that an hour has one.
pub fn hourly_key(hour: DateTime<Utc>) -> String {
    format!("signals/{}", instant_text(hour))
}

#[async_trait]
impl Job for SignalProcessing {
    type Context = Signals;

    const KIND: &'static str = "signal_processing";
    const WITHOUT_WORKER: WithoutWorker = WithoutWorker::RunHere;

    fn policy() -> JobPolicy {
        JobPolicy::work()
    }

    fn key(&self) -> Option<JobKey> {
        Some(match self.hour {
            Some(hour) => JobKey { key: hourly_key(hour), holds: KeyHolds::Window(HOUR_HOLDS) },
            None => JobKey { key: "signals/by hand".to_owned(), holds: KeyHolds::Active },
        })
    }

    async fn run(self, signals: &Signals, cx: &JobCx) -> Outcome {
        let request = PassRequest {
            pass: PassId::from_uuid(cx.lease.job.as_uuid()),
            user: self.user,
            filter: self.filter,
            trigger: if self.hour.is_some() { PassTrigger::Hourly } else { PassTrigger::Manual },
            hour: self.hour,
            last_try: cx.lease.attempt >= cx.lease.policy.max_attempts,
        };
        match signals.run(&request).await {
            Ok(pass) => Outcome::done(json!({ "pass_id": pass.id, "outcome": pass.outcome })),
            Err(error) => Outcome::of_error(&error, signals.parts.clock.now()),
        }
    }
}
