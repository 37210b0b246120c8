//! Who works: the board on which workers, and nobody else, show that they live.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::WorkerId;
use crate::error::StoreError;
use crate::pipeline::Holder;

/// How long a worker that no longer beats is shown.
pub const PRESENCE_TTL: Duration = Duration::from_secs(90);

/// What a worker says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkerPresence {
    /// The worker.
    pub worker: WorkerId,
    /// The service it belongs to; several workers may share it.
    pub name: String,
    /// Its process, so that others on its host see when it is gone.
    pub process: Holder,
    /// Version of the program.
    pub version: String,
    /// Jobs it may run at once; 0 for a process that runs one job for a command and takes no others.
    pub concurrency: u32,
    /// Jobs it runs.
    pub running: u32,
    /// Whether it no longer takes new ones.
    pub draining: bool,
    /// When it began, by its own clock.
    pub started_at: DateTime<Utc>,
    /// When it last took a job, by its own clock.
    pub last_claim_at: Option<DateTime<Utc>>,
    /// When it last beat, by the store's clock; set by the store.
    pub beat_at: Option<DateTime<Utc>>,
}

/// The board.
///
/// # Contract
/// - `workers` are those that beat within [`PRESENCE_TTL`], oldest first.
/// - `leave` takes a worker off at once.
///
/// # Errors
/// Those of the store.
///
/// # Concurrency
/// Any number of callers.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Presence: Send + Sync + 'static {
    /// Who works now.
    async fn workers(&self) -> Result<Vec<WorkerPresence>, StoreError>;

    /// Takes a worker off the board.
    async fn leave(&self, worker: &WorkerId) -> Result<(), StoreError>;
}
