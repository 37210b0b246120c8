//! The port of pages that research sessions have read: kept, so that sentences can be bound to them and checked later.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::error::StoreError;
use crate::id::{ContentId, UserId, VersionId};

/// A page to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewWebPage {
    /// Id of its row.
    pub id: ContentId,
    /// Where it was found.
    pub url: String,
    /// Its title.
    pub title: String,
    /// Its text.
    pub content: String,
    /// When it was read.
    pub fetched_at: DateTime<Utc>,
}

/// A page as kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredWebPage {
    /// Id of its row.
    pub id: ContentId,
    /// The version it was read for.
    pub version: VersionId,
    /// Where it was found.
    pub url: String,
    /// Its title.
    pub title: String,
    /// Its text.
    pub content: String,
    /// When it was read.
    pub fetched_at: DateTime<Utc>,
}

/// Pages that were read for versions.
///
/// # Contract
/// - `keep` stores the pages of a version in the given order; a page whose address the version has already is not stored again.
/// - `find` answers those that are there and belong to the user; `of_version` in the order in which they were kept.
/// - A page never changes, and goes with its version.
///
/// # Errors
/// `NotFound` for a version of another user, `Unavailable`, `Corrupt`.
///
/// # Concurrency
/// Any number of callers.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait WebPages: Send + Sync + 'static {
    /// Keeps pages.
    async fn keep(&self, user: UserId, version: VersionId, pages: Vec<NewWebPage>, at: DateTime<Utc>) -> Result<(), StoreError>;

    /// Pages by id.
    async fn find(&self, user: UserId, ids: &[ContentId]) -> Result<Vec<StoredWebPage>, StoreError>;

    /// The pages of a version.
    async fn of_version(&self, user: UserId, version: VersionId) -> Result<Vec<StoredWebPage>, StoreError>;
}
