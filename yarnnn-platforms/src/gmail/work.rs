//! What is left to do in a fetch. It travels in the page token, so that any process can go on with it.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use yarnnn_core::platform::{Fetch, FetchMode, FetchPage, Gap, GapKind, Interval, Item, Next, PageToken, PlatformError, Reason};

use super::calls::GET;
use super::client::{GmailClient, label};
use super::cursor::{Cursor, Parts};
use super::map::{self, Place};
use super::wire::Message;
use crate::google::{protocol, quarantined};

const VERSION: u8 = 1;

/// For how long a page token is good. It names mails by id, which do not expire; but the point of the history that the cursor
/// will name was read before the first page, and Google promises to know it for about a week.
const GOOD_FOR: TimeDelta = TimeDelta::days(1);

/// Mails that are asked for at once.
const AT_ONCE: usize = 10;

/// Mails of one page.
const PAGE: usize = 50;

/// What kind of fetch it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Start,
    Since,
    Audit,
}

/// What is left to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Work {
    v: u8,
    pub(super) kind: Kind,
    /// Stored mails that may be gone.
    pub(super) lookups: Vec<String>,
    /// The same, of which it is not told when they are still there: outside of the window they are left to expire.
    pub(super) samples: Vec<String>,
    /// Mails to read now, newest first.
    pub(super) fetches: Vec<String>,
    /// Mails that are left to the next fetch, newest first.
    pub(super) rest: Vec<String>,
    /// How many of `fetches` and `rest` together, counted from the end, stand in the order in which they came in.
    pub(super) listed: usize,
    /// Whether there are more than could be listed.
    pub(super) more: bool,
    /// Whether everything that was listed could be read.
    pub(super) is_certain: bool,
    /// The point of the history that the cursor will name, and when it was the newest.
    pub(super) history: Option<(u64, DateTime<Utc>)>,
    /// Mails that an audit has dealt with.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    dealt: BTreeSet<String>,
    /// When the first page was asked for: of what came in later it tells nothing.
    began: DateTime<Utc>,
    /// Start of the window.
    pub(super) from: DateTime<Utc>,
    /// End of the window.
    pub(super) to: DateTime<Utc>,
    /// What was listed and not read yet, and what was not listed, came in before.
    pub(super) until: DateTime<Utc>,
}

impl Work {
    pub(super) fn new(kind: Kind, window: Interval, (until, began): (DateTime<Utc>, DateTime<Utc>)) -> Self {
        let (from, to) = (window.from, window.to);
        let (lookups, samples, fetches, rest) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (v, listed, more, is_certain, history) = (VERSION, 0, false, true, None);
        let dealt = BTreeSet::new();
        Self { v, kind, lookups, samples, fetches, rest, listed, more, is_certain, history, dealt, began, from, to, until }
    }

    pub(super) fn read(token: &PageToken) -> Result<Self, PlatformError> {
        let work: Option<Self> = serde_json::from_str(token.as_str()).ok();
        work.filter(|it| it.v == VERSION).ok_or_else(|| protocol("gmail", "the page token is not one of this client"))
    }

    /// Reads these ids: as many as the cap allows now, the others later.
    pub(super) fn take(&mut self, ids: Vec<String>, listed: usize, cap: Option<u32>) {
        let cap = cap.map_or(usize::MAX, |it| usize::try_from(it).unwrap_or(usize::MAX));
        self.fetches = ids;
        self.listed = listed;
        self.rest = self.fetches.split_off(cap.min(self.fetches.len()));
    }

    /// The next mails to read. The flags say which of them stand in the order in which they came in.
    fn next_fetches(&mut self, most: usize) -> (Vec<String>, Vec<bool>) {
        let left = self.fetches.len() + self.rest.len();
        let chunk: Vec<String> = self.fetches.drain(..most.min(self.fetches.len())).collect();
        let ordered = (0..chunk.len()).map(|place| left - place <= self.listed).collect();
        (chunk, ordered)
    }

    /// Names a mail that cannot be read. It is done: whatever is read next must not wait for it.
    fn doubt(&mut self, id: &str, reason: &str, page: &mut FetchPage) {
        self.is_certain = false;
        page.quarantined.push(quarantined(GET, id, reason));
    }

    fn is_done(&self) -> bool {
        self.lookups.is_empty() && self.samples.is_empty() && self.fetches.is_empty()
    }

    /// Another page, or the end with its cursor and what is known to be missing.
    pub(super) fn next(self, mode: &FetchMode, now: DateTime<Utc>, page: &mut FetchPage) -> Next {
        if !self.is_done() {
            page.good_for = Some(GOOD_FOR);
            return Next::Page(PageToken::new(serde_json::to_string(&self).unwrap_or_default()));
        }
        // When some of what is left has just come in, it is not known when; what was listed stays listed up to where it was.
        let until = if self.rest.len() > self.listed { now } else { self.until };
        let left = self.rest.len();
        let is_whole = left == 0 && !self.more;
        let seen = Interval { from: if is_whole { self.from } else { until }, to: self.began.min(self.to) };
        page.covered.extend((seen.from < seen.to).then_some(seen));
        if !is_whole {
            let at_least = if self.more { "more than " } else { "" };
            let reason = format!("{at_least}{left} older mails were left to the next syncs");
            page.gaps.push(Gap { kind: GapKind::Cap, from: Some(self.from), to: Some(until), reason });
        }
        let complete = Interval { from: if is_whole { self.from } else { until + TimeDelta::milliseconds(1) }, to: self.to };
        let is_complete = self.kind == Kind::Start && self.is_certain && complete.from < complete.to;
        let complete = is_complete.then_some(complete);
        let cursor = if self.kind == Kind::Audit { self.relieved(mode) } else { self.cursor() };
        Next::Done { cursor: cursor.map(|it| it.write()), complete }
    }

    /// The cursor as it is, without the mails that need not be read any more. None: it stays as it is.
    fn relieved(&self, mode: &FetchMode) -> Option<Cursor> {
        let FetchMode::Audit { known, cursor: Some(cursor), .. } = mode else { return None };
        let mut cursor = Cursor::read(cursor.as_str()).ok()?;
        let stored: BTreeSet<&str> = known.iter().map(|it| it.item_id.as_str()).collect();
        let is_dealt = |id: &String| self.dealt.contains(id) || stored.contains(id.as_str());
        let ordered = cursor.pending.len() - cursor.listed.min(cursor.pending.len());
        let done: BTreeSet<usize> =
            (0..cursor.pending.len()).filter(|it| cursor.pending.get(*it).is_some_and(is_dealt)).collect();
        cursor.listed -= done.range(ordered..).count().min(cursor.listed);
        cursor.pending.retain(|it| !is_dealt(it));
        (!done.is_empty()).then_some(cursor)
    }

    fn cursor(self) -> Option<Cursor> {
        let (history_id, at) = self.history?;
        let Self { rest: pending, listed, from, until, more, .. } = self;
        Some(Cursor::new(Parts { history_id, at, pending, listed, from, until, more }))
    }
}

impl GmailClient {
    /// One page of what is left to do.
    pub(super) async fn go_on(&self, fetch: &Fetch, work: &mut Work, page: &mut FetchPage) -> Result<(), PlatformError> {
        let most = fetch.budget.max_items.clamp(1, PAGE);
        let (mut count, mut bytes) = (0, 0);
        while count < most && bytes < fetch.budget.max_bytes.max(1) && !work.is_done() {
            let chunk = AT_ONCE.min(most - count);
            if work.lookups.is_empty() && work.samples.is_empty() {
                let (ids, ordered) = work.next_fetches(chunk);
                count += ids.len();
                bytes += self.read_mails(label(&fetch.resource), &ids, &ordered, work, page).await?;
            } else {
                count += self.look_up(label(&fetch.resource), chunk, work, page).await?;
            }
        }
        Ok(())
    }

    /// Looks whether stored mails are still there.
    async fn look_up(&self, label: &str, most: usize, work: &mut Work, page: &mut FetchPage) -> Result<usize, PlatformError> {
        let is_sample = work.lookups.is_empty();
        let list = if is_sample { &mut work.samples } else { &mut work.lookups };
        let ids: Vec<String> = list.drain(..most.min(list.len())).collect();
        let mails = self.calls.messages(&ids, "minimal").await?;
        let count = ids.len();
        for (id, mail) in ids.into_iter().zip(mails) {
            match mail {
                Err(reason) => work.doubt(&id, &reason, page),
                Ok(Some(mail)) if map::stranger(&mail.label_ids, label).is_none() => match work.kind {
                    Kind::Audit if !is_sample => page.unchanged.push(id),
                    Kind::Audit => {}
                    // It went and came back: what is stored of it may have gone meanwhile.
                    _ => work.fetches.insert(0, id),
                },
                _ => page.gone.push(id),
            }
        }
        Ok(count)
    }

    /// Reads mails into the page; answers how many bytes of text they have.
    async fn read_mails(
        &self,
        label: &str,
        ids: &[String],
        ordered: &[bool],
        work: &mut Work,
        page: &mut FetchPage,
    ) -> Result<usize, PlatformError> {
        let place = Place { label, account: self.account().await? };
        let mut bytes = 0;
        if work.kind == Kind::Audit {
            work.dealt.extend(ids.iter().cloned());
        }
        for ((id, ordered), mail) in ids.iter().zip(ordered).zip(self.calls.messages(ids, "full").await?) {
            let mail = match mail {
                Ok(Some(mail)) => mail,
                Ok(None) => {
                    page.gone.push(id.clone());
                    continue;
                }
                Err(reason) => {
                    work.doubt(id, &reason, page);
                    continue;
                }
            };
            if let Some(received) = map::received(&mail).filter(|_| *ordered) {
                work.until = work.until.min(received);
            }
            if let Some(reason) = map::stranger(&mail.label_ids, label) {
                page.gone.push(id.clone());
                page.filtered.push((Reason::fixed(reason), 1));
                continue;
            }
            match self.read_mail(mail, place).await? {
                Ok(item) => {
                    bytes += item.content.len();
                    page.items.push(item);
                }
                Err(reason) => work.doubt(id, &reason, page),
            }
        }
        Ok(bytes)
    }

    /// One mail, with those of its texts that did not come with it; or why it cannot be read.
    async fn read_mail(&self, mut mail: Message, place: Place<'_>) -> Result<Result<Item, String>, PlatformError> {
        let (part, mut outline) = match map::outline(std::mem::take(&mut mail.payload)) {
            Ok(read) => read,
            Err(reason) => return Ok(Err(reason)),
        };
        for leaf in &mut outline.leaves {
            let Some(attachment) = leaf.attachment_id.clone() else { continue };
            let filled = match self.calls.attachment(&mail.id, &attachment).await? {
                Ok(found) => leaf.fill(found.and_then(|it| it.data).as_deref().unwrap_or_default()),
                Err(reason) => Err(format!("a text of it cannot be had: {reason}")),
            };
            if let Err(reason) = filled {
                return Ok(Err(reason));
            }
        }
        Ok(map::item(&mail, &part, &outline.into_body(), place))
    }
}
