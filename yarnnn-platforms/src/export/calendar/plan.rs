//! What a calendar yields: every event once, recurring ones as their instances inside the window.
//!
//! An event that replaces one instance of a series (`RECURRENCE-ID`) is a record of its own. If it replaces that instance and all
//! later ones, the later ones are written like it, and shifted like it.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use yarnnn_core::platform::{Gap, GapKind, Interval, Quarantined, Reason};

use super::event::{Event, Length, Moment, shifted};
use super::recur::{self, Span};
use crate::export::Limits;

const CANCELLED: Reason = Reason::fixed("cancelled");
const OUTSIDE_WINDOW: Reason = Reason::fixed("outside_window");

/// The jump of a clock at most, so that no start at the edge of the window is missed.
const SLACK: i64 = 2 * 3_600;

/// Everything a calendar yields, in the order in which it is paged.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) rows: Vec<Row>,
    pub(super) gaps: Vec<Gap>,
}

/// One row of a page.
#[derive(Debug)]
pub(super) enum Row {
    /// An event or one instance of it.
    Item(Box<Occurrence>),
    /// An event that is left out, and the ids that exist no longer because of it.
    Filtered(Reason, Vec<String>),
    /// An event that cannot be read.
    Failed(Quarantined),
}

/// An event at one of its times.
#[derive(Debug)]
pub(super) struct Occurrence {
    /// The event whose words are shown, by its number.
    pub(super) event: usize,
    pub(super) item_id: String,
    pub(super) start: Moment,
    pub(super) end: Moment,
    pub(super) is_instance: bool,
    /// Whether it is the one that stands for its event in the counts.
    pub(super) is_first: bool,
}

/// Plans a calendar whose readable events are given.
pub(super) fn build(events: &[Event], failed: &[Quarantined], window: Interval, limits: &Limits) -> Plan {
    let mut planner = Planner { events, window, limits, counted: HashSet::new(), plan: Plan::default() };
    planner.plan.rows.extend(failed.iter().cloned().map(Row::Failed));
    for series in group(events) {
        planner.series(&series);
    }
    planner.plan
}

/// The events that share an id, lower revisions first, so that the last one wins where an id is repeated.
#[derive(Debug, Default)]
struct Series {
    masters: Vec<usize>,
    overrides: Vec<usize>,
}

fn group(events: &[Event]) -> Vec<Series> {
    let mut order: HashMap<&str, usize> = HashMap::new();
    let mut groups: Vec<Series> = Vec::new();
    for (index, event) in events.iter().enumerate() {
        let number = *order.entry(&event.uid).or_insert(groups.len());
        if number == groups.len() {
            groups.push(Series::default());
        }
        let Some(series) = groups.get_mut(number) else { continue };
        if event.recurrence_id.is_some() { series.overrides.push(index) } else { series.masters.push(index) }
    }
    for series in &mut groups {
        let sequence = |index: &usize| events.get(*index).map_or(0, |it| it.sequence);
        series.masters.sort_by_key(sequence);
        series.overrides.sort_by_key(sequence);
    }
    groups
}

struct Planner<'file> {
    events: &'file [Event],
    window: Interval,
    limits: &'file Limits,
    /// Events that have an item standing for them.
    counted: HashSet<usize>,
    plan: Plan,
}

impl<'file> Planner<'file> {
    fn event(&self, index: usize) -> Option<&'file Event> {
        self.events.get(index)
    }

    fn series(&mut self, series: &Series) {
        // The newest revision decides whether the event takes place at all.
        let is_cancelled = series.masters.last().and_then(|it| self.event(*it)).is_some_and(|it| it.is_cancelled);
        for index in &series.masters {
            let Some(event) = self.event(*index) else { continue };
            if is_cancelled || event.is_cancelled {
                self.cancelled_master(event, is_cancelled);
            } else if event.is_recurring() {
                self.recurring(*index, event, series);
            } else {
                self.single(*index, event, event.uid.clone(), false);
            }
        }
        for index in &series.overrides {
            let Some(event) = self.event(*index) else { continue };
            self.replacement(*index, event, series.masters.is_empty());
        }
    }

    fn single(&mut self, index: usize, event: &Event, item_id: String, is_instance: bool) {
        let end = event.end(&event.start, None);
        let is_first = self.counted.insert(index);
        let start = event.start.clone();
        self.plan.rows.push(Row::Item(Box::new(Occurrence { event: index, item_id, start, end, is_instance, is_first })));
    }

    /// An older revision that is cancelled says nothing about the items of the newer one.
    fn cancelled_master(&mut self, event: &Event, is_newest: bool) {
        let mut gone = Vec::new();
        if is_newest {
            gone.push(event.uid.clone());
            let starts = if event.is_recurring() { self.starts(event).unwrap_or_default() } else { Found::default() };
            gone.extend(starts.starts.keys().map(|local| instance_id(event, &event.start.at(*local))));
        }
        self.plan.rows.push(Row::Filtered(CANCELLED, gone));
    }

    fn replacement(&mut self, index: usize, event: &Event, is_alone: bool) {
        let Some(replaced) = &event.recurrence_id else { return };
        let item_id = instance_id(event, replaced);
        let is_inside = |start: &Moment| self.is_inside(start, &event.end(start, None));
        if event.is_cancelled {
            self.plan.rows.push(Row::Filtered(CANCELLED, vec![item_id]));
        } else if is_alone || is_inside(replaced) || is_inside(&event.start) {
            self.single(index, event, item_id, true);
        } else if !self.counted.contains(&index) {
            self.plan.rows.push(Row::Filtered(OUTSIDE_WINDOW, Vec::new()));
        }
    }

    fn recurring(&mut self, index: usize, event: &Event, series: &Series) {
        let found = match self.starts(event) {
            Ok(found) => found,
            Err(reason) => return self.plan.rows.push(Row::Failed(Quarantined { item: event.place(), reason })),
        };
        let overrides: Vec<(usize, &Event)> = series.overrides.iter().filter_map(|it| Some((*it, self.event(*it)?))).collect();
        let replaced = Exceptions::new(overrides.iter().filter_map(|(_, it)| it.recurrence_id.as_ref()));
        for (local, length) in found.starts {
            let start = event.start.at(local);
            if !replaced.contains(&start) {
                self.instance(index, event, &start, length, &overrides);
            }
        }
        if let Some(cut) = found.cut_at {
            self.plan.gaps.push(self.gap(event, cut));
        }
        if !self.counted.contains(&index) {
            self.plan.rows.push(Row::Filtered(OUTSIDE_WINDOW, Vec::new()));
        }
    }

    /// One instance, in the words of the last event that replaces it and everything after it, if there is one.
    fn instance(&mut self, index: usize, event: &Event, start: &Moment, length: Option<Length>, overrides: &[(usize, &Event)]) {
        let item_id = instance_id(event, start);
        let instant = start.instant();
        let before =
            |it: &Event| it.recurrence_id.as_ref().is_some_and(|replaced| it.this_and_future && replaced.instant() <= instant);
        let last =
            overrides.iter().filter(|(_, it)| before(it)).max_by_key(|(_, it)| it.recurrence_id.as_ref().map(Moment::instant));
        let (owner, shown, start, length) = match last {
            Some((_, it)) if it.is_cancelled => return,
            Some((number, it)) => (*number, *it, moved(it, start), None),
            None => (index, event, start.clone(), length),
        };
        let end = shown.end(&start, length);
        let is_first = self.counted.insert(owner);
        self.plan.rows.push(Row::Item(Box::new(Occurrence { event: owner, item_id, start, end, is_instance: true, is_first })));
    }

    fn gap(&self, event: &Event, cut: NaiveDateTime) -> Gap {
        let name = event.summary.as_deref().unwrap_or("No title");
        let reason = format!("{name} ({}) recurs so often that it was read only in part", event.place());
        Gap { kind: GapKind::Cap, from: Some(event.start.at(cut).instant()), to: Some(self.window.to), reason }
    }

    fn is_inside(&self, start: &Moment, end: &Moment) -> bool {
        let (start, end) = (start.instant(), end.instant());
        start < self.window.to && (end > self.window.from || start >= self.window.from)
    }

    /// The starts of a recurring event inside the window, and how long those take that say so themselves.
    fn starts(&self, event: &Event) -> Result<Found, String> {
        let span = self.span(event);
        let excluded = excluded(event, span)?;
        let accept = |local: NaiveDateTime| {
            let start = event.start.at(local);
            self.is_inside(&start, &event.end(&start, None)) && !excluded.contains(&start)
        };
        let mut found = Found::default();
        if accept(event.start.local) {
            found.starts.insert(event.start.local, None);
        }
        for rule in &event.rules {
            let given = recur::starts(rule, event.start.local, &|instant| on_clock(event, instant), span, accept)?;
            found.starts.extend(given.starts.into_iter().map(|local| (local, None)));
            found.cut_at = [found.cut_at, given.cut_at].into_iter().flatten().min();
        }
        for (date, length) in &event.dates {
            let local = local_start(event, date);
            if accept(local) {
                found.starts.insert(local, *length);
            }
        }
        Ok(found.cut_to(self.limits.max_instances))
    }

    fn span(&self, event: &Event) -> Span {
        let length = match event.length {
            Length::Local(delta) | Length::Exact(delta) => delta.num_seconds(),
        };
        let from = shifted(on_clock(event, self.window.from), -length.saturating_add(SLACK));
        Span { from, to: shifted(on_clock(event, self.window.to), SLACK), max: self.limits.max_instances }
    }
}

/// The times that are taken out of a series.
fn excluded(event: &Event, span: Span) -> Result<Exceptions, String> {
    let mut dates = event.excluded_dates.clone();
    for rule in &event.excluded_rules {
        let given = recur::starts(rule, event.start.local, &|instant| on_clock(event, instant), span, |_| true)?;
        dates.extend(given.starts.into_iter().map(|local| event.start.at(local)));
    }
    Ok(Exceptions::new(dates.iter()))
}

/// Starts on the event's own clock.
#[derive(Debug, Default)]
struct Found {
    starts: BTreeMap<NaiveDateTime, Option<Length>>,
    cut_at: Option<NaiveDateTime>,
}

impl Found {
    fn cut_to(mut self, max: usize) -> Self {
        if let Some(first_over) = self.starts.keys().nth(max).copied() {
            self.starts.split_off(&first_over);
            self.cut_at = Some(self.cut_at.map_or(first_over, |cut| cut.min(first_over)));
        }
        self
    }
}

/// Times that are taken out of a series: instants, or whole days.
#[derive(Debug, Default)]
struct Exceptions {
    instants: HashSet<DateTime<Utc>>,
    whole_days: HashSet<NaiveDate>,
    days: HashSet<NaiveDate>,
}

impl Exceptions {
    fn new<'moment>(moments: impl Iterator<Item = &'moment Moment>) -> Self {
        let mut exceptions = Self::default();
        for moment in moments {
            exceptions.days.insert(moment.local.date());
            if moment.is_date {
                exceptions.whole_days.insert(moment.local.date());
            } else {
                exceptions.instants.insert(moment.instant());
            }
        }
        exceptions
    }

    fn contains(&self, start: &Moment) -> bool {
        let day = start.local.date();
        if start.is_date {
            return self.days.contains(&day);
        }
        self.whole_days.contains(&day) || (!self.instants.is_empty() && self.instants.contains(&start.instant()))
    }
}

fn instance_id(event: &Event, start: &Moment) -> String {
    format!("{}/{}", event.uid, start.suffix())
}

fn on_clock(event: &Event, instant: DateTime<Utc>) -> NaiveDateTime {
    if event.start.is_date { instant.naive_utc() } else { event.start.zone.local(instant) }
}

/// An additional date on the event's own clock; a date without a time takes the event's.
fn local_start(event: &Event, date: &Moment) -> NaiveDateTime {
    if event.start.is_date || date.is_date {
        date.local.date().and_time(event.start.local.time())
    } else {
        event.start.zone.local(date.instant())
    }
}

/// An instance of a series that was moved from some instance on.
fn moved(by: &Event, start: &Moment) -> Moment {
    let on_its_clock = |it: &Moment| if it.is_date { it.local } else { by.start.zone.local(it.instant()) };
    let distance = by.recurrence_id.as_ref().map_or(0, |replaced| (by.start.local - on_its_clock(replaced)).num_seconds());
    by.start.at(shifted(on_its_clock(start), distance))
}
