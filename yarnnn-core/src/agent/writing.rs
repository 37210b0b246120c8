//! The world of a writing session: the stores, of which it shows only what reads, and only what belongs to one user.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

use super::library::{Entity, Library, Pattern, SystemState};
use super::reference::Reference;
use super::shown::Shown;
use super::task::AgentTask;
use crate::error::StoreError;
use crate::id::{ContentId, UserId};
use crate::platform::{Platform, ResourceId};
use crate::search::{SearchHit, SearchIndex, SearchQuery};
use crate::sync::{ContentQuery, ContentStore, StoredItem};

/// What writing sessions read from.
#[derive(Clone)]
pub struct WritingMeans {
    /// Synced content.
    pub content: Arc<dyn ContentStore>,
    /// Full text over it.
    pub search: Arc<dyn SearchIndex>,
    /// Everything else.
    pub library: Arc<dyn Library>,
}

impl fmt::Debug for WritingMeans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WritingMeans").finish_non_exhaustive()
    }
}

/// What the tools of one writing session see. The user is fixed when it opens: no tool can name another one.
pub struct WritingWorld {
    means: WritingMeans,
    user: UserId,
    at: DateTime<Utc>,
    shown: Mutex<Shown>,
}

impl fmt::Debug for WritingWorld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WritingWorld").field("user", &self.user).field("at", &self.at).finish_non_exhaustive()
    }
}

impl WritingWorld {
    pub(super) fn open(means: WritingMeans, task: &AgentTask) -> Self {
        let mut known = task.known.clone();
        let journaled = task.journal.iter().flat_map(|it| &it.material);
        known.extend(journaled.filter_map(|it| Some((it.content?, it.reference.clone()))));
        let shown = Mutex::new(Shown::new(&known, task.next_reference));
        Self { means, user: task.account.user, at: task.at, shown }
    }

    /// What the session takes for now.
    pub const fn at(&self) -> DateTime<Utc> {
        self.at
    }

    /// Items by id, in the order of the ids; what is not there, expired, withdrawn or another user's is left out.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn items(&self, ids: &[ContentId]) -> Result<Vec<StoredItem>, StoreError> {
        let mut rows = self.means.content.find(self.user, ids).await?;
        rows.retain(|it| self.is_readable(it));
        rows.sort_by_key(|it| ids.iter().position(|id| *id == it.id));
        Ok(rows)
    }

    /// The newest items, of one platform or of all.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn newest(&self, platform: Option<Platform>, limit: u32) -> Result<Vec<StoredItem>, StoreError> {
        let resources = match platform {
            Some(platform) => self.resources_of(platform).await?,
            None => Vec::new(),
        };
        if platform.is_some() && resources.is_empty() {
            return Ok(Vec::new());
        }
        let query = ContentQuery { user: self.user, resources, within: None, at: self.at, limit };
        self.means.content.query(&query).await
    }

    /// Items by their words, best first.
    ///
    /// # Errors
    /// Those of the index.
    pub async fn search(&self, words: &str, platform: Option<Platform>, limit: u32) -> Result<Vec<SearchHit>, StoreError> {
        let query = SearchQuery {
            user: self.user,
            text: words.to_owned(),
            platforms: platform.into_iter().collect(),
            resources: Vec::new(),
            author: None,
            within: None,
            at: self.at,
            limit,
        };
        self.means.search.search(&query).await
    }

    /// What is not content, by reference.
    ///
    /// # Errors
    /// Those of the library.
    pub async fn entity(&self, reference: &Reference) -> Result<Option<Entity>, StoreError> {
        self.means.library.read(self.user, reference).await
    }

    /// What is not content, by pattern.
    ///
    /// # Errors
    /// Those of the library.
    pub async fn entities(&self, pattern: &Pattern) -> Result<Vec<Entity>, StoreError> {
        self.means.library.list(self.user, pattern).await
    }

    /// How sync and jobs stand.
    ///
    /// # Errors
    /// Those of the library.
    pub async fn state(&self) -> Result<SystemState, StoreError> {
        self.means.library.state(self.user, self.at).await
    }

    /// How an item is cited: the same from now on.
    pub fn cite(&self, item: &StoredItem) -> String {
        self.shown().cite(item)
    }

    /// The item that is cited like this, if one is.
    pub fn cited(&self, reference: &str) -> Option<ContentId> {
        self.shown().item(reference)
    }
    async fn resources_of(&self, platform: Platform) -> Result<Vec<ResourceId>, StoreError> {
        let known = self.means.content.coverage(self.user, &[]).await?;
        Ok(known.into_iter().map(|it| it.resource).filter(|it| it.platform() == platform).collect())
    }

    fn is_readable(&self, item: &StoredItem) -> bool {
        let has_expired = !item.retained && item.expires_at.is_some_and(|it| it < self.at);
        item.withdrawn_at.is_none() && !has_expired
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
