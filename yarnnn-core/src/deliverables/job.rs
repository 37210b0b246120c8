//! A run as a job: the way every report goes, by hand, by schedule and by other programs.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::model::DeliverableStatus;
use super::run::{Deliverables, RunOutcome, RunRequest, RunStatus, no_news};
use super::scheduling::due::slot_key;
use crate::error::Error;
use crate::id::{DeliverableId, UserId, VersionId};
use crate::jobs::{Job, JobCx, JobKey, JobPolicy, JobStatus, KeyHolds, Outcome, Settlement, WithoutWorker};
use crate::llm::Noticed;
use crate::pipeline::StageCx;

/// Gather, write, verify, queue, deliver.
const STAGES: u32 = 5;

/// What the keys of runs begin with that an event, and that a signal called for.
pub(crate) const EVENT_KEY: &str = "event:";
pub(crate) const SIGNAL_KEY: &str = "signal:";

/// Writes and delivers one report. One that was asked for by hand at a time per deliverable; a second with other wishes is a
/// conflict. One by schedule or of an event waits its turn beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunDeliverable {
    /// Whose.
    pub user: UserId,
    /// Which.
    pub deliverable: DeliverableId,
    /// As in [`RunRequest`].
    pub key: Option<String>,
    /// As in [`RunRequest`].
    pub force: bool,
    /// As in [`RunRequest`].
    pub as_of: Option<DateTime<Utc>>,
    /// The slot of its schedule, for a run that nobody asked for by hand; it is the key then, and says how late the run is.
    pub slot: Option<DateTime<Utc>>,
    /// As in [`RunRequest`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noticed: Option<Noticed>,
}

impl RunDeliverable {
    /// A run as requested.
    pub fn requested(request: &RunRequest) -> Self {
        let RunRequest { user, deliverable, key, force, as_of, noticed, .. } = request.clone();
        Self { user, deliverable, key, force, as_of, slot: None, noticed }
    }

    /// A slot of a schedule.
    pub const fn scheduled(user: UserId, deliverable: DeliverableId, slot: DateTime<Utc>) -> Self {
        Self { user, deliverable, key: None, force: false, as_of: None, slot: Some(slot), noticed: None }
    }

    /// Whether it runs without anybody asking for it: by schedule, or because of a signal or an event.
    pub(super) fn is_by_itself(&self) -> bool {
        let is_called_for = |key: &str| key.starts_with(EVENT_KEY) || key.starts_with(SIGNAL_KEY);
        self.slot.is_some() || self.key.as_deref().is_some_and(is_called_for)
    }

    /// The key of its version; none when nobody gave one.
    pub(super) fn version_key(&self) -> Option<String> {
        self.slot.map(slot_key).or_else(|| self.key.clone())
    }

    fn request(&self) -> RunRequest {
        let request = RunRequest::of(self.user, self.deliverable);
        RunRequest { key: self.key.clone(), force: self.force, as_of: self.as_of, noticed: self.noticed.clone(), ..request }
    }
}

#[async_trait]
impl Job for RunDeliverable {
    type Context = Deliverables;

    const KIND: &'static str = "deliverable_generate";
    const WITHOUT_WORKER: WithoutWorker = WithoutWorker::RunHere;

    fn policy() -> JobPolicy {
        JobPolicy::work()
    }

    fn key(&self) -> Option<JobKey> {
        // A slot is a row, which is fired once.
        if self.slot.is_some() {
            return None;
        }
        let event = self.key.as_ref().filter(|it| it.starts_with(EVENT_KEY));
        let of_event = event.map(|it| Uuid::new_v5(&self.deliverable.as_uuid(), it.as_bytes()));
        let key = of_event.map_or_else(|| self.deliverable.to_string(), |it| format!("{}/{EVENT_KEY}{it}", self.deliverable));
        Some(JobKey { key, holds: KeyHolds::Active })
    }

    async fn run(self, deliverables: &Deliverables, cx: &JobCx) -> Outcome {
        let stages = cx.stages(STAGES);
        let ran = match self.slot {
            Some(slot) => deliverables.run_slot(&stages, self.user, self.deliverable, slot).await,
            None => deliverables.run_unless_paused(&stages, &self).await,
        };
        match ran {
            Ok(outcome) => end(&outcome),
            Err(error) => deliverables.given_up(&self, cx, error).await,
        }
    }
}

/// A report that is written but cannot be delivered waits for a person: sending it is what its next run does first.
fn end(outcome: &RunOutcome) -> Outcome {
    let report = RunReport::of(outcome).json();
    match outcome.status {
        RunStatus::Delivered | RunStatus::NoNews => Outcome::done(report),
        RunStatus::Failed if outcome.waits_for_delivery() => Outcome::NeedsOperator { report },
        RunStatus::Staged => Outcome::NeedsUser { report },
        RunStatus::Failed => Outcome::Failed { error: outcome.error.clone().unwrap_or_default(), report: Some(report) },
    }
}

/// The result of the job: ids, from which the outcome can be read again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunReport {
    /// The version that was written or resumed; none without news.
    pub version_id: Option<VersionId>,
    /// `delivered`, `staged`, `failed` or `no_news`.
    pub status: String,
    /// Whether an earlier run had opened the version.
    pub resumed: bool,
    /// Why it failed.
    pub error: Option<String>,
}

impl RunReport {
    fn of(outcome: &RunOutcome) -> Self {
        Self {
            version_id: outcome.version.as_ref().map(|it| it.id),
            status: outcome.status.as_str().to_owned(),
            resumed: outcome.resumed,
            error: outcome.error.clone(),
        }
    }

    fn json(&self) -> Value {
        json!(self)
    }
}

impl Deliverables {
    /// A run that was paused or put away since a signal or an event called for it does nothing.
    async fn run_unless_paused(&self, cx: &StageCx, run: &RunDeliverable) -> Result<RunOutcome, Error> {
        if run.is_by_itself() {
            let found = self.parts.deliverables.get(run.user, run.deliverable).await?;
            if found.status != DeliverableStatus::Active {
                return Ok(no_news(run.deliverable));
            }
        }
        self.run(cx, &run.request()).await
    }

    /// What an error makes of the job; the owner is told when it ends there. Who asked for a run sees how it ends, but not what
    /// becomes of it when it is tried again.
    async fn given_up(&self, run: &RunDeliverable, cx: &JobCx, error: Error) -> Outcome {
        let outcome = Outcome::of_error(&error, self.parts.clock.now());
        // Whether it is tried again is for the job's own rules to say: what is put off costs no try, but is not put off for ever.
        let ends = match Settlement::of(outcome.clone(), &cx.lease, 0.0).status {
            JobStatus::Dead => true,
            JobStatus::Failed | JobStatus::NeedsHuman => run.is_by_itself(),
            _ => false,
        };
        if ends {
            let told = self.tell_of_giving_up(run, cx.job.id, &error.to_string()).await;
            if let Err(error) = told {
                tracing::warn!(deliverable = %run.deliverable, %error, "nobody could be told that a run was given up");
            }
        }
        outcome
    }

    /// The outcome of a run, by the result of its job.
    ///
    /// # Errors
    /// `NotFound`, and those of the store; `Failed` for a result that is none.
    pub async fn outcome_of_job(&self, job: &RunDeliverable, result: &Value) -> Result<RunOutcome, Error> {
        let report: RunReport = serde_json::from_value(result.clone())
            .map_err(|error| Error::Failed(format!("the result of the run cannot be read: {error}")))?;
        match report.version_id {
            None => Ok(no_news(job.deliverable)),
            Some(version) => Ok(RunOutcome { resumed: report.resumed, ..self.outcome_of(job.user, version).await? }),
        }
    }
}
