//! The calendars' part of the world: single events, series, and instances that differ from them.

use chrono::{DateTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use yarnnn_sim::Sim;
use yarnnn_sim::calendar::{Details, Event, NewCalendar, When};

use super::random::Random;
use super::words::{Words, marks};
use super::world::Expected;

/// What is asked for before and after now.
const BEFORE: TimeDelta = TimeDelta::days(7);
const AFTER: TimeDelta = TimeDelta::days(14);
/// As far as anything in a world lies.
const EVER: TimeDelta = TimeDelta::days(400);
/// The owner's calendar as the list of calendars names it.
const OWNER: &str = "owner@sim.example";
const RULES: [&str; 3] = ["RRULE:FREQ=WEEKLY", "RRULE:FREQ=DAILY;COUNT=9", "RRULE:FREQ=MONTHLY"];

/// The calendars and what was ever put into them.
#[derive(Debug)]
pub(crate) struct Dates {
    pub(crate) calendars: Vec<String>,
    /// With their calendar.
    events: Vec<(String, String)>,
}

impl Dates {
    /// The owner's calendar and one or two others.
    pub(crate) fn make(sim: &Sim, random: &mut Random, words: &mut Words) -> Self {
        let mut calendars = vec!["primary".to_owned()];
        for number in 0..random.between(1, 2) {
            let id = format!("calendar{number}@group.example");
            let zone = if number == 0 { Tz::America__New_York } else { Tz::Asia__Seoul };
            sim.calendar().add_calendar(NewCalendar::new(&id, &format!("Calendar {number}")).zone(zone));
            calendars.push(id);
        }
        let mut dates = Self { calendars, events: vec![] };
        for _ in 0..random.between(2, 9) {
            dates.add(sim, random, words);
        }
        dates
    }

    fn add(&mut self, sim: &Sim, random: &mut Random, words: &mut Words) -> String {
        let Some(calendar) = random.pick(&self.calendars).cloned() else { return String::new() };
        let start = sim.now() + TimeDelta::hours(random.between(-12 * 24, 20 * 24));
        let end = start + TimeDelta::minutes(random.between(1, 6) * 30);
        let mut details = Details::new(&words.sentence(), start, end);
        if random.once_in(5) {
            let day = start.date_naive();
            (details.start, details.end) = (When::Day(day), When::Day(day.succ_opt().unwrap_or(day)));
        }
        details.description = words.sentence();
        if random.once_in(3) {
            details.location = words.word();
        }
        if random.once_in(3) {
            details = details.repeating(random.pick(&RULES).copied().unwrap_or_default());
        }
        let id = sim.calendar().add_event(&calendar, details).unwrap_or_default();
        self.events.push((calendar, id.clone()));
        id
    }

    /// Something happens; says what.
    pub(crate) fn change(&mut self, sim: &Sim, random: &mut Random, words: &mut Words) -> String {
        let all = sim.calendar();
        let Some((calendar, event)) = random.pick(&self.events).cloned() else {
            return format!("event {} added", self.add(sim, random, words));
        };
        let instances = instances(sim, &calendar, &event);
        let instance = random.pick(&instances).cloned();
        let shift = TimeDelta::hours(random.between(-100, 300));
        let text = words.sentence();
        let at = format!("{calendar} {event}");
        match (random.below(11), instance) {
            (0..=1, _) => format!("event {at}: said otherwise {}", all.update(&calendar, &event, |it| it.summary = text)),
            (2, Some(instance)) => {
                let changed = all.update(&calendar, &instance.id, |it| it.description = text);
                format!("event {at}: instance {} described {changed}", instance.id)
            }
            (3, _) => format!("event {at}: moved {}", all.update(&calendar, &event, |it| shifted(it, shift))),
            (4, Some(instance)) => {
                let moved = all.update(&calendar, &instance.id, |it| shifted(it, shift));
                format!("event {at}: instance {} moved {moved}", instance.id)
            }
            (5, Some(instance)) => format!("event {at}: instance {} off {}", instance.id, all.cancel(&calendar, &instance.id)),
            (6, _) => format!("event {at}: off {}", all.cancel(&calendar, &event)),
            _ => format!("event {} added", self.add(sim, random, words)),
        }
    }

    /// What a sync that misses nothing stores of a calendar: what takes place around now, and nothing that does not take place.
    pub(crate) fn expected(sim: &Sim, calendar: &str) -> Vec<Expected> {
        let calendar = if calendar == OWNER { "primary" } else { calendar };
        let now = sim.now();
        let meets = |it: &Event| {
            let (start, end) = (instant(it.details.start), instant(it.details.end));
            end > now - BEFORE && start < now + AFTER
        };
        let expected = |it: &Event| {
            let Details { summary, description, location, .. } = &it.details;
            let marks = marks(&format!("{summary} {description} {location}"));
            // A day begins at another instant in the calendar's zone: at the window's edge both is right.
            let edge = TimeDelta::hours(if matches!(it.details.start, When::Day(_)) { 30 } else { 0 });
            let inside = instant(it.details.end) - edge > now - BEFORE && instant(it.details.start) + edge < now + AFTER;
            Expected { id: it.id.clone(), at: instant(it.details.start), marks, is_needed: inside && meets(it), is_told: false }
        };
        sim.calendar().snapshot(calendar, now - EVER..now + EVER).iter().map(expected).collect()
    }
}

fn instances(sim: &Sim, calendar: &str, event: &str) -> Vec<Event> {
    let around = sim.now() - BEFORE..sim.now() + AFTER;
    let all = sim.calendar().snapshot(calendar, around);
    all.into_iter().filter(|it| it.origin.as_ref().is_some_and(|it| it.series == event)).collect()
}

fn shifted(details: &mut Details, by: TimeDelta) {
    for when in [&mut details.start, &mut details.end] {
        *when = match *when {
            When::Day(day) => When::Day(day + TimeDelta::days(by.num_days())),
            When::At(at, zone) => When::At(at + by, zone),
        };
    }
}

fn instant(when: When) -> DateTime<Utc> {
    match when {
        When::At(at, _) => at,
        When::Day(day) => Utc.from_utc_datetime(&day.and_hms_opt(0, 0, 0).unwrap_or_default()),
    }
}
