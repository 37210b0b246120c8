//! What the workspace holds, and the verbs with which a test changes it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use yarnnn_core::clock::Clock;

use super::authored;
use super::block::{Block, Content, RichText};
use super::model::{Capability, PageSnapshot, Place, Property, PropertyKind};
use super::state::{At, Body, Comment, NoSuchEntry, Schema, State, User};
use crate::Sample;

/// The ids of a database that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDatabase {
    /// The database.
    pub id: String,
    /// Its first data source, to which rows are added.
    pub data_source: String,
}

/// The workspace, as the people who work in it change it. All of it is shared with the integration until it is taken away.
///
/// Verbs that name something that is not there change nothing and say so.
#[derive(Debug)]
pub struct Notion {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

impl Notion {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Mutex::default() }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds the authored sample from now on, besides what is there.
    pub(crate) fn fill(&self, sample: &Sample) {
        let filled = authored::fill(&mut self.state(), sample, self.clock.now());
        filled.expect("the story tells of a page after the page it lies in");
    }

    /// The workspace's name.
    pub fn workspace_name(&self) -> String {
        self.state().workspace_name.clone()
    }

    /// Adds a member and gives the id.
    pub fn add_user(&self, name: &str, email: &str) -> String {
        let mut state = self.state();
        let id = state.next_id();
        state.users.push(User { id: id.clone(), name: name.to_owned(), email: email.to_owned() });
        id
    }

    /// Adds a page and gives its id.
    pub fn add_page(&self, place: Place<'_>, title: &str, blocks: Vec<Block>) -> Result<String, NoSuchEntry> {
        let mut state = self.state();
        let body = Body::Page { title: title.into(), properties: BTreeMap::new() };
        let id = state.next_id();
        let id = state.insert(id, parent(place), body, self.clock.now())?;
        state.insert_blocks(&id, blocks, At::End, self.clock.now())?;
        Ok(id)
    }

    /// Adds a database with one data source of the same name.
    pub fn add_database(
        &self,
        place: Place<'_>,
        title: &str,
        columns: &[(&str, PropertyKind)],
    ) -> Result<NewDatabase, NoSuchEntry> {
        let id = {
            let mut state = self.state();
            let id = state.next_id();
            state.insert(id, parent(place), Body::Database { title: title.into() }, self.clock.now())?
        };
        let data_source = self.add_data_source(&id, title, columns)?;
        Ok(NewDatabase { id, data_source })
    }

    /// Adds a further data source to a database and gives its id.
    pub fn add_data_source(&self, database: &str, title: &str, columns: &[(&str, PropertyKind)]) -> Result<String, NoSuchEntry> {
        let mut state = self.state();
        if !state.get(database).is_some_and(|it| matches!(it.body, Body::Database { .. })) {
            return Err(NoSuchEntry { what: "database", id: database.to_owned() });
        }
        let id = state.next_id();
        state.insert(id, Some(database), Body::DataSource { title: title.into(), schema: Schema::new(columns) }, self.clock.now())
    }

    /// Adds a row, which is a page, and gives its id. Values of columns that are not there are kept and never shown.
    pub fn add_row(
        &self,
        data_source: &str,
        title: &str,
        properties: &[(&str, Property)],
        blocks: Vec<Block>,
    ) -> Result<String, NoSuchEntry> {
        let mut state = self.state();
        if !state.get(data_source).is_some_and(|it| matches!(it.body, Body::DataSource { .. })) {
            return Err(NoSuchEntry { what: "data source", id: data_source.to_owned() });
        }
        let properties = properties.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let id = state.next_id();
        let id = state.insert(id, Some(data_source), Body::Page { title: title.into(), properties }, self.clock.now())?;
        state.insert_blocks(&id, blocks, At::End, self.clock.now())?;
        Ok(id)
    }

    /// Adds a block at the end of a page or of another block and gives its id.
    pub fn append_block(&self, parent: &str, block: Block) -> Result<String, NoSuchEntry> {
        let added = self.state().insert_blocks(parent, vec![block], At::End, self.clock.now())?;
        Ok(added.into_iter().next().unwrap_or_default())
    }

    /// Gives a block other words.
    pub fn edit_block(&self, id: &str, text: impl Into<RichText>) -> Result<(), NoSuchEntry> {
        self.state().replace_text(id, text.into(), self.clock.now())
    }

    /// Makes a block another one; what lies in it stays.
    pub fn replace_block(&self, id: &str, content: Content) -> Result<(), NoSuchEntry> {
        self.state().replace_content(id, content, self.clock.now())
    }

    /// Gives a page, row, database or data source another title.
    pub fn set_title(&self, id: &str, title: &str) -> Result<(), NoSuchEntry> {
        self.state().set_title(id, title.into(), self.clock.now())
    }

    /// Gives a row another value.
    pub fn set_property(&self, row: &str, name: &str, value: Property) -> Result<(), NoSuchEntry> {
        self.state().set_property(row, name, value, self.clock.now())
    }

    /// Moves a page, row, database or block with all that lies in it to the trash.
    pub fn trash(&self, id: &str) -> Result<(), NoSuchEntry> {
        self.state().set_trashed(id, true, self.clock.now())
    }

    /// Takes it out of the trash again.
    pub fn restore(&self, id: &str) -> Result<(), NoSuchEntry> {
        self.state().set_trashed(id, false, self.clock.now())
    }

    /// Takes a page or database with all that lies in it from the integration, to which it no longer exists. No time changes.
    pub fn unshare(&self, id: &str) -> Result<(), NoSuchEntry> {
        self.state().set_unshared(id, true)
    }

    /// Gives it back to the integration.
    pub fn share(&self, id: &str) -> Result<(), NoSuchEntry> {
        self.state().set_unshared(id, false)
    }

    /// Refuses the integration a capability.
    pub fn refuse(&self, capability: Capability) {
        self.state().refused.insert(capability);
    }

    /// Grants the integration a capability again.
    pub fn grant(&self, capability: Capability) {
        self.state().refused.remove(&capability);
    }

    /// Comments on a page or block in a new discussion and gives the comment's id.
    pub fn add_comment(&self, on: &str, by: &str, text: &str) -> Result<String, NoSuchEntry> {
        let mut state = self.state();
        if state.get(on).is_none() {
            return Err(NoSuchEntry { what: "page or block", id: on.to_owned() });
        }
        let (id, discussion) = (state.next_id(), state.next_id());
        let at = self.clock.now();
        state.comments.push(Comment { id: id.clone(), discussion, on: on.to_owned(), by: by.to_owned(), at, text: text.into() });
        Ok(id)
    }

    /// Says when a page, row or database, with the blocks in it, was made and last edited. For worlds with a past.
    pub fn set_times(&self, id: &str, created: DateTime<Utc>, edited: DateTime<Utc>) -> Result<(), NoSuchEntry> {
        self.state().set_times(id, created, edited)
    }

    /// The pages directly in a page, in order, as a perfect client holds them.
    pub fn pages_in(&self, id: &str) -> Vec<PageSnapshot> {
        let state = self.state();
        let mut all = state.snapshot();
        state.children(id).into_iter().filter_map(|it| all.remove(&it.id)).collect()
    }

    /// What a perfect client holds, by page id: every page and row that it may see and that is not in the trash.
    pub fn snapshot(&self) -> BTreeMap<String, PageSnapshot> {
        self.state().snapshot()
    }
}

fn parent(place: Place<'_>) -> Option<&str> {
    match place {
        Place::Workspace => None,
        Place::Inside(id) => Some(id),
    }
}
