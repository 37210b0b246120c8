//! The workspace as a tree: pages, databases, data sources and blocks hang from one another; rows are pages below a data source.
//!
//! Pure: the instant of a change is an argument. Whether something lies in the trash, or is out of the integration's reach, follows
//! from what it hangs from.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};

use crate::sample::identifier;

use super::block::{Block, Content, RichText};
use super::model::{BlockSnapshot, Capability, PageSnapshot, Property, PropertyKind};

/// How deep the tree is followed; only synced blocks that show each other are deeper.
const DEEPEST: usize = 64;

/// What an entry is.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    Page { title: RichText, properties: BTreeMap<String, Property> },
    Database { title: RichText },
    DataSource { title: RichText, schema: Schema },
    Block(Content),
}

/// The columns of a data source.
#[derive(Debug, Clone)]
pub(crate) struct Schema {
    /// The name of the title column.
    pub(crate) title: String,
    pub(crate) columns: Vec<(String, PropertyKind)>,
}

impl Schema {
    pub(crate) fn new(columns: &[(&str, PropertyKind)]) -> Self {
        let columns = columns.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect();
        Self { title: "Name".to_owned(), columns }
    }

    pub(crate) fn kind(&self, name: &str) -> Option<PropertyKind> {
        self.columns.iter().find(|(it, _)| it == name).map(|(_, kind)| *kind)
    }
}

/// A node of the tree.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) id: String,
    /// What it hangs from; none at the top of the workspace.
    pub(crate) parent: Option<String>,
    pub(crate) children: Vec<String>,
    pub(crate) created: DateTime<Utc>,
    pub(crate) edited: DateTime<Utc>,
    /// Whether it was itself moved to the trash.
    pub(crate) trashed: bool,
    /// Whether it was itself taken from the integration.
    pub(crate) unshared: bool,
    pub(crate) body: Body,
}

impl Entry {
    pub(crate) fn is_page(&self) -> bool {
        matches!(self.body, Body::Page { .. })
    }

    pub(crate) fn title(&self) -> String {
        match &self.body {
            Body::Page { title, .. } | Body::Database { title } | Body::DataSource { title, .. } => title.plain(),
            Body::Block(_) => String::new(),
        }
    }

    /// The last edit to the minute, which is all that Notion tells of it.
    pub(crate) fn edited_minute(&self) -> DateTime<Utc> {
        minute(self.edited)
    }
}

/// The minute in which an instant lies.
pub(crate) fn minute(instant: DateTime<Utc>) -> DateTime<Utc> {
    instant.duration_trunc(TimeDelta::minutes(1)).unwrap_or(instant)
}

/// A member of the workspace.
#[derive(Debug, Clone)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) email: String,
}

/// A comment on a page or block.
#[derive(Debug, Clone)]
pub(crate) struct Comment {
    pub(crate) id: String,
    pub(crate) discussion: String,
    /// The page or block.
    pub(crate) on: String,
    /// The author: a user or the integration.
    pub(crate) by: String,
    pub(crate) at: DateTime<Utc>,
    pub(crate) text: RichText,
}

/// There is no such thing in the workspace, or it cannot have what was asked of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no {what} in the workspace has the id {id}")]
pub struct NoSuchEntry {
    /// What was looked for.
    pub what: &'static str,
    /// Under which id.
    pub id: String,
}

pub(crate) type Found<T> = Result<T, NoSuchEntry>;

/// The workspace.
#[derive(Debug)]
pub(crate) struct State {
    entries: BTreeMap<String, Entry>,
    /// What lies at the top, in order.
    roots: Vec<String>,
    pub(crate) users: Vec<User>,
    pub(crate) comments: Vec<Comment>,
    pub(crate) refused: BTreeSet<Capability>,
    pub(crate) workspace_name: String,
    pub(crate) integration_name: String,
    serial: u64,
    requests: u64,
}

impl Default for State {
    fn default() -> Self {
        Self {
            entries: BTreeMap::new(),
            roots: Vec::new(),
            users: Vec::new(),
            comments: Vec::new(),
            refused: BTreeSet::new(),
            workspace_name: "Simulated workspace".to_owned(),
            integration_name: "yarnnn-sim".to_owned(),
            serial: 0,
            requests: 0,
        }
    }
}

/// An id in Notion's shape that belongs to a key for ever.
pub(crate) fn id_of(key: &str) -> String {
    identifier::grouped("notion", key)
}

/// The id of the integration's user.
pub(crate) fn bot_id() -> String {
    id_of("bot")
}

/// Where new blocks go among the blocks that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum At<'a> {
    Start,
    End,
    After(&'a str),
}

impl State {
    /// An id that was not given before.
    pub(crate) fn next_id(&mut self) -> String {
        self.serial += 1;
        id_of(&format!("serial {}", self.serial))
    }

    /// The id of a request. Counted apart, so that the ids of what is made do not depend on who asked in between.
    pub(crate) fn next_request_id(&mut self) -> String {
        self.requests += 1;
        id_of(&format!("request {}", self.requests))
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Entry> {
        self.entries.get(id)
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    fn entry_mut(&mut self, what: &'static str, id: &str) -> Found<&mut Entry> {
        self.entries.get_mut(id).ok_or_else(|| NoSuchEntry { what, id: id.to_owned() })
    }

    /// The entry and all it hangs from, nearest first.
    pub(crate) fn lineage<'a>(&'a self, id: &str) -> impl Iterator<Item = &'a Entry> {
        std::iter::successors(self.get(id), |it| it.parent.as_deref().and_then(|parent| self.get(parent)))
    }

    /// Whether the integration may see it.
    pub(crate) fn is_shared(&self, id: &str) -> bool {
        self.get(id).is_some() && self.lineage(id).all(|it| !it.unshared)
    }

    /// Whether it, or something it hangs from, lies in the trash.
    pub(crate) fn in_trash(&self, id: &str) -> bool {
        self.lineage(id).any(|it| it.trashed)
    }

    /// What lies in an entry and not in the trash. A synced copy shows what lies in its original.
    pub(crate) fn children(&self, id: &str) -> Vec<&Entry> {
        let source = match self.get(id).map(|it| &it.body) {
            Some(Body::Block(Content::SyncedBlock { from: Some(original) }))
                if self.is_shared(original) && !self.in_trash(original) =>
            {
                original
            }
            _ => id,
        };
        let listed = self.get(source).map(|it| it.children.as_slice()).unwrap_or_default();
        listed.iter().filter_map(|child| self.get(child)).filter(|it| !it.trashed && !it.unshared).collect()
    }

    /// The schema that a row follows.
    pub(crate) fn schema_of(&self, page: &Entry) -> Option<&Schema> {
        match self.get(page.parent.as_deref()?).map(|it| &it.body) {
            Some(Body::DataSource { schema, .. }) => Some(schema),
            _ => None,
        }
    }

    /// Hangs a new entry below another one, last.
    pub(crate) fn insert(&mut self, id: String, parent: Option<&str>, body: Body, now: DateTime<Utc>) -> Found<String> {
        match parent {
            Some(parent) => self.entry_mut("parent", parent)?.children.push(id.clone()),
            None => self.roots.push(id.clone()),
        }
        let parent = parent.map(str::to_owned);
        let entry = Entry {
            id: id.clone(),
            parent,
            children: Vec::new(),
            created: now,
            edited: now,
            trashed: false,
            unshared: false,
            body,
        };
        self.entries.insert(id.clone(), entry);
        self.touch_parent(&id, now);
        Ok(id)
    }

    /// Adds blocks; gives the ids of the uppermost ones.
    pub(crate) fn insert_blocks(
        &mut self,
        parent: &str,
        blocks: Vec<Block>,
        at: At<'_>,
        now: DateTime<Utc>,
    ) -> Found<Vec<String>> {
        let mut added = Vec::new();
        for block in blocks {
            let id = self.next_id();
            self.insert(id.clone(), Some(parent), Body::Block(block.content), now)?;
            self.insert_blocks(&id, block.children, At::End, now)?;
            added.push(id);
        }
        let siblings = &mut self.entry_mut("parent", parent)?.children;
        let old = siblings.len().saturating_sub(added.len());
        let place = match at {
            At::Start => 0,
            At::End => old,
            At::After(block) => siblings.iter().position(|it| it == block).map_or(old, |it| it + 1),
        };
        if let Some(moved) = siblings.get_mut(place..) {
            moved.rotate_right(added.len().min(moved.len()));
        }
        Ok(added)
    }

    /// Notes an edit on an entry and, for a block, on the page it lies in. Other blocks between them keep their times.
    pub(crate) fn touch(&mut self, id: &str, now: DateTime<Utc>) {
        let page = self.lineage(id).find(|it| !matches!(it.body, Body::Block(_))).map(|it| it.id.clone());
        for id in [Some(id.to_owned()), page].into_iter().flatten() {
            if let Some(entry) = self.entries.get_mut(&id) {
                entry.edited = now;
            }
        }
    }

    /// Notes on a page that something in it came or went. A data source does not change with its rows: whoever waits for that
    /// must query.
    fn touch_parent(&mut self, id: &str, now: DateTime<Utc>) {
        let Some(parent) = self.get(id).and_then(|it| it.parent.clone()) else { return };
        let page = self.lineage(&parent).find(|it| !matches!(it.body, Body::Block(_)));
        if let Some(page) = page.filter(|it| it.is_page()).map(|it| it.id.clone()) {
            self.touch(&page, now);
        }
    }

    /// Gives a block other content.
    pub(crate) fn replace_content(&mut self, id: &str, content: Content, now: DateTime<Utc>) -> Found<()> {
        let missing = || NoSuchEntry { what: "block", id: id.to_owned() };
        match &mut self.entry_mut("block", id)?.body {
            Body::Block(place) => *place = content,
            _ => return Err(missing()),
        }
        self.touch(id, now);
        Ok(())
    }

    /// Gives a block other words.
    pub(crate) fn replace_text(&mut self, id: &str, text: RichText, now: DateTime<Utc>) -> Found<()> {
        let missing = || NoSuchEntry { what: "block with words", id: id.to_owned() };
        match &mut self.entry_mut("block", id)?.body {
            Body::Block(content) => *content.rich_text_mut().ok_or_else(missing)? = text,
            _ => return Err(missing()),
        }
        self.touch(id, now);
        Ok(())
    }

    /// Gives a page, database or data source another title.
    pub(crate) fn set_title(&mut self, id: &str, new: RichText, now: DateTime<Utc>) -> Found<()> {
        match &mut self.entry_mut("page", id)?.body {
            Body::Page { title, .. } | Body::Database { title } | Body::DataSource { title, .. } => *title = new,
            Body::Block(_) => return Err(NoSuchEntry { what: "page", id: id.to_owned() }),
        }
        self.touch(id, now);
        Ok(())
    }

    /// Gives a row another value.
    pub(crate) fn set_property(&mut self, id: &str, name: &str, value: Property, now: DateTime<Utc>) -> Found<()> {
        match &mut self.entry_mut("row", id)?.body {
            Body::Page { properties, .. } => properties.insert(name.to_owned(), value),
            _ => return Err(NoSuchEntry { what: "row", id: id.to_owned() }),
        };
        self.touch(id, now);
        Ok(())
    }

    /// Moves an entry to the trash or back.
    pub(crate) fn set_trashed(&mut self, id: &str, trashed: bool, now: DateTime<Utc>) -> Found<()> {
        self.entry_mut("entry", id)?.trashed = trashed;
        self.touch(id, now);
        self.touch_parent(id, now);
        Ok(())
    }

    /// Takes a page with all that lies in it from the integration, or gives it back. No edit: times stay.
    pub(crate) fn set_unshared(&mut self, id: &str, unshared: bool) -> Found<()> {
        self.entry_mut("page", id)?.unshared = unshared;
        Ok(())
    }

    /// Says when an entry and the blocks in it were made and edited, for a world that did not come into being step by step.
    pub(crate) fn set_times(&mut self, id: &str, created: DateTime<Utc>, edited: DateTime<Utc>) -> Found<()> {
        let entry = self.entry_mut("entry", id)?;
        (entry.created, entry.edited) = (created, edited);
        let children = entry.children.clone();
        for child in children {
            if self.get(&child).is_some_and(|it| matches!(it.body, Body::Block(_))) {
                self.set_times(&child, created, edited)?;
            }
        }
        Ok(())
    }

    /// What a perfect client holds: every page and row that it may see and that is not in the trash.
    pub(crate) fn snapshot(&self) -> BTreeMap<String, PageSnapshot> {
        let pages = self.entries().filter(|it| it.is_page() && self.is_shared(&it.id) && !self.in_trash(&it.id));
        pages.map(|page| (page.id.clone(), self.page_snapshot(page))).collect()
    }

    fn page_snapshot(&self, page: &Entry) -> PageSnapshot {
        let mut blocks = Vec::new();
        self.collect(&page.id, 1, &mut blocks);
        let source = self.schema_of(page).and(page.parent.clone());
        let row_of = source.and_then(|source| Some((self.get(&source)?.parent.clone()?, source)));
        let title = Some(page.title()).filter(|it| !it.is_empty()).unwrap_or_else(|| "Untitled".to_owned());
        PageSnapshot { id: page.id.clone(), title, row_of, blocks, last_edited: page.edited_minute() }
    }

    fn collect(&self, id: &str, depth: usize, found: &mut Vec<BlockSnapshot>) {
        for child in self.children(id) {
            let Body::Block(content) = &child.body else { continue };
            let kind = content.kind().to_owned();
            found.push(BlockSnapshot { id: child.id.clone(), kind, depth, text: content.reading() });
            if depth < DEEPEST && !content.is_unsupported() {
                self.collect(&child.id, depth + 1, found);
            }
        }
    }
}
