//! From Notion's objects to resources and items.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use yarnnn_core::hash::Sha256;
use yarnnn_core::platform::{Author, ContentType, Gap, GapKind, Item, KnownItem, Platform, Resource, ResourceId, ResourceKind};

use super::blocks::{self, Body, Stop};
use super::calls::Calls;
use super::cursor::is_settled;
use super::limits::{MAX_BLOCKS, MAX_DEPTH};
use super::people::People;
use super::text::{Words, rich};
use super::wire::{Page, Table};
use super::{properties, wire};

const UNTITLED: &str = "Untitled";

/// A page or row without its blocks: what a list tells, small enough to be carried from page to page of a fetch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) id: String,
    pub(super) last_edited: DateTime<Utc>,
    /// When it was looked at, or a little before.
    looked: DateTime<Utc>,
    title: Words,
    properties: Words,
    shortened: Vec<String>,
    url: Option<String>,
    parent_page: Option<String>,
    author: Option<String>,
    author_name: Option<String>,
}

/// A page that was read, with what had to be left out.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) item: Item,
    pub(super) gap: Option<Gap>,
    pub(super) settled: bool,
}

impl Head {
    pub(super) fn of(page: &Page, looked: DateTime<Utc>) -> Self {
        let properties = properties::read(&page.properties);
        Self {
            id: page.id.clone(),
            last_edited: page.last_edited_time,
            looked,
            title: properties.title,
            properties: properties.lines,
            shortened: properties.shortened,
            url: page.url.clone(),
            parent_page: page.parent.page(),
            author: page.last_edited_by.as_ref().map(|it| it.id.clone()),
            author_name: page.last_edited_by.as_ref().and_then(|it| it.name.clone()),
        }
    }

    pub(super) fn title(&self) -> String {
        named(&self.title)
    }

    /// Whether what is stored is what Notion has: edited in the same minute, which was over when it was read.
    pub(super) fn is_stored_as(&self, known: &KnownItem) -> bool {
        let last_edited = known.metadata.get("last_edited").and_then(Value::as_str);
        let last_edited = last_edited.and_then(|it| DateTime::parse_from_rfc3339(it).ok());
        let settled = known.metadata.get("settled").and_then(Value::as_bool) == Some(true);
        settled && last_edited.is_some_and(|it| it == self.last_edited)
    }

    /// Reads the blocks and makes the item.
    pub(super) async fn read(self, calls: &Calls, people: &People, database: Option<&str>) -> Result<Read, Stop> {
        let body = blocks::read(calls, &self.id).await?;
        let author = self.author(calls, people).await;
        let is_user_authored = self.author.as_deref().is_some_and(|it| people.is_owner(it));
        Ok(self.with(&body, author, is_user_authored, database))
    }

    async fn author(&self, calls: &Calls, people: &People) -> Option<Author> {
        let id = self.author.as_deref()?;
        match &self.author_name {
            Some(name) => Some(Author { name: name.clone(), id: Some(id.to_owned()) }),
            None => people.author(calls, id).await,
        }
    }

    fn with(self, body: &Body, author: Option<Author>, is_user_authored: bool, database: Option<&str>) -> Read {
        let settled = is_settled(self.last_edited, self.looked) && !body.is_doubtful;
        let gap = self.gap(body);
        let between = if self.properties.is_empty() || body.words.is_empty() { "" } else { "\n\n" };
        let words = Words::join([&self.properties, &body.words], between);
        let title = self.title();
        let item = Item {
            content_type: ContentType::Page,
            content_hash: Sha256::of(format!("{}\n{}", self.title.raw, words.raw)),
            content: if words.is_empty() { title.clone() } else { words.shown },
            title: Some(title),
            author,
            is_user_authored,
            source_timestamp: Some(self.last_edited),
            metadata: self.metadata(body, settled, gap.as_ref(), database),
            records: 1,
            item_id: self.id,
        };
        Read { item, gap, settled }
    }

    fn metadata(&self, body: &Body, settled: bool, gap: Option<&Gap>, database: Option<&str>) -> Value {
        let mut metadata = Map::new();
        if let Some(url) = &self.url {
            metadata.insert("url".into(), json!(url));
        }
        metadata.insert("last_edited".into(), json!(told(self.last_edited)));
        metadata.insert("settled".into(), json!(settled));
        if let Some(database) = database {
            metadata.insert("parent_database".into(), json!(database));
        } else if let Some(page) = &self.parent_page {
            metadata.insert("parent_page".into(), json!(page));
        }
        if !body.unsupported.is_empty() {
            metadata.insert("unsupported".into(), json!(body.unsupported));
        }
        if let Some(gap) = gap {
            metadata.insert("gap".into(), json!(gap));
        }
        Value::Object(metadata)
    }

    /// What was left out of the page. A cut counts before what could not be read: it can be told in one sentence.
    fn gap(&self, body: &Body) -> Option<Gap> {
        let mut left_out = Vec::new();
        if body.is_cut {
            left_out.push(format!("only its first {MAX_BLOCKS} blocks, at most {MAX_DEPTH} deep, were read"));
        }
        if !self.shortened.is_empty() {
            left_out.push(format!("Notion may show only the first values of {}", self.shortened.join(", ")));
        }
        let kind = if left_out.is_empty() { GapKind::Unreadable } else { GapKind::Cap };
        if !body.unread.is_empty() {
            left_out.push(format!("nothing could be read inside of: {}", body.unread.join(", ")));
        }
        if body.hidden > 0 {
            left_out.push(format!("Notion does not show what is in {} of its blocks", body.hidden));
        }
        let reason = format!("notion page \"{}\": {}", self.title(), left_out.join("; "));
        let at = Some(self.last_edited);
        Some(Gap { kind, from: at, to: at, reason }).filter(|_| !left_out.is_empty())
    }
}

/// What a stored item says was left out of it.
pub(super) fn known_gap(known: &KnownItem) -> Option<Gap> {
    serde_json::from_value(known.metadata.get("gap")?.clone()).ok()
}

/// A page as a resource; none for rows and what is in the trash.
pub(super) fn page_resource(page: &Page) -> Option<Resource> {
    if page.is_trashed() || page.parent.is_table() {
        return None;
    }
    let metadata = resource_metadata(page.parent.kind(), Some(page.last_edited_time), page.url.as_deref());
    let title = properties::read(&page.properties).title;
    resource(&page.id, named(&title), ResourceKind::Page, metadata)
}

/// The database of a data source as a resource; none for what is in the trash.
///
/// # Errors
/// When it does not say of which database it is.
pub(super) fn table_resource(object: &str, table: &Table) -> Result<Option<Resource>, String> {
    if table.is_trashed() {
        return Ok(None);
    }
    let (id, parent) = if object == "database" {
        (Some(table.id.clone()), Some(&table.parent))
    } else {
        (table.parent.database(), table.database_parent.as_ref())
    };
    let id = id.ok_or_else(|| "a data source that names no database".to_owned())?;
    let parent_type = parent.map_or("workspace", wire::Parent::kind);
    let metadata = resource_metadata(parent_type, table.last_edited_time, table.url.as_deref());
    Ok(resource(&id, named(&rich(&table.title)), ResourceKind::Database, metadata))
}

fn resource(id: &str, name: String, kind: ResourceKind, metadata: Value) -> Option<Resource> {
    Some(Resource { id: ResourceId::new(Platform::Notion, id).ok()?, name, kind, metadata })
}

fn resource_metadata(parent_type: &str, last_edited: Option<DateTime<Utc>>, url: Option<&str>) -> Value {
    json!({"parent_type": parent_type, "last_edited": last_edited.map(told), "url": url})
}

pub(super) fn named(title: &Words) -> String {
    let shown = title.shown.trim();
    if shown.is_empty() { UNTITLED.to_owned() } else { shown.to_owned() }
}

fn told(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
