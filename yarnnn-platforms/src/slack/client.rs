//! The client: who is connected, which channels there are, and the pages of each.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;
use yarnnn_core::platform::{
    Fetch, FetchPage, PageToken, Platform, PlatformClient, PlatformError, Probe, Quarantined, Resource, ResourceId, ResourceKind,
    ResourcePage,
};

use super::SlackLimits;
use super::calls::{Calls, LIST, ListAsk};
use super::fetch::Fetching;
use super::read::{Reader, protocol};
use super::wire::Conversation;
use crate::http::Session;

/// Without these nothing can be read.
const REQUIRED_SCOPES: [&str; 3] = ["channels:read", "channels:history", "users:read"];
const ALL_TYPES: &str = "public_channel,private_channel";
const PUBLIC_TYPES: &str = "public_channel";
/// Larger workspaces are listed up to here.
const MAX_CHANNELS: usize = 1_000;
/// Pages may be empty, for archived channels are taken out of them; but a list of so many has no end.
const MAX_PAGES: usize = 250;

/// One workspace, read with one token.
///
/// Names of people and channels are asked for once and kept as long as the client. Everything else that a fetch needs to know is
/// in its cursor and page token, so that any process can go on with it.
#[derive(Debug, Clone)]
pub struct SlackClient {
    reader: Arc<Reader>,
    owner: Option<Arc<str>>,
}

/// Where a list of channels goes on.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Place {
    cursor: Option<String>,
    /// The cursors of the pages before.
    #[serde(default)]
    seen: BTreeSet<String>,
    listed: usize,
    public_only: bool,
}

impl SlackClient {
    /// A client that calls through this session below this address (`https://slack.com/api`).
    ///
    /// `owner` is the Slack id of the person who connected (`authed_user`): what they wrote counts as the user's own.
    pub fn new(session: Session, base: Url, limits: SlackLimits, owner: Option<&str>) -> Self {
        let reader = Reader::new(Calls::new(session, base, limits));
        Self { reader: Arc::new(reader), owner: owner.map(Arc::from) }
    }

    /// A page of conversations. Private ones are left out if the app may not list them.
    async fn list(&self, place: &mut Place) -> Result<super::wire::Conversations, PlatformError> {
        loop {
            let types = if place.public_only { PUBLIC_TYPES } else { ALL_TYPES };
            let ask = ListAsk { types, cursor: place.cursor.as_deref() };
            match self.reader.calls.list(ask).await? {
                Ok(answer) => return Ok(answer),
                Err(_) if !place.public_only => {
                    tracing::warn!("the app lacks the scope groups:read: private channels are not listed");
                    place.public_only = true;
                }
                Err(_) => {
                    let action =
                        format!("{LIST}: the app lacks the scope channels:read; add it, install it again and connect again");
                    return Err(PlatformError::NeedsUser { action });
                }
            }
        }
    }
}

#[async_trait]
impl PlatformClient for SlackClient {
    fn platform(&self) -> Platform {
        Platform::Slack
    }

    async fn probe(&self) -> Result<Probe, PlatformError> {
        let (account, scopes) = self.reader.calls.auth_test().await?;
        let missing: Vec<&str> = REQUIRED_SCOPES.into_iter().filter(|it| !scopes.iter().any(|scope| scope == it)).collect();
        if !scopes.is_empty() && !missing.is_empty() {
            let missing = missing.join(", ");
            let action = format!("slack auth.test: the app lacks {missing}; add the scopes, install it again and connect again");
            return Err(PlatformError::NeedsUser { action });
        }
        let account_id = [account.team_id, account.enterprise_id].into_iter().find(|it| !it.is_empty());
        let account_id = account_id.ok_or_else(|| protocol("slack auth.test", "it names no workspace".to_owned()))?;
        Ok(Probe { account_id, account_name: Some(account.team).filter(|it| !it.is_empty()), scopes })
    }

    async fn resources(&self, page: Option<PageToken>) -> Result<ResourcePage, PlatformError> {
        let foreign = |_| protocol(LIST, "the page token is not one of this client".to_owned());
        let token = page.map(|it| serde_json::from_str(it.as_str()).map_err(foreign)).transpose()?;
        let mut place: Place = token.unwrap_or_default();
        let answer = self.list(&mut place).await?;
        let mut page = ResourcePage::default();
        for (index, element) in answer.channels.iter().enumerate() {
            match channel(element) {
                Ok((conversation, resource)) => {
                    self.reader.directory.learn(&conversation);
                    page.resources.push(resource);
                }
                Err(reason) => page.quarantined.push(Quarantined { item: format!("{LIST}: channel {index} of a page"), reason }),
            }
        }
        place.listed = place.listed.saturating_add(answer.channels.len());
        page.next = place.after(answer.response_metadata.next())?;
        Ok(page)
    }

    async fn fetch(&self, fetch: &Fetch) -> Result<FetchPage, PlatformError> {
        Fetching::new(&self.reader, fetch, self.owner.as_deref()).page().await
    }
}

impl Place {
    /// The next page, if there is one.
    fn after(mut self, next: Option<&str>) -> Result<Option<PageToken>, PlatformError> {
        let Some(next) = next else { return Ok(None) };
        self.seen.extend(self.cursor.take());
        if self.seen.contains(next) {
            return Err(protocol(
                LIST,
                "the list does not go on: a page names one before it, or itself, as the next one".to_owned(),
            ));
        }
        if self.listed >= MAX_CHANNELS {
            tracing::warn!(listed = self.listed, "the workspace has more channels than are listed");
            return Ok(None);
        }
        if self.seen.len() >= MAX_PAGES {
            return Err(protocol(LIST, format!("the list does not end: {} channels on {MAX_PAGES} pages", self.listed)));
        }
        self.cursor = Some(next.to_owned());
        Ok(Some(PageToken::new(json!(self).to_string())))
    }
}

fn channel(element: &Value) -> Result<(Conversation, Resource), String> {
    let conversation = Conversation::deserialize(element).map_err(|error| format!("it is not a channel: {error}"))?;
    let id = ResourceId::new(Platform::Slack, &conversation.id).map_err(|error| error.to_string())?;
    let name = if conversation.name.is_empty() { conversation.id.clone() } else { format!("#{}", conversation.name) };
    let metadata = json!({
        "is_private": conversation.is_private,
        "num_members": conversation.num_members,
        "topic": conversation.topic.value,
        "purpose": conversation.purpose.value,
        "is_member": conversation.is_member,
    });
    let resource = Resource { id, name, kind: ResourceKind::Channel, metadata };
    Ok((conversation, resource))
}
