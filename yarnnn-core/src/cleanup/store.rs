//! The port of what expires.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Clean, Old};
use crate::error::StoreError;
use crate::id::UserId;

/// Deletes what has expired.
///
/// # Contract
/// - `owners` are those who have content that expired before an instant and that nothing retains, by id, after the given one.
/// - `clean` deletes so much of it of one user, what expired first going first, and adds what it deleted to the line under the key: both,
///   or neither. However many calls have one key, there is one line, and it tells of all of them.
/// - `end_passes` ends passes that were begun before an instant and left open as failed, each in one transaction with its line. One that
///   cannot be read ends without; one that cannot be ended keeps nobody else from being.
/// - `forget` deletes so much of what is older than an instant. A pass that is open is never deleted, nor the newest slot of a
///   deliverable, nor the notice of a version that may still be gone on with: nobody is told twice.
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

    /// Ends passes that nobody is at any more; answers how many.
    async fn end_passes(&self, before: DateTime<Utc>, at: DateTime<Utc>) -> Result<u64, StoreError>;

    /// Deletes some of what is old, in one transaction; answers how many rows. Less than the limit: there is no more.
    async fn forget(&self, old: Old, before: DateTime<Utc>, limit: u32) -> Result<u64, StoreError>;
}
