//! The port of what expires.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Clean, TidySignals};
use crate::error::StoreError;
use crate::id::UserId;

/// Deletes what has expired.
///
/// # Contract
/// - `owners` are those who have content that expired before an instant and that nothing retains, by id, after the given one.
/// - `clean` deletes all of it of one user, and writes the line about it if there was any: both, or neither.
/// - `forget_sign_ins` deletes sign-ins that were begun at an instant or before.
/// - `tidy_signals` ends passes that were left open as failed, each in one transaction with its line, and deletes what is known of old
///   passes, of what signals acted upon, and of events. A pass that is open is never deleted.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
///
/// # Concurrency
/// Any number of callers; what several delete is counted by one.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Retention: Send + Sync + 'static {
    /// Who has something to be deleted.
    async fn owners(&self, before: DateTime<Utc>, after: Option<UserId>, limit: u32) -> Result<Vec<UserId>, StoreError>;

    /// Deletes it; answers how many rows.
    async fn clean(&self, clean: Clean) -> Result<u64, StoreError>;

    /// Deletes sign-ins; answers how many.
    async fn forget_sign_ins(&self, before: DateTime<Utc>) -> Result<u64, StoreError>;

    /// Ends and deletes what signals and events left behind; answers how many rows.
    async fn tidy_signals(&self, tidy: TidySignals) -> Result<u64, StoreError>;
}
