//! Delivery into Slack: posts the stored message with the account that its user has connected.
//!
//! Slack has no keys against sending twice. The message carries its own in the metadata that Slack keeps for apps, and whether one
//! in doubt arrived is looked up by it (`look_up.rs`).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use url::Url;
use yarnnn_core::clock::Clock;
use yarnnn_core::delivery::{Channel, ChannelKind, Letter, LookedUp, OutboxFile, OutboxMessage, SendError, SendReceipt};
use yarnnn_core::id::UserId;
use yarnnn_core::platform::{OpenAccess, Platform, PlatformError};

use super::SlackLimits;
use super::calls::Calls;
use super::compose::compose;
use super::look_up::LookUp;
use super::posted::{Posted, judge};
use super::wire::Posting;
use crate::http::{HttpTransport, Once, Session, Transport};

/// The message's file with the body of the request.
pub(super) const FILE: &str = "slack.json";
/// The type of the metadata with the key.
pub(super) const EVENT_TYPE: &str = "yarnnn_report";
/// How often a limit on messages is waited for, and how long at most.
const WAITS: u32 = 3;
const PATIENCE: Duration = Duration::from_secs(30);

/// Posts reports in Slack channels.
pub struct SlackChannel {
    access: Arc<dyn OpenAccess>,
    transport: Arc<dyn Transport>,
    base: Url,
    limits: SlackLimits,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for SlackChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlackChannel").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

impl SlackChannel {
    /// Posts over this pool of connections to Slack at this address (`https://slack.com/api`), with what users have connected.
    pub fn new(
        access: Arc<dyn OpenAccess>,
        transport: HttpTransport,
        base: Url,
        limits: SlackLimits,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self::over(access, Arc::new(transport), base, limits, clock)
    }

    pub(super) fn over(
        access: Arc<dyn OpenAccess>,
        transport: Arc<dyn Transport>,
        base: Url,
        limits: SlackLimits,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { access, transport, base, limits, clock }
    }

    /// The calls of the account that the message's user has connected.
    async fn calls(&self, message: &OutboxMessage) -> Result<Calls, SendError> {
        let access = self.access.access(message.user, Platform::Slack).await.map_err(|it| not_made(message, it))?;
        let session = Session::over(self.transport.clone(), access.tokens, access.gate, self.clock.clone());
        Ok(Calls::new(session, self.base.clone(), self.limits.clone()))
    }
}

#[async_trait]
impl Channel for SlackChannel {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Slack
    }

    /// None: a message names its channel.
    fn default_target(&self) -> String {
        String::new()
    }

    fn compose(&self, letter: &Letter) -> Result<Vec<Vec<OutboxFile>>, SendError> {
        compose(letter)
    }

    /// Whether the user has connected Slack. Whether it may post in the channel shows when it does.
    async fn ready(&self, user: UserId, target: &str) -> Result<(), SendError> {
        let access = self.access.access(user, Platform::Slack).await;
        access.map(|_| ()).map_err(|error| SendError::Refused(format!("message to {target} in Slack: {error}")))
    }

    async fn send(&self, message: &OutboxMessage) -> Result<SendReceipt, SendError> {
        let body = body(message)?;
        let calls = self.calls(message).await?;
        let mut waits = 0;
        loop {
            let raw = match calls.post(body.to_owned()).await.map_err(|it| not_made(message, it))? {
                Once::Answered(raw) => raw,
                Once::NotMade(error) => return Err(not_made(message, error)),
                Once::Unanswered(reason) => return Err(SendError::Unknown { what: what(message), source: reason.into() }),
            };
            match judge(&raw) {
                Posted::At(ts) => return Ok(SendReceipt { external_id: ts }),
                Posted::Limited { after } if waits < WAITS && after <= PATIENCE => {
                    waits += 1;
                    tokio::time::sleep(after).await;
                }
                Posted::Limited { after } => {
                    let reason = format!("too many messages; Slack asks for {} s of patience", after.as_secs());
                    return Err(SendError::Unavailable { what: what(message), source: reason.into() });
                }
                Posted::Refused(reason) => return Err(SendError::Refused(format!("{}: {reason}", what(message)))),
                Posted::Doubtful(reason) => return Err(SendError::Unknown { what: what(message), source: reason.into() }),
            }
        }
    }

    async fn look_up(&self, message: &OutboxMessage) -> Result<LookedUp, SendError> {
        if posting(message)?.thread_ts.is_some() {
            let reason = format!("{}: it was posted into a thread, where nobody looks; look there yourself", what(message));
            return Ok(LookedUp::CannotTell { reason });
        }
        let calls = self.calls(message).await?;
        LookUp { calls: &calls, message, clock: self.clock.as_ref() }.run().await.map_err(|it| not_made(message, it))
    }
}

/// What is tried, for messages.
pub(super) fn what(message: &OutboxMessage) -> String {
    format!("message to {} in Slack", message.target)
}

/// The call was not made: nothing was posted by it.
fn not_made(message: &OutboxMessage, error: PlatformError) -> SendError {
    match error {
        PlatformError::NeedsUser { .. } | PlatformError::NeedsOperator { .. } => {
            SendError::Refused(format!("{}: {error}", what(message)))
        }
        error => SendError::Unavailable { what: what(message), source: error.into() },
    }
}

/// The stored body, if it is a message to the target under the message's key.
fn body(message: &OutboxMessage) -> Result<&str, SendError> {
    let posting = posting(message)?;
    let refused = |reason: &str| Err(SendError::Refused(format!("{}: {reason}", what(message))));
    if message.target.is_empty() || posting.channel != message.target {
        return refused("the stored message is for another channel");
    }
    if posting.token.is_some() {
        return refused("the stored message has a token in it");
    }
    if posting.metadata.event_type != EVENT_TYPE || posting.metadata.event_payload.key != message.key {
        return refused("the stored message does not carry its key, without which nobody finds it again");
    }
    match message.files.as_slice() {
        [file] => Ok(&file.content),
        _ => refused("the message has to be one file"),
    }
}

fn posting(message: &OutboxMessage) -> Result<Posting, SendError> {
    let refused = |reason: String| SendError::Refused(format!("{}: {reason}", what(message)));
    match message.files.as_slice() {
        [file] if file.name == FILE => {
            serde_json::from_str(&file.content).map_err(|error| refused(format!("{FILE} is no message: {error}")))
        }
        _ => Err(refused(format!("the message has to be one file, {FILE}"))),
    }
}
