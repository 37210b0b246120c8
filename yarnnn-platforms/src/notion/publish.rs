//! Delivery into Notion: makes a page with the account that its user has connected, in several requests if it is long.
//!
//! Notion has no keys against making a page twice. Each part ends with a line of its own, and whether one in doubt arrived is looked
//! up by it (`look_up.rs`), as is the page that a further part belongs to.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;
use yarnnn_core::clock::Clock;
use yarnnn_core::delivery::{Channel, ChannelKind, Letter, LookedUp, OutboxFile, OutboxMessage, SendError, SendReceipt};
use yarnnn_core::id::UserId;
use yarnnn_core::platform::{OpenAccess, Platform, PlatformError};

use super::NotionLimits;
use super::calls::Calls;
use super::compose::{compose, mark};
use super::look_up::{Found, LookUp};
use super::posted::{Posted, SHARE, judge};
use crate::http::{HttpTransport, Once, Session, Transport};

/// The message's file with the body of the request.
pub(super) const FILE: &str = "notion.json";
/// The message's file that says how the page is found.
pub(super) const PLACE: &str = "page.json";
/// How often a limit on calls is waited for, and how long at most.
const WAITS: u32 = 3;
const PATIENCE: Duration = Duration::from_mins(1);

/// How the page of a report is found below its parent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Place {
    /// The mark of its first part.
    pub(super) page: String,
    /// It was made at this time or later.
    pub(super) since: DateTime<Utc>,
}

/// Makes pages in Notion.
pub struct NotionChannel {
    access: Arc<dyn OpenAccess>,
    transport: Arc<dyn Transport>,
    base: Url,
    limits: NotionLimits,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for NotionChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NotionChannel").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

impl NotionChannel {
    /// Makes pages over this pool of connections at Notion at this address (`https://api.notion.com`), with what users have
    /// connected.
    pub fn new(
        access: Arc<dyn OpenAccess>,
        transport: HttpTransport,
        base: Url,
        limits: NotionLimits,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { access, transport: Arc::new(transport), base, limits, clock }
    }

    async fn calls(&self, user: UserId) -> Result<Calls, PlatformError> {
        let access = self.access.access(user, Platform::Notion).await?;
        let session = Session::over(self.transport.clone(), access.tokens, access.gate, self.clock.clone());
        Ok(Calls::new(session, self.base.clone(), self.limits.clone()))
    }

    fn look<'a>(&'a self, calls: &'a Calls, message: &'a OutboxMessage) -> Result<LookUp<'a>, SendError> {
        let place = file(message, PLACE).and_then(|it| serde_json::from_str(it).ok());
        let place = place.ok_or_else(|| refused(message, &format!("the message has to say in {PLACE} where its page is")))?;
        Ok(LookUp { calls, message, place, clock: self.clock.as_ref() })
    }

    /// Makes the call of a part once.
    async fn post(&self, calls: &Calls, message: &OutboxMessage, page: Option<&str>) -> Result<Once, SendError> {
        let body = body(message)?.to_owned();
        let posted = match page {
            None => calls.create_page(body).await,
            Some(page) => calls.append(page, body).await,
        };
        posted.map_err(|it| not_made(message, it))
    }
}

#[async_trait]
impl Channel for NotionChannel {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Notion
    }

    /// None: a message names the page above it.
    fn default_target(&self) -> String {
        String::new()
    }

    fn compose(&self, letter: &Letter) -> Result<Vec<Vec<OutboxFile>>, SendError> {
        compose(letter)
    }

    /// Whether the user has connected Notion and shared the page. Whether the integration may add to it shows when it does.
    async fn ready(&self, user: UserId, target: &str) -> Result<(), SendError> {
        let what = || format!("page below {target} in Notion");
        let judged = |error: PlatformError| match error {
            PlatformError::Unavailable { .. } | PlatformError::RateLimited { .. } => {
                SendError::Unavailable { what: what(), source: error.into() }
            }
            error => SendError::Refused(format!("{}: {error}", what())),
        };
        let calls = self.calls(user).await.map_err(judged)?;
        match calls.page(target).await.map_err(judged)? {
            Some(page) if !page.is_trashed() => Ok(()),
            Some(_) => Err(SendError::Refused(format!("{}: the page lies in the bin", what()))),
            None => Err(SendError::Refused(format!("{}: there is no such page in sight of the integration; {SHARE}", what()))),
        }
    }

    async fn send(&self, message: &OutboxMessage) -> Result<SendReceipt, SendError> {
        body(message)?;
        let calls = self.calls(message.user).await.map_err(|it| not_made(message, it))?;
        let look = self.look(&calls, message)?;
        let page = if look.is_first() { None } else { Some(begun(&look, message).await?) };
        let mut waits = 0;
        loop {
            let raw = match self.post(&calls, message, page.as_deref()).await? {
                Once::Answered(raw) => raw,
                Once::NotMade(error) => return Err(not_made(message, error)),
                Once::Unanswered(reason) => return Err(SendError::Unknown { what: what(message), source: reason.into() }),
            };
            match judge(&raw) {
                Posted::As(id) => return Ok(SendReceipt { external_id: id }),
                Posted::Limited { after } if waits < WAITS && after <= PATIENCE => {
                    waits += 1;
                    tokio::time::sleep(after).await;
                }
                Posted::Limited { after } => {
                    let reason = format!("too many calls; Notion asks for {} s of patience", after.as_secs());
                    return Err(SendError::Unavailable { what: what(message), source: reason.into() });
                }
                Posted::Refused(reason) => return Err(refused(message, &reason)),
                Posted::Doubtful(reason) => return Err(SendError::Unknown { what: what(message), source: reason.into() }),
            }
        }
    }

    async fn look_up(&self, message: &OutboxMessage) -> Result<LookedUp, SendError> {
        let calls = self.calls(message.user).await.map_err(|it| not_made(message, it))?;
        self.look(&calls, message)?.run().await.map_err(|it| not_made(message, it))
    }
}

/// The page that a further part belongs to.
async fn begun(look: &LookUp<'_>, message: &OutboxMessage) -> Result<String, SendError> {
    match look.page().await.map_err(|it| not_made(message, it))? {
        Found::Here(page) => Ok(page),
        Found::Nowhere => Err(refused(message, "the page of its first part is gone")),
        Found::Unclear(reason) => Err(refused(message, &reason)),
    }
}

/// What is tried, for messages.
pub(super) fn what(message: &OutboxMessage) -> String {
    format!("page below {} in Notion", message.target)
}

fn refused(message: &OutboxMessage, reason: &str) -> SendError {
    SendError::Refused(format!("{}: {reason}", what(message)))
}

/// The call was not made: nothing was written by it.
fn not_made(message: &OutboxMessage, error: PlatformError) -> SendError {
    match error {
        PlatformError::NeedsUser { .. } | PlatformError::NeedsOperator { .. } => refused(message, &error.to_string()),
        error => SendError::Unavailable { what: what(message), source: error.into() },
    }
}

fn file<'a>(message: &'a OutboxMessage, name: &str) -> Option<&'a str> {
    message.files.iter().find(|it| it.name == name).map(|it| it.content.as_str())
}

/// The stored body, if it is a page below the target, or more of one, that ends with the message's mark.
fn body(message: &OutboxMessage) -> Result<&str, SendError> {
    let content = file(message, FILE).ok_or_else(|| refused(message, &format!("the message has to have {FILE}")))?;
    let body: Value =
        serde_json::from_str(content).map_err(|error| refused(message, &format!("{FILE} is no request: {error}")))?;
    let parent = body.get("parent").map(|it| it.get("page_id").and_then(Value::as_str));
    if message.target.is_empty() || parent.is_some_and(|it| it != Some(&message.target)) {
        return Err(refused(message, "the stored page is for another place"));
    }
    let last = body.pointer("/children").and_then(Value::as_array).and_then(|it| it.last());
    let line = last.and_then(|it| it.pointer("/paragraph/rich_text/0/text/content")).and_then(Value::as_str);
    if line != Some(&mark(&message.key)) {
        return Err(refused(message, "the stored page does not end with its mark, without which nobody finds it again"));
    }
    Ok(content)
}
