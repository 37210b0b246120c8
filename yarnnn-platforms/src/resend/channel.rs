//! The channel: sends the stored request under the message's key.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use secrecy::SecretString;
use serde_json::Value;
use url::Url;
use yarnnn_core::clock::Clock;
use yarnnn_core::delivery::{
    Channel, ChannelKind, Letter, LookedUp, MessageState, OutboxFile, OutboxMessage, SendError, SendReceipt,
};
use yarnnn_core::hash::Sha256;
use yarnnn_core::id::UserId;

use super::FILE;
use super::answer::{Answer, judge};
use super::compose::compose;
use crate::http::{HttpTransport, Request, Transport, TransportError, below};

/// The longest key that Resend takes.
const LONGEST_KEY: usize = 256;
/// How long a key is relied on: Resend keeps it for 24 hours, and an hour of them is for clocks that differ and slow answers.
const REMEMBERED: TimeDelta = TimeDelta::hours(23);
/// How far the clock may have been put back since the first attempt.
const PUT_BACK: TimeDelta = TimeDelta::hours(1);
/// How often a limit on calls is waited for, and how long at most.
const WAITS: u32 = 3;
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends mails through Resend.
pub struct ResendChannel {
    transport: Arc<dyn Transport>,
    base: Url,
    key: SecretString,
    from: String,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for ResendChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResendChannel").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

impl ResendChannel {
    /// Sends over this pool of connections to Resend at this address (`https://api.resend.com`) with this API key.
    pub fn new(transport: HttpTransport, base: Url, key: SecretString, clock: Arc<dyn Clock>) -> Self {
        Self::over(Arc::new(transport), base, key, clock)
    }

    pub(super) fn over(transport: Arc<dyn Transport>, base: Url, key: SecretString, clock: Arc<dyn Clock>) -> Self {
        Self { transport, base, key, from: String::new(), clock }
    }

    /// Mails come from this sender: an address of a domain that the Resend account may send for, or `Name <address>`.
    #[must_use]
    pub fn sent_from(mut self, from: impl Into<String>) -> Self {
        self.from = from.into();
        self
    }

    fn request(&self, message: &OutboxMessage) -> Result<Request, SendError> {
        let body = body(message)?;
        let url = below(&self.base, &["emails"], &[]).map_err(|error| SendError::Refused(format!("RESEND_BASE_URL: {error}")))?;
        Ok(Request::post_exact(url, body.to_owned()).header("idempotency-key", idempotency_key(&message.key)))
    }
}

#[async_trait]
impl Channel for ResendChannel {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Email
    }

    /// None: a mail names its recipient.
    fn default_target(&self) -> String {
        String::new()
    }

    fn compose(&self, letter: &Letter) -> Result<Vec<Vec<OutboxFile>>, SendError> {
        Ok(vec![vec![compose(letter, &self.from)?]])
    }

    async fn ready(&self, _user: UserId, _target: &str) -> Result<(), SendError> {
        if self.from.is_empty() {
            let problem = "is not set, so mails have no sender".to_owned();
            return Err(SendError::NeedsOperator { setting: "RESEND_FROM_EMAIL", problem });
        }
        Ok(())
    }

    async fn send(&self, message: &OutboxMessage) -> Result<SendReceipt, SendError> {
        self.attempt(message).await.map_err(|error| still_in_doubt(message, error))
    }

    /// Nothing is asked: Resend finds mails by its own ids only, and a lost answer had the id. While it remembers the key, the
    /// same request sends nothing twice.
    async fn look_up(&self, message: &OutboxMessage) -> Result<LookedUp, SendError> {
        let age = message.first_attempt_at.map(|first| self.clock.now() - first);
        if age.is_some_and(|age| (-PUT_BACK..REMEMBERED).contains(&age)) {
            return Ok(LookedUp::Repeatable);
        }
        let since = message.first_attempt_at.map_or_else(String::new, |it| format!(" at or after {}", it.format("%F %R UTC")));
        let reason = format!(
            "whether the mail to {} arrived is not known, and Resend no longer remembers its key, which it does for 24 hours; \
             look for it in Resend's list of mails (https://resend.com/emails){since}",
            message.target
        );
        Ok(LookedUp::CannotTell { reason })
    }
}

impl ResendChannel {
    async fn attempt(&self, message: &OutboxMessage) -> Result<SendReceipt, SendError> {
        let request = self.request(message)?;
        let what = || format!("mail to {} through Resend", message.target);
        let mut waits = 0;
        loop {
            let raw = match self.transport.send(&request, Some(&self.key)).await {
                Ok(raw) => raw,
                Err(TransportError::Unreached(reason)) => {
                    return Err(SendError::Unavailable { what: what(), source: reason.into() });
                }
                Err(error) => return Err(SendError::Unknown { what: what(), source: error.into() }),
            };
            match judge(&raw) {
                Answer::Taken { id } => return Ok(SendReceipt { external_id: id }),
                Answer::Limited { after } if waits < WAITS && after <= PATIENCE => {
                    waits += 1;
                    tokio::time::sleep(after).await;
                }
                Answer::Limited { after } => {
                    let reason = format!("too many requests; Resend asks for {} s of patience", after.as_secs());
                    return Err(SendError::Unavailable { what: what(), source: reason.into() });
                }
                Answer::Refused(reason) => return Err(SendError::Refused(format!("{}: {reason}", what()))),
                Answer::Doubtful(reason) => return Err(SendError::Unknown { what: what(), source: reason.into() }),
            }
        }
    }
}

/// A refusal says of this request that it sent nothing, and nothing about an earlier one in doubt: were that forgotten, the message
/// would be sent once more after its key is.
fn still_in_doubt(message: &OutboxMessage, error: SendError) -> SendError {
    let in_doubt = matches!(message.state, MessageState::Sending | MessageState::Unknown);
    if !in_doubt || matches!(error, SendError::Unknown { .. }) {
        return error;
    }
    let what = format!("mail to {} through Resend, in doubt since an earlier attempt", message.target);
    SendError::Unknown { what, source: error.into() }
}

/// The stored body, if it is a request for a mail to the message's target and nobody else.
fn body(message: &OutboxMessage) -> Result<&str, SendError> {
    let refused = |reason: &str| SendError::Refused(format!("mail to {:?}: {reason}", message.target));
    let [file] = message.files.as_slice() else { return Err(refused("the message has to be one file")) };
    if file.name != FILE {
        return Err(refused(&format!("the message is in {:?}, not in {FILE}", file.name)));
    }
    let request: Value = serde_json::from_str(&file.content).map_err(|error| refused(&format!("{FILE} is no JSON: {error}")))?;
    let to = request.get("to").map(|it| it.as_array().map_or(std::slice::from_ref(it), Vec::as_slice));
    let is_target = |it: &Value| !message.target.is_empty() && it.as_str() == Some(&message.target);
    let others = ["cc", "bcc"].into_iter().any(|name| request.get(name).is_some());
    match to {
        Some([to]) if is_target(to) && !others => Ok(&file.content),
        _ => Err(refused("the stored mail is addressed to somebody else")),
    }
}

/// The key as a header: itself, so that it is found again in Resend's log, or a digest where a header cannot hold it.
fn idempotency_key(key: &str) -> String {
    let fits = !key.is_empty() && key.len() <= LONGEST_KEY && key.bytes().all(|it| it.is_ascii_graphic());
    if fits { key.to_owned() } else { Sha256::of(key).to_string() }
}
