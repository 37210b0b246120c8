//! From a page or a row that was read to the item it is.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};
use yarnnn_core::hash::Sha256;
use yarnnn_core::platform::{ContentType, Item};

use super::time::Times;

/// What was read of a page.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) title: Option<String>,
    pub(super) times: Times,
    pub(super) content: String,
}

/// Where a page or row stands and what it is called there.
#[derive(Debug)]
pub(super) struct Place<'export> {
    pub(super) item_id: String,
    /// The title in the file's name, for pages that state none.
    pub(super) title: String,
    pub(super) path: &'export str,
    pub(super) parent: Option<&'export Parent>,
    /// When the archive says the file was written.
    pub(super) modified: Option<DateTime<Utc>>,
    /// None for rows that have no page of their own.
    pub(super) has_address: bool,
}

/// What a page is inside of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Parent {
    Page(String),
    Database(String),
}

/// The item. A page with nothing but a title keeps the title as its content, because that is what it says.
pub(super) fn item(place: Place<'_>, page: Page, revision: Sha256) -> Item {
    let metadata = metadata(&place, &page);
    let title = page.title.unwrap_or(place.title);
    Item {
        item_id: place.item_id,
        content_type: ContentType::Page,
        content_hash: revision,
        content: if page.content.is_empty() { title.clone() } else { page.content },
        title: Some(title),
        author: None,
        is_user_authored: false,
        source_timestamp: page.times.best().or(place.modified),
        metadata,
        records: 1,
    }
}

fn metadata(place: &Place<'_>, page: &Page) -> Value {
    let mut metadata = Map::new();
    if place.has_address {
        // Notion finds a page by these digits alone; exports do not state addresses.
        metadata.insert("url".into(), json!(format!("https://www.notion.so/{}", place.item_id.replace('-', ""))));
    }
    if let Some(edited) = page.times.edited {
        metadata.insert("last_edited".into(), json!(edited.to_rfc3339_opts(SecondsFormat::Secs, true)));
    }
    match place.parent {
        Some(Parent::Database(id)) => metadata.insert("parent_database".into(), json!(id)),
        Some(Parent::Page(id)) => metadata.insert("parent_page".into(), json!(id)),
        None => None,
    };
    metadata.insert("path".into(), json!(place.path));
    Value::Object(metadata)
}
