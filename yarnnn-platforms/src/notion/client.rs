//! A Notion integration as a platform client.

use async_trait::async_trait;
use url::Url;
use yarnnn_core::platform::{
    Fetch, FetchPage, PageToken, Platform, PlatformClient, PlatformError, Probe, ResourceKind, ResourcePage,
};

use super::calls::Calls;
use super::limits::NotionLimits;
use super::people::People;
use super::{database, listing, page};
use crate::http::Session;

/// A Notion integration. Cheap to clone.
///
/// A page is a resource with one item, its id the page's. A database is a resource with its rows as items; it is read newest
/// edit first, rows beyond the cap of a fetch are named as a gap and read by later fetches. What a fetch remembers is in its
/// cursor and page token; the client itself keeps nothing but names of people.
///
/// A resource that the integration cannot see is `NeedsUser` at first sight. One that was read before and is not found any more
/// is looked for by a search; if that does not find it either, it is away: what is stored of a page is `gone`, what is stored of
/// a database is `gone` by the audit, and the next sync is `NeedsUser` until it is shared again.
#[derive(Debug, Clone)]
pub struct NotionClient {
    calls: Calls,
    people: People,
}

impl NotionClient {
    /// A client that calls through this session below this address (`https://api.notion.com`).
    ///
    /// `owner` is the Notion id of the person who connected, where it is known: what they wrote counts as the user's own. An
    /// integration that acts for a person tells it itself when it is probed.
    pub fn new(session: Session, base: Url, limits: NotionLimits, owner: Option<&str>) -> Self {
        Self { calls: Calls::new(session, base, limits), people: People::of(owner) }
    }
}

#[async_trait]
impl PlatformClient for NotionClient {
    fn platform(&self) -> Platform {
        Platform::Notion
    }

    /// The workspace of the integration, or the integration in it where Notion does not tell the workspace.
    async fn probe(&self) -> Result<Probe, PlatformError> {
        let me = self.calls.me().await?;
        self.people.set_owner(&me);
        let bot = me.bot.unwrap_or_default();
        // Never the name: a workspace that is renamed is the same.
        let account_id = bot.workspace_id.unwrap_or(me.id);
        Ok(Probe { account_id, account_name: bot.workspace_name.or(me.name), scopes: Vec::new() })
    }

    async fn resources(&self, page: Option<PageToken>) -> Result<ResourcePage, PlatformError> {
        listing::resources(&self.calls, page).await
    }

    async fn fetch(&self, fetch: &Fetch) -> Result<FetchPage, PlatformError> {
        match fetch.kind {
            ResourceKind::Page => page::fetch(&self.calls, &self.people, fetch).await,
            ResourceKind::Database => database::fetch(&self.calls, &self.people, fetch).await,
            other => Err(PlatformError::Protocol {
                call: "notion".to_owned(),
                detail: format!("{} is of the kind {other:?}, which Notion does not have", fetch.resource),
            }),
        }
    }
}
