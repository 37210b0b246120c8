//! A platform that says what a test wrote down.

use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::platform::{
    Cursor, Fetch, FetchMode, FetchPage, Interval, Item, Next, PageToken, Platform, PlatformClient, PlatformError, Probe,
    Quarantined, Reason, Resource, ResourceId, ResourcePage,
};

/// A platform whose resources, items and faults are given beforehand. Pages hold as many items as the budget allows.
#[derive(Debug, Clone)]
pub struct ScriptedPlatform {
    platform: Platform,
    resources: Vec<Resource>,
    items: BTreeMap<ResourceId, Vec<Item>>,
    filtered: Vec<(Reason, u32)>,
    quarantined: Vec<Quarantined>,
    gone: Vec<String>,
    cursor: Option<Cursor>,
    expired: bool,
    failing: Option<String>,
}

impl ScriptedPlatform {
    /// A platform without resources.
    pub fn new(platform: Platform) -> Self {
        Self {
            platform,
            resources: vec![],
            items: BTreeMap::new(),
            filtered: vec![],
            quarantined: vec![],
            gone: vec![],
            cursor: None,
            expired: false,
            failing: None,
        }
    }

    /// Adds a resource with its items.
    #[must_use]
    pub fn with(mut self, resource: Resource, items: Vec<Item>) -> Self {
        self.items.insert(resource.id.clone(), items);
        self.resources.push(resource);
        self
    }

    /// The last page of each resource also says this.
    #[must_use]
    pub fn with_faults(mut self, filtered: Vec<(Reason, u32)>, quarantined: Vec<Quarantined>, gone: Vec<String>) -> Self {
        (self.filtered, self.quarantined, self.gone) = (filtered, quarantined, gone);
        self
    }

    /// The last page of each resource leaves this cursor; it is answered with nothing new, or as expired.
    #[must_use]
    pub fn with_cursor(mut self, cursor: Cursor, expired: bool) -> Self {
        (self.cursor, self.expired) = (Some(cursor), expired);
        self
    }

    /// Every fetch of the resource with this id fails.
    #[must_use]
    pub fn failing(mut self, id: &str) -> Self {
        self.failing = Some(id.to_owned());
        self
    }
}

#[async_trait]
impl PlatformClient for ScriptedPlatform {
    fn platform(&self) -> Platform {
        self.platform
    }

    async fn probe(&self) -> Result<Probe, PlatformError> {
        Ok(Probe { account_id: "scripted".into(), account_name: None, scopes: vec![] })
    }

    async fn resources(&self, _page: Option<PageToken>) -> Result<ResourcePage, PlatformError> {
        Ok(ResourcePage { resources: self.resources.clone(), quarantined: vec![], next: None })
    }

    async fn fetch(&self, fetch: &Fetch) -> Result<FetchPage, PlatformError> {
        if self.failing.as_deref() == Some(fetch.resource.as_str()) {
            return Err(PlatformError::Protocol { call: "fetch".into(), detail: "scripted failure".into() });
        }
        let since = matches!(&fetch.mode, FetchMode::Since(_));
        if since && self.expired {
            return Err(PlatformError::CursorExpired);
        }
        let all = if since { &[][..] } else { self.items.get(&fetch.resource).map_or(&[][..], Vec::as_slice) };
        let start: usize = fetch.page.as_ref().and_then(|it| it.as_str().parse().ok()).unwrap_or(0);
        let end = (start + fetch.budget.max_items.max(1)).min(all.len());
        let items = all.get(start..end).unwrap_or_default().to_vec();
        let covered = items
            .iter()
            .filter_map(|it| it.source_timestamp)
            .map(|at| Interval { from: at, to: at + chrono::TimeDelta::microseconds(1) })
            .collect();
        let last = end == all.len();
        Ok(FetchPage {
            items,
            covered,
            gone: if last { self.gone.clone() } else { vec![] },
            quarantined: if last { self.quarantined.clone() } else { vec![] },
            filtered: if last { self.filtered.clone() } else { vec![] },
            next: if last { Next::done(self.cursor.clone()) } else { Next::Page(PageToken::new(end.to_string())) },
            ..FetchPage::default()
        })
    }
}
