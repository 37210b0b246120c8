//! Which pages and databases an export holds, and which is inside of which, from the names of its files.
//!
//! It deliberately reads no page, except HTML pages that may be databases.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use yarnnn_core::platform::{Platform, PlatformError, Resource, ResourceId, ResourceKind};

use super::html;
use super::item::Parent;
use super::name::{Kind, Name};
use crate::export::archive::{Archive, Entry};

/// A file with a page in it.
#[derive(Debug)]
pub(super) struct PageFile {
    pub(super) id: ResourceId,
    pub(super) title: String,
    pub(super) entry: Entry,
    pub(super) is_html: bool,
    pub(super) parent: Option<Parent>,
}

/// A resource and its files: one page, or a database with its rows.
#[derive(Debug)]
pub(super) struct Holding {
    pub(super) resource: Resource,
    /// The files of pages, sorted by path.
    pub(super) pages: Vec<PageFile>,
    /// A database's table, from which rows without a page are read.
    pub(super) table: Option<Entry>,
    /// Files with a page that stands elsewhere already; Notion repeats pages that are linked.
    pub(super) duplicates: u32,
}

/// A file whose name says that it is a page or database.
struct Named<'archive> {
    name: Name<'archive>,
    id: ResourceId,
    entry: &'archive Entry,
}

/// Everything the export holds.
pub(super) fn index(archive: &Archive) -> Result<BTreeMap<ResourceId, Holding>, PlatformError> {
    let named: Vec<Named<'_>> = archive.entries().iter().filter_map(Named::of).collect();
    let owners = owners(&named);
    let mut holdings = databases(archive, &named, &owners)?;
    let mut seen: HashMap<ResourceId, ResourceId> = HashMap::new();
    for file in named.iter().filter(|file| !file.is_table()) {
        let parent = file.owner(&owners);
        let database = parent.filter(|parent| holdings.get(parent).is_some_and(Holding::is_database));
        let resource =
            if holdings.get(&file.id).is_some_and(Holding::is_database) { &file.id } else { database.unwrap_or(&file.id) };
        if let Some(first) = seen.get(&file.id) {
            if let Some(holding) = holdings.get_mut(first) {
                holding.duplicates = holding.duplicates.saturating_add(1);
            }
            continue;
        }
        let holding = holdings.entry(resource.clone()).or_insert_with(|| Holding::new(file, ResourceKind::Page));
        if file.id == *resource && holding.table.is_some() {
            // The table shown as a page: its rows are the records.
            continue;
        }
        seen.insert(file.id.clone(), resource.clone());
        let text = parent.map(|parent| parent.as_str().to_owned());
        let parent = text.map(|id| if database.is_some() { Parent::Database(id) } else { Parent::Page(id) });
        holding.pages.push(file.page(parent));
    }
    Ok(holdings)
}

impl Holding {
    pub(super) fn is_database(&self) -> bool {
        self.resource.kind == ResourceKind::Database
    }

    fn new(file: &Named<'_>, kind: ResourceKind) -> Self {
        let resource = Resource::new(file.id.clone(), file.name.shown_title(), kind);
        Self { resource, pages: Vec::new(), table: None, duplicates: 0 }
    }
}

impl<'archive> Named<'archive> {
    fn of(entry: &'archive Entry) -> Option<Self> {
        let name = Name::parse(entry.path())?;
        let id = ResourceId::new(Platform::Notion, name.digits).ok()?;
        Some(Self { name, id, entry })
    }

    fn is_table(&self) -> bool {
        matches!(self.name.kind, Kind::Table { .. })
    }

    fn owner<'owners>(&self, owners: &'owners HashMap<String, ResourceId>) -> Option<&'owners ResourceId> {
        owners.get(self.name.folder).filter(|owner| **owner != self.id)
    }

    fn page(&self, parent: Option<Parent>) -> PageFile {
        PageFile {
            id: self.id.clone(),
            title: self.name.shown_title(),
            entry: self.entry.clone(),
            is_html: self.name.kind == Kind::Html,
            parent,
        }
    }
}

/// Which page or database a folder belongs to. Where a page and a database have the same title, the folder without an id is
/// the database's, which nearly always has rows.
fn owners(named: &[Named<'_>]) -> HashMap<String, ResourceId> {
    let mut owners = HashMap::new();
    for tables in [true, false] {
        for file in named.iter().filter(|file| file.is_table() == tables) {
            let [with_id, without] = file.name.inner_folders();
            owners.insert(with_id, file.id.clone());
            owners.entry(without).or_insert_with(|| file.id.clone());
        }
    }
    owners
}

/// The databases: every table, and every HTML page with pages inside that shows nothing but rows.
fn databases(
    archive: &Archive,
    named: &[Named<'_>],
    owners: &HashMap<String, ResourceId>,
) -> Result<BTreeMap<ResourceId, Holding>, PlatformError> {
    let mut databases: BTreeMap<ResourceId, Holding> = BTreeMap::new();
    for file in named.iter().filter(|file| file.is_table()) {
        let holding = databases.entry(file.id.clone()).or_insert_with(|| Holding::new(file, ResourceKind::Database));
        if holding.table.is_none() || file.name.kind == (Kind::Table { complete: true }) {
            holding.table = Some(file.entry.clone());
        }
    }
    let parents: BTreeSet<&ResourceId> = named.iter().filter_map(|file| file.owner(owners)).collect();
    for file in named.iter().filter(|file| file.name.kind == Kind::Html && parents.contains(&file.id)) {
        if !databases.contains_key(&file.id) && shows_rows(archive, file.entry)? {
            databases.insert(file.id.clone(), Holding::new(file, ResourceKind::Database));
        }
    }
    Ok(databases)
}

fn shows_rows(archive: &Archive, entry: &Entry) -> Result<bool, PlatformError> {
    match archive.read_text(entry) {
        Ok(html) => Ok(html::is_database(&html)),
        // It is reported by name when its turn to be read comes.
        Err(PlatformError::Protocol { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}
