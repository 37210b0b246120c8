//! Where a fetch is. It travels in the page token, so that any process can go on with it.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use yarnnn_core::platform::{
    Fetch, FetchMode, FetchPage, Gap, GapKind, Interval, KnownItem, Next, PageToken, Platform, PlatformError, Quarantined, Reason,
};
use yarnnn_core::sync::first_window;

use super::calls::EVENTS;
use super::cursor::Cursor;
use super::map::{Timed, made_by_google};
use super::wire::Event;
use crate::google::{Trail, protocol, quarantined, rotating};

const VERSION: u8 = 1;

/// Events of one page.
const PAGE: u32 = 100;

/// Pages after which a list that has no end is not believed.
const MAX_PAGES: usize = 200;

/// Events outside of an audit's window that are looked up.
const MAX_SAMPLES: usize = 100;

/// A window that has moved on by this much is listed again: a sync token tells nothing of the days after its own window.
const STALE: TimeDelta = TimeDelta::days(1);

/// The same while there is a hole, which is closed first: but not for ever.
const STALE_WITH_HOLE: TimeDelta = TimeDelta::days(3);

/// A whole day of the last day may begin after the window although its midnight in UTC does not.
const LAST_DAY: TimeDelta = TimeDelta::hours(12);

/// Why an event is left out that is not in the window.
const OUTSIDE: Reason = Reason::fixed("outside_window");

/// What a fetch is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Step {
    /// Lists the window, in no order, up to the sync token.
    List,
    /// Asks for changes.
    Changes,
    /// Reads on where a cap cut.
    Hole,
    /// Lists the window by time and compares.
    Audit,
    /// Looks for what was not listed.
    LookUp,
}

/// Where a fetch is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct State {
    v: u8,
    pub(super) step: Step,
    /// The pages of what it is doing.
    pub(super) trail: Trail,
    /// Events of one page.
    pub(super) size: u32,
    /// Records that may still come; none for no cap.
    left: Option<u32>,
    pub(super) window: Interval,
    pub(super) hole: Option<Interval>,
    pub(super) sync_token: Option<String>,
    /// Series that were met.
    series: BTreeSet<String>,
    /// Whether anything has been listed in this step.
    pub(super) any: bool,
    /// Whether everything that was listed could be read.
    pub(super) is_certain: bool,
    /// Whether the window was listed to its end.
    is_complete: bool,
    /// Stored events that were not listed.
    pub(super) unseen: Vec<String>,
}

impl State {
    /// How a fetch begins.
    pub(super) fn begin(fetch: &Fetch, now: DateTime<Utc>) -> Result<Self, PlatformError> {
        let most = u32::try_from(fetch.budget.max_items).unwrap_or(PAGE).clamp(1, PAGE);
        let size = fetch.budget.cap.unwrap_or(PAGE).clamp(1, most);
        let state = |step, window| Self {
            v: VERSION,
            step,
            trail: Trail::default(),
            size,
            left: fetch.budget.cap,
            window,
            hole: None,
            sync_token: None,
            series: BTreeSet::new(),
            any: false,
            is_certain: true,
            is_complete: false,
            unseen: Vec::new(),
        };
        match &fetch.mode {
            FetchMode::Start { window } => Ok(state(Step::List, *window)),
            FetchMode::Since(cursor) => {
                let Cursor { sync_token, size, window, hole, .. } = Cursor::read(cursor.as_str())?;
                let step = match (&sync_token, hole) {
                    (Some(_), _) => Step::Changes,
                    (None, Some(_)) => Step::Hole,
                    (None, None) => return Err(PlatformError::CursorExpired),
                };
                Ok(Self { size, hole, sync_token, ..state(step, window) })
            }
            FetchMode::Audit { window, known, .. } => {
                let (inside, outside): (Vec<&KnownItem>, Vec<_>) = known.iter().partition(|it| is_inside(it, *window));
                let ids = |items: Vec<&KnownItem>| items.into_iter().map(|it| it.item_id.clone()).collect::<Vec<_>>();
                let mut unseen = ids(inside);
                unseen.extend(rotating(ids(outside), MAX_SAMPLES, now));
                Ok(Self { unseen, size: most, ..state(Step::Audit, *window) })
            }
            _ => Err(protocol("calendar", "this kind of fetch is not known")),
        }
    }

    pub(super) fn read(token: &PageToken) -> Result<Self, PlatformError> {
        let state: Option<Self> = serde_json::from_str(token.as_str()).ok();
        state.filter(|it| it.v == VERSION).ok_or_else(|| protocol("calendar", "the page token is not one of this client"))
    }

    /// The next page. No later run goes on with it: Google says neither for how long its own page tokens are good, nor whether the
    /// sync token of the last page tells what changed behind the first ones.
    pub(super) fn token(&self) -> Next {
        Next::Page(PageToken::new(serde_json::to_string(self).unwrap_or_default()))
    }

    /// Turns to another step.
    pub(super) fn turn(&mut self, step: Step) {
        self.step = step;
        self.trail = Trail::default();
        self.any = false;
    }

    /// Turns to the next page of the same step, if there is one. A list without an end is not believed.
    pub(super) fn follow(&mut self, next: Option<String>) -> Result<bool, PlatformError> {
        self.trail.follow(EVENTS, MAX_PAGES, next)
    }

    /// Takes an event of the list or of the changes into a page.
    pub(super) fn take(&mut self, event: Event, page: &mut FetchPage) {
        let Some(timed) = self.timed(event, page) else { return };
        if !self.is_full() {
            // Also what has moved to before the window: it is there, and what is stored of it would say when it was.
            self.keep(&timed, page);
        } else if timed.is_before(self.window) || timed.earliest() >= self.window.to {
            page.filtered.push((OUTSIDE, 1));
        } else {
            self.leave(&timed);
        }
    }

    /// Takes an event where a cap had cut. `false`: the cap cuts again, here.
    pub(super) fn take_on(&mut self, event: Event, page: &mut FetchPage) -> bool {
        let Some(timed) = self.timed(event, page) else { return true };
        let Some(hole) = self.hole.filter(|it| timed.latest() >= it.from) else { return true };
        if self.left == Some(0) && timed.earliest() > hole.from {
            self.hole = Some(Interval { from: timed.earliest(), to: hole.to });
            return false;
        }
        self.keep(&timed, page);
        true
    }

    /// Compares an event with what is stored of it.
    pub(super) fn compare(&mut self, event: Event, known: Option<&KnownItem>, page: &mut FetchPage) {
        let Some(timed) = self.timed(event, page) else { return };
        match known {
            Some(known) if timed.is_as(known) => page.unchanged.push(timed.event.id),
            None if self.is_full() => self.leave(&timed),
            _ => self.keep(&timed, page),
        }
    }

    /// The event with its times, unless it is gone, left out or cannot be read.
    fn timed(&mut self, event: Event, page: &mut FetchPage) -> Option<Timed> {
        if event.status == "cancelled" {
            page.gone.push(event.id);
            return None;
        }
        if let Some(word) = made_by_google(&event) {
            page.filtered.push((Reason::fixed(word), 1));
            return None;
        }
        let id = event.id.clone();
        Timed::of(event).map_err(|reason| self.doubt(page, vec![quarantined(EVENTS, &id, &reason)])).ok()
    }

    /// Names what could not be read.
    pub(super) fn doubt(&mut self, page: &mut FetchPage, unread: Vec<Quarantined>) {
        self.is_certain &= unread.is_empty();
        page.quarantined.extend(unread);
    }

    fn keep(&mut self, timed: &Timed, page: &mut FetchPage) {
        let is_first = timed.event.recurring_event_id.as_ref().is_none_or(|it| self.series.insert(it.clone()));
        page.items.push(timed.item(is_first));
        self.left = self.left.map(|it| it.saturating_sub(1));
    }

    /// Leaves an event to a later fetch.
    fn leave(&mut self, timed: &Timed) {
        let after = timed.latest() + TimeDelta::seconds(1);
        let stretch = Interval { from: timed.earliest(), to: after };
        let hole = self.hole.map_or(stretch, |it| Interval { from: it.from.min(stretch.from), to: it.to.max(stretch.to) });
        self.hole = Some(hole);
    }

    /// Whether the cap has been reached.
    pub(super) fn is_full(&self) -> bool {
        self.left == Some(0)
    }

    /// The window was listed to its end.
    pub(super) fn listed(&mut self, sync_token: Option<String>) {
        self.sync_token = sync_token;
        self.is_complete = self.is_certain && self.hole.is_none();
    }

    /// Whether the window is to be listed again, which is the window of now then.
    pub(super) fn moves_on(&mut self, now: DateTime<Utc>) -> bool {
        let current = first_window(Platform::Calendar, now);
        // To list it again would be to read again what has been read, instead of what a cap left.
        let longest = if self.hole.is_some() { STALE_WITH_HOLE } else { STALE };
        if current.to - self.window.to < longest {
            return false;
        }
        self.window = current;
        self.hole = None;
        true
    }

    /// The end: what has been seen, what is missing, and where to go on.
    pub(super) fn end(self, fetch: &Fetch, page: &mut FetchPage) -> Next {
        page.covered.extend(without(self.window, self.hole));
        if let Some(hole) = self.hole {
            let reason = "events of this stretch were left to the next syncs".to_owned();
            page.gaps.push(Gap { kind: GapKind::Cap, from: Some(hole.from), to: Some(hole.to), reason });
        }
        if self.step == Step::LookUp || self.step == Step::Audit {
            return Next::done(None);
        }
        let is_start = matches!(fetch.mode, FetchMode::Start { .. });
        let whole = Interval { from: self.window.from, to: self.window.to - LAST_DAY };
        let complete = (is_start && self.is_complete && whole.from < whole.to).then_some(whole);
        let has_cursor = self.sync_token.is_some() || self.hole.is_some() || !is_start;
        let cursor = Cursor::new(self.sync_token, self.size, self.window, self.hole);
        Next::Done { cursor: has_cursor.then(|| cursor.write()), complete }
    }
}

/// Whether what is stored lies in a window.
pub(super) fn is_inside(known: &KnownItem, window: Interval) -> bool {
    known.source_timestamp.is_some_and(|at| window.contains(at))
}

/// A stretch without another.
fn without(whole: Interval, hole: Option<Interval>) -> Vec<Interval> {
    let Some(hole) = hole else { return vec![whole] };
    let parts =
        [Interval { from: whole.from, to: hole.from.min(whole.to) }, Interval { from: hole.to.max(whole.from), to: whole.to }];
    parts.into_iter().filter(|it| it.from < it.to).collect()
}
