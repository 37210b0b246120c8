//! A phase that is one job for each user whose turn it is.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Counters, Gate, Phase, PhaseCx};
use crate::error::Error;
use crate::id::{IdGen, UserId};
use crate::jobs::{EnqueueError, Enqueued, Job, JobKey, JobQueue, KeyHolds, new_job};

/// Users that are read, and whose jobs are stored, at once.
const PAGE: u32 = 500;

/// What a feature does once per slot for each of its users, as a job.
#[async_trait]
pub trait PerUser: Send + Sync + 'static {
    /// The job.
    type Job: Job;

    /// The phase's name.
    fn name(&self) -> &'static str;

    /// How often.
    fn gate(&self) -> Gate;

    /// Whose turn it is at an instant: those after the given one by id, at most so many.
    async fn due(&self, now: DateTime<Utc>, after: Option<UserId>, limit: u32) -> Result<Vec<UserId>, Error>;

    /// The job of one of them.
    fn job(&self, user: UserId, slot: DateTime<Utc>) -> Self::Job;
}

/// Enqueues those jobs. However often a slot is run, a user has one job for it: its key holds for ever.
pub struct PerUserPhase<P> {
    feature: P,
    queue: Arc<dyn JobQueue>,
    ids: Arc<dyn IdGen>,
}

impl<P> std::fmt::Debug for PerUserPhase<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PerUserPhase").finish_non_exhaustive()
    }
}

impl<P: PerUser> PerUserPhase<P> {
    /// The phase of a feature.
    pub const fn new(feature: P, queue: Arc<dyn JobQueue>, ids: Arc<dyn IdGen>) -> Self {
        Self { feature, queue, ids }
    }

    async fn enqueue(&self, users: &[UserId], slot: DateTime<Utc>) -> Result<u64, Error> {
        let key = format!("{}/{}", self.feature.name(), slot.format("%Y-%m-%dT%H:%M"));
        let mut jobs = Vec::with_capacity(users.len());
        for user in users {
            let job = new_job(self.ids.as_ref(), Some(*user), &self.feature.job(*user, slot));
            let mut job = job.map_err(|error| Error::Failed(format!("a job cannot be written: {error}")))?;
            job.key = Some(JobKey { key: key.clone(), holds: KeyHolds::Forever });
            jobs.push(job);
        }
        let enqueued = self.queue.enqueue(jobs).await.map_err(|error| match error {
            EnqueueError::Store(error) => error.into(),
            refused => Error::Failed(refused.to_string()),
        })?;
        Ok(enqueued.iter().filter(|it| matches!(it, Enqueued::New(_))).count() as u64)
    }
}

#[async_trait]
impl<P: PerUser> Phase for PerUserPhase<P> {
    fn name(&self) -> &'static str {
        self.feature.name()
    }

    fn gate(&self) -> Gate {
        self.feature.gate()
    }

    async fn run(&self, cx: &PhaseCx) -> Result<Counters, Error> {
        let (mut counters, mut after) = (Counters::default(), None);
        loop {
            cx.check()?;
            let users = self.feature.due(cx.now, after, PAGE).await?;
            counters.add("users", users.len() as u64);
            counters.add("enqueued", self.enqueue(&users, cx.slot).await?);
            after = users.last().copied();
            if users.len() < PAGE as usize {
                return Ok(counters);
            }
        }
    }
}
