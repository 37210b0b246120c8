//! Makes the items of a page storable: cleaned, cut, and with instants that both databases can keep.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use yarnnn_core::hash::Sha256;
use yarnnn_core::id::ContentId;
use yarnnn_core::jobs::NewJob;
use yarnnn_core::platform::{Author, ContentType};
use yarnnn_core::sync::{MAX_CONTENT_CHARS, NewItem, Origin, PageCommit, Progress, RunHandle};

use super::registry::Seen;
use crate::text::{cleaned, cleaned_json, cut, plausible};

/// A page as it will be stored, or kept aside until it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Page {
    pub(super) origin: Origin,
    pub(super) revisions: Vec<Revision>,
    /// Ids of items that were seen unchanged.
    pub(super) unchanged: Vec<String>,
    /// Ids of items that are gone.
    pub(super) gone: Vec<String>,
    pub(super) seen: Seen,
    pub(super) at: DateTime<Utc>,
}

/// An item as it will stand in its row.
#[derive(Debug, Clone, Serialize, Deserialize)]
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

/// Takes a commit apart: the page becomes storable, the rest stays as it is. An item that a page both saw unchanged and calls gone
/// is there.
pub(super) fn page(commit: PageCommit) -> (RunHandle, Page, Progress, Vec<NewJob>) {
    let PageCommit { run, origin, items, unchanged, gone, quarantined, covered, gaps, progress, follow_up, at } = commit;
    let unchanged = item_ids(unchanged);
    let there: BTreeSet<&String> = unchanged.iter().collect();
    let mut gone = item_ids(gone);
    gone.retain(|it| !there.contains(it));
    let revisions = items.into_iter().map(revision).collect();
    let seen = Seen { covered, gaps, quarantined };
    (run, Page { origin, revisions, unchanged, gone, seen, at }, progress, follow_up)
}

/// Ids of items, as they stand in their rows.
fn item_ids(ids: Vec<String>) -> Vec<String> {
    ids.into_iter().map(cleaned).collect()
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
