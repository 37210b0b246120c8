//! The words of the job system: a new job, a stored job, a lease on one.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::JobPolicy;
use crate::id::{JobId, RunToken, UserId};

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobStatus {
    /// Waits for its time and a worker.
    Queued,
    /// A worker holds its lease.
    Running,
    /// Failed or lost its worker, and waits for another try.
    Retrying,
    /// Done.
    Succeeded,
    /// Failed for good.
    Failed,
    /// Tried as often as allowed.
    Dead,
    /// Stopped by request.
    Cancelled,
    /// Waits for a person, see [`WaitingFor`].
    NeedsHuman,
}

impl JobStatus {
    /// All of them, in the order of a job's life.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Running,
        Self::Retrying,
        Self::Succeeded,
        Self::Failed,
        Self::Dead,
        Self::Cancelled,
        Self::NeedsHuman,
    ];

    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Retrying => "retrying",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
            Self::NeedsHuman => "needs_human",
        }
    }

    /// The state with this stored name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == name)
    }

    /// Whether nothing changes it any more but an operator.
    pub const fn is_terminal(self) -> bool {
        !matches!(self, Self::Queued | Self::Running | Self::Retrying)
    }
}

impl fmt::Display for JobStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Whom a job waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitingFor {
    /// Its owner.
    User,
    /// Whoever runs the installation.
    Operator,
}

impl WaitingFor {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Operator => "operator",
        }
    }
}

/// One worker of one process; never the same twice, also when processes are given the same name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WorkerId(String);

impl WorkerId {
    /// Wraps the text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The lane of jobs that name none.
pub const DEFAULT_LANE: &str = "default";
/// The priority of jobs that name none; 1 to 10, and higher is sooner.
pub const DEFAULT_PRIORITY: u8 = 5;

/// When a new job may first run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Start {
    /// At once.
    #[default]
    Now,
    /// At this instant, or at once if it has passed.
    At(DateTime<Utc>),
    /// This long after the store's now.
    After(Duration),
}

/// Makes an enqueue idempotent. Keys of different kinds and owners never meet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobKey {
    /// 1 to 256 characters, made with the intent.
    pub key: String,
    /// How long it counts.
    pub holds: KeyHolds,
}

/// How long a key counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyHolds {
    /// While its job has not ended.
    Active,
    /// For ever, also when the job was purged.
    Forever,
    /// For this many seconds after it was first used.
    Window(u32),
}

/// A job to be enqueued.
#[derive(Debug, Clone, PartialEq)]
pub struct NewJob {
    /// Its id.
    pub id: JobId,
    /// Which code runs it.
    pub kind: String,
    /// What the code reads: ids, never content and never secrets.
    pub payload: Value,
    /// Which workers take it.
    pub lane: String,
    /// 1 to 10; higher is sooner.
    pub priority: u8,
    /// Whose it is; none for the installation's own.
    pub owner: Option<UserId>,
    /// When.
    pub start: Start,
    /// Idempotency.
    pub key: Option<JobKey>,
    /// Its rules.
    pub policy: JobPolicy,
    /// Ties together everything that one request caused.
    pub correlation: String,
    /// The job that it follows from.
    pub parent: Option<JobId>,
}

impl NewJob {
    /// A job that may run at once; its correlation id is its own id.
    pub fn new(id: JobId, kind: impl Into<String>, payload: Value) -> Self {
        Self {
            id,
            kind: kind.into(),
            payload,
            lane: DEFAULT_LANE.to_owned(),
            priority: DEFAULT_PRIORITY,
            owner: None,
            start: Start::Now,
            key: None,
            policy: JobPolicy::default(),
            correlation: id.to_string(),
            parent: None,
        }
    }

    /// Caused by this job: inherits its correlation id and its owner.
    #[must_use]
    pub fn child_of(mut self, parent: &JobRecord) -> Self {
        self.correlation.clone_from(&parent.correlation);
        self.parent = Some(parent.id);
        self.owner = self.owner.or(parent.owner);
        self
    }
}

/// What became of a job that was to be enqueued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enqueued {
    /// It is stored.
    New(JobId),
    /// Its key stands for this job already.
    Existing(JobId),
}

impl Enqueued {
    /// The job.
    pub const fn id(self) -> JobId {
        match self {
            Self::New(id) | Self::Existing(id) => id,
        }
    }
}

/// A stored job.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JobRecord {
    /// Its id.
    pub id: JobId,
    /// Which code runs it.
    pub kind: String,
    /// Which workers take it.
    pub lane: String,
    /// 1 to 10; higher is sooner.
    pub priority: u8,
    /// Whose it is.
    pub owner: Option<UserId>,
    /// What the code reads.
    pub payload: Value,
    /// Where it stands.
    pub status: JobStatus,
    /// Tries so far that were charged, the running one included.
    pub attempt: u32,
    /// How often its process died under it.
    pub crashes: u32,
    /// How often it was put off.
    pub reschedules: u32,
    /// Its rules.
    pub policy: JobPolicy,
    /// When it may run, or might have.
    pub run_at: DateTime<Utc>,
    /// Begin of the newest run.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// Who runs it, or ran it last.
    pub worker: Option<WorkerId>,
    /// Until when the runner holds it.
    pub lease_until: Option<DateTime<Utc>>,
    /// Idempotency key.
    pub key: Option<String>,
    /// Ties together everything that one request caused.
    pub correlation: String,
    /// The job that it follows from.
    pub parent: Option<JobId>,
    /// How far it came.
    pub progress: Option<JobProgress>,
    /// Result of a success, report of a job that needs a person.
    pub result: Option<Value>,
    /// The last failure.
    pub error: Option<String>,
    /// Why it is dead, or whom it waits for.
    pub cause: Option<String>,
    /// Whether it was asked to stop.
    pub cancel_requested: bool,
    /// Whether its result can no longer be read.
    pub expired: bool,
    /// When it was enqueued.
    pub created_at: DateTime<Utc>,
}

/// How far a job came. Stored only if it is further than what is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobProgress {
    /// The step at hand.
    pub step: String,
    /// Steps done.
    pub index: u32,
    /// Steps in all; 0 when nobody knows.
    pub total: u32,
    /// 0 to 100, of what is done.
    pub percent: u8,
    /// Milliseconds by step, for the steps done.
    #[serde(default)]
    pub timings: Vec<(String, u64)>,
}

/// The right to run a job, until it ends or is lost.
#[derive(Debug, Clone, PartialEq)]
pub struct Lease {
    /// The job.
    pub job: JobId,
    /// The claim.
    pub token: RunToken,
    /// The claimant.
    pub worker: WorkerId,
    /// Which try it is, as charged so far.
    pub attempt: u32,
    /// How often it was put off before.
    pub reschedules: u32,
    /// The job's rules.
    pub policy: JobPolicy,
}

/// What to claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// For whom.
    pub worker: WorkerId,
    /// Only these kinds; none for any.
    pub kinds: Option<Vec<String>>,
    /// Only these lanes; none for any.
    pub lanes: Option<Vec<String>>,
    /// Only this job, in or out of quarantine.
    pub only: Option<JobId>,
    /// Only a job in quarantine, and one; the claimant runs nothing beside it.
    pub alone: bool,
    /// At most this many.
    pub limit: u32,
    /// How long without a renewal.
    pub lease: Duration,
    /// How many jobs of one owner this worker may run at once; none for any number.
    pub owner_limit: Option<u32>,
}

impl Claim {
    /// Anything that is due, up to a limit.
    pub fn any(worker: WorkerId, limit: u32, lease: Duration) -> Self {
        Self { worker, kinds: None, lanes: None, only: None, alone: false, limit, lease, owner_limit: None }
    }
}

/// A job and the right to run it.
#[derive(Debug, Clone, PartialEq)]
pub struct Claimed {
    /// The right.
    pub lease: Lease,
    /// The job as claimed.
    pub job: JobRecord,
}

/// Whether a write under a lease took effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It did.
    Done,
    /// The lease is someone else's, or nobody's, by now: nothing was changed.
    LeaseLost,
}

/// A job that lost its worker and was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rescued {
    /// The job.
    pub job: JobId,
    /// Who had it.
    pub worker: WorkerId,
    /// How often that has happened.
    pub crashes: u32,
    /// Where it stands now: retrying, cancelled or dead.
    pub status: JobStatus,
}

/// One line of a job's history, written with the change that it tells.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JobEvent {
    /// When.
    pub at: DateTime<Utc>,
    /// What happened: `enqueued`, `claimed`, `succeeded`, `retrying`, `rescued`, …
    pub event: String,
    /// Who did it: a worker, `operator`, …
    pub actor: Option<String>,
    /// Which try it was.
    pub attempt: u32,
    /// Why.
    pub reason: Option<String>,
}
