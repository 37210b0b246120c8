//! Full text over the store.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::error::StoreError;
use crate::id::{ContentId, UserId};
use crate::platform::{Interval, Platform, ResourceId};

/// What to look for.
#[derive(Debug, Clone)]
pub struct SearchQuery {
    /// Whose content.
    pub user: UserId,
    /// Words; all must occur, in any order and inflection. Nothing in it is an operator.
    pub text: String,
    /// Only these platforms; empty for all.
    pub platforms: Vec<Platform>,
    /// Only these resources; empty for all.
    pub resources: Vec<ResourceId>,
    /// Only authors whose name contains this, whatever the case.
    pub author: Option<String>,
    /// Only items with a `source_timestamp` inside.
    pub within: Option<Interval>,
    /// Now: what has expired is not found.
    pub at: DateTime<Utc>,
    /// At most this many.
    pub limit: u32,
}

/// One found item.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchHit {
    /// Row id.
    pub id: ContentId,
    /// Which resource.
    pub resource: ResourceId,
    /// Its name for people.
    pub resource_name: String,
    /// Subject or title.
    pub title: Option<String>,
    /// Who wrote it.
    pub author: Option<String>,
    /// When.
    pub timestamp: Option<DateTime<Utc>>,
    /// The place where it matches, found words between `⟦` and `⟧`.
    pub snippet: String,
    /// Higher is better; comparable only within one answer.
    pub score: f64,
}

/// Finds stored items by their words.
///
/// # Contract
/// - Finds current, unexpired, not withdrawn items of the user in which every word occurs (title, text or author); English
///   inflections meet. Words need not stand together.
/// - Text of any kind is accepted: quotes, operators and punctuation have no meaning. Without a single word, nothing is found.
/// - Best first; the set does not depend on the back-end, the order among equals may.
///
/// # Errors
/// `Unavailable` or `Corrupt`.
///
/// # Concurrency
/// Any number of readers beside a writer; what has been committed is found.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait SearchIndex: Send + Sync + 'static {
    /// Finds items.
    async fn search(&self, query: &SearchQuery) -> Result<Vec<SearchHit>, StoreError>;
}

/// Marks around a found word in a [`SearchHit::snippet`].
pub const MATCH_MARKS: (char, char) = ('⟦', '⟧');
