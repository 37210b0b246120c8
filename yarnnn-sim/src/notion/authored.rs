//! The authored sample as a Notion workspace: the same pages, rows, ids and words as in its export.
//!
//! An export of Notion's says nothing of who made a page and when; here a page was made when it was last edited.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::block::{RichText, Span};
use super::markdown;
use super::model::{Property, PropertyKind};
use super::state::{At, Body, Found, Schema, State, User};
use crate::sample::Sample;
use crate::sample::identifier;
use crate::sample::model::{Database, Page, Row};
use crate::sample::moment::Timeline;
use crate::sample::template::Voice;

/// Stands before and after a mention while the Markdown around it is read; no author writes it.
const MARK: char = '\u{1}';

/// Fills an empty workspace with the sample's.
pub(crate) fn fill(state: &mut State, sample: &Sample, now: DateTime<Utc>) -> Found<()> {
    let filling = Filling { sample, timeline: Timeline::new(now, sample.time_zone()) };
    sample.company().clone_into(&mut state.workspace_name);
    let user = |it: &crate::Person| User { id: user_id(&it.key), name: it.name.clone(), email: it.email.clone() };
    state.users = sample.people().iter().map(user).collect();
    for page in &sample.workspace.pages {
        filling.page(state, page)?;
    }
    for database in &sample.workspace.databases {
        filling.database(state, database)?;
    }
    filling.times(state)
}

fn user_id(key: &str) -> String {
    identifier::grouped("notion user", key)
}

fn page_id(key: &str) -> String {
    identifier::grouped("notion", key)
}

struct Filling<'a> {
    sample: &'a Sample,
    timeline: Timeline,
}

impl Filling<'_> {
    fn page(&self, state: &mut State, page: &Page) -> Found<()> {
        let parent = page.parent.as_deref().map(page_id);
        let body = Body::Page { title: page.title.as_str().into(), properties: BTreeMap::new() };
        let id = state.insert(page_id(&page.key), parent.as_deref(), body, self.timeline.now())?;
        self.blocks(state, &id, &page.body.render(&self.timeline, &Marking))
    }

    fn database(&self, state: &mut State, database: &Database) -> Found<()> {
        let now = self.timeline.now();
        let parent = database.parent.as_deref().map(page_id);
        let title = RichText::from(database.title.as_str());
        let id = state.insert(page_id(&database.key), parent.as_deref(), Body::Database { title: title.clone() }, now)?;
        let schema = Schema::new(&[
            ("Status", PropertyKind::Status),
            ("Owner", PropertyKind::People),
            ("Priority", PropertyKind::Select),
            ("Due", PropertyKind::Date),
            ("Last edited time", PropertyKind::LastEditedTime),
        ]);
        let source = identifier::grouped("notion data source", &database.key);
        let source = state.insert(source, Some(&id), Body::DataSource { title, schema }, now)?;
        database.rows.iter().try_for_each(|row| self.row(state, &source, row))
    }

    fn row(&self, state: &mut State, source: &str, row: &Row) -> Found<()> {
        let due = self.timeline.date(row.due).to_string();
        let properties = BTreeMap::from([
            ("Status".to_owned(), Property::Status(row.status.clone())),
            ("Owner".to_owned(), Property::People(vec![user_id(&row.owner)])),
            ("Priority".to_owned(), Property::Select(row.priority.clone())),
            ("Due".to_owned(), Property::Date { start: due, end: None }),
        ]);
        let body = Body::Page { title: row.title.as_str().into(), properties };
        let id = state.insert(page_id(&row.key), Some(source), body, self.timeline.now())?;
        self.blocks(state, &id, &row.body.render(&self.timeline, &Marking))
    }

    fn blocks(&self, state: &mut State, id: &str, text: &str) -> Found<()> {
        let words = |text: &str| self.words(text);
        state.insert_blocks(id, markdown::blocks(text, &words), At::End, self.timeline.now()).map(drop)
    }

    /// Sets all times when everything is in place, because putting a page in its place edits the page around it.
    fn times(&self, state: &mut State) -> Found<()> {
        let workspace = &self.sample.workspace;
        let rows = || workspace.databases.iter().flat_map(|it| &it.rows);
        let pages = workspace.pages.iter().map(|it| (&it.key, it.edited));
        for (key, edited) in pages.chain(rows().map(|it| (&it.key, it.edited))) {
            let edited = self.timeline.instant(edited).to_utc();
            state.set_times(&page_id(key), edited, edited)?;
        }
        for database in &workspace.databases {
            let edited = database.rows.iter().map(|it| self.timeline.instant(it.edited).to_utc()).max();
            let edited = edited.unwrap_or_else(|| self.timeline.now());
            state.set_times(&page_id(&database.key), edited, edited)?;
            state.set_times(&identifier::grouped("notion data source", &database.key), edited, edited)?;
        }
        Ok(())
    }

    /// Words with the mentions in them. Between two marks stands a mention: its kind, then the key or the link.
    fn words(&self, text: &str) -> RichText {
        let span = |(index, part): (usize, &str)| {
            if index % 2 == 0 { (!part.is_empty()).then(|| Span::words(part)) } else { Some(self.mention(part)) }
        };
        RichText(text.split(MARK).enumerate().filter_map(span).collect())
    }

    fn mention(&self, part: &str) -> Span {
        let (kind, key) = part.split_once(' ').unwrap_or(("", part));
        match kind {
            "person" if self.sample.person(key).is_some() => {
                Span::Person { id: user_id(key), name: self.sample.name(key).to_owned() }
            }
            "person" => Span::words(format!("@{}", self.sample.name(key))),
            "page" => {
                let database = self.sample.page(key).is_none();
                Span::Page { id: page_id(key), title: self.sample.page_title(key).to_owned(), database }
            }
            _ => {
                let (url, label) = key.split_once(' ').unwrap_or((key, key));
                Span::Text { content: label.to_owned(), link: Some(url.to_owned()), bold: false, code: false }
            }
        }
    }
}

/// Marks what is a mention on Notion and only words in Markdown.
struct Marking;

impl Voice for Marking {
    fn person(&self, key: &str) -> String {
        format!("{MARK}person {key}{MARK}")
    }

    fn channel(&self, key: &str) -> String {
        format!("#{key}")
    }

    fn page(&self, key: &str) -> String {
        format!("{MARK}page {key}{MARK}")
    }

    fn link(&self, url: &str, label: &str) -> String {
        format!("{MARK}link {url} {label}{MARK}")
    }
}
