//! A kind of job: a struct, its constants, its body; and the list of the kinds that a worker knows.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{DEFAULT_LANE, DEFAULT_PRIORITY, JobCx, JobKey, JobPolicy, NewJob, Outcome};
use crate::id::{IdGen, JobId, UserId};

/// One kind of work. The struct is its payload: ids, never content and never secrets.
///
/// A job may be run more than once: a process can die after the work and before its end is stored. What it does outside of the
/// store goes under a key made with the intent; what it does inside goes through ports that fence.
#[async_trait]
pub trait Job: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// What it needs besides its payload.
    type Context: Send + Sync + 'static;

    /// Its name in the table. Never changed once released: rows outlive programs.
    const KIND: &'static str;
    /// Which workers take it.
    const LANE: &'static str = DEFAULT_LANE;
    /// 1 to 10; higher is sooner.
    const PRIORITY: u8 = DEFAULT_PRIORITY;
    /// Slots of a worker that it takes; more for what needs much memory.
    const WEIGHT: u32 = 1;
    /// How many of the kind one worker runs at once; none for as many as it has slots.
    const CONCURRENCY: Option<u32> = None;

    /// What to do with it when no worker lives.
    const WITHOUT_WORKER: WithoutWorker = WithoutWorker::Wait;

    /// The rules of the kind.
    fn policy() -> JobPolicy;

    /// Its idempotency key, if it has one.
    fn key(&self) -> Option<JobKey>;

    /// Does the work.
    async fn run(self, context: &Self::Context, cx: &JobCx) -> Outcome;
}

/// What becomes of a new job while no worker lives. The briefs disagree: Delivery's jobs wait, YARNNN's run in the caller's
/// process, so every kind says it for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WithoutWorker {
    /// It waits in the table.
    Wait,
    /// It is stored all the same, and run by the process that asked for it, under the same rules.
    RunHere,
    /// It is refused, and nothing is stored.
    Refuse,
}

/// The job as it is enqueued.
///
/// # Errors
/// When the payload cannot be written as JSON.
pub fn new_job<J: Job>(ids: &dyn IdGen, owner: Option<UserId>, job: &J) -> Result<NewJob, serde_json::Error> {
    let new = NewJob::new(JobId::fresh(ids), J::KIND, serde_json::to_value(job)?);
    Ok(NewJob { lane: J::LANE.to_owned(), priority: J::PRIORITY, owner, key: job.key(), policy: J::policy(), ..new })
}

/// The kinds that a worker knows, each with what it needs. Jobs of other kinds are left to other workers.
#[derive(Clone, Default)]
pub struct JobKinds(BTreeMap<&'static str, Arc<dyn JobKind>>);

impl fmt::Debug for JobKinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl JobKinds {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Knows this kind too.
    #[must_use]
    pub fn with<J: Job>(mut self, context: Arc<J::Context>) -> Self {
        self.0.insert(J::KIND, Arc::new(Kind::<J> { context }));
        self
    }

    /// The kind of this name.
    pub fn get(&self, kind: &str) -> Option<Arc<dyn JobKind>> {
        self.0.get(kind).cloned()
    }

    /// All of them, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Arc<dyn JobKind>)> {
        self.0.iter().map(|(name, kind)| (*name, kind))
    }
}

/// A kind of job whose payload type is not known to the caller.
#[async_trait]
pub trait JobKind: Send + Sync + 'static {
    /// Slots that it takes.
    fn weight(&self) -> u32;

    /// How many of it one worker runs at once.
    fn concurrency(&self) -> Option<u32>;

    /// Runs a stored payload. One that does not parse fails for good, with the reason.
    async fn run(&self, payload: Value, cx: &JobCx) -> Outcome;
}

struct Kind<J: Job> {
    context: Arc<J::Context>,
}

#[async_trait]
impl<J: Job> JobKind for Kind<J> {
    fn weight(&self) -> u32 {
        J::WEIGHT.max(1)
    }

    fn concurrency(&self) -> Option<u32> {
        J::CONCURRENCY
    }

    async fn run(&self, payload: Value, cx: &JobCx) -> Outcome {
        match serde_json::from_value::<J>(payload) {
            Ok(job) => job.run(&self.context, cx).await,
            Err(error) => Outcome::failed(format!("the payload is not one of kind {}: {error}", J::KIND)),
        }
    }
}
