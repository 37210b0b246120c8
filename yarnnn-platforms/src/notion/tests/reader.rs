//! Drives the client as a sync does, and keeps what a store would keep.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::DateTime;
use yarnnn_core::platform::{
    Budget, Cursor, Fetch, FetchMode, FetchPage, Gap, Interval, Item, KnownItem, Next, Platform, PlatformClient as _,
    PlatformError, ResourceId, ResourceKind,
};

use crate::notion::NotionClient;

/// What is stored of one resource.
#[derive(Debug)]
pub(super) struct Reader {
    client: NotionClient,
    resource: ResourceId,
    kind: ResourceKind,
    /// Items per page: a small number makes many page tokens.
    pub(super) budget: Budget,
    pub(super) stored: BTreeMap<String, Item>,
    pub(super) cursor: Option<Cursor>,
    pub(super) gaps: Vec<Gap>,
    pub(super) unchanged: usize,
    pub(super) quarantined: Vec<String>,
    pub(super) pages: usize,
}

impl Reader {
    pub(super) fn new(client: NotionClient, id: &str, kind: ResourceKind) -> Self {
        let resource = ResourceId::new(Platform::Notion, id).unwrap();
        let (stored, gaps, quarantined) = (BTreeMap::new(), vec![], vec![]);
        Self {
            client,
            resource,
            kind,
            budget: Budget::default(),
            stored,
            cursor: None,
            gaps,
            unchanged: 0,
            quarantined,
            pages: 0,
        }
    }

    pub(super) fn page(client: NotionClient, id: &str) -> Self {
        Self::new(client, id, ResourceKind::Page)
    }

    pub(super) fn database(client: NotionClient) -> Self {
        Self::new(client, super::workspace::DATABASE, ResourceKind::Database)
    }

    pub(super) fn texts(&self) -> BTreeMap<&str, &str> {
        self.stored.iter().map(|(id, it)| (id.as_str(), it.content.as_str())).collect()
    }

    /// One run, with the audit of what is stored after it. Nothing of a run that fails is remembered but its items.
    pub(super) async fn sync(&mut self, audit: bool) -> Result<(), PlatformError> {
        (self.gaps, self.unchanged, self.quarantined, self.pages) = (vec![], 0, vec![], 0);
        let first = FetchMode::Start { window: Interval::ALL };
        let since = self.cursor.clone().map(FetchMode::Since);
        let mut seen = vec![];
        let (cursor, complete) = match self.run(since.clone().unwrap_or_else(|| first.clone()), &mut seen).await {
            Err(PlatformError::CursorExpired) => {
                seen.clear();
                self.run(first, &mut seen).await?
            }
            Err(error) => return Err(error),
            Ok(done) => done,
        };
        if let Some(complete) = complete {
            let is_lost = |it: &&Item| !seen.contains(&it.item_id) && complete.contains(it.source_timestamp.unwrap());
            let lost: Vec<_> = self.stored.values().filter(is_lost).map(known).collect();
            if !lost.is_empty() {
                self.look_again(Interval { from: DateTime::UNIX_EPOCH, to: DateTime::UNIX_EPOCH }, lost).await?;
            }
        }
        if audit && since.is_some() {
            self.audit().await?;
        }
        self.cursor = cursor.or(self.cursor.take());
        Ok(())
    }

    pub(super) async fn audit(&mut self) -> Result<(), PlatformError> {
        let known: Vec<_> = self.stored.values().map(known).collect();
        self.look_again(Interval::ALL, known).await
    }

    async fn look_again(&mut self, window: Interval, known: Vec<KnownItem>) -> Result<(), PlatformError> {
        let mode = FetchMode::Audit { window, known: Arc::from(known), cursor: None };
        let (cursor, complete) = self.run(mode, &mut vec![]).await?;
        assert!(cursor.is_none() && complete.is_none(), "an audit proves nothing about what is not stored");
        Ok(())
    }

    async fn run(
        &mut self,
        mode: FetchMode,
        seen: &mut Vec<String>,
    ) -> Result<(Option<Cursor>, Option<Interval>), PlatformError> {
        let (resource, kind, budget) = (self.resource.clone(), self.kind, self.budget);
        let mut fetch = Fetch { resource, kind, mode, page: None, budget };
        loop {
            let page = self.client.fetch(&fetch).await?;
            self.pages += 1;
            match self.take(page, seen) {
                Next::Page(token) => fetch.page = Some(token),
                Next::Done { cursor, complete } => return Ok((cursor, complete)),
            }
        }
    }

    fn take(&mut self, page: FetchPage, seen: &mut Vec<String>) -> Next {
        for id in &page.unchanged {
            assert!(self.stored.contains_key(id), "{id} is said to be unchanged, but is not stored");
        }
        self.unchanged += page.unchanged.len();
        seen.extend(page.unchanged);
        for id in &page.gone {
            self.stored.remove(id);
        }
        for item in page.items {
            seen.push(item.item_id.clone());
            self.stored.insert(item.item_id.clone(), item);
        }
        self.gaps.extend(page.gaps);
        self.quarantined.extend(page.quarantined.into_iter().map(|it| format!("{}: {}", it.item, it.reason)));
        page.next
    }
}

fn known(item: &Item) -> KnownItem {
    KnownItem { item_id: item.item_id.clone(), source_timestamp: item.source_timestamp, metadata: item.metadata.clone() }
}
