//! The queue and its administration, saying aloud when something was made ready.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use yarnnn_core::StoreError;
use yarnnn_core::id::JobId;
use yarnnn_core::jobs::{
    Claim, Claimed, Depth, EnqueueError, Enqueued, JobAdmin, JobEvent, JobFilter, JobProgress, JobQueue, JobRecord, JobStatus,
    Lease, NewJob, NextDue, Outcome, Rescued, WorkerId, Written,
};

use super::Valkey;

/// A queue that wakes workers through Valkey after a job was stored or made ready. It never fails or waits for that.
#[derive(Clone)]
pub struct ValkeyQueue {
    inner: Arc<dyn JobQueue>,
    valkey: Valkey,
}

impl ValkeyQueue {
    /// Wakes workers of this queue.
    pub fn new(inner: Arc<dyn JobQueue>, valkey: Valkey) -> Self {
        Self { inner, valkey }
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl JobQueue for ValkeyQueue {
    async fn enqueue(&self, jobs: Vec<NewJob>) -> Result<Vec<Enqueued>, EnqueueError> {
        let stored = self.inner.enqueue(jobs).await?;
        if stored.iter().any(|it| matches!(it, Enqueued::New(_))) {
            self.valkey.wake();
        }
        Ok(stored)
    }

    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>, StoreError> {
        self.inner.claim(claim).await
    }

    async fn finish(&self, done: Vec<(Lease, Outcome)>) -> Result<Vec<Written>, StoreError> {
        let wakes = done.iter().any(|(_, outcome)| makes_ready(outcome));
        let written = self.inner.finish(done).await?;
        if wakes {
            self.valkey.wake();
        }
        Ok(written)
    }

    async fn progress(&self, lease: &Lease, progress: JobProgress) -> Result<Written, StoreError> {
        self.inner.progress(lease, progress).await
    }

    async fn rescue(&self, gone: &[WorkerId]) -> Result<Vec<Rescued>, StoreError> {
        let rescued = self.inner.rescue(gone).await?;
        if !rescued.is_empty() {
            self.valkey.wake();
        }
        Ok(rescued)
    }

    async fn get(&self, job: JobId) -> Result<Option<JobRecord>, StoreError> {
        self.inner.get(job).await
    }

    async fn next_due(&self, due: &NextDue) -> Result<Option<Duration>, StoreError> {
        self.inner.next_due(due).await
    }
}

/// Whether a job waits after this that did not wait before.
fn makes_ready(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Succeeded { follow_up, .. } => !follow_up.is_empty(),
        Outcome::RetryAt { .. } | Outcome::Backoff { .. } | Outcome::Snoozed { .. } | Outcome::HandedBack => true,
        Outcome::NeedsUser { .. } | Outcome::NeedsOperator { .. } | Outcome::Failed { .. } | Outcome::Cancelled => false,
    }
}

/// Administration that wakes workers through Valkey after a job was queued again.
#[derive(Clone)]
pub struct ValkeyAdmin {
    inner: Arc<dyn JobAdmin>,
    valkey: Valkey,
}

impl ValkeyAdmin {
    /// Wakes workers of this queue.
    pub fn new(inner: Arc<dyn JobAdmin>, valkey: Valkey) -> Self {
        Self { inner, valkey }
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl JobAdmin for ValkeyAdmin {
    async fn list(&self, filter: &JobFilter) -> Result<Vec<JobRecord>, StoreError> {
        self.inner.list(filter).await
    }

    async fn events(&self, job: JobId) -> Result<Vec<JobEvent>, StoreError> {
        self.inner.events(job).await
    }

    async fn retry(&self, job: JobId, actor: &str) -> Result<(), StoreError> {
        self.inner.retry(job, actor).await?;
        self.valkey.wake();
        Ok(())
    }

    async fn hurry(&self, job: JobId, actor: &str) -> Result<(), StoreError> {
        self.inner.hurry(job, actor).await?;
        self.valkey.wake();
        Ok(())
    }

    async fn cancel(&self, job: JobId, actor: &str) -> Result<JobStatus, StoreError> {
        self.inner.cancel(job, actor).await
    }

    async fn purge(&self, before: DateTime<Utc>, statuses: &[JobStatus], limit: u32) -> Result<u64, StoreError> {
        self.inner.purge(before, statuses, limit).await
    }

    async fn depth(&self) -> Result<Vec<Depth>, StoreError> {
        self.inner.depth().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_waits_afterwards_is_worth_waking_for() {
        let until = DateTime::UNIX_EPOCH;
        assert!(makes_ready(&Outcome::HandedBack) && makes_ready(&Outcome::Snoozed { until }));
        assert!(makes_ready(&Outcome::Backoff { error: String::new() }));
        assert!(!makes_ready(&Outcome::done(serde_json::Value::Null)) && !makes_ready(&Outcome::Cancelled));
    }
}
