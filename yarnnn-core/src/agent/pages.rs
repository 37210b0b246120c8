//! The port of the pages that research sessions read: kept with the version, so that its sentences can be bound to them and
//! checked later.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::error::StoreError;
use crate::id::{ContentId, UserId, VersionId};

/// A page that was read for a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewWebPage {
    /// What evidence calls it; unused when the version has a page of this address already.
    pub id: ContentId,
    /// Where it was found in the end.
    pub url: String,
    /// Its title.
    pub title: String,
    /// Its text.
    pub content: String,
    /// When it was read.
    pub fetched_at: DateTime<Utc>,
}

/// A page as stored. It never changes: its digest is what evidence calls its revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredWebPage {
    /// What evidence calls it.
    pub id: ContentId,
    /// The version that it was read for.
    pub version: VersionId,
    /// Where it was found.
    pub url: String,
    /// Its title.
    pub title: String,
    /// Its text: what sentences are bound to.
    pub content: String,
    /// When it was read.
    pub fetched_at: DateTime<Utc>,
}

/// Pages of the web that versions were written from.
///
/// # Contract
/// - `keep` adds pages to a version of the user, all or none. A version has one page of an address: the one that was kept first
///   stays as it is, with its id. Whoever binds sentences reads back what was kept.
/// - `find` and `of_version` are ordered by id. Pages of other users are not found. A version takes its pages along.
///
/// # Errors
/// `NotFound` when the version is not the user's, `Conflict` for an id that is taken, `Unavailable`, `Corrupt`.
///
/// # Concurrency
/// Of pages of one address that are kept at once, one stays.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait WebPages: Send + Sync + 'static {
    /// Keeps pages for a version.
    async fn keep(&self, user: UserId, version: VersionId, pages: Vec<NewWebPage>, at: DateTime<Utc>) -> Result<(), StoreError>;

    /// The pages with these ids.
    async fn find(&self, user: UserId, ids: &[ContentId]) -> Result<Vec<StoredWebPage>, StoreError>;

    /// The pages of a version.
    async fn of_version(&self, user: UserId, version: VersionId) -> Result<Vec<StoredWebPage>, StoreError>;
}
