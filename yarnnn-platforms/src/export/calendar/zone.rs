//! Time zones of a calendar: those everybody knows, and those that the file defines itself.
//!
//! A known name (`Europe/Berlin`) beats the file's own definition of it, which is often out of date. A name that nobody knows is
//! read as UTC, and the text of the event says so.

use std::collections::HashMap;
use std::sync::Arc;

use calcard::common::PartialDateTime;
use calcard::common::timezone::Tz;
use calcard::icalendar::{ICalendarComponent, ICalendarComponentType, ICalendarProperty, ICalendarValue};
use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, Offset as _, TimeDelta, TimeZone as _, Utc};

use super::recur;

/// Changes of one zone's clock that are kept: twice a year from 1601 to 2200 and some.
const MAX_CHANGES: usize = 2_000;

/// The clock an event was written by.
#[derive(Debug, Clone)]
pub(crate) enum Zone {
    /// Universal time.
    Utc,
    /// A fixed distance from it.
    Fixed(FixedOffset),
    /// A zone of the public database.
    Known(chrono_tz::Tz),
    /// A zone that the file defines.
    Defined(Arc<Definition>),
    /// Wherever the reader is; read as UTC.
    Floating,
    /// A name that says nothing; read as UTC.
    Unknown(String),
}

/// A zone by its changes of the clock, in their order.
#[derive(Debug)]
pub(crate) struct Definition {
    name: String,
    changes: Vec<Change>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Change {
    /// On the clock before the change.
    local: NaiveDateTime,
    before: i32,
    after: i32,
}

impl Change {
    fn instant(&self) -> NaiveDateTime {
        minus(self.local, self.before)
    }
}

fn minus(local: NaiveDateTime, seconds: i32) -> NaiveDateTime {
    local.checked_sub_signed(TimeDelta::seconds(i64::from(seconds))).unwrap_or(local)
}

impl Zone {
    /// The instant at which this clock shows `local`: the first one if it does so twice; if never, as if it had not changed yet.
    pub(crate) fn instant(&self, local: NaiveDateTime) -> DateTime<Utc> {
        minus(local, self.offset_at_local(local)).and_utc()
    }

    /// What this clock shows at an instant.
    pub(crate) fn local(&self, instant: DateTime<Utc>) -> NaiveDateTime {
        let naive = instant.naive_utc();
        let seconds = match self {
            Self::Utc | Self::Floating | Self::Unknown(_) => 0,
            Self::Fixed(offset) => offset.local_minus_utc(),
            Self::Known(zone) => zone.offset_from_utc_datetime(&naive).fix().local_minus_utc(),
            Self::Defined(zone) => zone.offset_at(|change| change.instant() <= naive),
        };
        minus(naive, -seconds)
    }

    fn offset_at_local(&self, local: NaiveDateTime) -> i32 {
        match self {
            Self::Utc | Self::Floating | Self::Unknown(_) => 0,
            Self::Fixed(offset) => offset.local_minus_utc(),
            Self::Known(zone) => known_offset(*zone, local),
            Self::Defined(zone) => zone.offset_at(|change| {
                // While the clock jumps forward it shows no time; the offset before the change goes on.
                minus(local, (change.after - change.before).max(0)) >= change.local
            }),
        }
    }

    /// The name a person reads after the time.
    pub(super) fn label(&self) -> String {
        match self {
            Self::Utc => "UTC".to_owned(),
            Self::Fixed(offset) => format!("UTC{offset}"),
            Self::Known(zone) => zone.name().to_owned(),
            Self::Defined(zone) => zone.name.clone(),
            Self::Floating => "floating, read as UTC".to_owned(),
            Self::Unknown(name) => format!("{name}, unknown, read as UTC"),
        }
    }

    /// Whether two clocks are the same one.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.label() == other.label()
    }
}

fn known_offset(zone: chrono_tz::Tz, local: NaiveDateTime) -> i32 {
    let earliest = |local: &NaiveDateTime| zone.offset_from_local_datetime(local).earliest();
    let offset = earliest(&local).or_else(|| earliest(&minus(local, 4 * 3600)));
    offset.map_or(0, |it| it.fix().local_minus_utc())
}

impl Definition {
    /// The offset after the last change that has happened.
    fn offset_at(&self, has_happened: impl Fn(&Change) -> bool) -> i32 {
        let count = self.changes.partition_point(|change| has_happened(change));
        let last = count.checked_sub(1).and_then(|index| self.changes.get(index));
        last.map_or_else(|| self.changes.first().map_or(0, |first| first.before), |change| change.after)
    }
}

/// The zones that one calendar defines.
#[derive(Debug, Default)]
pub(super) struct Zones {
    defined: HashMap<String, Zone>,
}

impl Zones {
    /// Adds the definition of a zone. One that cannot be read is left out: its name may still be known.
    pub(super) fn define(&mut self, components: &[ICalendarComponent]) {
        let Some(root) = components.first() else { return };
        let Some(name) =
            root.property(&ICalendarProperty::Tzid).and_then(|it| it.values.first()).and_then(ICalendarValue::as_text)
        else {
            return;
        };
        let known = root.timezone().and_then(|(_, zone)| known(zone));
        let defined = definition(name, components).map(|it| Zone::Defined(Arc::new(it)));
        if let Some(zone) = by_full_name(name).or(defined).or(known) {
            self.defined.insert(name.to_owned(), zone);
        }
    }

    /// The zone of that name.
    pub(super) fn named(&self, name: &str) -> Zone {
        let defined = by_full_name(name).or_else(|| self.defined.get(name).cloned());
        let guessed = || name.parse::<Tz>().ok().and_then(known);
        defined.or_else(guessed).unwrap_or_else(|| Zone::Unknown(name.chars().filter(|it| !it.is_control()).take(80).collect()))
    }
}

/// Zones by their place. Short names such as `EST` mean different things to different programs.
pub(crate) fn by_full_name(name: &str) -> Option<Zone> {
    let zone: chrono_tz::Tz = name.trim_start_matches('/').parse().ok()?;
    match zone {
        chrono_tz::UTC | chrono_tz::Etc::UTC => Some(Zone::Utc),
        _ => name.contains('/').then_some(Zone::Known(zone)),
    }
}

fn known(zone: Tz) -> Option<Zone> {
    match zone {
        Tz::Tz(zone) => Some(Zone::Known(zone)),
        Tz::Fixed(offset) => Some(Zone::Fixed(offset)),
        Tz::Floating => None,
    }
}

fn definition(name: &str, components: &[ICalendarComponent]) -> Option<Definition> {
    let is_part = |it: &&ICalendarComponent| {
        matches!(it.component_type, ICalendarComponentType::Standard | ICalendarComponentType::Daylight)
    };
    let mut changes: Vec<Change> = components.iter().filter(is_part).filter_map(changes).flatten().collect();
    changes.sort_unstable_by_key(Change::instant);
    changes.dedup();
    (!changes.is_empty()).then(|| Definition { name: name.to_owned(), changes })
}

/// All the times at which one half of the year begins.
fn changes(part: &ICalendarComponent) -> Option<Vec<Change>> {
    let before = offset(part, &ICalendarProperty::Tzoffsetfrom)?;
    let after = offset(part, &ICalendarProperty::Tzoffsetto)?;
    let start = dates(part, &ICalendarProperty::Dtstart).next()?.to_date_time()?.date_time;
    let mut locals = vec![start];
    for date in dates(part, &ICalendarProperty::Rdate).filter_map(PartialDateTime::to_date_time).take(MAX_CHANGES) {
        locals.push(if date.offset.is_some() { minus(date.date_time, -before) } else { date.date_time });
    }
    let end = NaiveDate::from_ymd_opt(2200, 1, 1)?.and_hms_opt(0, 0, 0)?;
    let to_local = |instant: DateTime<Utc>| minus(instant.naive_utc(), -before);
    for rule in part.properties(&ICalendarProperty::Rrule).flat_map(|it| &it.values) {
        let ICalendarValue::RecurrenceRule(rule) = rule else { return None };
        let span = recur::Span { from: start, to: end, max: MAX_CHANGES };
        locals.extend(recur::starts(rule, start, &to_local, span, |_| true).ok()?.starts);
    }
    Some(locals.into_iter().map(|local| Change { local, before, after }).collect())
}

fn dates<'part>(part: &'part ICalendarComponent, name: &'part ICalendarProperty) -> impl Iterator<Item = &'part PartialDateTime> {
    part.properties(name).flat_map(|it| &it.values).filter_map(ICalendarValue::as_partial_date_time)
}

fn offset(part: &ICalendarComponent, name: &ICalendarProperty) -> Option<i32> {
    let value = dates(part, name).next()?;
    let seconds = i32::from(value.tz_hour?) * 3600 + i32::from(value.tz_minute.unwrap_or(0)) * 60;
    let valid = seconds < 24 * 3600;
    valid.then_some(if value.tz_minus { -seconds } else { seconds })
}

#[cfg(test)]
mod tests {
    use calcard::{Entry, Parser};

    use super::*;

    fn zones(text: &str) -> Zones {
        let Entry::ICalendar(parsed) = Parser::new(text).entry() else { panic!("no zone") };
        let mut zones = Zones::default();
        zones.define(&parsed.components);
        zones
    }

    fn instant(zone: &Zone, local: &str) -> String {
        zone.instant(local.parse().unwrap()).to_rfc3339()
    }

    const MARS: &str = "BEGIN:VTIMEZONE\nTZID:Mars/Base\nBEGIN:DAYLIGHT\nDTSTART:20000326T020000\nTZOFFSETFROM:+0130\nTZOFFSETTO:+0230\n\
        RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\nEND:DAYLIGHT\nBEGIN:STANDARD\nDTSTART:20001029T030000\nTZOFFSETFROM:+0230\n\
        TZOFFSETTO:+0130\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\nEND:STANDARD\nEND:VTIMEZONE\n";

    #[test]
    fn a_zone_that_the_file_defines_changes_its_clock() {
        let zone = zones(MARS).named("Mars/Base");
        assert_eq!(zone.label(), "Mars/Base");
        assert_eq!(instant(&zone, "2026-01-10T12:00:00"), "2026-01-10T10:30:00+00:00");
        assert_eq!(instant(&zone, "2026-07-10T12:00:00"), "2026-07-10T09:30:00+00:00");
        assert_eq!(instant(&zone, "1990-07-10T12:00:00"), "1990-07-10T10:30:00+00:00");
        // 29 March 2026: the clock jumps from 02:00 to 03:00; 25 October: it shows 02:30 twice.
        assert_eq!(instant(&zone, "2026-03-29T02:30:00"), "2026-03-29T01:00:00+00:00");
        assert_eq!(instant(&zone, "2026-03-29T03:00:00"), "2026-03-29T00:30:00+00:00");
        assert_eq!(instant(&zone, "2026-10-25T02:30:00"), "2026-10-25T00:00:00+00:00");
        let back = zone.local("2026-07-10T09:30:00Z".parse().unwrap());
        assert_eq!(back.to_string(), "2026-07-10 12:00:00");
    }

    #[test]
    fn known_zones_need_no_definition() {
        let zones = Zones::default();
        assert_eq!(instant(&zones.named("America/New_York"), "2026-07-10T12:00:00"), "2026-07-10T16:00:00+00:00");
        assert_eq!(instant(&zones.named("W. Europe Standard Time"), "2026-07-10T12:00:00"), "2026-07-10T10:00:00+00:00");
        assert_eq!(instant(&zones.named("Europe/Berlin"), "2026-03-29T02:30:00"), "2026-03-29T01:30:00+00:00");
        assert_eq!(zones.named("Etc/UTC").label(), "UTC");
        assert_eq!(zones.named("Nowhere/At all").label(), "Nowhere/At all, unknown, read as UTC");
    }

    #[test]
    fn a_definition_that_says_nothing_falls_back_to_its_name() {
        let zones = zones("BEGIN:VTIMEZONE\nTZID:Romance Standard Time\nEND:VTIMEZONE\n");
        assert_eq!(zones.named("Romance Standard Time").label(), "Europe/Paris");
    }
}
