//! The instances of a series.

use std::panic::{AssertUnwindSafe, catch_unwind};

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone as _, Utc};
use chrono_tz::Tz;
use rrule::{RRule, RRuleSet, Unvalidated};

use super::model::{Details, Event, Origin, When};

/// Instances of one series that are held; enough for two years of every day.
const MOST: usize = 1_000;

/// When the instances of a series begin, in their order and before `horizon`. None if a line cannot be read.
pub(super) fn starts(details: &Details, calendar_zone: Tz, horizon: DateTime<Utc>) -> Option<Vec<When>> {
    let (zone, is_day) = match details.start {
        When::Day(_) => (Tz::UTC, true),
        When::At(_, zone) => (zone.unwrap_or(calendar_zone), false),
    };
    let first = details.start.instant(zone);
    let mut found = vec![first];
    let mut without = Vec::new();
    for line in &details.recurrence {
        let (head, value) = line.split_once(':')?;
        let name = head.split(';').next().unwrap_or_default();
        match name {
            "RRULE" => found.extend(ruled(value, first.with_timezone(&zone), horizon)?),
            "RDATE" => found.extend(dates(head, value, zone)?),
            "EXDATE" => without.extend(dates(head, value, zone)?),
            _ => return None,
        }
    }
    found.retain(|it| *it < horizon && !without.contains(it));
    found.sort_unstable();
    found.dedup();
    let when = |instant: DateTime<Utc>| if is_day { When::Day(instant.date_naive()) } else { When::At(instant, Some(zone)) };
    Some(found.into_iter().map(when).collect())
}

fn ruled(rule: &str, first: DateTime<Tz>, horizon: DateTime<Utc>) -> Option<Vec<DateTime<Utc>>> {
    let rule = until_in_utc(rule);
    let first = first.with_timezone(&rrule::Tz::from(first.timezone()));
    // The rule engine states some of its invariants with panics; a rule in a request must not be able to reach one.
    let walked = catch_unwind(AssertUnwindSafe(|| {
        let rule = rule.parse::<RRule<Unvalidated>>().ok()?.validate(first).ok()?;
        let set = RRuleSet::new(first).limit().rrule(rule);
        let instants = set.into_iter().map(|it| it.with_timezone(&Utc));
        Some(instants.take_while(|it| *it < horizon).take(MOST).collect())
    }));
    walked.ok().flatten()
}

/// The rule with its last instant in UTC, as the engine wants it for a start with a zone. A day means the whole of it.
fn until_in_utc(rule: &str) -> String {
    let part = |part: &str| match part.strip_prefix("UNTIL=") {
        Some(day) if day.len() == 8 => format!("UNTIL={day}T235959Z"),
        Some(instant) if !instant.ends_with('Z') => format!("UNTIL={instant}Z"),
        _ => part.to_owned(),
    };
    rule.split(';').map(part).collect::<Vec<_>>().join(";")
}

/// The instants of an `EXDATE` or `RDATE` line.
fn dates(head: &str, values: &str, zone: Tz) -> Option<Vec<DateTime<Utc>>> {
    let named = head.split(';').find_map(|it| it.strip_prefix("TZID="));
    let zone = named.map_or(Some(zone), |it| it.parse().ok())?;
    values.split(',').map(|value| date(value.trim(), zone)).collect()
}

fn date(text: &str, zone: Tz) -> Option<DateTime<Utc>> {
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y%m%d") {
        return Some(day.and_time(NaiveTime::MIN).and_utc());
    }
    let local = NaiveDateTime::parse_from_str(text.trim_end_matches('Z'), "%Y%m%dT%H%M%S").ok()?;
    if text.ends_with('Z') {
        return Some(local.and_utc());
    }
    Some(zone.from_local_datetime(&local).earliest()?.with_timezone(&Utc))
}

/// The instance of a series that begins then, as the series' rule makes it.
pub(super) fn instance(series: &Event, start: When) -> Event {
    let mut details = series.details.clone();
    details.recurrence.clear();
    details.end = match (series.details.start, series.details.end, start) {
        (When::Day(first), When::Day(last), When::Day(day)) => When::Day(day + (last - first)),
        (When::At(first, _), When::At(last, zone), When::At(instant, _)) => When::At(instant + (last - first), zone),
        _ => start,
    };
    details.start = start;
    let origin = Origin { series: series.id.clone(), start };
    Event { id: identifier(&series.id, start), details, origin: Some(origin), ..series.clone() }
}

/// The identifier of an instance: the series' own with the begin in UTC.
pub(super) fn identifier(series: &str, start: When) -> String {
    match start {
        When::Day(day) => format!("{series}_{}", day.format("%Y%m%d")),
        When::At(instant, _) => format!("{series}_{}", instant.format("%Y%m%dT%H%M%SZ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(start: impl Into<When>, lines: &[&str], expected: &[&str]) {
        let start = start.into();
        let mut details = Details::new("x", start, start);
        details.recurrence = lines.iter().map(|it| (*it).to_owned()).collect();
        let horizon = "2026-06-01T00:00:00Z".parse().unwrap();
        let found = starts(&details, chrono_tz::Europe::Lisbon, horizon).unwrap();
        let shown: Vec<String> = found.into_iter().map(|it| identifier("", it)).collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn the_wall_clock_stays_when_the_clocks_change() {
        let start = chrono_tz::Europe::Lisbon.with_ymd_and_hms(2026, 3, 22, 9, 0, 0).unwrap();
        check(start, &["RRULE:FREQ=WEEKLY;COUNT=2"], &["_20260322T090000Z", "_20260329T080000Z"]);
    }

    #[test]
    fn days_end_on_their_last_day_and_leave_others_out() {
        let start: NaiveDate = "2026-03-01".parse().unwrap();
        let lines = ["RRULE:FREQ=DAILY;UNTIL=20260304", "EXDATE;VALUE=DATE:20260302", "RDATE;VALUE=DATE:20260401"];
        check(start, &lines, &["_20260301", "_20260303", "_20260304", "_20260401"]);
    }

    #[test]
    fn left_out_instants_may_be_written_in_two_ways() {
        let start = chrono_tz::Europe::Lisbon.with_ymd_and_hms(2026, 4, 6, 9, 0, 0).unwrap();
        let lines = ["RRULE:FREQ=DAILY;COUNT=4", "EXDATE;TZID=Europe/Lisbon:20260407T090000", "EXDATE:20260408T080000Z"];
        check(start, &lines, &["_20260406T080000Z", "_20260409T080000Z"]);
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        let start: DateTime<Utc> = "2026-03-01T10:00:00Z".parse().unwrap();
        for line in ["FREQ=DAILY", "RRULE:FREQ=NEVER", "RRULE:", "EXDATE:today", "X:1"] {
            let details = Details::new("x", start, start).repeating(line);
            assert_eq!(starts(&details, Tz::UTC, start), None, "{line}");
        }
    }
}
