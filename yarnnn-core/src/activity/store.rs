//! The port of the activity log.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::Activity;
use crate::error::StoreError;
use crate::id::{DeliverableId, UserId};

/// Reads the activity log.
///
/// # Contract
/// - Newest first; only the given user's lines; at most `limit`. Heartbeats are read apart.
/// - `deeds` leaves out too what was written before the given instant.
/// - `failures` are lines of runs of the user's deliverable that say an error: those that were given up.
///
/// # Errors
/// `Unavailable` or `Corrupt`.
///
/// # Concurrency
/// Any number of readers.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait ActivityLog: Send + Sync + 'static {
    /// The newest lines of a user that are no heartbeats.
    async fn recent(&self, user: UserId, limit: u32) -> Result<Vec<Activity>, StoreError>;

    /// The newest lines of a user that tell of more than that the scheduler has been round.
    async fn deeds(&self, user: UserId, since: DateTime<Utc>, limit: u32) -> Result<Vec<Activity>, StoreError>;

    /// The newest runs of a deliverable that were given up.
    async fn failures(&self, user: UserId, deliverable: DeliverableId, limit: u32) -> Result<Vec<Activity>, StoreError>;

    /// The newest heartbeats of a user.
    async fn heartbeats(&self, user: UserId, limit: u32) -> Result<Vec<Activity>, StoreError>;
}
