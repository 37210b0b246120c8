//! How each kind of fetch begins: what is there, what has happened since, what is stored and no longer listed.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use yarnnn_core::platform::{Fetch, FetchMode, FetchPage, Interval, KnownItem, PlatformError, Quarantined};

use super::calls::{Found, HISTORY_LIST, LABEL, LIST, PROFILE, Query};
use super::client::{GmailClient, label};
use super::cursor::Cursor;
use super::map;
use super::wire::{Change, Message, Record, Stub};
use super::work::{Kind, Work};
use crate::google::{Trail, elements, protocol, rotating};

/// Mails that are listed at once, and at all.
const LIST_PAGE: u32 = 100;
const MAX_LISTED: usize = 5_000;

/// Pages after which a list that has no end is not believed.
const MAX_PAGES: usize = 1_000;

/// Mails outside of an audit's window that are looked up.
const MAX_SAMPLES: usize = 100;

/// New mails that an audit without a cap reads.
const AUDIT_CAP: u32 = 200;

/// An empty history moves the cursor only after this long: an empty answer proves little, an old cursor costs nothing yet.
const QUIET: TimeDelta = TimeDelta::days(1);

/// The ids of a label, newest first.
struct Listing {
    ids: Vec<String>,
    /// Whether there are more.
    more: bool,
    quarantined: Vec<Quarantined>,
}

impl GmailClient {
    /// Finds out what a fetch has to do.
    pub(super) async fn begin(&self, fetch: &Fetch, page: &mut FetchPage) -> Result<Work, PlatformError> {
        let cap = fetch.budget.cap;
        let begun = match &fetch.mode {
            FetchMode::Start { window } => self.begin_start(label(&fetch.resource), *window, cap, page).await?,
            FetchMode::Since(cursor) => {
                self.begin_since(label(&fetch.resource), Cursor::read(cursor.as_str())?, cap, page).await?
            }
            FetchMode::Audit { window, known, .. } => self.begin_audit(label(&fetch.resource), *window, known, cap, page).await?,
            _ => return Err(protocol("gmail", "this kind of fetch is not known")),
        };
        begun.ok_or_else(|| PlatformError::ResourceGone { resource: fetch.resource.clone() })
    }

    /// None: the label is gone.
    async fn begin_start(
        &self,
        label: &str,
        window: Interval,
        cap: Option<u32>,
        page: &mut FetchPage,
    ) -> Result<Option<Work>, PlatformError> {
        let now = self.calls.clock().now();
        // Before the list is read: what comes in meanwhile is then told twice, not never.
        let profile = self.calls.profile().await?;
        let history_id = profile.history_id.ok_or_else(|| protocol(PROFILE, "it names no historyId"))?;
        self.meet(profile.email_address);
        let query = Query { after: Some(window.from), ..Query::all(label) };
        let Some(listing) = self.listed(label, query).await? else { return Ok(None) };
        let nothing = listing.ids.is_empty() && listing.quarantined.is_empty();
        if nothing && self.prove_empty(label, window.from).await?.is_none() {
            return Ok(None);
        }
        let mut work = Work::new(Kind::Start, window, (now, now));
        work.is_certain = listing.quarantined.is_empty();
        page.quarantined.extend(listing.quarantined);
        work.history = Some((history_id, now));
        work.more = listing.more;
        let count = listing.ids.len();
        work.take(listing.ids, count, cap);
        Ok(Some(work))
    }

    async fn begin_since(
        &self,
        label: &str,
        cursor: Cursor,
        cap: Option<u32>,
        page: &mut FetchPage,
    ) -> Result<Option<Work>, PlatformError> {
        if is_own(label) && self.calls.label(label).await?.is_none() {
            return Ok(None);
        }
        let now = self.calls.clock().now();
        let happened = self.happened(label, &cursor).await?;
        let mut work = Work::new(Kind::Since, Interval { from: cursor.from, to: now }, (cursor.until, now));
        work.history = Some(happened.point(&cursor, now));
        work.lookups = happened.lost;
        let mut ids = happened.found;
        let mut seen: BTreeSet<String> = ids.iter().chain(&work.lookups).cloned().collect();
        ids.extend(cursor.pending.into_iter().filter(|it| seen.insert(it.clone())));
        let mut listed = cursor.listed;
        work.more = cursor.more;
        if cursor.more && cap.is_none_or(|cap| ids.len() < usize::try_from(cap).unwrap_or(usize::MAX)) {
            let query = Query { after: Some(cursor.from), before: Some(cursor.until), ..Query::all(label) };
            let Some(older) = self.listed(label, query).await? else { return Ok(None) };
            page.quarantined.extend(older.quarantined);
            let before = ids.len();
            ids.extend(older.ids.into_iter().filter(|it| seen.insert(it.clone())));
            listed += ids.len() - before;
            work.more = older.more;
        }
        let listed = listed.min(ids.len());
        work.take(ids, listed, cap);
        Ok(Some(work))
    }

    async fn begin_audit(
        &self,
        label: &str,
        window: Interval,
        known: &[KnownItem],
        cap: Option<u32>,
        page: &mut FetchPage,
    ) -> Result<Option<Work>, PlatformError> {
        let now = self.calls.clock().now();
        let query = Query { after: Some(window.from), ..Query::all(label) };
        let Some(listing) = self.listed(label, query).await? else { return Ok(None) };
        let nothing = listing.ids.is_empty() && listing.quarantined.is_empty();
        let inside = |it: &KnownItem| it.source_timestamp.is_some_and(|at| window.contains(at));
        if nothing && known.iter().any(inside) && self.prove_empty(label, window.from).await?.is_none() {
            return Ok(None);
        }
        page.quarantined.extend(listing.quarantined);
        let mut lost: BTreeMap<&str, &KnownItem> = known.iter().map(|it| (it.item_id.as_str(), it)).collect();
        // Mails do not change: what is listed and stored is as it is stored.
        let (stored, new): (Vec<_>, Vec<_>) = listing.ids.into_iter().partition(|it| lost.remove(it.as_str()).is_some());
        page.unchanged.extend(stored);
        let mut work = Work::new(Kind::Audit, window, (now, now));
        work.more = listing.more;
        let (lookups, outside): (Vec<_>, Vec<_>) = lost.into_values().partition(|it| inside(it));
        let ids = |items: Vec<&KnownItem>| items.into_iter().map(|it| it.item_id.clone()).collect::<Vec<_>>();
        work.lookups = ids(lookups);
        work.samples = rotating(ids(outside), MAX_SAMPLES, now);
        let count = new.len();
        work.take(new, count, Some(cap.unwrap_or(AUDIT_CAP)));
        Ok(Some(work))
    }

    /// All ids up to the most that are listed. None: the label is gone.
    async fn listed(&self, label: &str, query: Query<'_>) -> Result<Option<Listing>, PlatformError> {
        if is_own(label) && self.calls.label(label).await?.is_none() {
            return Ok(None);
        }
        let mut listing = Listing { ids: Vec::new(), more: false, quarantined: Vec::new() };
        let (mut seen, mut trail) = (BTreeSet::new(), Trail::default());
        loop {
            let most = u32::try_from(MAX_LISTED - listing.ids.len()).unwrap_or(LIST_PAGE).min(LIST_PAGE);
            let Some(listed) = self.calls.list(query, most, trail.last()).await? else { return Ok(None) };
            let (stubs, quarantined) = elements::<Stub>(LIST, listed.messages);
            listing.quarantined.extend(quarantined);
            listing.ids.extend(stubs.into_iter().map(|it| it.id).filter(|it| seen.insert(it.clone())));
            if !trail.follow(LIST, MAX_PAGES, listed.next_page_token)? {
                return Ok(Some(listing));
            }
            if listing.ids.len() >= MAX_LISTED {
                listing.more = true;
                return Ok(Some(listing));
            }
        }
    }

    /// Asks otherwise whether nothing came in since an instant. None: the label is gone.
    async fn prove_empty(&self, label: &str, from: DateTime<Utc>) -> Result<Option<()>, PlatformError> {
        let Some(found) = self.calls.label(label).await? else { return Ok(None) };
        if found.messages_total == Some(0) {
            return Ok(Some(()));
        }
        let Some(newest) = self.newest(Query::all(label)).await? else {
            // A label whose mails all lie in the bin counts them, and lists them only when asked for.
            let binned = self.newest(Query { with_trash: true, ..Query::all(label) }).await?;
            return match found.messages_total {
                Some(total) if binned.is_none() => {
                    Err(protocol(LIST, format!("the list is empty, but {LABEL} counts {total} mails under {label}")))
                }
                _ => Ok(Some(())),
            };
        };
        let mails = self.calls.messages(std::slice::from_ref(&newest), "minimal").await?;
        let may_be_inside =
            |it: Found<Message>| it.map_or(true, |it| it.and_then(|it| map::received(&it)).is_some_and(|at| at >= from));
        if mails.into_iter().any(may_be_inside) {
            return Err(protocol(LIST, format!("the list of {label} since {from} is empty, but {newest} is there")));
        }
        Ok(Some(()))
    }

    async fn newest(&self, query: Query<'_>) -> Result<Option<String>, PlatformError> {
        let listed = self.calls.list(query, 1, None).await?;
        let (stubs, _) = elements::<Stub>(LIST, listed.map(|it| it.messages).unwrap_or_default());
        Ok(stubs.into_iter().next().map(|it| it.id))
    }

    /// What has happened to a label since a cursor, over all pages.
    async fn happened(&self, label: &str, cursor: &Cursor) -> Result<Happened, PlatformError> {
        let mut touched = Touched::default();
        let (mut newest, mut any, mut trail) = (None, false, Trail::default());
        loop {
            let history = self.calls.history(cursor.history_id, trail.last()).await?;
            let history = history.ok_or(PlatformError::CursorExpired)?;
            // The first page's: later ones may name a point whose records came too late to be listed.
            newest = newest.or(history.history_id);
            any |= !history.history.is_empty();
            let (records, quarantined) = elements::<Record>(HISTORY_LIST, history.history);
            if let Some(broken) = quarantined.into_iter().next() {
                // What it says would be lost with it.
                return Err(protocol(HISTORY_LIST, format!("{}: {}", broken.item, broken.reason)));
            }
            for record in records {
                touched.record(record, label);
            }
            if touched.count() > MAX_LISTED {
                return Err(PlatformError::CursorExpired);
            }
            if !trail.follow(HISTORY_LIST, MAX_PAGES, history.next_page_token)? {
                break;
            }
        }
        let newest = newest.ok_or_else(|| protocol(HISTORY_LIST, "it names no historyId"))?;
        let (found, lost) = touched.split();
        Ok(Happened { found, lost, newest, any })
    }
}

/// What has happened to a label.
struct Happened {
    /// Mails that may be new, newest first.
    found: Vec<String>,
    /// Mails that may be gone.
    lost: Vec<String>,
    newest: u64,
    /// Whether anything at all was told.
    any: bool,
}

impl Happened {
    /// The point of the history that the next fetch starts at, and when it was the newest.
    fn point(&self, cursor: &Cursor, now: DateTime<Utc>) -> (u64, DateTime<Utc>) {
        let moves = self.newest > cursor.history_id && (self.any || now - cursor.at > QUIET);
        if moves { (self.newest, now) } else { (cursor.history_id, cursor.at) }
    }
}

/// The mails that records speak of, in their order.
#[derive(Default)]
struct Touched {
    order: Vec<String>,
    /// Whether the mail may be new to the label.
    may_be_new: BTreeMap<String, bool>,
}

impl Touched {
    fn record(&mut self, record: Record, label: &str) {
        let hidden = |it: &String| matches!(it.as_str(), "DRAFT" | "SPAM" | "TRASH") && it != label;
        // A mail whose labels are not told is asked for them.
        let may_have = |it: &Stub| it.label_ids.as_ref().is_none_or(|it| it.is_empty() || it.iter().any(|it| it == label));
        for Change { message, .. } in record.messages_added.into_iter().filter(|it| may_have(&it.message)) {
            self.touch(message.id, true);
        }
        for Change { message, label_ids } in record.labels_added {
            if label_ids.iter().any(|it| it == label) {
                self.touch(message.id, true);
            } else if label_ids.iter().any(hidden) && may_have(&message) {
                self.touch(message.id, false);
            }
        }
        for Change { message, label_ids } in record.labels_removed {
            if label_ids.iter().any(|it| it == label) {
                self.touch(message.id, false);
            } else if label_ids.iter().any(hidden) && may_have(&message) {
                self.touch(message.id, true);
            }
        }
        // Each time a draft is saved its last version is deleted; that is nothing to look up.
        for Change { message, .. } in record.messages_deleted.into_iter().filter(|it| may_have(&it.message)) {
            self.touch(message.id, false);
        }
    }

    fn touch(&mut self, id: String, may_be_new: bool) {
        if let Some(known) = self.may_be_new.get_mut(&id) {
            *known |= may_be_new;
        } else {
            self.order.push(id.clone());
            self.may_be_new.insert(id, may_be_new);
        }
    }

    fn count(&self) -> usize {
        self.order.len()
    }

    /// What may be new, newest first, and what may be gone.
    fn split(self) -> (Vec<String>, Vec<String>) {
        self.order.into_iter().rev().partition(|it| self.may_be_new.get(it).copied().unwrap_or_default())
    }
}

/// Whether a person made the label; those of Gmail itself cannot be deleted.
fn is_own(label: &str) -> bool {
    label.starts_with("Label_")
}
