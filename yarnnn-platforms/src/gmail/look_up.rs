//! Whether a draft in doubt is there: reads the headers of all drafts for its key, then looks whether its user has sent it since.
//!
//! It makes and sends nothing. That the draft is missing is believed only when all drafts were read. A draft that its user threw
//! away before anybody looked is not told from one that never was.

use chrono::{DateTime, Utc};
use mail_parser::MessageParser;
use yarnnn_core::clock::Clock;
use yarnnn_core::delivery::{LookedUp, OutboxMessage, SendReceipt};
use yarnnn_core::mail::{MARK, mark, message_id};
use yarnnn_core::platform::PlatformError;

use super::calls::{Calls, Found};
use super::draft::what;
use super::draft_calls::{Headers, LIST_DRAFTS, Named};
use crate::doubt::{SKEW, settle};
use crate::google::elements;

/// More drafts than these are not gone through.
const MOST_DRAFTS: usize = 2_000;
/// Drafts that are asked for at once.
const AT_ONCE: usize = 50;
const HEADERS: [&str; 3] = [MARK, "Message-ID", "Subject"];

/// One look.
pub(super) struct LookUp<'a> {
    pub(super) calls: &'a Calls,
    pub(super) message: &'a OutboxMessage,
    pub(super) clock: &'a dyn Clock,
}

impl LookUp<'_> {
    /// Looks.
    pub(super) async fn run(&self) -> Result<LookedUp, PlatformError> {
        let Some(since) = self.message.first_attempt_at else {
            return Ok(self.cannot_tell("when it was first made is not known"));
        };
        settle(self.message, since, self.clock).await;
        match self.draft().await? {
            Ok(Some(id)) => return Ok(LookedUp::Arrived(SendReceipt { external_id: id })),
            Ok(None) => {}
            Err(reason) => return Ok(self.cannot_tell(&reason)),
        }
        if let Some(id) = self.mail().await? {
            return Ok(LookedUp::Arrived(SendReceipt { external_id: id }));
        }
        if self.is_sent(since).await? {
            return Ok(self.cannot_tell("a mail of this subject went to this address since, and may have been the draft"));
        }
        Ok(LookedUp::NotThere)
    }

    fn cannot_tell(&self, reason: &str) -> LookedUp {
        let reason = format!("{}: whether it is there cannot be seen: {reason}; look into your drafts", what(self.message));
        LookedUp::CannotTell { reason }
    }

    /// The draft that carries the key, or why that cannot be seen.
    async fn draft(&self) -> Result<Result<Option<String>, String>, PlatformError> {
        let (mut page, mut seen) = (None::<String>, 0);
        loop {
            let listed = self.calls.drafts(page.as_deref()).await?;
            let (named, unread) = elements::<Named>(LIST_DRAFTS, listed.drafts);
            if !unread.is_empty() {
                return Ok(Err("Gmail lists drafts that cannot be read".to_owned()));
            }
            let ids: Vec<String> = named.into_iter().map(|it| it.id).collect();
            seen += ids.len();
            for ids in ids.chunks(AT_ONCE) {
                match self.marked(ids, self.calls.draft_headers(ids, &HEADERS).await?) {
                    Ok(None) => {}
                    found => return Ok(found),
                }
            }
            match listed.next_page_token {
                None => return Ok(Ok(None)),
                Some(next) if seen >= MOST_DRAFTS || page.as_ref() == Some(&next) => {
                    return Ok(Err(format!("the mailbox has more than {MOST_DRAFTS} drafts")));
                }
                Some(next) => page = Some(next),
            }
        }
    }

    fn marked(&self, ids: &[String], headers: Vec<Found<Headers>>) -> Result<Option<String>, String> {
        for (id, headers) in ids.iter().zip(headers) {
            if headers?.is_some_and(|it| self.is_it(&it)) {
                return Ok(Some(id.clone()));
            }
        }
        Ok(None)
    }

    fn is_it(&self, headers: &Headers) -> bool {
        headers.says(MARK, &mark(&self.message.key))
            || headers.says("Message-ID", &format!("<{}>", message_id(&self.message.key)))
    }

    /// The mail that carries the key: what was a draft is sent, or lies in the bin.
    async fn mail(&self) -> Result<Option<String>, PlatformError> {
        let ids = self.calls.searched(&format!("rfc822msgid:{}", message_id(&self.message.key))).await?;
        let headers = self.calls.mail_headers(&ids, &HEADERS).await?;
        Ok(self.marked(&ids, headers).ok().flatten())
    }

    /// Whether the user sent a mail like it since: a mail that is sent may be given another id, and lose what it was marked with.
    async fn is_sent(&self, since: DateTime<Utc>) -> Result<bool, PlatformError> {
        let after = (since - SKEW).timestamp();
        let ids = self.calls.searched(&format!("in:sent to:{} after:{after}", self.message.target)).await?;
        let Some(subject) = self.subject() else { return Ok(!ids.is_empty()) };
        let headers = self.calls.mail_headers(&ids, &HEADERS).await?;
        Ok(headers.into_iter().any(|it| it.is_ok_and(|it| it.is_some_and(|it| it.says("Subject", &subject)))))
    }

    fn subject(&self) -> Option<String> {
        let file = self.message.files.first()?;
        Some(MessageParser::default().parse_headers(&file.content)?.subject()?.to_owned())
    }
}
