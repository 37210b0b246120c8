//! The ports of the queue: one for producers and workers, one for administration.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::payload::Refusal;
use super::{
    Claim, Claimed, Enqueued, JobEvent, JobProgress, JobRecord, JobStatus, Lease, NewJob, Outcome, Rescued, WorkerId, Written,
};
use crate::error::StoreError;
use crate::id::{JobId, UserId};

/// Why jobs were not enqueued. None of the batch was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnqueueError {
    /// The key stands for a job with another payload.
    #[error("key_conflict: the key {key:?} was used for a job of the same kind with another payload")]
    Conflict {
        /// The key.
        key: String,
    },
    /// The job breaks a rule.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The table of jobs, for those who make and run them.
///
/// # Contract
/// - `enqueue` stores all jobs or none, in the order given. A key that stands for a job with the same payload answers that
///   job; with another payload it is a conflict. Any non-empty kind is taken.
/// - `claim` hands a job to one claimant only, by priority (higher first), then `run_at`, then id, among owners below the
///   limit, and passes over what the claim filters out. It adds one to `attempt`, draws a new token and starts the lease.
///   Jobs whose process died twice are claimed alone or by id only.
/// - `finish` writes an outcome if, and only if, the token is the job's current one and the job runs. Follow-up jobs, event and
///   state are one transaction. Outcomes of one call do not depend on each other: those that lost their lease change nothing.
/// - A job that is put off (`RetryAt`, `Snoozed`) is due no sooner than a second later: clocks differ.
/// - `progress` under the same condition, and only forward.
/// - `rescue` takes back running jobs whose lease ended or whose worker is among the gone: `attempt` is given back, `crashes`
///   rises; at two the job is in quarantine and waits 1, 5, 15 s between its tries; after those it is dead. Permits of those
///   workers end.
/// - `get` answers a job as it stands; a result beyond its time to live is gone and `expired` is set.
/// - Every change of state leaves one event, in the same transaction.
///
/// # Errors
/// Those of the store; see [`EnqueueError`].
///
/// # Concurrency
/// Any number of processes. Time is the store's own.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait JobQueue: Send + Sync + 'static {
    /// Stores new jobs.
    async fn enqueue(&self, jobs: Vec<NewJob>) -> Result<Vec<Enqueued>, EnqueueError>;

    /// Takes jobs that are due.
    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>, StoreError>;

    /// Ends runs, in the order given.
    async fn finish(&self, done: Vec<(Lease, Outcome)>) -> Result<Vec<Written>, StoreError>;

    /// Says how far a run came.
    async fn progress(&self, lease: &Lease, progress: JobProgress) -> Result<Written, StoreError>;

    /// Takes back what workers lost.
    async fn rescue(&self, gone: &[WorkerId]) -> Result<Vec<Rescued>, StoreError>;

    /// One job; none if there is no such job.
    async fn get(&self, job: JobId) -> Result<Option<JobRecord>, StoreError>;

    /// How long until the next waiting job of these kinds and lanes is due; zero if one is, none if none waits.
    async fn next_due(&self, due: &NextDue) -> Result<Option<Duration>, StoreError>;
}

/// Which waiting jobs are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NextDue {
    /// Only these kinds; none for any.
    pub kinds: Option<Vec<String>>,
    /// Only these lanes; none for any.
    pub lanes: Option<Vec<String>>,
    /// Only jobs in quarantine; else only others.
    pub alone: bool,
}

/// Which jobs to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// Only these states; empty for any.
    pub statuses: Vec<JobStatus>,
    /// Only this kind.
    pub kind: Option<String>,
    /// Only this owner's.
    pub owner: Option<UserId>,
    /// At most this many, newest first.
    pub limit: u32,
}

/// How many jobs of one kind stand in one state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Depth {
    /// The kind.
    pub kind: String,
    /// The state: one of those that have not ended well.
    pub status: JobStatus,
    /// How many.
    pub count: u64,
    /// How many of them are in quarantine.
    pub quarantined: u64,
    /// The longest that one of them has been due, in seconds; zero for states that do not wait.
    pub oldest_seconds: u64,
}

/// How long jobs are kept after they ended, with their history, by how they ended: those that nobody has to look at for a week, the others
/// for a person to find. What waits or runs is not deleted, and keys that hold for ever stay.
pub const KEPT_AFTER_END: &[(&[JobStatus], TimeDelta)] = &[
    (&[JobStatus::Succeeded, JobStatus::Cancelled], TimeDelta::days(7)),
    (&[JobStatus::Failed, JobStatus::Dead, JobStatus::NeedsHuman], TimeDelta::days(90)),
];

/// Administration of the table.
///
/// # Contract
/// - `list` is newest first.
/// - `events` are a job's history, oldest first; they are purged with it.
/// - `retry` queues a job again that failed, died, was cancelled or needs a person, or runs it at once if it waits: tries,
///   crashes and reschedules begin at zero, the history stays. A running or succeeded job is a `Conflict`.
/// - `hurry` runs a job at once that waits for another try; nothing else of it changes, and any other job is let be.
/// - `cancel` ends a waiting job at once and asks a running one to stop; of one that ended it is a `Conflict`. It answers the
///   state after.
/// - `purge` deletes ended jobs that ended before the instant, and all whose result has expired; keys that hold for ever stay.
/// - `depth` counts what waits, runs, is dead, failed or needs a person.
///
/// # Errors
/// `NotFound`, `Conflict`, and those of the database.
///
/// # Concurrency
/// Any number of callers; each call is one transaction.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait JobAdmin: Send + Sync + 'static {
    /// Jobs, newest first.
    async fn list(&self, filter: &JobFilter) -> Result<Vec<JobRecord>, StoreError>;

    /// A job's history.
    async fn events(&self, job: JobId) -> Result<Vec<JobEvent>, StoreError>;

    /// Queues a job again.
    async fn retry(&self, job: JobId, actor: &str) -> Result<(), StoreError>;

    /// Brings the next try of a job forward.
    async fn hurry(&self, job: JobId, actor: &str) -> Result<(), StoreError>;

    /// Stops a job.
    async fn cancel(&self, job: JobId, actor: &str) -> Result<JobStatus, StoreError>;

    /// Deletes up to `limit` ended jobs; answers how many.
    async fn purge(&self, before: DateTime<Utc>, statuses: &[JobStatus], limit: u32) -> Result<u64, StoreError>;

    /// How many jobs stand where.
    async fn depth(&self) -> Result<Vec<Depth>, StoreError>;
}
