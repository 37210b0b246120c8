//! Keeping leases alive: from a thread, a runtime and a connection that no job can block.

use async_trait::async_trait;

use super::{WorkerId, WorkerPresence};
use crate::error::StoreError;
use crate::id::{JobId, RunToken};

/// What became of one lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewed {
    /// It holds for as long again as was claimed.
    Held,
    /// It holds, and the job was asked to stop.
    CancelRequested,
    /// Someone is writing to the job just now: it was held, and was not renewed. To be asked again.
    Unanswered,
    /// It is someone else's, or nobody's: stop, and change nothing.
    Lost,
}

/// Opens a keeper. Called on the keeper's own thread and runtime, so that nothing it uses is shared with the jobs.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait OpenLeaseKeeper: Send + Sync + 'static {
    /// A keeper with a connection of its own.
    async fn open(&self) -> Result<Box<dyn LeaseKeeper>, StoreError>;
}

/// Renews leases and shows that the worker lives.
///
/// # Contract
/// - `renew` answers one entry per lease, in the order given; only a running job with this token and worker is renewed.
/// - `beat` makes the worker known, or known again, from now on.
///
/// # Errors
/// `Unavailable`: the caller goes on trying, and stops its jobs when their leases have ended by its own clock.
///
/// # Concurrency
/// One caller.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait LeaseKeeper: Send + 'static {
    /// Renews leases.
    async fn renew(&mut self, worker: &WorkerId, leases: &[(JobId, RunToken)]) -> Result<Vec<Renewed>, StoreError>;

    /// Says that the worker lives, and what it does.
    async fn beat(&mut self, presence: &WorkerPresence) -> Result<(), StoreError>;
}
