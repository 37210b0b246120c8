//! Delivery as a draft in the user's own Gmail: the stored mail becomes a draft, and nobody is sent anything.
//!
//! Gmail has no keys against making a draft twice. The draft carries its own in its headers, and whether one in doubt is there is
//! looked up by it (`look_up.rs`).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use mail_parser::{Address, HeaderName, MessageParser};
use serde_json::{Value, json};
use url::Url;
use yarnnn_core::clock::Clock;
use yarnnn_core::delivery::{Channel, ChannelKind, Letter, LookedUp, OutboxFile, OutboxMessage, SendError, SendReceipt};
use yarnnn_core::id::UserId;
use yarnnn_core::jobs::CapacityLimits;
use yarnnn_core::mail::{MARK, MailParts, compose, mark};
use yarnnn_core::platform::{Access, OpenAccess, Platform, PlatformError};

use super::calls::Calls;
use super::draft_calls::COMPOSERS;
use super::look_up::LookUp;
use crate::http::{HttpTransport, Once, RawReply, Session, Transport, Verdict};

/// The message's file: the draft as a mail.
pub(super) const FILE: &str = "draft.eml";
/// How often a limit on calls is waited for, and how long at most.
const WAITS: u32 = 3;
const PATIENCE: Duration = Duration::from_secs(30);
/// How long to stay away after a limit whose end is not named: limits are those of a minute.
const UNNAMED_LIMIT: Duration = Duration::from_secs(5);

/// Leaves reports as drafts in Gmail.
pub struct GmailChannel {
    access: Arc<dyn OpenAccess>,
    transport: Arc<dyn Transport>,
    base: Url,
    limits: CapacityLimits,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for GmailChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GmailChannel").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

impl GmailChannel {
    /// Makes drafts over this pool of connections at Gmail at this address (`https://gmail.googleapis.com`), with what users have
    /// connected.
    pub fn new(
        access: Arc<dyn OpenAccess>,
        transport: HttpTransport,
        base: Url,
        limits: CapacityLimits,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { access, transport: Arc::new(transport), base, limits, clock }
    }

    async fn calls(&self, message: &OutboxMessage) -> Result<Calls, SendError> {
        let access = self.access.access(message.user, Platform::Gmail).await.map_err(|it| not_made(message, it))?;
        let session = Session::over(self.transport.clone(), access.tokens, access.gate, self.clock.clone());
        Ok(Calls::new(session, self.base.clone(), self.limits.clone()))
    }
}

#[async_trait]
impl Channel for GmailChannel {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Gmail
    }

    /// None: a draft names its recipient.
    fn default_target(&self) -> String {
        String::new()
    }

    /// The report as a mail without a sender, which is whoever has the mailbox.
    fn compose(&self, letter: &Letter) -> Result<Vec<Vec<OutboxFile>>, SendError> {
        let parts = MailParts {
            from: None,
            to: &letter.recipient,
            subject: &letter.subject,
            date: letter.date,
            key: &letter.key,
            text: &letter.text,
            html: &letter.html,
        };
        let content = compose(parts).map_err(|error| SendError::Refused(error.to_string()))?;
        Ok(vec![vec![OutboxFile { name: FILE.to_owned(), content }]])
    }

    /// Whether the user has connected Google and granted that drafts are made.
    async fn ready(&self, user: UserId, target: &str) -> Result<(), SendError> {
        let refused = |reason: String| SendError::Refused(format!("draft for {target} in Gmail: {reason}"));
        let access = self.access.access(user, Platform::Gmail).await.map_err(|error| refused(error.to_string()))?;
        if may_compose(&access) { Ok(()) } else { Err(refused(LACKS_SCOPE.to_owned())) }
    }

    async fn send(&self, message: &OutboxMessage) -> Result<SendReceipt, SendError> {
        let body = json!({ "message": { "raw": URL_SAFE.encode(mail(message)?) } }).to_string();
        let calls = self.calls(message).await?;
        let mut waits = 0;
        loop {
            let raw = match calls.create_draft(body.clone()).await.map_err(|it| not_made(message, it))? {
                Once::Answered(raw) => raw,
                Once::NotMade(error) => return Err(not_made(message, error)),
                Once::Unanswered(reason) => return Err(unknown(message, reason)),
            };
            match calls.judge_draft(&raw) {
                Ok(Verdict::Good) => return made(message, &raw),
                Ok(Verdict::Retry { after, limited: true, reason }) => {
                    let after = after.unwrap_or(UNNAMED_LIMIT);
                    if waits >= WAITS || after > PATIENCE {
                        let reason = format!("{reason}; Gmail asks for {} s of patience", after.as_secs());
                        return Err(SendError::Unavailable { what: what(message), source: reason.into() });
                    }
                    waits += 1;
                    tokio::time::sleep(after).await;
                }
                judged => return Err(unmade(message, &raw, judged)),
            }
        }
    }

    async fn look_up(&self, message: &OutboxMessage) -> Result<LookedUp, SendError> {
        let calls = self.calls(message).await?;
        LookUp { calls: &calls, message, clock: self.clock.as_ref() }.run().await.map_err(|it| not_made(message, it))
    }
}

const LACKS_SCOPE: &str = "Google was connected without the scope gmail.compose, so no draft can be made; connect it again and leave \
    \"Manage drafts and send emails\" ticked: yarnnn connect google";

/// Whether drafts may be made. Where it is not known which scopes were granted, Gmail says so when one is.
fn may_compose(access: &Access) -> bool {
    access.scopes.is_empty() || access.scopes.iter().any(|it| COMPOSERS.contains(&it.as_str()))
}

/// What is tried, for messages.
pub(super) fn what(message: &OutboxMessage) -> String {
    format!("draft for {} in Gmail", message.target)
}

/// The call was not made: there is no draft by it.
fn not_made(message: &OutboxMessage, error: PlatformError) -> SendError {
    match error {
        PlatformError::NeedsUser { .. } | PlatformError::NeedsOperator { .. } => {
            SendError::Refused(format!("{}: {error}", what(message)))
        }
        error => SendError::Unavailable { what: what(message), source: error.into() },
    }
}

fn unknown(message: &OutboxMessage, reason: String) -> SendError {
    SendError::Unknown { what: what(message), source: reason.into() }
}

/// The id of the draft that an answer names.
fn made(message: &OutboxMessage, raw: &RawReply) -> Result<SendReceipt, SendError> {
    let body: Value = serde_json::from_slice(&raw.body).unwrap_or_default();
    match body.get("id").and_then(Value::as_str).unwrap_or_default() {
        "" => Err(unknown(message, "Gmail took the draft and did not say what it is called".to_owned())),
        id => Ok(SendReceipt { external_id: id.to_owned() }),
    }
}

/// What an answer means that is no draft: whatever may have been carried out leaves a doubt.
fn unmade(message: &OutboxMessage, raw: &RawReply, judged: Result<Verdict, PlatformError>) -> SendError {
    let refused = |reason: String| SendError::Refused(format!("{}: {reason}", what(message)));
    match judged {
        Ok(Verdict::Renew { reason }) => refused(format!("{reason}; connect Google again: yarnnn connect google")),
        Ok(Verdict::Fail(error @ PlatformError::RateLimited { .. })) => not_made(message, error),
        Ok(Verdict::Fail(error)) if (400..500).contains(&raw.status) => refused(error.to_string()),
        Ok(Verdict::Retry { reason, .. }) => unknown(message, reason),
        Ok(Verdict::Good) => unknown(message, format!("status {}", raw.status)),
        Ok(Verdict::Fail(error)) | Err(error) if (300..400).contains(&raw.status) => refused(format!("GMAIL_BASE_URL: {error}")),
        Ok(Verdict::Fail(error)) | Err(error) => unknown(message, error.to_string()),
    }
}

/// The stored mail, if it is a marked draft to the message's target and nobody else.
fn mail(message: &OutboxMessage) -> Result<&str, SendError> {
    let refused = |reason: &str| SendError::Refused(format!("{}: {reason}", what(message)));
    let [file] = message.files.as_slice() else { return Err(refused("the message has to be one file")) };
    if file.name != FILE {
        return Err(refused(&format!("the message is in {:?}, not in {FILE}", file.name)));
    }
    let mail = MessageParser::default().parse_headers(&file.content).ok_or_else(|| refused("the stored draft is no mail"))?;
    let to: Vec<&str> = mail.to().map(addresses).unwrap_or_default();
    if message.target.is_empty() || to != [message.target.as_str()] || mail.cc().is_some() || mail.bcc().is_some() {
        return Err(refused("the stored draft is addressed to somebody else"));
    }
    let marked = mail.header_raw(HeaderName::Other(MARK.into())).map(str::trim);
    if marked != Some(mark(&message.key).as_str()) {
        return Err(refused("the stored draft does not carry its key, without which nobody finds it again"));
    }
    Ok(&file.content)
}

fn addresses<'a>(address: &'a Address<'_>) -> Vec<&'a str> {
    address.iter().filter_map(|it| it.address()).collect()
}
