//! A Slack export as a platform client.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use yarnnn_core::platform::{
    Fetch, FetchPage, PageToken, Platform, PlatformClient, PlatformError, Probe, Quarantined, ResourceId, ResourcePage,
};

use super::day::{self, Position};
use super::directory::{Channel, Directory};
use super::layout::Layout;
use super::people::People;
use crate::export::Limits;
use crate::export::archive::Archive;
use crate::slack::markup::Names;

/// A Slack export that was opened: people and conversations are known, messages are read page by page.
///
/// Every folder with day files is a resource, whether a list names it or not. There are no cursors: a fetch since a cursor reads
/// everything again, and what is known already is recognised by its revision.
#[derive(Debug, Clone)]
pub struct SlackExport {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    archive: Archive,
    people: People,
    directory: Directory,
    channels: BTreeMap<ResourceId, Channel>,
    quarantined: Vec<Quarantined>,
}

impl SlackExport {
    /// Opens a zip file or a folder and reads its lists of people and conversations.
    ///
    /// # Errors
    /// Those of [`Archive::open`], and `Protocol` when nothing in it is part of a Slack export.
    pub fn open(path: &Path, limits: Limits) -> Result<Self, PlatformError> {
        let archive = Archive::open(path, limits)?;
        let layout = Layout::of(&archive);
        if layout.lists.is_empty() && layout.folders.is_empty() {
            let detail = "it holds neither channels.json nor folders with files like 2024-05-31.json".to_owned();
            return Err(PlatformError::Protocol { call: archive.name().to_owned(), detail });
        }
        let mut quarantined = archive.rejected().to_vec();
        let (people, directory) = read_lists(&archive, &layout, &mut quarantined)?;
        let channels = directory.channels(layout.folders);
        Ok(Self { inner: Arc::new(Inner { archive, people, directory, channels, quarantined }) })
    }
}

#[async_trait]
impl PlatformClient for SlackExport {
    fn platform(&self) -> Platform {
        Platform::Slack
    }

    /// The workspace's id where people carry one, else the name of the file.
    async fn probe(&self) -> Result<Probe, PlatformError> {
        let name = self.inner.archive.stem().to_owned();
        let account_id = self.inner.people.team.clone().unwrap_or_else(|| name.clone());
        Ok(Probe { account_id, account_name: Some(name), scopes: Vec::new() })
    }

    async fn resources(&self, _page: Option<PageToken>) -> Result<ResourcePage, PlatformError> {
        let resources = self.inner.channels.values().map(|channel| channel.resource.clone()).collect();
        Ok(ResourcePage { resources, quarantined: self.inner.quarantined.clone(), next: None })
    }

    async fn fetch(&self, fetch: &Fetch) -> Result<FetchPage, PlatformError> {
        let (inner, resource, page, budget) = (Arc::clone(&self.inner), fetch.resource.clone(), fetch.page.clone(), fetch.budget);
        let read = tokio::task::spawn_blocking(move || {
            let start = page.map_or(Some(Position::default()), |token| Position::parse(&token));
            let start = start.ok_or_else(|| PlatformError::Protocol {
                call: resource.to_string(),
                detail: "the page token is not one of this export".into(),
            })?;
            let channel = inner.channels.get(&resource).ok_or(PlatformError::ResourceGone { resource })?;
            let names = Lists { people: &inner.people, directory: &inner.directory };
            day::page(&inner.archive, channel, &names, start, budget)
        });
        read.await.map_err(|error| PlatformError::Unavailable { what: fetch.resource.to_string(), source: Box::new(error) })?
    }
}

/// The names that an export's lists tell.
struct Lists<'export> {
    people: &'export People,
    directory: &'export Directory,
}

impl Names for Lists<'_> {
    fn person(&self, id: &str) -> Option<&str> {
        self.people.name(id)
    }

    fn conversation(&self, id: &str) -> Option<&str> {
        self.directory.label(id)
    }
}

/// A list that cannot be read costs names, never messages.
fn read_lists(
    archive: &Archive,
    layout: &Layout,
    quarantined: &mut Vec<Quarantined>,
) -> Result<(People, Directory), PlatformError> {
    let (mut people, mut directory) = (People::default(), Directory::default());
    // Direct messages are labelled with people, so these come first.
    for list in ["users.json", "org_users.json", "channels.json", "groups.json", "dms.json", "mpims.json"] {
        let Some(entry) = layout.lists.get(list) else { continue };
        let outcome = match archive.read_text(entry) {
            Ok(text) if list.ends_with("users.json") => people.add(&text),
            Ok(text) => directory.add(&text, matches!(list, "dms.json" | "mpims.json"), &people),
            Err(PlatformError::Protocol { detail, .. }) => Err(detail),
            Err(error) => return Err(error),
        };
        quarantined.extend(outcome.err().map(|reason| Quarantined { item: list.to_owned(), reason }));
    }
    Ok((people, directory))
}
