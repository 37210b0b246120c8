//! The port of the heartbeat.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{AskNumbers, UserNumbers};
use crate::activity::NewActivity;
use crate::error::StoreError;
use crate::id::UserId;

/// Counts what was done for users, and tells them.
///
/// # Contract
/// - `numbers` answers the users for whom the tick did something, by id, each with what stands in rows of their own: a slot that it
///   fired, a report that signals called for since the tick before, expired items that it deleted.
/// - `tell` writes lines of users, each once under its key.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
///
/// # Concurrency
/// Any number of callers.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait HeartbeatStore: Send + Sync + 'static {
    /// Counts.
    async fn numbers(&self, ask: &AskNumbers) -> Result<Vec<UserNumbers>, StoreError>;

    /// Tells.
    async fn tell(&self, lines: Vec<(UserId, NewActivity)>, at: DateTime<Utc>) -> Result<(), StoreError>;
}
