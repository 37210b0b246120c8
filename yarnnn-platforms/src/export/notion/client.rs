//! A Notion export as a platform client.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use yarnnn_core::hash::Sha256;
use yarnnn_core::platform::{
    Budget, Fetch, FetchPage, Gap, GapKind, Item, Next, PageToken, Platform, PlatformClient, PlatformError, Probe, Quarantined,
    Reason, ResourceId, ResourcePage,
};

use super::database::{Row, rows_without_page};
use super::index::{Holding, PageFile, index};
use super::item::{Parent, Place, item};
use super::name::is_part;
use super::{html, markdown};
use crate::export::Limits;
use crate::export::archive::{Archive, Entry};

const DUPLICATE: Reason = Reason::fixed("duplicate");
const EMPTY: Reason = Reason::fixed("empty");

/// A Notion export that was opened: its tree of pages is known, pages are read one by one.
///
/// A page is its own resource with one item. A database is a resource whose items are its rows. There are no cursors and no
/// covered intervals: an export shows pages as they were, not a stretch of time.
#[derive(Debug, Clone)]
pub struct NotionExport {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    archive: Archive,
    holdings: BTreeMap<ResourceId, Holding>,
    probe: Probe,
}

impl NotionExport {
    /// Opens a zip file, with its parts if it has any, or a folder.
    ///
    /// # Errors
    /// Those of [`Archive::open`], and `Protocol` when no file in it is named like a Notion page.
    pub fn open(path: &Path, limits: Limits) -> Result<Self, PlatformError> {
        let archive = Archive::open(path, limits)?.with_nested(is_part)?;
        let holdings = index(&archive)?;
        if holdings.is_empty() {
            let detail = "it holds no pages: their names end with 32 hexadecimal digits".to_owned();
            return Err(PlatformError::Protocol { call: archive.name().to_owned(), detail });
        }
        let probe = probe(&archive);
        Ok(Self { inner: Arc::new(Inner { archive, holdings, probe }) })
    }
}

#[async_trait]
impl PlatformClient for NotionExport {
    fn platform(&self) -> Platform {
        Platform::Notion
    }

    /// The workspace as the export's index page names it, else the name of the file.
    async fn probe(&self) -> Result<Probe, PlatformError> {
        Ok(self.inner.probe.clone())
    }

    async fn resources(&self, _page: Option<PageToken>) -> Result<ResourcePage, PlatformError> {
        let resources = self.inner.holdings.values().map(|holding| holding.resource.clone()).collect();
        Ok(ResourcePage { resources, quarantined: self.inner.archive.rejected().to_vec(), next: None })
    }

    async fn fetch(&self, fetch: &Fetch) -> Result<FetchPage, PlatformError> {
        let (inner, resource, page, budget) = (Arc::clone(&self.inner), fetch.resource.clone(), fetch.page.clone(), fetch.budget);
        let read = tokio::task::spawn_blocking(move || {
            let start = page.map_or(Some(0), |token| token.as_str().parse().ok());
            let start = start.ok_or_else(|| PlatformError::Protocol {
                call: resource.to_string(),
                detail: "the page token is not one of this export".into(),
            })?;
            let holding = inner.holdings.get(&resource).ok_or(PlatformError::ResourceGone { resource })?;
            Reader::new(&inner.archive, holding, budget).read(start)
        });
        read.await.map_err(|error| PlatformError::Unavailable { what: fetch.resource.to_string(), source: Box::new(error) })?
    }
}

fn probe(archive: &Archive) -> Probe {
    let is_index = |entry: &&Entry| entry.path().rsplit('/').next() == Some("index.html");
    let index = archive.entries().iter().find(is_index).and_then(|entry| archive.read_text(entry).ok()).unwrap_or_default();
    let stem = archive.stem().to_owned();
    Probe {
        account_id: html::labelled(&index, "Workspace identifier:").unwrap_or_else(|| stem.clone()),
        account_name: html::labelled(&index, "Workspace name:").or(Some(stem)),
        scopes: Vec::new(),
    }
}

/// Fills one page: the files of pages first, then the rows that have none.
struct Reader<'export> {
    archive: &'export Archive,
    holding: &'export Holding,
    budget: Budget,
    records: usize,
    bytes: usize,
    page: FetchPage,
}

impl<'export> Reader<'export> {
    fn new(archive: &'export Archive, holding: &'export Holding, budget: Budget) -> Self {
        let page = FetchPage {
            items: Vec::new(),
            quarantined: Vec::new(),
            filtered: Vec::new(),
            next: Next::done(None),
            ..FetchPage::default()
        };
        Self { archive, holding, budget, records: 0, bytes: 0, page }
    }

    fn read(mut self, start: usize) -> Result<FetchPage, PlatformError> {
        let files = self.holding.pages.len();
        for (index, file) in self.holding.pages.iter().enumerate().skip(start) {
            if self.is_full() {
                return Ok(self.stop_at(index));
            }
            self.read_file(file)?;
        }
        if let Some(table) = &self.holding.table {
            if self.is_full() {
                return Ok(self.stop_at(files.max(start)));
            }
            if let Some(stopped) = self.read_table(table, start.saturating_sub(files))? {
                return Ok(self.stop_at(files.saturating_add(stopped)));
            }
        }
        if self.holding.duplicates > 0 {
            self.filter(DUPLICATE, self.holding.duplicates);
        }
        Ok(self.page)
    }

    fn is_full(&self) -> bool {
        self.records > 0 && (self.records >= self.budget.max_items || self.bytes >= self.budget.max_bytes)
    }

    fn stop_at(mut self, index: usize) -> FetchPage {
        self.page.next = Next::Page(PageToken::new(index.to_string()));
        self.page
    }

    fn read_file(&mut self, file: &PageFile) -> Result<(), PlatformError> {
        let Some(text) = self.text(&file.entry)? else { return Ok(()) };
        let page = if file.is_html { html::page(&text) } else { Ok(markdown::page(&text)) };
        match page {
            Err(reason) => self.unreadable(file.entry.path(), reason),
            Ok(page) => {
                let place = Place {
                    item_id: file.id.as_str().to_owned(),
                    title: file.title.clone(),
                    path: file.entry.path(),
                    parent: file.parent.as_ref(),
                    modified: file.entry.modified(),
                    has_address: true,
                };
                self.keep(item(place, page, Sha256::of(&text)));
            }
        }
        Ok(())
    }

    /// Answers with the row at which the budget was used up.
    fn read_table(&mut self, table: &Entry, start: usize) -> Result<Option<usize>, PlatformError> {
        let Some(text) = self.text(table)? else { return Ok(None) };
        let database = self.holding.resource.id.as_str();
        let (holding, mut stopped) = (self.holding, None);
        rows_without_page(database, &text, &holding.pages, |index, found| {
            if index < start {
                return ControlFlow::Continue(());
            }
            if self.is_full() {
                stopped = Some(index);
                return ControlFlow::Break(());
            }
            match found {
                Ok(row) => self.read_row(table, row),
                Err((line, reason)) => self.unreadable(&format!("{}:{line}", table.path()), reason),
            }
            ControlFlow::Continue(())
        });
        Ok(stopped)
    }

    fn read_row(&mut self, table: &Entry, row: Row) {
        if row.page.content.is_empty() {
            self.records = self.records.saturating_add(1);
            self.filter(EMPTY, 1);
            return;
        }
        let revision = Sha256::of(&row.page.content);
        let parent = Parent::Database(self.holding.resource.id.as_str().to_owned());
        let place = Place {
            item_id: row.item_id,
            title: "Untitled".to_owned(),
            path: table.path(),
            parent: Some(&parent),
            modified: table.modified(),
            has_address: false,
        };
        self.keep(item(place, row.page, revision));
    }

    fn filter(&mut self, reason: Reason, records: u32) {
        match self.page.filtered.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count = count.saturating_add(records),
            None => self.page.filtered.push((reason, records)),
        }
    }

    fn keep(&mut self, item: Item) {
        self.records = self.records.saturating_add(1);
        self.bytes = self.bytes.saturating_add(item.content.len());
        self.page.items.push(item);
    }

    /// The text of a file; none if it had to be quarantined.
    fn text(&mut self, entry: &Entry) -> Result<Option<String>, PlatformError> {
        match self.archive.read_text(entry) {
            Ok(text) => Ok(Some(text)),
            Err(PlatformError::Protocol { detail, .. }) => {
                self.unreadable(entry.path(), detail);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn unreadable(&mut self, place: &str, reason: String) {
        self.records = self.records.saturating_add(1);
        self.page.gaps.push(Gap { kind: GapKind::Unreadable, from: None, to: None, reason: format!("{place}: {reason}") });
        self.page.quarantined.push(Quarantined { item: place.to_owned(), reason });
    }
}
