//! Local time: what the clocks of a zone make of a date and a time of day.

use chrono::{DateTime, LocalResult, NaiveDateTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};

/// No zone has ever skipped more than a day.
const LONGEST_GAP: TimeDelta = TimeDelta::hours(26);

/// How often, and when, the clocks of a zone show a local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LocalTime {
    /// Once.
    Once(DateTime<Utc>),
    /// Twice, because they were set back; this is the first time.
    Twice(DateTime<Utc>),
    /// Never, because they were set forward; this is the first instant after.
    Skipped(DateTime<Utc>),
}

impl LocalTime {
    /// What a zone makes of a local time; none only at the ends of representable time.
    pub fn of(local: NaiveDateTime, zone: Tz) -> Option<Self> {
        match zone.from_local_datetime(&local) {
            LocalResult::Single(at) => Some(Self::Once(at.to_utc())),
            LocalResult::Ambiguous(first, _) => Some(Self::Twice(first.to_utc())),
            LocalResult::None => {
                let before = zone.from_local_datetime(&local.checked_sub_signed(LONGEST_GAP)?).earliest()?;
                first_after_gap(before.to_utc(), local, zone).map(Self::Skipped)
            }
        }
    }

    /// The instant that counts.
    pub const fn instant(self) -> DateTime<Utc> {
        match self {
            Self::Once(at) | Self::Twice(at) | Self::Skipped(at) => at,
        }
    }
}

/// The instant of a local time: the first one where there are two, the first after where there is none.
pub fn instant_of(local: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    LocalTime::of(local, zone).map(LocalTime::instant)
}

/// The transition between an instant whose local time is before and one whose local time is after: found by halving.
fn first_after_gap(before: DateTime<Utc>, local: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    let is_before = |it: DateTime<Utc>| it.with_timezone(&zone).naive_local() < local;
    let (mut low, mut high) = (before.timestamp(), before.timestamp() + 4 * 86_400);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if is_before(DateTime::from_timestamp(middle, 0)?) { low = middle } else { high = middle }
    }
    DateTime::from_timestamp(high, 0)
}

/// The zone that a user's setting names: an IANA name, the name of its city alone if only one zone has it, else UTC.
pub fn zone_of(setting: Option<&str>) -> Tz {
    setting.and_then(zone_named).unwrap_or(Tz::UTC)
}

/// The zone with this IANA name, or with this name of a city if only one zone has it.
pub fn zone_named(name: &str) -> Option<Tz> {
    let name = name.trim();
    if let Ok(zone) = name.parse() {
        return Some(zone);
    }
    let city = name.to_lowercase().replace(' ', "_");
    let mut named =
        TZ_VARIANTS.iter().filter(|it| it.name().rsplit_once('/').is_some_and(|(_, last)| last.to_lowercase() == city));
    match (named.next(), named.next()) {
        (Some(zone), None) => Some(*zone),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn clocks_show_a_time_once_twice_or_never() {
        let of = |local: &str, zone: &str| LocalTime::of(local.parse().unwrap(), zone_of(Some(zone))).unwrap();
        assert_eq!(of("2026-02-26T09:00:00", "Asia/Seoul"), LocalTime::Once(at("2026-02-26T00:00:00Z")));
        assert_eq!(of("2026-11-01T01:30:00", "America/New_York"), LocalTime::Twice(at("2026-11-01T05:30:00Z")));
        assert_eq!(of("2026-03-08T02:30:00", "America/New_York"), LocalTime::Skipped(at("2026-03-08T07:00:00Z")));
        assert_eq!(of("2011-12-30T12:00:00", "Pacific/Apia"), LocalTime::Skipped(at("2011-12-30T10:00:00Z")));
        assert_eq!(LocalTime::of(NaiveDateTime::MIN, Tz::UTC), Some(LocalTime::Once(NaiveDateTime::MIN.and_utc())));
    }

    proptest! {
        #[test]
        fn a_local_time_is_itself_or_skipped(index in 0..TZ_VARIANTS.len(), minutes in 0_i64..12 * 366 * 24 * 60) {
            let zone = TZ_VARIANTS[index];
            let local = at("2024-01-01T00:00:00Z").naive_utc() + TimeDelta::minutes(minutes);
            let instant = instant_of(local, zone).unwrap();
            let shown = instant.with_timezone(&zone).naive_local();
            prop_assert!(shown >= local, "{zone} {local} {shown}");
            if shown != local {
                let before = (instant - TimeDelta::seconds(1)).with_timezone(&zone).naive_local();
                prop_assert!(before < local, "{zone} {local} {before}");
            }
        }
    }
}
