//! The starts that a recurrence rule gives inside a stretch of time.
//!
//! Rules are worked out on the event's own clock, as the standard wants, and only turned into instants by the caller. However
//! often a rule recurs and however long ago it began, the work and the memory are bounded.

use std::panic::{AssertUnwindSafe, catch_unwind};

use calcard::icalendar::{ICalendarDay, ICalendarFrequency, ICalendarRecurrenceRule, ICalendarWeekday};
use chrono::{DateTime, Month, NaiveDateTime, NaiveTime, Utc, Weekday};
use rrule::{Frequency, NWeekday, RRule, RRuleError, RRuleSet, Tz, Unvalidated, ValidationError};

/// Starts that are looked at for one rule, inside the stretch or before it.
const MAX_STEPS: usize = 100_000;

/// The same for rules by the minute or second that count: each start may take a day's worth of looking.
const MAX_FINE_STEPS: usize = 2_000;

/// Starts that one period of a rule may have: every minute of a month is already more than anybody means.
const MAX_PER_PERIOD: usize = 50_000;

/// Where to look, on the event's own clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    /// First start of interest.
    pub(super) from: NaiveDateTime,
    /// Last start of interest.
    pub(super) to: NaiveDateTime,
    /// Most starts to give.
    pub(super) max: usize,
}

/// What a rule gives.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Starts {
    /// In their order, on the event's own clock.
    pub(super) starts: Vec<NaiveDateTime>,
    /// Where it was cut short.
    pub(super) cut_at: Option<NaiveDateTime>,
}

/// The accepted starts of a rule inside the span. `to_local` turns the rule's last instant into the event's own clock.
pub(super) fn starts(
    rule: &ICalendarRecurrenceRule,
    first: NaiveDateTime,
    to_local: &dyn Fn(DateTime<Utc>) -> NaiveDateTime,
    span: Span,
    accept: impl Fn(NaiveDateTime) -> bool,
) -> Result<Starts, String> {
    let until = until(rule, to_local)?;
    if until.is_some_and(|until| until < first || until < span.from) {
        return Ok(Starts::default());
    }
    check_density(rule)?;
    let first = skip_ahead(rule, first, span.from);
    // The rule engine states some of its invariants with panics; a foreign rule must not be able to reach one.
    let walked = catch_unwind(AssertUnwindSafe(|| walk(rule, first, until, span, accept)));
    walked.unwrap_or_else(|_| Err("its recurrence rule cannot be worked out".to_owned()))
}

fn walk(
    rule: &ICalendarRecurrenceRule,
    first: NaiveDateTime,
    until: Option<NaiveDateTime>,
    span: Span,
    accept: impl Fn(NaiveDateTime) -> bool,
) -> Result<Starts, String> {
    let first = first.and_utc().with_timezone(&Tz::UTC);
    let mut converted = convert(rule);
    if let Some(until) = until {
        converted = converted.until(until.and_utc().with_timezone(&Tz::UTC));
    }
    let valid = match converted.validate(first) {
        Err(RRuleError::ValidationError(ValidationError::UntilBeforeStart { .. })) => return Ok(Starts::default()),
        other => other.map_err(|error| format!("its recurrence rule cannot be read: {error}"))?,
    };
    let set = RRuleSet::new(first).limit().rrule(valid);
    let mut found = Starts::default();
    let is_fine = matches!(rule.freq, ICalendarFrequency::Minutely | ICalendarFrequency::Secondly);
    let steps = if is_fine && rule.count.is_some() { MAX_FINE_STEPS.max(span.max) } else { MAX_STEPS };
    for (step, start) in set.into_iter().enumerate() {
        let start = start.naive_utc();
        if start > span.to {
            break;
        }
        if step >= steps || found.starts.len() >= span.max {
            found.cut_at = Some(start.max(span.from));
            break;
        }
        if start >= span.from && accept(start) {
            found.starts.push(start);
        }
    }
    Ok(found)
}

/// The last start a rule allows. A date without a time allows all of that day.
fn until(
    rule: &ICalendarRecurrenceRule,
    to_local: &dyn Fn(DateTime<Utc>) -> NaiveDateTime,
) -> Result<Option<NaiveDateTime>, String> {
    let Some(until) = &rule.until else {
        return Ok(None);
    };
    let parsed = until.to_date_time().ok_or("the end of its recurrence rule is no date")?;
    let local = match parsed.offset {
        Some(offset) => to_local(super::event::shifted(parsed.date_time, -i64::from(offset.local_minus_utc())).and_utc()),
        None if until.has_time() => parsed.date_time,
        None => parsed.date_time.date().and_time(NaiveTime::from_hms_opt(23, 59, 59).unwrap_or_default()),
    };
    Ok(Some(local))
}

/// A rule that has no count gives the same starts from any of its periods on, so that those before the span can be skipped.
fn skip_ahead(rule: &ICalendarRecurrenceRule, first: NaiveDateTime, from: NaiveDateTime) -> NaiveDateTime {
    let seconds = match rule.freq {
        ICalendarFrequency::Secondly => 1,
        ICalendarFrequency::Minutely => 60,
        ICalendarFrequency::Hourly => 3_600,
        ICalendarFrequency::Daily => 86_400,
        ICalendarFrequency::Weekly => 7 * 86_400,
        ICalendarFrequency::Monthly | ICalendarFrequency::Yearly => return first,
    };
    let period = seconds * i64::from(rule.interval.unwrap_or(1).max(1));
    let periods = (from - first).num_seconds() / period - 1;
    if rule.count.is_some() || periods <= 0 {
        return first;
    }
    super::event::shifted(first, periods * period)
}

/// Refuses rules whose single periods would already fill the memory.
fn check_density(rule: &ICalendarRecurrenceRule) -> Result<(), String> {
    let days = match rule.freq {
        ICalendarFrequency::Yearly => 366,
        ICalendarFrequency::Monthly => 31,
        ICalendarFrequency::Weekly => 7,
        _ => 1,
    };
    let times = rule.byhour.len().clamp(1, 24) * rule.byminute.len().clamp(1, 60) * rule.bysecond.len().clamp(1, 60);
    let lists = rule.byday.len() + rule.bymonthday.len() + rule.byyearday.len() + rule.byweekno.len() + rule.bysetpos.len();
    if days * times > MAX_PER_PERIOD || lists > 2_000 {
        return Err("its recurrence rule recurs too often to be read".to_owned());
    }
    Ok(())
}

fn convert(rule: &ICalendarRecurrenceRule) -> RRule<Unvalidated> {
    let may_count_days = matches!(rule.freq, ICalendarFrequency::Monthly | ICalendarFrequency::Yearly);
    let days = rule.byday.iter().map(|day| weekday(*day, may_count_days)).collect();
    let months: Vec<Month> = rule.bymonth.iter().filter_map(|it| Month::try_from(it.month()).ok()).collect();
    let mut converted = RRule::new(frequency(rule.freq))
        .interval(rule.interval.unwrap_or(1).max(1))
        .week_start(rule.wkst.map_or(Weekday::Mon, plain_weekday))
        .by_set_pos(rule.bysetpos.clone())
        .by_month(&months)
        .by_month_day(rule.bymonthday.clone())
        .by_year_day(rule.byyearday.clone())
        .by_week_no(rule.byweekno.clone())
        .by_weekday(days)
        .by_hour(rule.byhour.clone())
        .by_minute(rule.byminute.clone())
        .by_second(rule.bysecond.iter().map(|second| (*second).min(59)).collect());
    if let Some(count) = rule.count {
        converted = converted.count(count);
    }
    converted
}

fn frequency(frequency: ICalendarFrequency) -> Frequency {
    match frequency {
        ICalendarFrequency::Yearly => Frequency::Yearly,
        ICalendarFrequency::Monthly => Frequency::Monthly,
        ICalendarFrequency::Weekly => Frequency::Weekly,
        ICalendarFrequency::Daily => Frequency::Daily,
        ICalendarFrequency::Hourly => Frequency::Hourly,
        ICalendarFrequency::Minutely => Frequency::Minutely,
        ICalendarFrequency::Secondly => Frequency::Secondly,
    }
}

/// `2MO` means the second Monday of a month or year; in shorter periods the number means nothing.
fn weekday(day: ICalendarDay, may_count: bool) -> NWeekday {
    NWeekday::new(day.ordwk.filter(|number| may_count && *number != 0), plain_weekday(day.weekday))
}

fn plain_weekday(day: ICalendarWeekday) -> Weekday {
    match day {
        ICalendarWeekday::Sunday => Weekday::Sun,
        ICalendarWeekday::Monday => Weekday::Mon,
        ICalendarWeekday::Tuesday => Weekday::Tue,
        ICalendarWeekday::Wednesday => Weekday::Wed,
        ICalendarWeekday::Thursday => Weekday::Thu,
        ICalendarWeekday::Friday => Weekday::Fri,
        ICalendarWeekday::Saturday => Weekday::Sat,
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use calcard::icalendar::{ICalendarProperty, ICalendarValue};
    use proptest::prelude::*;

    use super::*;

    fn rule(text: &str) -> Option<ICalendarRecurrenceRule> {
        let components = crate::export::calendar::event::components(&format!("BEGIN:VEVENT\nRRULE:{text}\nEND:VEVENT\n"));
        match components[0].property(&ICalendarProperty::Rrule)?.values.first()? {
            ICalendarValue::RecurrenceRule(rule) => Some((**rule).clone()),
            _ => None,
        }
    }

    fn given(text: &str, first: &str, from: &str, to: &str, max: usize) -> Result<Starts, String> {
        let span = Span { from: from.parse().unwrap(), to: to.parse().unwrap(), max };
        starts(&rule(text).unwrap(), first.parse().unwrap(), &|instant| instant.naive_utc(), span, |_| true)
    }

    fn check(text: &str, first: &str, from: &str, to: &str, expected: &[&str]) {
        let found = given(text, first, from, to, 100).unwrap();
        let shown: Vec<_> = found.starts.iter().map(|it| it.format("%m-%d %H:%M").to_string()).collect();
        assert_eq!((shown, found.cut_at), (expected.iter().map(ToString::to_string).collect(), None), "{text}");
    }

    #[test]
    fn skipping_ahead_changes_no_start() {
        let (from, to) = ("2026-03-02T00:00:00", "2026-03-16T00:00:00");
        check("FREQ=DAILY;INTERVAL=5", "1990-01-01T09:30:00", from, to, &["03-03 09:30", "03-08 09:30", "03-13 09:30"]);
        check("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR;WKST=SU", "2001-01-05T09:00:00", from, to, &["03-09 09:00", "03-13 09:00"]);
        check("FREQ=HOURLY;INTERVAL=100", "2020-01-01T00:30:00", from, to, &["03-04 04:30", "03-08 08:30", "03-12 12:30"]);
        check("FREQ=MONTHLY;BYDAY=2TU", "1950-01-10T08:00:00", from, to, &["03-10 08:00"]);
        check("FREQ=YEARLY", "1601-03-03T08:00:00", from, to, &["03-03 08:00"]);
        check("FREQ=WEEKLY;BYDAY=1WE", "2026-01-07T08:00:00", from, to, &["03-04 08:00", "03-11 08:00"]);
    }

    #[test]
    fn ends_are_kept() {
        let (from, to) = ("2026-03-02T00:00:00", "2026-03-16T00:00:00");
        check("FREQ=DAILY;COUNT=3", "2026-03-01T09:00:00", from, to, &["03-02 09:00", "03-03 09:00"]);
        check("FREQ=DAILY;UNTIL=20260303", "2026-03-01T09:00:00", from, to, &["03-02 09:00", "03-03 09:00"]);
        check("FREQ=DAILY;UNTIL=20260303T080000Z", "2026-03-01T09:00:00", from, to, &["03-02 09:00"]);
        check("FREQ=DAILY;UNTIL=20250303T080000Z", "2026-03-01T09:00:00", from, to, &[]);
        check("FREQ=DAILY;UNTIL=20260301T080000Z", "2020-03-01T09:00:00", from, to, &[]);
    }

    #[test]
    fn rules_without_bounds_are_bounded() {
        let (first, from, to) = ("1970-01-01T00:00:00", "2026-03-02T00:00:00", "2026-03-16T00:00:00");
        let every_second = given("FREQ=SECONDLY", first, from, to, 50).unwrap();
        assert_eq!((every_second.starts.len(), every_second.cut_at.is_some()), (50, true));
        let counted = given("FREQ=SECONDLY;COUNT=4000000000", first, from, to, 50).unwrap();
        assert_eq!((counted.starts.len(), counted.cut_at.is_some()), (0, true));
        assert_eq!(given("FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", first, from, to, 50).unwrap().starts.len(), 0);
        let sparse = given("FREQ=SECONDLY;BYHOUR=0;BYMINUTE=0;BYSECOND=0;COUNT=40000", first, from, to, 50);
        assert!(sparse.unwrap().cut_at.is_some());
        let list: Vec<String> = (0..60).map(|it| it.to_string()).collect();
        let dense = format!("FREQ=YEARLY;BYHOUR=1,2,3;BYMINUTE={0};BYSECOND={0}", list.join(","));
        assert!(given(&dense, first, from, to, 50).unwrap_err().contains("too often"));
    }

    #[test]
    fn a_rule_that_makes_no_sense_is_named() {
        let error =
            given("FREQ=DAILY;BYWEEKNO=70", "2026-03-01T09:00:00", "2026-03-02T00:00:00", "2026-03-16T00:00:00", 9).unwrap_err();
        assert!(error.starts_with("its recurrence rule cannot be read"), "{error}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn no_rule_panics(
            frequency in prop::sample::select(&["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY"][..]),
            parts in prop::collection::vec((prop::sample::select(&[
                "INTERVAL", "COUNT", "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYHOUR", "BYMINUTE", "BYSECOND", "BYSETPOS",
            ][..]), -400_i32..400), 0..5),
            days in prop::collection::vec("-?[0-9]{0,2}(MO|TU|SU)", 0..3),
            year in 1_i32..9_999,
        ) {
            let mut text = format!("FREQ={frequency}");
            for (name, value) in parts {
                write!(text, ";{name}={value}").unwrap();
            }
            if !days.is_empty() {
                write!(text, ";BYDAY={}", days.join(",")).unwrap();
            }
            if rule(&text).is_some() {
                let _ = given(&text, &format!("{year:04}-02-28T23:59:59"), "2026-03-02T00:00:00", "2026-03-16T00:00:00", 20);
            }
        }
    }
}
