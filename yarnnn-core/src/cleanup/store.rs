//! The port of what expires.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Clean, Old};
use crate::error::StoreError;
use crate::id::{PassId, UserId};

/// A place among passes: when one was begun, and its id.
pub type PassPlace = (DateTime<Utc>, PassId);

/// What came of ending some passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndedPasses {
    /// How many ended.
    pub ended: u64,
    /// The place after which there may be more; none after the last.
    pub next: Option<PassPlace>,
}

/// Deletes what has expired.
///
/// # Contract
/// - `owners` are those who have content that expired before an instant and that nothing retains, by id, after the given one.
/// - `clean` deletes so much of it of one user, what expired first going first, and adds what it deleted to the line under the key: both,
///   or neither. However many calls have one key, there is one line, and it tells of all of them.
/// - `end_passes` ends so many passes that were begun before an instant and left open, by their beginning and then by id, after the given
///   place: as failed, each in one transaction with its line. One that cannot be read ends without; one that cannot be ended is passed
///   over, and counts among the many.
/// - `forget` deletes so much of what is older than an instant. A pass that is open is never deleted, nor the newest slot of a
///   deliverable, nor a notice that waits to be sent, or of a version that may still be gone on with: nobody is told twice.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
///
/// # Concurrency
/// Any number of callers; what several delete is counted by one. Of several at once one may find less than there is.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Retention: Send + Sync + 'static {
    /// Who has something to be deleted.
    async fn owners(&self, before: DateTime<Utc>, after: Option<UserId>, limit: u32) -> Result<Vec<UserId>, StoreError>;

    /// Deletes some of it, in one transaction; answers how many rows. Less than the limit: there is no more.
    async fn clean(&self, clean: Clean) -> Result<u64, StoreError>;

    /// Ends some of the passes that nobody is at any more.
    async fn end_passes(
        &self,
        before: DateTime<Utc>,
        at: DateTime<Utc>,
        after: Option<PassPlace>,
        limit: u32,
    ) -> Result<EndedPasses, StoreError>;

    /// Deletes some of what is old, in one transaction; answers how many rows. Less than the limit: there is no more.
    async fn forget(&self, old: Old, before: DateTime<Utc>, limit: u32) -> Result<u64, StoreError>;
}
