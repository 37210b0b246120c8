//! Stretches of a data source's rows, by when they were last edited: which to list, how far they were read, what is left.

use std::collections::{BTreeSet, VecDeque};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use yarnnn_core::platform::{Interval, Quarantined};

use super::calls::{QUERY, protocol};
use super::cursor::{Hole, end_of_minute, minute, read_until};
use super::limits::FRESH;
use super::map::Head;
use super::wire::{List, Page};

/// Rows to be read, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stretch {
    pub(super) source: String,
    pub(super) from: Option<DateTime<Utc>>,
    /// Exclusive; none for now and later.
    pub(super) to: Option<DateTime<Utc>>,
    /// Rows of its last minute that were read before.
    read: BTreeSet<String>,
}

impl Stretch {
    /// All rows edited since.
    pub(super) const fn since(source: String, from: Option<DateTime<Utc>>) -> Self {
        Self { source, from, to: None, read: BTreeSet::new() }
    }

    /// Rows that an earlier sync left out.
    pub(super) fn hole(source: String, hole: Hole) -> Self {
        Self { source, from: hole.from, to: Some(hole.to), read: hole.read }
    }

    pub(super) const fn is_open(&self) -> bool {
        self.to.is_none()
    }
}

/// The oldest minute that was reached, and which rows of it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Edge {
    minute: Option<DateTime<Utc>>,
    ids: BTreeSet<String>,
}

impl Edge {
    fn note(&mut self, row: &Head) {
        let at = minute(row.last_edited);
        match self.minute {
            Some(known) if at > known => {}
            Some(known) if at == known => drop(self.ids.insert(row.id.clone())),
            _ => *self = Self { minute: Some(at), ids: BTreeSet::from([row.id.clone()]) },
        }
    }
}

/// The stretch that is being read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Hand {
    pub(super) stretch: Stretch,
    /// Rows that may still be read of it; none for no bound.
    pub(super) allowance: Option<u32>,
    pub(super) rows: VecDeque<Head>,
    pub(super) is_listed: bool,
    /// Where the list goes on.
    pub(super) next: Option<String>,
    /// When a page of it was listed last.
    asked: DateTime<Utc>,
    /// Before it was listed first.
    looked: DateTime<Utc>,
    newest: Option<DateTime<Utc>>,
    /// The list was begun anew from here.
    before: Option<DateTime<Utc>>,
    skip: BTreeSet<String>,
    /// A minute in which more rows were edited than one query lists, just passed over.
    pub(super) unreachable: Option<DateTime<Utc>>,
    listed: Edge,
    read: Edge,
}

impl Hand {
    pub(super) fn new(stretch: Stretch, allowance: Option<u32>, looked: DateTime<Utc>) -> Self {
        let (before, skip) = (stretch.to, stretch.read.clone());
        let (listed, read) = (Edge::default(), Edge::default());
        let (rows, next, is_listed, newest) = (VecDeque::new(), None, false, None);
        Self {
            stretch,
            allowance,
            rows,
            is_listed,
            next,
            asked: looked,
            looked,
            newest,
            before,
            skip,
            unreachable: None,
            listed,
            read,
        }
    }

    /// The filter of its query.
    pub(super) fn filter(&self) -> Option<Value> {
        let edited =
            |how: &str, instant: DateTime<Utc>| json!({"timestamp": "last_edited_time", "last_edited_time": {how: instant}});
        match (self.stretch.from, self.before) {
            (None, None) => None,
            (Some(from), None) => Some(edited("on_or_after", from)),
            (None, Some(before)) => Some(edited("before", before)),
            (Some(from), Some(before)) => Some(json!({"and": [edited("on_or_after", from), edited("before", before)]})),
        }
    }

    /// Takes one page of the list. Rows that cannot be read are named; if none can, the answer is not to be trusted.
    pub(super) fn take(
        &mut self,
        list: List,
        looked: DateTime<Utc>,
    ) -> Result<(Vec<Quarantined>, Vec<String>), yarnnn_core::platform::PlatformError> {
        self.asked = looked;
        let (total, is_capped) = (list.results.len(), list.is_capped());
        let (mut strange, mut trashed) = (Vec::new(), Vec::new());
        for value in list.results {
            match parse(value) {
                Ok(row) if row.is_trashed() => trashed.push(row.id),
                Ok(row) => self.add(Head::of(&row, looked)),
                Err(row) => strange.push(row),
            }
        }
        if let Some(first) = strange.first().filter(|_| strange.len() == total) {
            return Err(protocol(QUERY, &format!("no entry is a page; the first, {}: {}", first.item, first.reason)));
        }
        self.next = list.next_cursor.filter(|_| list.has_more);
        self.is_listed = self.next.is_none();
        if self.is_listed && is_capped {
            self.is_listed = !(self.restart() || self.pass_over());
        }
        Ok((strange, trashed))
    }

    /// Goes on by instants where Notion's own cursor is no longer fresh: the list may have moved, or the cursor expired.
    pub(super) fn refresh(&mut self, now: DateTime<Utc>) {
        let stale = self.next.clone().filter(|_| now - self.asked > FRESH);
        if stale.is_some() && !self.restart() {
            self.next = stale;
        }
    }

    fn add(&mut self, row: Head) {
        self.newest = self.newest.max(Some(row.last_edited));
        self.listed.note(&row);
        if !self.skip.contains(&row.id) {
            self.rows.push_back(row);
        }
    }

    /// Lists what is older than what was listed, by instants instead of the list's own cursor. False if that leads nowhere.
    pub(super) fn restart(&mut self) -> bool {
        self.next = None;
        let Some(reached) = self.listed.minute else { return self.before == self.stretch.to };
        let before = Some(end_of_minute(reached));
        if self.before == before {
            let known = self.skip.len();
            self.skip.extend(self.listed.ids.iter().cloned());
            return self.skip.len() > known;
        }
        self.before = before;
        self.skip = self.listed.ids.clone();
        true
    }

    /// Goes on before a minute whose rows are more than one query lists. False if there is none.
    fn pass_over(&mut self) -> bool {
        self.unreachable = self.listed.minute.filter(|it| self.before.is_none_or(|before| *it < before));
        self.before = self.unreachable.or(self.before);
        self.skip.clear();
        self.unreachable.is_some()
    }

    /// A row was read.
    pub(super) fn read(&mut self, row: &Head) {
        self.read.note(row);
        self.allowance = self.allowance.map(|it| it.saturating_sub(1));
    }

    pub(super) fn is_spent(&self) -> bool {
        self.allowance == Some(0)
    }

    /// Up to where the data source is read, but for what is left of this stretch.
    pub(super) fn until(&self) -> Option<DateTime<Utc>> {
        self.newest.map_or(self.stretch.from, |newest| Some(read_until(newest, self.looked)))
    }

    /// What was not read of it.
    pub(super) fn left(&self) -> Option<Hole> {
        let unread = self.rows.iter().map(|it| minute(it.last_edited)).max();
        let to = self.read.minute.max(unread).map(end_of_minute).or(self.stretch.to)?;
        let mut read = BTreeSet::new();
        if self.read.minute.is_some_and(|it| end_of_minute(it) == to) {
            read.extend(self.read.ids.iter().cloned());
        }
        if self.stretch.to == Some(to) {
            read.extend(self.stretch.read.iter().cloned());
        }
        Some(Hole { from: self.stretch.from, to, read })
    }

    /// The part of what was not read that has to be remembered, and the part that the next sync reads anyway: of an open
    /// stretch, rows that are not settled.
    pub(super) fn split(&self, left: Hole) -> (Option<Hole>, Option<Interval>) {
        let until = if self.stretch.is_open() { self.until() } else { None };
        let Some(until) = until.filter(|it| *it < left.to) else { return (Some(left), None) };
        let soon = Interval { from: left.from.unwrap_or(until).max(until), to: left.to };
        let hole = Hole { from: left.from, to: until, read: BTreeSet::new() };
        (Some(hole).filter(|it| it.from.is_none_or(|from| from < it.to)), Some(soon))
    }

    /// What of it has been read, for who knows what is left of it.
    pub(super) fn covered(&self, left: Option<&Hole>) -> Option<Interval> {
        let from = left.map_or(self.stretch.from, |hole| Some(hole.to)).unwrap_or(DateTime::UNIX_EPOCH);
        let to = self.stretch.to.or_else(|| self.until())?;
        Some(Interval { from, to }).filter(|it| it.from < it.to)
    }
}

fn parse(value: Value) -> Result<Page, Quarantined> {
    let item = value.get("id").and_then(Value::as_str).unwrap_or("an entry without an id").to_owned();
    serde_json::from_value(value).map_err(|error| Quarantined { item, reason: format!("it is no page: {error}") })
}
