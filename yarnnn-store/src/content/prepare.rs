//! Makes the items of a page storable: cleaned, cut, and with instants that both databases can keep.

use chrono::{DateTime, Utc};
use serde_json::Value;
use yarnnn_core::hash::Sha256;
use yarnnn_core::id::ContentId;
use yarnnn_core::platform::{Author, ContentType};
use yarnnn_core::sync::{MAX_CONTENT_CHARS, NewItem};

use crate::text::{cleaned, cleaned_json, cut, plausible};

/// An item as it will stand in its row.
#[derive(Debug, Clone)]
pub(crate) struct Revision {
    pub(crate) id: ContentId,
    pub(crate) item_id: String,
    pub(crate) content_type: ContentType,
    pub(crate) content_hash: Sha256,
    pub(crate) content: String,
    pub(crate) title: Option<String>,
    pub(crate) author: Option<Author>,
    pub(crate) is_user_authored: bool,
    pub(crate) source_timestamp: Option<DateTime<Utc>>,
    pub(crate) metadata: Value,
    pub(crate) records: u32,
}

/// The items of a page, storable.
pub(crate) fn revisions(items: Vec<NewItem>) -> Vec<Revision> {
    items.into_iter().map(revision).collect()
}

/// The ids of items that are gone, as they stand in their rows.
pub(crate) fn item_ids(gone: Vec<String>) -> Vec<String> {
    gone.into_iter().map(cleaned).collect()
}

fn revision(NewItem { id, item }: NewItem) -> Revision {
    Revision {
        id,
        item_id: cleaned(item.item_id),
        content_type: item.content_type,
        content_hash: item.content_hash,
        content: cleaned(cut(item.content, MAX_CONTENT_CHARS)),
        title: item.title.map(cleaned),
        author: item.author.map(|it| Author { name: cleaned(it.name), id: it.id.map(cleaned) }),
        is_user_authored: item.is_user_authored,
        source_timestamp: item.source_timestamp.and_then(plausible),
        metadata: cleaned_json(item.metadata),
        records: item.records,
    }
}
