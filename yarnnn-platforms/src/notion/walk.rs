//! One fetch of a database: its stretches one after the other, its rows one after the other, a handful per page.
//!
//! All state of a fetch travels in its page token: a client that starts anew goes on from there.

use std::collections::{BTreeSet, HashMap, VecDeque};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use yarnnn_core::platform::{
    Budget, Cursor, FetchPage, Gap, GapKind, Interval, KnownItem, Next, PageToken, PlatformError, Quarantined,
};

use super::audit::Auditing;
use super::blocks::Stop;
use super::calls::{CHILDREN, Calls, Listed, QUERY, moving, protocol};
use super::cursor::{DatabaseCursor, Source, end_of_minute};
use super::limits::{AUDIT_NEW, GOOD_FOR, HANDFUL, REFUSED};
use super::map::{Head, Read};
use super::people::People;
use super::plan::{Hand, Stretch};

/// The state of a fetch.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Walk {
    database: String,
    work: Work,
    todo: VecDeque<Stretch>,
    hand: Option<Hand>,
    /// What the next sync will know.
    cursor: DatabaseCursor,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
enum Work {
    /// Reads what is new, and what earlier syncs left out.
    Sync(Syncing),
    /// Reads once more what is stored.
    Audit(Auditing),
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Syncing {
    /// Rows that may still be read; none for no bound.
    left: Option<u32>,
    /// Whether it began with nothing.
    is_first: bool,
    /// Whether rows were met that cannot be read, or none of a data source was.
    is_partial: bool,
    /// Rows that were read.
    #[serde(default)]
    read: u32,
    /// Rows that Notion refused, and why the first one.
    #[serde(default)]
    refused: u32,
    #[serde(default)]
    refusal: Option<String>,
}

/// With what a walk is done.
#[derive(Debug, Clone, Copy)]
pub(super) struct With<'a> {
    pub(super) calls: &'a Calls,
    pub(super) people: &'a People,
    pub(super) budget: Budget,
    pub(super) known: &'a [KnownItem],
}

impl Walk {
    /// Everything, newest first.
    pub(super) fn first(database: String, title: String, sources: Vec<String>, cap: Option<u32>) -> Self {
        let cursor = DatabaseCursor { title, ..DatabaseCursor::default() };
        let mut walk = Self::since(database, &cursor, sources, cap);
        walk.work = Work::Sync(Syncing { left: cap, is_first: true, ..Syncing::default() });
        walk
    }

    /// What was edited since a cursor, then what is left of earlier cuts.
    pub(super) fn since(database: String, cursor: &DatabaseCursor, sources: Vec<String>, cap: Option<u32>) -> Self {
        let known = |source: &String| cursor.sources.get(source).cloned().unwrap_or_default();
        let mut todo: VecDeque<_> = sources.iter().map(|it| Stretch::since(it.clone(), known(it).until)).collect();
        let mut holes: Vec<_> = sources
            .iter()
            .flat_map(|source| known(source).holes.into_iter().map(|hole| Stretch::hole(source.clone(), hole)))
            .collect();
        holes.sort_by_key(|it| std::cmp::Reverse(it.to));
        todo.extend(holes);
        let work = Work::Sync(Syncing { left: cap, ..Syncing::default() });
        let sources = sources.into_iter().map(|it| (it, Source::default())).collect();
        Self { database, work, todo, hand: None, cursor: DatabaseCursor { sources, ..cursor.clone() } }
    }

    /// All that is stored, and of what is not stored a little.
    pub(super) fn audit(
        (database, title): (String, String),
        sources: Vec<String>,
        (window, now): (Interval, DateTime<Utc>),
        known: &[KnownItem],
    ) -> Self {
        let auditing = Auditing {
            window: Some(window),
            began: Some(now),
            missing: known.iter().map(|it| it.item_id.clone()).collect(),
            new_left: AUDIT_NEW,
            sources: sources.iter().cloned().collect(),
            ..Auditing::default()
        };
        // Where nothing is to be listed, what is stored is looked for one by one.
        let listed = sources.into_iter().filter(|_| window.from < window.to);
        let todo = listed.map(|it| Stretch::since(it, None)).collect();
        let cursor = DatabaseCursor { title, ..DatabaseCursor::default() };
        Self { database, work: Work::Audit(auditing), todo, hand: None, cursor }
    }

    pub(super) fn resume(token: &PageToken, now: DateTime<Utc>) -> Result<Self, PlatformError> {
        let mut walk: Self = serde_json::from_str(token.as_str())
            .map_err(|error| protocol(QUERY, &format!("the page token is not one of this client: {error}")))?;
        if let Some(hand) = &mut walk.hand {
            hand.refresh(now);
        }
        Ok(walk)
    }

    /// Reads the next page.
    pub(super) async fn advance(mut self, with: With<'_>) -> Result<FetchPage, PlatformError> {
        let known = with.known.iter().map(|it| (it.item_id.as_str(), it)).collect();
        let mut page = Filling { page: FetchPage::default(), reads: 0, bytes: 0, with, known };
        while !page.is_full() {
            if let Some(hand) = self.hand.take() {
                self.hand = self.step(hand, &mut page).await?;
            } else if let Some(stretch) = self.todo.pop_front() {
                self.begin(stretch, &mut page);
            } else if !self.look_up(&mut page).await? {
                return self.finish(page.page);
            }
        }
        let token = serde_json::to_string(&self).map_err(|error| protocol(QUERY, &error.to_string()))?;
        page.page.next = Next::Page(PageToken::new(token));
        page.page.good_for = Some(GOOD_FOR);
        Ok(page.page)
    }

    /// Takes up a stretch, unless the cap is reached.
    fn begin(&mut self, stretch: Stretch, page: &mut Filling<'_>) {
        let open = self.todo.iter().filter(|it| it.is_open()).count() + 1;
        let mut allowance = None;
        if let Work::Sync(syncing) = &mut self.work {
            // The cap is the database's: its data sources share it.
            let share = if stretch.is_open() { u32::try_from(open).unwrap_or(u32::MAX) } else { 1 };
            allowance = syncing.left.map(|it| it.div_ceil(share));
            if allowance == Some(0) {
                syncing.is_partial |= stretch.is_open();
                return self.leave_whole(stretch, &mut page.page);
            }
        }
        self.hand = Some(Hand::new(stretch, allowance, page.with.calls.now()));
    }

    fn leave_whole(&mut self, stretch: Stretch, page: &mut FetchPage) {
        let hand = Hand::new(stretch, None, DateTime::UNIX_EPOCH);
        let source = self.cursor.sources.entry(hand.stretch.source.clone()).or_default();
        if hand.stretch.is_open() {
            source.until = hand.stretch.from;
            page.gaps.push(self.gap(hand.stretch.from, None));
        } else {
            source.holes.extend(hand.left());
        }
    }

    /// One row, or one page of the list. Answers with what is still to be done with the stretch.
    async fn step(&mut self, mut hand: Hand, page: &mut Filling<'_>) -> Result<Option<Hand>, PlatformError> {
        if hand.rows.is_empty() && hand.is_listed {
            self.close(&hand, false, &mut page.page);
            return Ok(None);
        }
        if hand.is_spent() {
            self.close(&hand, true, &mut page.page);
            return Ok(None);
        }
        let Some(row) = hand.rows.pop_front() else {
            self.list(&mut hand, page).await?;
            return Ok(Some(hand));
        };
        hand.read(&row);
        match &mut self.work {
            Work::Sync(syncing) => {
                syncing.left = syncing.left.map(|it| it.saturating_sub(1));
                let id = row.id.clone();
                let (items, quarantined) = (page.page.items.len(), page.page.quarantined.len());
                let gap = page.read(row, &self.database).await?;
                syncing.read += u32::from(page.page.items.len() > items);
                if let Some(refused) = page.page.quarantined.get(quarantined) {
                    syncing.refused += 1;
                    syncing.refusal.get_or_insert_with(|| format!("{}: {}", refused.item, refused.reason));
                }
                self.cursor.cuts.remove(&id);
                self.cursor.cuts.extend(gap.map(|gap| (id, gap)));
            }
            Work::Audit(auditing) => {
                auditing.has_listed = true;
                let gap = auditing.row(row, &self.database, page).await?;
                page.page.gaps.extend(gap);
            }
        }
        Ok(Some(hand))
    }

    async fn list(&mut self, hand: &mut Hand, page: &mut Filling<'_>) -> Result<(), PlatformError> {
        let calls = page.with.calls;
        let looked = calls.now();
        match calls.rows(&hand.stretch.source, hand.filter(), hand.next.as_deref()).await? {
            Listed::List(list) => {
                let (strange, trashed) = hand.take(list, looked)?;
                let beyond = hand.unreachable.take().map(|it| (format!("{} {it}", hand.stretch.source), self.unreachable(it)));
                match &mut self.work {
                    Work::Sync(syncing) => {
                        syncing.is_partial |= !strange.is_empty() || beyond.is_some();
                        self.cursor.cuts.extend(beyond);
                    }
                    Work::Audit(_) => page.page.gaps.extend(beyond.map(|(_, gap)| gap)),
                }
                page.page.quarantined.extend(strange);
                page.page.gone.extend(trashed);
                Ok(())
            }
            Listed::Stale if hand.restart() => Ok(()),
            Listed::Refused(error) => Err(error),
            Listed::Missing | Listed::Stale | Listed::Unsupported => {
                Err(moving(QUERY, format!("the data source {} changed while it was read", hand.stretch.source)))
            }
        }
    }

    /// Keeps what was read of a stretch and what was left of it.
    fn close(&mut self, hand: &Hand, is_cut: bool, page: &mut FetchPage) {
        if let Work::Sync(_) = self.work {
            let left = if is_cut { hand.left() } else { None };
            page.covered.extend(hand.covered(left.as_ref()));
            let (hole, soon) = left.map_or((None, None), |it| hand.split(it));
            page.gaps.extend(soon.map(|it| self.gap(Some(it.from), Some(it.to))));
            let source = self.cursor.sources.entry(hand.stretch.source.clone()).or_default();
            if hand.stretch.is_open() {
                source.until = hand.until();
            }
            source.holes.extend(hole);
        }
    }

    /// Looks for one stored row that no list had. False if there is none.
    async fn look_up(&mut self, page: &mut Filling<'_>) -> Result<bool, PlatformError> {
        let Work::Audit(auditing) = &mut self.work else { return Ok(false) };
        let Some(id) = auditing.missing.pop_first() else { return Ok(false) };
        page.reads += 1;
        let looked = page.with.calls.now();
        match page.with.calls.page(&id).await? {
            Some(row) if !row.is_trashed() && auditing.is_here(&row, &self.database) => {
                if !auditing.has_listed && auditing.lists() {
                    return Err(moving(QUERY, format!("the list of rows is empty, but the row {id} is there")));
                }
                let gap = auditing.row(Head::of(&row, looked), &self.database, page).await?;
                page.page.gaps.extend(gap);
            }
            _ => page.page.gone.push(id),
        }
        Ok(true)
    }

    /// The last page.
    ///
    /// # Errors
    /// `Protocol` when every row was refused: that is no matter of single rows, and the cursor must not pass them.
    fn finish(mut self, mut page: FetchPage) -> Result<FetchPage, PlatformError> {
        let (cursor, complete) = match &self.work {
            Work::Audit(auditing) => {
                page.covered.extend(auditing.covered());
                page.gaps.extend(auditing.gap(&self.cursor.title));
                (None, None)
            }
            Work::Sync(syncing) => {
                if let Some(first) = syncing.refusal.as_ref().filter(|_| syncing.is_refused()) {
                    let (title, refused) = (&self.cursor.title, syncing.refused);
                    let detail = format!("none of {refused} rows of \"{title}\" can be read; the first, {first}");
                    return Err(protocol(CHILDREN, &detail));
                }
                let complete = (syncing.is_first && !syncing.is_partial).then(|| self.complete());
                page.gaps.extend(self.gaps());
                (Some(std::mem::take(&mut self.cursor).write()), complete)
            }
        };
        page.next = Next::Done { cursor, complete };
        Ok(page)
    }

    fn gaps(&self) -> Vec<Gap> {
        let holes = self.cursor.sources.values().flat_map(|it| &it.holes);
        holes.map(|it| self.gap(it.from, Some(it.to))).chain(self.cursor.cuts.values().cloned()).collect()
    }

    fn gap(&self, from: Option<DateTime<Utc>>, to: Option<DateTime<Utc>>) -> Gap {
        let title = &self.cursor.title;
        let reason = format!("notion database \"{title}\": not all rows last edited then were read; later syncs go on");
        Gap { kind: GapKind::Cap, from, to, reason }
    }

    fn unreachable(&self, minute: DateTime<Utc>) -> Gap {
        let title = &self.cursor.title;
        let reason = format!("notion database \"{title}\": more rows were last edited in this minute than Notion lists");
        Gap { kind: GapKind::Cap, from: Some(minute), to: Some(end_of_minute(minute)), reason }
    }

    /// What is stored and was edited in this stretch but not listed is gone.
    fn complete(&self) -> Interval {
        let cut = self.cursor.sources.values().flat_map(|it| &it.holes).map(|it| it.to).max();
        Interval { from: cut.unwrap_or(Interval::ALL.from), ..Interval::ALL }
    }
}

/// The cursor of a database that is away, as the end of a fetch that proves it.
pub(super) fn away(cursor: DatabaseCursor, gap: Option<Gap>) -> FetchPage {
    let cursor: Option<Cursor> = Some(cursor.write());
    FetchPage {
        gaps: gap.into_iter().collect(),
        next: Next::Done { cursor, complete: Some(Interval::ALL) },
        ..FetchPage::default()
    }
}

impl Syncing {
    /// Whether Notion refused all rows.
    const fn is_refused(&self) -> bool {
        self.read == 0 && self.refused > 0 && (self.is_first || self.refused >= REFUSED)
    }
}

/// The page that is being filled.
pub(super) struct Filling<'a> {
    pub(super) page: FetchPage,
    reads: usize,
    bytes: usize,
    with: With<'a>,
    pub(super) known: HashMap<&'a str, &'a KnownItem>,
}

impl Filling<'_> {
    fn is_full(&self) -> bool {
        let records = self.page.items.len() + self.page.unchanged.len();
        self.reads >= HANDFUL
            || records >= self.with.budget.max_items.max(1)
            || (self.bytes >= self.with.budget.max_bytes && self.bytes > 0)
    }

    /// Reads a row with its blocks; answers with what was left out of it. One that cannot be read is named.
    pub(super) async fn read(&mut self, row: Head, database: &str) -> Result<Option<Gap>, PlatformError> {
        self.reads += 1;
        let (id, title) = (row.id.clone(), row.title());
        match row.read(self.with.calls, self.with.people, Some(database)).await {
            Ok(Read { item, gap, .. }) => {
                self.bytes += item.content.len();
                self.page.items.push(item);
                Ok(gap)
            }
            Err(Stop { error, is_own: true }) => {
                // Where Notion shows no page at all any more, this asks the person instead of passing over row after row.
                self.with.calls.page(&id).await?;
                self.page.quarantined.push(Quarantined { item: id, reason: format!("the row \"{title}\": {error}") });
                Ok(None)
            }
            Err(Stop { error, .. }) => Err(error),
        }
    }
}

/// The sources of a database, each once.
pub(super) fn distinct(ids: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let ids = ids.into_iter();
    ids.filter(|it| seen.insert(it.clone())).collect()
}
