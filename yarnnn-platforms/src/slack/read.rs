//! One list of messages that can be trusted: the app has joined, and what does not fit the question was asked for twice.
//!
//! Pages go on where the messages of the page before ended, not at a cursor of Slack's: what a page lacks at its end comes with the
//! next one. Only where a server pays no heed to the bounds, its cursors lead on.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize as _;
use serde_json::Value;
use yarnnn_core::platform::{PlatformError, Quarantined, ResourceId};

use super::calls::{Ask, Calls, HISTORY, Onward, REPLIES};
use super::names::Directory;
use super::stamp::Ts;
use super::wire::{Message, MessagesAnswer, Stamp};

/// Pages of other messages that are passed by on the way to those that were asked for.
const PASSED_BY: usize = 100;

/// Reads channels and threads.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) calls: Calls,
    pub(super) directory: Directory,
}

/// The messages of one answer.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// Inside of what was asked for; replies without the parent.
    pub(super) messages: BTreeMap<Ts, Message>,
    pub(super) unreadable: Vec<Quarantined>,
    /// Whether the stretch holds more.
    pub(super) has_more: bool,
    /// Whether the plan hides older messages.
    pub(super) is_limited: bool,
    /// The parent of the thread.
    pub(super) parent: Option<Message>,
    /// Whether cursors led here.
    pub(super) is_onward: bool,
    /// Where Slack would go on.
    onward: Option<Onward>,
    is_cut: bool,
    /// Elements of the answer, of any kind.
    size: u32,
    /// Messages that were not asked for.
    foreign: u32,
}

impl Reader {
    pub(super) fn new(calls: Calls) -> Self {
        Self { calls, directory: Directory::default() }
    }

    /// A page of a channel, newest first.
    ///
    /// # Errors
    /// `ResourceGone`, `NeedsUser` when the app cannot enter the channel, `Protocol` when the answer cannot be trusted.
    pub(super) async fn channel(&self, resource: &ResourceId, ask: Ask<'_>) -> Result<Listed, PlatformError> {
        let listed = self.listed(resource, &ask).await?;
        listed.ok_or_else(|| protocol(HISTORY, "refused with thread_not_found, although no thread was asked for".to_owned()))
    }

    /// Whether a channel holds any of what is asked for. A server that pays no heed to the bounds is not asked further.
    ///
    /// # Errors
    /// Those of [`Self::channel`].
    pub(super) async fn has_any(&self, resource: &ResourceId, ask: Ask<'_>) -> Result<bool, PlatformError> {
        Ok(self.ask(resource, &ask, None).await?.is_some_and(|it| !it.messages.is_empty()))
    }

    /// A page of a thread, oldest first; none if there is no such thread.
    ///
    /// # Errors
    /// Those of [`Self::channel`].
    pub(super) async fn thread(&self, resource: &ResourceId, ask: Ask<'_>) -> Result<Option<Listed>, PlatformError> {
        match self.listed(resource, &ask).await? {
            Some(listed) if listed.size == 0 && !listed.is_onward => self.prove_thread(resource, ask).await,
            listed => Ok(listed),
        }
    }

    /// An empty thread is one that is there and has nothing inside of the bounds: some servers leave its first message out then.
    async fn prove_thread(&self, resource: &ResourceId, ask: Ask<'_>) -> Result<Option<Listed>, PlatformError> {
        let is_bounded = ask.after > Ts::ZERO;
        let whole = Ask { after: Ts::ZERO, before: None, inclusive: false, limit: 2, onward: None, ..ask };
        let Some(whole) = (if is_bounded { self.listed(resource, &whole).await? } else { Some(Listed::default()) }) else {
            return Ok(None);
        };
        let latest = whole.parent.as_ref().and_then(|it| it.begins()?.1);
        if whole.size == 0 || (!ask.inclusive && latest.is_some_and(|it| it > ask.after)) {
            let detail = "the thread is empty, although its first message always stands in it".to_owned();
            return Err(protocol(REPLIES, detail));
        }
        // Who looks for one message takes its absence for a deletion.
        if ask.inclusive { self.listed(resource, &ask).await } else { Ok(Some(Listed::default())) }
    }

    async fn listed(&self, resource: &ResourceId, ask: &Ask<'_>) -> Result<Option<Listed>, PlatformError> {
        let Some(mut listed) = self.ask(resource, ask, None).await? else { return Ok(None) };
        if listed.is_another() || listed.lacks_replies(ask) {
            let Some(again) = self.ask(resource, ask, None).await? else { return Ok(None) };
            listed = if again.is_another() { self.onward(resource, ask, again).await? } else { again };
        }
        if listed.has_more && listed.is_empty() && listed.parent.is_none() {
            return Err(protocol(ask.call(), "an empty page says that there is more".to_owned()));
        }
        Ok(Some(listed))
    }

    /// Asks by cursors, for a server that pays no heed to the bounds, until a page holds what was asked for or there is no more.
    async fn onward(&self, resource: &ResourceId, ask: &Ask<'_>, another: Listed) -> Result<Listed, PlatformError> {
        if ask.inclusive && ask.thread.is_none() {
            // One message of a channel: whoever looks for it does not believe the list alone.
            return Ok(Listed { is_onward: true, ..Listed::default() });
        }
        let foreign = another.foreign;
        let ask = Ask { limit: if ask.inclusive { self.calls.limits.page_size } else { ask.limit }, ..*ask };
        let mut ways: Vec<Onward> = another.onward.into_iter().chain(ask.onward.cloned()).collect();
        let (mut tried, mut is_end) = (BTreeSet::new(), false);
        while let Some(onward) = ways.pop().filter(|_| tried.len() < PASSED_BY) {
            if !tried.insert(onward.cursor.clone()) {
                continue;
            }
            let Some(page) = self.ask(resource, &ask, Some(&onward)).await? else { continue };
            if !page.is_another() {
                return Ok(page);
            }
            is_end = !page.has_more;
            ways.extend(page.onward);
        }
        if is_end {
            return Ok(Listed { is_onward: true, ..Listed::default() });
        }
        let detail = format!("{foreign} messages stand in the answer that were not asked for");
        Err(protocol(ask.call(), detail))
    }

    /// One answer, by a cursor if one is given; a public channel that the app has not entered is entered first. None if there is no
    /// such thread or cursor.
    async fn ask(&self, resource: &ResourceId, ask: &Ask<'_>, by: Option<&Onward>) -> Result<Option<Listed>, PlatformError> {
        let mut has_joined = false;
        loop {
            let word = match self.calls.messages(ask, by).await? {
                Ok(answer) => return Ok(Some(Listed::of(&answer, ask, by))),
                Err(word) => word,
            };
            match word.as_str() {
                "thread_not_found" | "invalid_cursor" => return Ok(None),
                "channel_not_found" => return Err(PlatformError::ResourceGone { resource: resource.clone() }),
                _ if has_joined => return Err(self.uninvited(ask.channel, &word)),
                _ => self.calls.join(ask.channel).await?.map_err(|word| self.uninvited(ask.channel, &word))?,
            }
            has_joined = true;
        }
    }

    fn uninvited(&self, channel: &str, word: &str) -> PlatformError {
        let label = self.directory.label(channel);
        let remedy = match word {
            "is_archived" => format!("it is archived; unarchive {label} or leave it out"),
            "missing_scope" => format!("invite the app to {label} (/invite), or add the scope channels:join to it"),
            _ => format!("invite the app to {label} (/invite)"),
        };
        PlatformError::NeedsUser { action: format!("{HISTORY}: the app is not in {label} and cannot join it ({word}); {remedy}") }
    }
}

impl Listed {
    fn of(answer: &MessagesAnswer, ask: &Ask<'_>, by: Option<&Onward>) -> Self {
        let onward = answer.response_metadata.next().map(|it| ask.onward(by, it));
        let (has_more, is_onward) = (answer.has_more || onward.is_some(), by.is_some());
        let mut listed = Self { has_more, is_limited: answer.is_limited, is_onward, onward, ..Self::default() };
        for element in &answer.messages {
            listed.size = listed.size.saturating_add(1);
            listed.add(element, ask);
        }
        listed
    }

    fn add(&mut self, element: &Value, ask: &Ask<'_>) {
        let (ts, message) = match readable(element) {
            Ok(read) => read,
            Err(reason) => {
                let item = format!("{}, channel {}: message {} of an answer", ask.call(), ask.channel, self.size);
                return self.unreadable.push(Quarantined { item, reason });
            }
        };
        if ask.thread == Some(ts) {
            self.parent = Some(message);
        } else if ask.covers(ts) {
            self.messages.insert(ts, message);
        } else {
            self.foreign = self.foreign.saturating_add(1);
        }
    }

    /// Whether it answers another question: it has messages, and none that was asked for. Some that were not asked for besides
    /// those that were do no harm.
    fn is_another(&self) -> bool {
        self.foreign > 0 && self.is_empty()
    }

    /// Whether a thread that is listed to its end holds less than its first message says. That it still does when it is asked
    /// again must be borne: Slack also counts replies that it no longer shows.
    fn lacks_replies(&self, ask: &Ask<'_>) -> bool {
        let is_whole = ask.after == Ts::ZERO && ask.before.is_none() && !self.has_more;
        let count = self.messages.len().saturating_add(self.unreadable.len()) as u64;
        is_whole && self.parent.as_ref().is_some_and(|it| it.reply_count > count)
    }

    /// Keeps so many bytes of text from the page's beginning, at least one message; what is cut off is more to come.
    pub(super) fn cut(&mut self, bytes: usize, newest_first: bool) {
        let mut room = bytes;
        let mut fits = |message: &Message| {
            let is_first = room == bytes;
            let fits = message.text.len() <= room;
            room = room.saturating_sub(message.text.len().max(1));
            fits || is_first
        };
        let stop = if newest_first {
            self.messages.iter().rev().find(|(_, message)| !fits(message)).map(|(ts, _)| *ts)
        } else {
            self.messages.iter().find(|(_, message)| !fits(message)).map(|(ts, _)| *ts)
        };
        let Some(stop) = stop else { return };
        (self.has_more, self.is_cut) = (true, true);
        if newest_first {
            self.messages = self.messages.split_off(&stop.after());
        } else {
            self.messages.split_off(&stop);
        }
    }

    /// Where Slack would go on after this page. What was cut off stands before that: then the way that led here leads there too.
    pub(super) fn onward_after(&self, before: Option<Onward>) -> Option<Onward> {
        if self.is_cut { before } else { self.onward.clone() }
    }

    /// Messages, readable or not.
    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.messages.len().saturating_add(self.unreadable.len())).unwrap_or(u32::MAX)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.unreadable.is_empty()
    }

    pub(super) fn oldest(&self) -> Option<Ts> {
        self.messages.first_key_value().map(|(ts, _)| *ts)
    }

    pub(super) fn newest(&self) -> Option<Ts> {
        self.messages.last_key_value().map(|(ts, _)| *ts)
    }
}

impl Ask<'_> {
    fn covers(&self, ts: Ts) -> bool {
        let is_bound = self.inclusive && (ts == self.after || Some(ts) == self.before);
        is_bound || (self.after < ts && self.before.is_none_or(|it| ts < it))
    }
}

impl Message {
    /// When the message was written, if it says so in a way that Slack could take back.
    pub(super) fn stamp(&self) -> Option<Ts> {
        self.ts.as_ref().and_then(|Stamp(text)| text.parse().ok())
    }

    /// The thread that this message begins, if it has replies, and when the newest of these was written.
    pub(super) fn begins(&self) -> Option<(Ts, Option<Ts>)> {
        let ts = self.stamp()?;
        let is_reply = self.thread_ts.as_ref().is_some_and(|Stamp(it)| it.parse().ok() != Some(ts));
        let latest = self.latest_reply.as_ref().and_then(|Stamp(it)| it.parse().ok());
        (self.reply_count > 0 && !is_reply).then_some((ts, latest))
    }
}

fn readable(element: &Value) -> Result<(Ts, Message), String> {
    if !element.is_object() {
        return Err("it is not a JSON object".to_owned());
    }
    let message = Message::deserialize(element).map_err(|error| format!("it is not a message: {error}"))?;
    let ts = message.stamp().ok_or("it has no ts, by which Slack tells messages apart")?;
    Ok((ts, message))
}

pub(super) fn protocol(call: &str, detail: String) -> PlatformError {
    PlatformError::Protocol { call: call.to_owned(), detail }
}
