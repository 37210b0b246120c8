//! One calendar: its events, and every instance of them with when it changed.
//!
//! Instances are worked out when an event changes, so that both what is there now and what has changed since a token was
//! given out can simply be looked up.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::model::{Event, NewCalendar, Span};
use super::series;

/// How far beyond the clock a series without end is worked out.
const HORIZON: TimeDelta = TimeDelta::days(731);

/// A stretch of time; what has no bound goes on for ever.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Window {
    pub(super) from: Option<DateTime<Utc>>,
    pub(super) to: Option<DateTime<Utc>>,
}

impl Window {
    /// Whether something takes place in it, if only in part.
    pub(super) fn meets(&self, span: Span) -> bool {
        self.from.is_none_or(|from| span.end > from) && self.to.is_none_or(|to| span.start < to)
    }
}

/// Something with the number of its latest change.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) event: Event,
    pub(super) change: u64,
    /// Where it was before, each until the change of that number.
    earlier: Vec<(u64, Span)>,
}

impl Entry {
    fn new(event: Event, change: u64) -> Self {
        Self { event, change, earlier: Vec::new() }
    }

    fn replace(&mut self, event: Event, change: u64, span: Span) {
        self.earlier.push((change, span));
        self.event = event;
        self.change = change;
    }
}

/// One calendar.
#[derive(Debug)]
pub(super) struct Book {
    pub(super) info: NewCalendar,
    pub(super) readable: bool,
    /// The number of the latest change to its entry in the list of calendars.
    pub(super) listed: u64,
    /// Events, series, and the instances that differ from their series.
    pub(super) events: BTreeMap<String, Entry>,
    /// Events and every instance of a series.
    pub(super) instances: BTreeMap<String, Entry>,
}

impl Book {
    pub(super) fn new(info: NewCalendar, listed: u64) -> Self {
        Self { info, readable: true, listed, events: BTreeMap::new(), instances: BTreeMap::new() }
    }

    /// An event, a series or an instance.
    pub(super) fn find(&self, id: &str) -> Option<&Event> {
        self.events.get(id).or_else(|| self.instances.get(id)).map(|it| &it.event)
    }

    /// Stores an event and works its instances out. False if its rule cannot be read; then nothing is changed.
    pub(super) fn put(&mut self, event: Event, change: u64, now: DateTime<Utc>) -> bool {
        if series::starts(&event.details, self.info.zone, now + HORIZON).is_none() {
            return false;
        }
        let root = event.root().to_owned();
        self.store(event, change);
        self.work_out(&root, change, now);
        true
    }

    fn store(&mut self, event: Event, change: u64) {
        let zone = self.info.zone;
        match self.events.get_mut(&event.id) {
            Some(entry) => {
                let span = entry.event.span(zone);
                entry.replace(event, change, span);
            }
            None => {
                self.events.insert(event.id.clone(), Entry::new(event, change));
            }
        }
    }

    /// Compares the instances of an event as they are to be with those that are held.
    fn work_out(&mut self, root: &str, change: u64, now: DateTime<Utc>) {
        let fresh = self.fresh(root, now);
        self.drop_orphans(root, &fresh, change, now);
        let zone = self.info.zone;
        for (id, entry) in self.instances.range_mut(root.to_owned()..).take_while(|(id, _)| id.starts_with(root)) {
            if entry.event.root() == root && !fresh.contains_key(id) && !entry.event.cancelled {
                let span = entry.event.span(zone);
                let gone = Event { cancelled: true, updated: now, ..entry.event.clone() };
                entry.replace(gone, change, span);
            }
        }
        for (id, event) in fresh {
            match self.instances.get_mut(&id) {
                Some(entry) if entry.event == event => {}
                Some(entry) => {
                    let span = entry.event.span(zone);
                    entry.replace(event, change, span);
                }
                None => {
                    self.instances.insert(id, Entry::new(event, change));
                }
            }
        }
    }

    /// The instances of an event as they are to be; none of a series that is cancelled.
    fn fresh(&self, root: &str, now: DateTime<Utc>) -> BTreeMap<String, Event> {
        let Some(event) = self.events.get(root).map(|it| &it.event) else { return BTreeMap::new() };
        if event.details.recurrence.is_empty() {
            return BTreeMap::from([(event.id.clone(), event.clone())]);
        }
        if event.cancelled {
            return BTreeMap::new();
        }
        let starts = series::starts(&event.details, self.info.zone, now + HORIZON).unwrap_or_default();
        let made = starts.into_iter().map(|start| {
            let made = series::instance(event, start);
            let changed = self.events.get(&made.id).map(|it| it.event.clone());
            (made.id.clone(), changed.unwrap_or(made))
        });
        made.collect()
    }

    /// Instances that differ from a series end with the rule that made them.
    fn drop_orphans(&mut self, root: &str, fresh: &BTreeMap<String, Event>, change: u64, now: DateTime<Utc>) {
        let zone = self.info.zone;
        for (id, entry) in self.events.range_mut(root.to_owned()..).take_while(|(id, _)| id.starts_with(root)) {
            let belongs = entry.event.origin.as_ref().is_some_and(|it| it.series == root);
            if belongs && !fresh.contains_key(id) && !entry.event.cancelled {
                let span = entry.event.span(zone);
                let gone = Event { cancelled: true, updated: now, ..entry.event.clone() };
                entry.replace(gone, change, span);
            }
        }
    }

    /// Whether an instance is in the window now, or was at some time since the change of that number.
    pub(super) fn was_in(&self, entry: &Entry, window: Window, since: Option<u64>) -> bool {
        let earlier = entry.earlier.iter().filter(|(until, _)| since.is_some_and(|since| *until > since));
        window.meets(entry.event.span(self.info.zone)) || earlier.into_iter().any(|(_, span)| window.meets(*span))
    }

    /// The same for an event by its instances, and for an instance that differs from its series.
    pub(super) fn any_was_in(&self, event: &Event, window: Window, since: Option<u64>) -> bool {
        if event.origin.is_some() {
            return self.instances.get(&event.id).is_some_and(|it| self.was_in(it, window, since));
        }
        let own = self.instances.range(event.id.clone()..).take_while(|(id, _)| id.starts_with(&event.id));
        let mut own = own.map(|(_, entry)| entry).filter(|it| it.event.root() == event.id);
        own.any(|it| (since.is_some() || event.cancelled || !it.event.cancelled) && self.was_in(it, window, since))
    }
}
