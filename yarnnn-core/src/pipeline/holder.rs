//! Which process is at work on something, so that another can go on at once when it is gone.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::id::{JobId, RunToken};

/// A process, or one run of it, so that it is never mistaken for another: host, boot, process id and start time as one text,
/// then `#` and the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Holder(String);

impl Holder {
    /// Wraps the text that identifies a process.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// One run of this process.
    #[must_use]
    pub fn of_run(&self, run: Uuid) -> Self {
        Self(format!("{}#{run}", self.process()))
    }

    /// A job, whichever process runs it: its claims are the runs.
    pub fn of_job(job: JobId, token: RunToken) -> Self {
        Self(format!("job:{job}#{token}"))
    }

    /// Whether it is a claim of this job.
    pub fn is_of_job(&self, job: JobId) -> bool {
        self.process().strip_prefix("job:") == Some(job.to_string().as_str())
    }

    /// The host of a process; the whole text for what names none.
    pub fn host(&self) -> &str {
        self.0.split('/').next().unwrap_or_default()
    }

    /// The process, or the job, without the run.
    pub fn process(&self) -> &str {
        self.0.split('#').next().unwrap_or_default()
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Knows the processes of this host.
///
/// # Contract
/// `is_gone` answers true only when it is certain: the holder was a process that this one would see if it ran, and it does not.
///
/// # Errors
/// None: what cannot be known is answered with `false`.
///
/// # Concurrency
/// Any number of callers.
pub trait Liveness: Send + Sync + fmt::Debug + 'static {
    /// This process.
    fn me(&self) -> Holder;

    /// Whether the other process certainly no longer runs.
    fn is_gone(&self, other: &Holder) -> bool;
}
