//! Whether a message in doubt arrived: reads the channel from before the first attempt on, to the end, for its key.
//!
//! It sends nothing. That the message is missing is believed only of a channel that was read in full, by an app that is shown
//! what it wrote into its messages.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize as _;
use yarnnn_core::clock::Clock;
use yarnnn_core::delivery::{LookedUp, OutboxMessage, SendReceipt};
use yarnnn_core::platform::PlatformError;

use super::calls::{Calls, HISTORY, LIST, ListAsk, TaggedAsk};
use super::publish::{EVENT_TYPE, what};
use super::stamp::Ts;
use super::wire::{AuthTest, Conversation, MessagesAnswer, Tagged};
use crate::doubt::{SKEW, settle};

/// From when on a workspace without payment hides messages.
const HIDDEN: TimeDelta = TimeDelta::days(89);
/// The scope without which an app is not shown what apps wrote into messages.
const SCOPE: &str = "metadata.message:read";
/// More pages than these are no channel that is read to its end.
const MAX_PAGES: usize = 1_000;

/// One look.
pub(super) struct LookUp<'a> {
    pub(super) calls: &'a Calls,
    pub(super) message: &'a OutboxMessage,
    pub(super) clock: &'a dyn Clock,
}

/// What one page says.
enum Page {
    Found(String),
    Next(String),
    End { is_limited: bool },
}

impl LookUp<'_> {
    /// Looks.
    pub(super) async fn run(&self) -> Result<LookedUp, PlatformError> {
        let Some(since) = self.message.first_attempt_at else {
            return Ok(self.cannot_tell("when it was first sent is not known"));
        };
        settle(self.message, since, self.clock).await;
        let (own, scopes) = self.calls.auth_test().await?;
        if own.user_id.is_empty() && own.bot_id.is_empty() {
            return Ok(self.cannot_tell("Slack does not say which messages are the app's own"));
        }
        let Some(channel) = self.channel().await? else {
            return Ok(self.cannot_tell("no channel of that name is in sight of the app"));
        };
        match self.find(&channel, since, &own).await? {
            Ok(Some(ts)) => Ok(LookedUp::Arrived(SendReceipt { external_id: ts })),
            Ok(None) if !scopes.is_empty() && !scopes.iter().any(|it| it == SCOPE) => {
                let lacking = format!("the app lacks the scope {SCOPE}, without which it is not shown the key of its messages");
                Ok(self.cannot_tell(&format!("{lacking}; add it, install the app again and connect again")))
            }
            Ok(None) => Ok(LookedUp::NotThere),
            Err(reason) => Ok(self.cannot_tell(&reason)),
        }
    }

    fn cannot_tell(&self, reason: &str) -> LookedUp {
        let what = what(self.message);
        LookedUp::CannotTell { reason: format!("{what}: whether it arrived cannot be seen: {reason}; look into the channel") }
    }

    /// The id of the target, which may be a name.
    async fn channel(&self) -> Result<Option<String>, PlatformError> {
        let target = self.message.target.as_str();
        if is_id(target) {
            return Ok(Some(target.to_owned()));
        }
        let name = target.trim_start_matches('#');
        let found = self.named(name, "public_channel,private_channel").await?;
        match found {
            Ok(found) => Ok(found),
            Err(_) => self.named(name, "public_channel").await?.map_err(|word| protocol(LIST, format!("refused with {word}"))),
        }
    }

    async fn named(&self, name: &str, types: &str) -> Result<Result<Option<String>, String>, PlatformError> {
        let (mut cursor, mut seen) = (None::<String>, BTreeSet::new());
        loop {
            let listed = match self.calls.list(ListAsk { types, cursor: cursor.as_deref() }).await? {
                Ok(listed) => listed,
                Err(word) => return Ok(Err(word)),
            };
            let channels = listed.channels.iter().filter_map(|it| Conversation::deserialize(it).ok());
            if let Some(found) = channels.into_iter().find(|it| it.name == name && !it.id.is_empty()) {
                return Ok(Ok(Some(found.id)));
            }
            let Some(next) = listed.response_metadata.next() else { return Ok(Ok(None)) };
            if seen.len() >= MAX_PAGES || !seen.insert(next.to_owned()) {
                return Err(protocol(LIST, "the list does not end".to_owned()));
            }
            cursor = Some(next.to_owned());
        }
    }

    /// Reads the channel; the message's time if it is there, or why it cannot be read.
    async fn find(
        &self,
        channel: &str,
        since: DateTime<Utc>,
        own: &AuthTest,
    ) -> Result<Result<Option<String>, String>, PlatformError> {
        let (after, before) = (Ts::of(since - SKEW), Ts::of(self.clock.now() + SKEW));
        let (mut cursor, mut seen) = (None::<String>, BTreeSet::new());
        loop {
            let answer = match self.calls.tagged(&TaggedAsk { channel, after, before, cursor: cursor.as_deref() }).await? {
                Ok(answer) => answer,
                Err(word) => return Ok(Err(unreadable(&word))),
            };
            match self.page(&answer, own)? {
                Page::Found(ts) => return Ok(Ok(Some(ts))),
                Page::End { is_limited } if is_limited && self.clock.now() - since > HIDDEN => {
                    return Ok(Err("the workspace's plan hides messages of that time".to_owned()));
                }
                Page::End { .. } => return Ok(Ok(None)),
                Page::Next(next) if seen.len() >= MAX_PAGES || !seen.insert(next.clone()) => {
                    return Err(protocol(HISTORY, "the channel does not end".to_owned()));
                }
                Page::Next(next) => cursor = Some(next),
            }
        }
    }

    fn page(&self, answer: &MessagesAnswer, own: &AuthTest) -> Result<Page, PlatformError> {
        for message in answer.messages.iter().filter_map(|it| Tagged::deserialize(it).ok()) {
            if self.is_it(&message, own) {
                return Ok(Page::Found(message.ts));
            }
        }
        match answer.response_metadata.next() {
            Some(next) => Ok(Page::Next(next.to_owned())),
            None if answer.has_more => Err(protocol(HISTORY, "it has more messages, and does not say where".to_owned())),
            None => Ok(Page::End { is_limited: answer.is_limited }),
        }
    }

    /// Whether a message is the app's own and carries the key. Other apps may write what they like.
    fn is_it(&self, message: &Tagged, own: &AuthTest) -> bool {
        let same = |one: &str, other: &str| !one.is_empty() && one == other;
        let is_own = same(&own.user_id, &message.user) || same(&own.bot_id, &message.bot_id);
        let tag = &message.metadata;
        is_own && tag.event_type == EVENT_TYPE && tag.event_payload.key == self.message.key && !message.ts.is_empty()
    }
}

/// `C0123ABCD`, or of a private channel or conversation.
fn is_id(target: &str) -> bool {
    let is_plain = |it: u8| it.is_ascii_uppercase() || it.is_ascii_digit();
    target.len() > 1 && target.starts_with(['C', 'G', 'D']) && target.bytes().all(is_plain)
}

fn unreadable(word: &str) -> String {
    match word {
        "missing_scope" => {
            "the app lacks the scope channels:history (groups:history in private channels); add it, install the app again and connect again".to_owned()
        }
        word => format!("Slack says {word}; the app has to be in the channel: /invite @yarnnn"),
    }
}

fn protocol(call: &str, detail: String) -> PlatformError {
    PlatformError::Protocol { call: call.to_owned(), detail }
}
