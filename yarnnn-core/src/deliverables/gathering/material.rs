//! What a report is written from: stored items and pages of the web, in one shape.

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::super::version::{MaterialRef, RunState};
use crate::agent::{StoredWebPage, UNANSWERED, marks_of, thread_of};
use crate::error::Error;
use crate::hash::Sha256;
use crate::id::{ContentId, UserId};
use crate::llm::Material;
use crate::sync::StoredItem;

/// How pages of the web are named where items have their platform.
pub(in crate::deliverables) const WEB: &str = "web";

/// Something that a report may stand on: one revision of one source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaterialItem {
    /// The stored row.
    pub id: ContentId,
    /// `slack`, `gmail`, `notion`, `calendar` or `web`.
    pub platform: String,
    /// Channel, label, page, calendar, or the address of a page of the web.
    pub place: String,
    /// Who wrote it.
    pub author: Option<String>,
    /// When it was written, or when the event starts.
    pub time: Option<DateTime<Utc>>,
    /// Subject or title.
    pub title: Option<String>,
    /// What it belongs to.
    pub thread: Option<String>,
    /// Marks computed from its metadata.
    pub marks: Vec<String>,
    /// The stored text.
    pub content: String,
}

/// What a version was written from, as it was then.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordedMaterial {
    /// What is left of it, by id. Pages of the web are kept by themselves, as they never change.
    pub items: Vec<MaterialItem>,
    /// When something of it was last taken back: gone at its source, or with the account that it came from.
    pub removed_at: Option<DateTime<Utc>>,
}

/// Reads material by its rows: from the stores, or from a capsule.
#[async_trait]
pub(in crate::deliverables) trait MaterialSource: Send + Sync {
    /// Those of the given rows that are there.
    async fn items(&self, user: UserId, ids: &[ContentId]) -> Result<Vec<MaterialItem>, Error>;
}

/// What a capsule holds.
#[async_trait]
impl MaterialSource for Vec<MaterialItem> {
    async fn items(&self, _user: UserId, ids: &[ContentId]) -> Result<Vec<MaterialItem>, Error> {
        Ok(self.iter().filter(|it| ids.contains(&it.id)).cloned().collect())
    }
}

impl From<&StoredItem> for MaterialItem {
    fn from(item: &StoredItem) -> Self {
        Self {
            id: item.id,
            platform: item.resource.platform().as_str().to_owned(),
            place: item.resource_name.clone(),
            author: item.author.as_ref().map(|it| it.name.clone()),
            time: item.source_timestamp,
            title: item.title.clone(),
            thread: thread_of(item),
            marks: marks_of(item),
            content: item.content.clone(),
        }
    }
}

impl From<&StoredWebPage> for MaterialItem {
    fn from(page: &StoredWebPage) -> Self {
        Self {
            id: page.id,
            platform: WEB.to_owned(),
            place: page.url.clone(),
            author: None,
            time: Some(page.fetched_at),
            title: Some(page.title.clone()).filter(|it| !it.is_empty()),
            thread: None,
            marks: vec![],
            content: page.content.clone(),
        }
    }
}

impl MaterialItem {
    /// Its revision: the digest of the stored text.
    pub(in crate::deliverables) fn revision(&self) -> Sha256 {
        Sha256::of(&self.content)
    }

    /// As a version keeps it under this reference.
    pub(in crate::deliverables) fn referred(&self, reference: impl Into<String>) -> MaterialRef {
        MaterialRef {
            reference: reference.into(),
            content_id: self.id,
            revision: self.revision(),
            changed: false,
            only_shown: false,
            unanswered: self.marks.iter().any(|it| it == UNANSWERED),
        }
    }

    /// As a model reads it.
    pub(in crate::deliverables) fn cited_as(&self, reference: &str, changed: bool) -> Material {
        let mut marks = self.marks.clone();
        marks.extend(changed.then(|| "changed".to_owned()));
        Material {
            reference: reference.to_owned(),
            content: Some(self.id),
            platform: self.platform.clone(),
            place: self.place.clone(),
            author: self.author.clone(),
            time: self.time,
            title: self.title.clone(),
            thread: self.thread.clone(),
            marks,
            text: self.content.clone(),
        }
    }
}

/// The gathered items by reference, in order. Only rows that still are the revision that was gathered are there: nothing else can
/// stand behind a statement.
pub(in crate::deliverables) fn standing<'a>(
    state: &'a RunState,
    items: &'a [MaterialItem],
) -> Vec<(&'a MaterialRef, &'a MaterialItem)> {
    let by_id: HashMap<_, _> = items.iter().map(|it| (it.id, it)).collect();
    let rows = state.all_material().filter_map(|it| by_id.get(&it.content_id).map(|item| (it, *item)));
    rows.filter(|(reference, item)| item.revision() == reference.revision).collect()
}
