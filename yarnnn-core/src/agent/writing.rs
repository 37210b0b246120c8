//! The world of a writing session: the stores, of which it shows only what reads, and only what belongs to one user.

use std::cmp::Reverse;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

use super::library::{Entity, Library, Pattern, PlatformView, SystemState};
use super::reference::{EntityKind, Identifier, Reference};
use super::shown::Shown;
use super::sight::Sight;
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

/// What the tools of one writing session see. User and scope are fixed when it opens: no tool can name another one.
pub struct WritingWorld {
    means: WritingMeans,
    user: UserId,
    at: DateTime<Utc>,
    as_of: DateTime<Utc>,
    sight: Sight,
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
        Self { means, user: task.account.user, at: task.at, as_of: task.as_of, sight: Sight::of(task), shown }
    }

    /// The instant as of which the state is told.
    pub const fn as_of(&self) -> DateTime<Utc> {
        self.as_of
    }

    /// Items by id, in the order of the ids; what is not there, expired, withdrawn, another user's or out of sight is left out.
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
        let resources = self.resources(platform).await?.into_iter();
        let (calendars, others): (Vec<_>, Vec<_>) = resources.partition(|it| it.platform() == Platform::Calendar);
        let (events, written) = self.sight.stretches();
        let mut found = Vec::new();
        for (resources, within) in [(others, written), (calendars, events)] {
            // No resource at all would mean every one.
            if !resources.is_empty() {
                let query = ContentQuery { user: self.user, resources, within: Some(within), at: self.at, limit };
                found.extend(self.means.content.query(&query).await?);
            }
        }
        found.retain(|it| self.is_readable(it));
        found.sort_by_key(|it| Reverse(it.source_timestamp));
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(found)
    }

    /// Items by their words, best first.
    ///
    /// # Errors
    /// Those of the index.
    pub async fn search(&self, words: &str, platform: Option<Platform>, limit: u32) -> Result<Vec<SearchHit>, StoreError> {
        let resources = self.sight.scope().unwrap_or_default().to_vec();
        // No resource at all would mean every one.
        if self.sight.scope().is_some() && resources.is_empty() {
            return Ok(Vec::new());
        }
        let mut query = SearchQuery {
            user: self.user,
            text: words.to_owned(),
            platforms: platform.into_iter().collect(),
            resources,
            author: None,
            within: None,
            at: self.at,
            limit,
        };
        let mut hits = self.means.search.search(&query).await?;
        let is_seen = |it: &SearchHit| self.sight.shows(&it.resource, it.timestamp);
        if !hits.iter().all(is_seen) {
            // What is later must not crowd out what is seen. Only a search of all times finds what is undated.
            query.within = Some(self.sight.whole_stretch());
            hits = self.means.search.search(&query).await?;
            hits.retain(is_seen);
        }
        Ok(hits)
    }

    /// What is not content, by reference.
    ///
    /// # Errors
    /// Those of the library.
    pub async fn entity(&self, reference: &Reference) -> Result<Option<Entity>, StoreError> {
        let Some(reference) = self.sight.allowed(reference) else { return Ok(None) };
        Ok(self.means.library.read(self.user, &reference).await?.and_then(|it| self.sight.narrow(it)))
    }

    /// What is not content, by pattern.
    ///
    /// # Errors
    /// Those of the library.
    pub async fn entities(&self, pattern: &Pattern) -> Result<Vec<Entity>, StoreError> {
        if self.sight.scope().is_none() {
            return self.means.library.list(self.user, pattern).await;
        }
        // What is out of sight takes no room.
        let whole = Pattern { limit: usize::MAX, ..pattern.clone() };
        let mut seen = Vec::new();
        for entity in self.means.library.list(self.user, &whole).await? {
            seen.extend(self.in_short(entity).await?);
        }
        seen.truncate(pattern.limit);
        Ok(seen)
    }

    /// How sync, jobs and the scheduler stood at the instant of the run.
    ///
    /// # Errors
    /// Those of the library.
    pub async fn state(&self) -> Result<SystemState, StoreError> {
        Ok(self.sight.narrow_state(self.means.library.state(self.user, self.as_of).await?))
    }

    /// How an item is cited: the same from now on.
    pub fn cite(&self, item: &StoredItem) -> String {
        self.shown().cite(item)
    }

    /// The item that is cited like this, if one is.
    pub fn cited(&self, reference: &str) -> Option<ContentId> {
        self.shown().item(reference)
    }

    /// The resources that are seen, of one platform or of all.
    async fn resources(&self, platform: Option<Platform>) -> Result<Vec<ResourceId>, StoreError> {
        let mut resources = match self.sight.scope() {
            Some(scope) => scope.to_vec(),
            None => self.means.content.coverage(self.user, &[]).await?.into_iter().map(|it| it.resource).collect(),
        };
        resources.retain(|it| platform.is_none_or(|wanted| it.platform() == wanted));
        Ok(resources)
    }

    /// What may be shown of an entry of a list. What a platform adds up is counted over its resources, which lists leave out.
    async fn in_short(&self, entity: Entity) -> Result<Option<Entity>, StoreError> {
        let Entity::Platform(view) = entity else { return Ok(self.sight.narrow(entity)) };
        let identifier = Identifier::Named(view.platform.as_str().to_owned());
        let reference = Reference { kind: EntityKind::Platform, identifier, path: Vec::new(), filters: Vec::new() };
        Ok(self.entity(&reference).await?.map(|it| match it {
            Entity::Platform(view) => Entity::Platform(PlatformView { resources: Vec::new(), ..view }),
            other @ Entity::Deliverable(_) => other,
        }))
    }

    fn is_readable(&self, item: &StoredItem) -> bool {
        let has_expired = !item.retained && item.expires_at.is_some_and(|it| it < self.at);
        item.withdrawn_at.is_none() && !has_expired && self.sight.shows_item(item)
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
