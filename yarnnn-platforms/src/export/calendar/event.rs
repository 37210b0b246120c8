//! One event as its properties say it, before anything is expanded.
//!
//! A date that cannot be read makes the event unreadable: an event at a wrong time is worse than one that is named as missing.

use std::panic::catch_unwind;

use calcard::common::{IanaString as _, PartialDateTime};
use calcard::icalendar::utils::strip_mailto_scheme;
use calcard::icalendar::{
    ICalendarComponent, ICalendarEntry, ICalendarParameterName, ICalendarPeriod, ICalendarProperty, ICalendarRecurrenceRule,
    ICalendarStatus, ICalendarValue,
};
use calcard::{Entry, Parser};
use chrono::{DateTime, Datelike as _, NaiveDateTime, TimeDelta, Utc};
use yarnnn_core::hash::Sha256;

use super::frame::Frame;
use super::zone::{Zone, Zones};

/// Dates of one event that are kept (exceptions, additional dates) and people.
const MAX_VALUES: usize = 10_000;

/// A time on a clock, or a whole day.
#[derive(Debug, Clone)]
pub(crate) struct Moment {
    pub(crate) local: NaiveDateTime,
    pub(crate) zone: Zone,
    pub(crate) is_date: bool,
}

impl Moment {
    /// The instant; of a whole day, its midnight in UTC.
    pub(crate) fn instant(&self) -> DateTime<Utc> {
        if self.is_date { self.local.and_utc() } else { self.zone.instant(self.local) }
    }

    /// The same clock at another time.
    pub(super) fn at(&self, local: NaiveDateTime) -> Self {
        Self { local, zone: self.zone.clone(), is_date: self.is_date }
    }

    /// The end of an item id: the date, or the instant in UTC.
    pub(super) fn suffix(&self) -> String {
        self.instant().format(if self.is_date { "%Y%m%d" } else { "%Y%m%dT%H%M%SZ" }).to_string()
    }
}

/// How long an event takes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Length {
    /// On its own clock.
    Local(TimeDelta),
    /// In real time, when it ends on another clock.
    Exact(TimeDelta),
}

/// Somebody who is named in an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) name: Option<String>,
    pub(crate) address: Option<String>,
}

impl Person {
    pub(crate) fn shown(&self) -> Option<&str> {
        self.name.as_deref().or(self.address.as_deref())
    }
}

/// One event of a file.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) uid: String,
    /// Its line in the file.
    pub(super) line: usize,
    pub(super) sequence: i64,
    pub(super) recurrence_id: Option<Moment>,
    pub(super) this_and_future: bool,
    pub(super) start: Moment,
    pub(super) length: Length,
    pub(super) rules: Vec<ICalendarRecurrenceRule>,
    pub(super) excluded_rules: Vec<ICalendarRecurrenceRule>,
    pub(super) dates: Vec<(Moment, Option<Length>)>,
    pub(super) excluded_dates: Vec<Moment>,
    pub(super) is_cancelled: bool,
    pub(super) status: String,
    pub(super) summary: Option<String>,
    pub(super) description: Option<String>,
    pub(super) location: Option<String>,
    pub(super) organizer: Option<Person>,
    pub(super) attendees: Vec<Person>,
    pub(super) url: Option<String>,
}

impl Event {
    /// Where a person finds it.
    pub(super) fn place(&self) -> String {
        format!("{} (line {})", self.uid, self.line)
    }

    pub(super) fn is_recurring(&self) -> bool {
        !self.rules.is_empty() || !self.dates.is_empty()
    }

    /// The end of the event if it started at `start`.
    pub(super) fn end(&self, start: &Moment, length: Option<Length>) -> Moment {
        match length.unwrap_or(self.length) {
            Length::Local(delta) => start.at(shifted(start.local, delta.num_seconds())),
            Length::Exact(delta) => {
                let end = start.instant().checked_add_signed(delta).unwrap_or_else(|| start.instant());
                start.at(start.zone.local(end))
            }
        }
    }
}

/// A time on a clock some seconds later; at the end of the calendar it stays where it is.
pub(super) fn shifted(local: NaiveDateTime, seconds: i64) -> NaiveDateTime {
    TimeDelta::try_seconds(seconds).and_then(|delta| local.checked_add_signed(delta)).unwrap_or(local)
}

/// The components of one piece of a file: the piece itself and what is inside it.
pub(super) fn components(text: &str) -> Vec<ICalendarComponent> {
    // The parser is made for foreign text; should one text prove it wrong, the others must still be read.
    match catch_unwind(|| Parser::new(text).entry()) {
        Ok(Entry::ICalendar(parsed)) => parsed.components,
        _ => Vec::new(),
    }
}

/// The name of an event for people: its id, else its line.
pub(super) fn place(frame: &Frame) -> String {
    let uid = components(&frame.text).first().and_then(|it| it.uid().map(clean)).filter(|it| !it.is_empty());
    uid.map_or_else(|| format!("the event at line {}", frame.line), |uid| format!("{uid} (line {})", frame.line))
}

/// Reads an event, or says in plain words why it cannot be read.
pub(super) fn read(frame: &Frame, zones: &Zones) -> Result<Event, String> {
    if !frame.is_complete {
        return Err("it has no end (END:VEVENT is missing)".to_owned());
    }
    let components = components(&frame.text);
    let event = components.first().ok_or("it cannot be parsed")?;
    Reader { event, zones }.read(frame)
}

struct Reader<'file> {
    event: &'file ICalendarComponent,
    zones: &'file Zones,
}

impl Reader<'_> {
    fn read(&self, frame: &Frame) -> Result<Event, String> {
        use ICalendarProperty as Property;
        let start = self.first_moment(&Property::Dtstart)?.ok_or("it has no start (DTSTART)")?;
        let recurrence_id = self.first_moment(&Property::RecurrenceId)?;
        let this_and_future = self.event.property(&Property::RecurrenceId).is_some_and(is_this_and_future);
        let status = self.event.status();
        let uid = self.text(&Property::Uid).map(|it| clean(&it)).filter(|it| !it.is_empty());
        Ok(Event {
            uid: uid.unwrap_or_else(|| Sha256::of(&frame.text).to_string()),
            line: frame.line,
            sequence: self.event.property(&Property::Sequence).and_then(|it| it.values.first()?.as_integer()).unwrap_or_default(),
            recurrence_id,
            this_and_future,
            length: self.length(&start)?,
            rules: self.rules(&Property::Rrule)?,
            excluded_rules: self.rules(&Property::Exrule)?,
            dates: self.dates(&Property::Rdate)?,
            excluded_dates: self.dates(&Property::Exdate)?.into_iter().map(|it| it.0).collect(),
            is_cancelled: status == Some(&ICalendarStatus::Cancelled),
            status: status.map_or("confirmed", |it| it.as_str()).to_ascii_lowercase(),
            summary: self.line(&Property::Summary),
            description: self.text(&Property::Description).map(|it| tidy(&it)).filter(|it| !it.is_empty()),
            location: self.line(&Property::Location),
            organizer: self.event.property(&Property::Organizer).and_then(person),
            attendees: self.event.properties(&Property::Attendee).filter_map(person).take(MAX_VALUES).collect(),
            url: self.line(&Property::Url),
            start,
        })
    }

    fn text(&self, name: &ICalendarProperty) -> Option<String> {
        let values = &self.event.property(name)?.values;
        let texts: Vec<&str> = values.iter().filter_map(ICalendarValue::as_text).collect();
        (!texts.is_empty()).then(|| texts.join(","))
    }

    fn line(&self, name: &ICalendarProperty) -> Option<String> {
        self.text(name).map(|it| clean(&it)).filter(|it| !it.is_empty())
    }

    fn first_moment(&self, name: &ICalendarProperty) -> Result<Option<Moment>, String> {
        let Some(entry) = self.event.property(name) else {
            return Ok(None);
        };
        let value = entry.values.first().and_then(ICalendarValue::as_partial_date_time);
        value.and_then(|it| self.moment(entry, it)).map(Some).ok_or_else(|| unreadable(entry))
    }

    fn moment(&self, entry: &ICalendarEntry, value: &PartialDateTime) -> Option<Moment> {
        let parsed = value.to_date_time().filter(|it| (1..=9_999).contains(&it.date_time.year()))?;
        let zone = match parsed.offset {
            Some(offset) if offset.local_minus_utc() == 0 => Zone::Utc,
            Some(offset) => Zone::Fixed(offset),
            None => entry.tz_id().map_or(Zone::Floating, |name| self.zones.named(name)),
        };
        Some(Moment { local: parsed.date_time, zone, is_date: !value.has_time() })
    }

    fn length(&self, start: &Moment) -> Result<Length, String> {
        if let Some(end) = self.first_moment(&ICalendarProperty::Dtend)? {
            return Ok(if end.zone.is_same(&start.zone) || end.is_date {
                Length::Local((end.local - start.local).max(TimeDelta::zero()))
            } else {
                Length::Exact((end.instant() - start.instant()).max(TimeDelta::zero()))
            });
        }
        let Some(entry) = self.event.property(&ICalendarProperty::Duration) else {
            return Ok(Length::Local(if start.is_date { TimeDelta::days(1) } else { TimeDelta::zero() }));
        };
        match entry.values.first() {
            Some(ICalendarValue::Duration(duration)) => {
                let delta = duration.to_time_delta().ok_or_else(|| unreadable(entry))?;
                Ok(Length::Local(delta.max(TimeDelta::zero())))
            }
            _ => Err(unreadable(entry)),
        }
    }

    fn rules(&self, name: &ICalendarProperty) -> Result<Vec<ICalendarRecurrenceRule>, String> {
        let entries = self.event.properties(name).take(MAX_VALUES);
        entries
            .map(|entry| match entry.values.first() {
                Some(ICalendarValue::RecurrenceRule(rule)) => Ok((**rule).clone()),
                _ => Err(unreadable(entry)),
            })
            .collect()
    }

    fn dates(&self, name: &ICalendarProperty) -> Result<Vec<(Moment, Option<Length>)>, String> {
        let values = self.event.properties(name).flat_map(|entry| entry.values.iter().map(move |value| (entry, value)));
        // An empty list is no list.
        let values = values.filter(|(_, value)| value.as_text().is_none_or(|text| !text.trim().is_empty()));
        values.take(MAX_VALUES).map(|(entry, value)| self.date(entry, value).ok_or_else(|| unreadable(entry))).collect()
    }

    fn date(&self, entry: &ICalendarEntry, value: &ICalendarValue) -> Option<(Moment, Option<Length>)> {
        match value {
            ICalendarValue::PartialDateTime(date) => Some((self.moment(entry, date)?, None)),
            ICalendarValue::Period(ICalendarPeriod::Range { start, end }) => {
                let (start, end) = (self.moment(entry, start)?, self.moment(entry, end)?);
                let length = Length::Exact(end.instant() - start.instant());
                Some((start, Some(length)))
            }
            ICalendarValue::Period(ICalendarPeriod::Duration { start, duration }) => {
                Some((self.moment(entry, start)?, duration.to_time_delta().map(Length::Local)))
            }
            _ => None,
        }
    }
}

fn is_this_and_future(entry: &ICalendarEntry) -> bool {
    entry.parameter(&ICalendarParameterName::Range).is_some()
}

fn unreadable(entry: &ICalendarEntry) -> String {
    let name = clean(entry.name.as_str());
    let value = match entry.values.first() {
        Some(ICalendarValue::PartialDateTime(date)) => {
            format!("{:04}-{:02}-{:02}", date.year.unwrap_or(0), date.month.unwrap_or(0), date.day.unwrap_or(0))
        }
        other => other.and_then(ICalendarValue::as_text).map(clean).unwrap_or_default(),
    };
    format!("its {name} cannot be read: {:?}", value.chars().take(80).collect::<String>())
}

fn person(entry: &ICalendarEntry) -> Option<Person> {
    let name = entry.parameter(&ICalendarParameterName::Cn).and_then(|it| it.as_text()).map(clean).filter(|it| !it.is_empty());
    let address = entry.values.first().and_then(ICalendarValue::as_text).map(|it| clean(strip_mailto_scheme(it)));
    let address = address.filter(|it| !it.is_empty());
    (name.is_some() || address.is_some()).then_some(Person { name, address })
}

/// One line without control characters, of bounded length.
pub(crate) fn clean(text: &str) -> String {
    let words = text.split(|it: char| it.is_whitespace() || it.is_control()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ").chars().take(998).collect()
}

/// Lines without control characters and without blanks at their ends.
pub(crate) fn tidy(text: &str) -> String {
    let lines = text.lines().map(|line| line.chars().filter(|it| *it == '\t' || !it.is_control()).collect::<String>());
    let lines: Vec<String> = lines.map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}
