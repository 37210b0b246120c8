//! What is stored of a channel, and how to find out whether it is still there.

use std::collections::{BTreeMap, BTreeSet};

use yarnnn_core::platform::{KnownItem, PlatformError, ResourceId};

use super::calls::{Ask, HISTORY};
use super::plan::{LookUp, Plan, Stretch};
use super::read::{Listed, Reader, protocol};
use super::stamp::Ts;
use super::wire::Message;

/// Stored messages by time, and stored replies by thread.
#[derive(Debug, Default)]
pub(super) struct Known<'a> {
    ids: BTreeMap<Ts, &'a str>,
    messages: BTreeSet<Ts>,
    replies: BTreeMap<Ts, BTreeSet<Ts>>,
}

impl<'a> Known<'a> {
    pub(super) fn of(items: &'a [KnownItem]) -> Self {
        let mut known = Self::default();
        for item in items {
            let Ok(ts) = item.item_id.parse::<Ts>() else { continue };
            known.ids.insert(ts, &item.item_id);
            let thread = item.metadata.get("thread_ts").and_then(|it| it.as_str()?.parse::<Ts>().ok());
            match thread.filter(|it| *it != ts) {
                Some(thread) => known.replies.entry(thread).or_default().insert(ts),
                None => known.messages.insert(ts),
            };
        }
        known
    }

    /// The id under which a message is stored.
    pub(super) fn id(&self, ts: Ts) -> String {
        self.ids.get(&ts).map_or_else(|| ts.to_string(), |id| (*id).to_owned())
    }

    pub(super) fn oldest_from(&self, from: Ts) -> Option<Ts> {
        self.messages.range(from..).next().copied()
    }

    pub(super) fn messages_before(&self, end: Ts) -> impl Iterator<Item = Ts> + use<'_> {
        self.messages.range(..end).copied()
    }

    pub(super) fn threads(&self) -> impl Iterator<Item = Ts> + use<'_> {
        self.replies.keys().copied()
    }

    /// All stored replies of a thread.
    pub(super) fn replies(&self, thread: Ts) -> impl Iterator<Item = Ts> + use<'_> {
        self.replies.get(&thread).into_iter().flatten().copied()
    }

    /// What is stored in the part of a stretch that a page covers, and does not stand in the page.
    pub(super) fn missing(&self, stretch: &Stretch, listed: &Listed) -> Vec<LookUp> {
        let after = listed.oldest().filter(|_| listed.has_more).unwrap_or(stretch.after);
        let inside = self.messages.range(after.after()..).take_while(|it| **it < stretch.before);
        let missing = inside.filter(|it| !listed.messages.contains_key(it));
        missing.map(|ts| LookUp { ts: *ts, thread: None }).collect()
    }

    /// What is stored in the part of a thread that a page covers, and does not stand in the page.
    pub(super) fn missing_replies(&self, thread: Ts, after: Ts, listed: &Listed) -> Vec<LookUp> {
        let end = listed.newest().filter(|_| listed.has_more);
        let inside = self.replies(thread).filter(|it| after < *it && end.is_none_or(|end| *it < end));
        let missing = inside.filter(|it| !listed.messages.contains_key(it));
        missing.map(|ts| LookUp { ts, thread: Some(thread) }).collect()
    }

    /// Leaves out what nothing stored stands in: beyond the time to live, channels are long and little of them is stored.
    pub(super) fn skip_desert(&self, plan: &mut Plan, oldest_kept: Ts) {
        let Some(stretch) = plan.stretches.front_mut().filter(|it| it.before <= oldest_kept) else { return };
        match self.messages_before(stretch.before).last().filter(|it| stretch.after < *it) {
            Some(next) => (stretch.before, stretch.opened) = (next.after(), false),
            None => drop(plan.stretches.pop_front()),
        }
    }
}

impl Reader {
    /// Looks for one message; none if it is not there.
    ///
    /// # Errors
    /// `Protocol` when the answers contradict each other.
    pub(super) async fn look_up(&self, resource: &ResourceId, it: LookUp) -> Result<Option<Message>, PlatformError> {
        let (channel, at) = (resource.as_str(), it.ts);
        let one = Ask { channel, thread: it.thread, after: at, before: Some(at), inclusive: true, limit: 1, onward: None };
        if it.thread.is_some() {
            // The thread's first message takes a place of its own.
            let listed = self.thread(resource, Ask { limit: 2, ..one }).await?;
            return Ok(listed.and_then(|mut it| it.messages.remove(&at)));
        }
        if let Some(found) = self.channel(resource, one).await?.messages.remove(&at) {
            return Ok(Some(found));
        }
        // That the list lacks it proves little. Asked for as a thread, what is not there is refused by name.
        // One more than the thread's first message: a page of it alone would seem to hold nothing.
        let alone = Ask { channel, thread: Some(at), after: Ts::ZERO, before: None, inclusive: false, limit: 2, onward: None };
        let Some(found) = self.thread(resource, alone).await? else { return Ok(None) };
        let missing = || protocol(HISTORY, format!("message {at} is neither there nor not there"));
        found.parent.map(Some).ok_or_else(missing)
    }
}
