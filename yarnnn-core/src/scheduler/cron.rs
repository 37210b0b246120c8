//! Cron lines of five fields, in local time.
//!
//! A line is `minute hour day-of-the-month month weekday`. Fields hold numbers, names (`mon`, `jan`), lists, ranges and steps;
//! the day of the month also `L` and `W`, the weekday `#` and `L`. When both days say something, either is enough. Changes of
//! the clocks are not decided here: a match is a local time, and [`super::Schedule`] finds its instant.

use std::fmt;
use std::sync::Arc;

use chrono::{Datelike as _, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use croner::parser::{CronParser, Seconds, Year};
use serde::{Serialize, Serializer};

/// Longest line, in characters.
const MAX_CHARACTERS: usize = 100;
/// Sources are synced at most hourly, so a report that comes more often says nothing new.
const MIN_MINUTES_APART: u32 = 60;
const MINUTES_A_DAY: u32 = 24 * 60;
/// The Gregorian calendar repeats after 400 years: a day that does not match by then never does.
const CALENDAR_DAYS: u64 = 146_097;
/// Eight years with both of their leap days, 2024 to 2031: what a line does is judged by them.
const SPAN_DAYS: u64 = 2_922;
/// Longest pause that counts as a period.
const LONGEST_PERIOD: u64 = 366;

const MONTHS: &[&str] = &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: &[&str] = &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT", "L"];

/// A field of a line.
struct Field {
    name: &'static str,
    holds: &'static str,
    words: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field { name: "minute", holds: "0 to 59", words: &[] },
    Field { name: "hour", holds: "0 to 23", words: &[] },
    Field { name: "day of the month", holds: "1 to 31, L or a W day", words: &["L", "W", "LW"] },
    Field { name: "month", holds: "1 to 12 or jan to dec", words: MONTHS },
    Field { name: "weekday", holds: "0 to 7 or sun to sat", words: WEEKDAYS },
];

/// A cron line that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCron {
    /// Too long to be meant.
    #[error("the cron line has {0} characters; at most 100 are read")]
    Long(usize),
    /// Not five fields.
    #[error(
        "a cron line has five fields (minute, hour, day of the month, month, weekday), and this one has {0}; seconds, years and words such as @daily are not read"
    )]
    Fields(usize),
    /// One field holds something else.
    #[error(
        "the {name} of the cron line is {text:?}; it is {holds}, or * for all, with lists (1,2), ranges from the lower to the higher (1-5) and steps of at least 1 (*/2)"
    )]
    Field {
        /// Which.
        name: &'static str,
        /// What was given.
        text: String,
        /// What it may be.
        holds: &'static str,
    },
    /// No day matches.
    #[error("the cron line {0:?} never comes: no day from 2024 to 2031 matches it")]
    Never(String),
    /// Two runs follow each other too soon.
    #[error("the cron line {line:?} comes again after {minutes} min; two runs are at least 60 minutes apart")]
    TooOften {
        /// The line.
        line: String,
        /// The shortest time between two runs.
        minutes: u32,
    },
}

/// A cron line. Cheap to clone.
#[derive(Clone)]
pub struct Cron(Arc<Line>);

struct Line {
    text: String,
    pattern: croner::CronPattern,
    /// Times of a day that matches, in minutes since midnight.
    times: Vec<u32>,
}

impl Cron {
    /// Reads a line that somebody gives now.
    ///
    /// # Errors
    /// [`InvalidCron`]. Whether it ever comes, and how often, is judged by the eight years from 2024, in local time: an hour
    /// that the clocks shorten does not count.
    pub fn parse(text: &str) -> Result<Self, InvalidCron> {
        let cron = Self::read(text)?;
        match cron.shortest_pause() {
            Some(minutes) if minutes < MIN_MINUTES_APART => {
                Err(InvalidCron::TooOften { line: cron.as_str().to_owned(), minutes })
            }
            _ => Ok(cron),
        }
    }

    /// Reads a line as it is stored: however often it comes.
    pub(super) fn read(text: &str) -> Result<Self, InvalidCron> {
        let length = text.chars().count();
        if length > MAX_CHARACTERS {
            return Err(InvalidCron::Long(length));
        }
        let fields: Vec<&str> = text.split_whitespace().collect();
        let wrong = InvalidCron::Fields(fields.len());
        let fields: [&str; 5] = fields.try_into().map_err(|_| wrong)?;
        for (field, text) in FIELDS.iter().zip(fields) {
            field.check(text)?;
        }
        let text = fields.join(" ");
        // Each field was read on its own before, so the line can be.
        let pattern = parsed(&text).ok_or(InvalidCron::Fields(fields.len()))?;
        let times = times_of(&pattern);
        let cron = Self(Arc::new(Line { text, pattern, times }));
        if cron.span().next().is_none() {
            return Err(InvalidCron::Never(cron.as_str().to_owned()));
        }
        Ok(cron)
    }

    /// The line, with single spaces.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// The first match strictly after a local time; none only at the end of representable time.
    pub fn next_after(&self, local: NaiveDateTime) -> Option<NaiveDateTime> {
        self.days(local.date(), CALENDAR_DAYS).flat_map(|day| self.times_on(day)).find(|it| *it > local)
    }

    /// The longest pause between two days that match, at most a year.
    pub(super) fn longest_pause(&self) -> TimeDelta {
        let days: Vec<NaiveDate> = self.span().collect();
        let pauses = days.iter().zip(days.iter().skip(1)).map(|(day, next)| (*next - *day).num_days().unsigned_abs());
        let longest = pauses.max().unwrap_or(LONGEST_PERIOD).min(LONGEST_PERIOD);
        TimeDelta::days(i64::try_from(longest).unwrap_or_default())
    }

    /// The fewest minutes between two matches; none when there are no two within two days.
    fn shortest_pause(&self) -> Option<u32> {
        let within = self.0.times.iter().zip(self.0.times.iter().skip(1)).map(|(time, next)| next - time).min();
        let mut days = self.span().zip(self.span().skip(1));
        let is_overnight = days.any(|(day, next)| day.succ_opt() == Some(next));
        let (first, last) = (self.0.times.first()?, self.0.times.last()?);
        let across = is_overnight.then(|| MINUTES_A_DAY - last + first);
        [within, across].into_iter().flatten().min()
    }

    fn span(&self) -> impl Iterator<Item = NaiveDate> {
        let first = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap_or_default();
        // A line without times has no days either.
        self.days(first, if self.0.times.is_empty() { 0 } else { SPAN_DAYS })
    }

    fn days(&self, first: NaiveDate, count: u64) -> impl Iterator<Item = NaiveDate> {
        (0..count).map_while(move |it| first.checked_add_days(Days::new(it))).filter(|it| self.falls_on(*it))
    }

    fn falls_on(&self, day: NaiveDate) -> bool {
        let pattern = &self.0.pattern;
        pattern.month_match(day.month()).unwrap_or(false)
            && pattern.day_match(day.year(), day.month(), day.day(), weekday(day)).unwrap_or(false)
    }

    fn times_on(&self, day: NaiveDate) -> impl Iterator<Item = NaiveDateTime> {
        let time = |minutes: &u32| NaiveTime::from_num_seconds_from_midnight_opt(minutes * 60, 0);
        self.0.times.iter().filter_map(time).map(move |it| day.and_time(it))
    }
}

impl Field {
    /// Words stand where they belong, lists have no holes, and the rest can be read.
    fn check(&self, text: &str) -> Result<(), InvalidCron> {
        let upper = text.to_ascii_uppercase();
        let mut words = upper.split(|it: char| !it.is_ascii_alphabetic()).filter(|it| !it.is_empty());
        let is_known = |it: char| it.is_ascii_alphanumeric() || "*,-/#".contains(it);
        let is_well_formed =
            upper.chars().all(is_known) && upper.split(',').all(|it| !it.is_empty()) && words.all(|it| self.words.contains(&it));
        // Only this field says something, so that it alone is at fault.
        let line = FIELDS.iter().map(|it| if it.name == self.name { text } else { "*" }).collect::<Vec<_>>().join(" ");
        if is_well_formed && parsed(&line).is_some() {
            return Ok(());
        }
        Err(InvalidCron::Field { name: self.name, text: text.to_owned(), holds: self.holds })
    }
}

fn parsed(line: &str) -> Option<croner::CronPattern> {
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    parser.parse(line).ok().map(|it| it.pattern)
}

fn times_of(pattern: &croner::CronPattern) -> Vec<u32> {
    let minutes = pattern.minutes.values();
    let of_hour = |hour: u16| minutes.iter().map(move |minute| u32::from(hour) * 60 + u32::from(*minute));
    pattern.hours.values().into_iter().flat_map(of_hour).collect()
}

fn weekday(day: NaiveDate) -> croner::Weekday {
    croner::Weekday::from_days_from_sunday(day.weekday().num_days_from_sunday())
}

impl fmt::Debug for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cron({:?})", self.as_str())
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PartialEq for Cron {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Cron {}

impl Serialize for Cron {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn said(line: &str) -> String {
        Cron::parse(line).unwrap_err().to_string()
    }

    #[test]
    fn hostile_lines_are_refused_with_the_reason() {
        let long = format!("0 9 * * {}", "1,".repeat(60));
        assert_eq!(said(&long), "the cron line has 128 characters; at most 100 are read");
        let fields = |count: u32| {
            format!(
                "a cron line has five fields (minute, hour, day of the month, month, weekday), and this one has {count}; \
                seconds, years and words such as @daily are not read"
            )
        };
        for (line, count) in [("", 0), ("@reboot", 1), ("@daily", 1), ("0 9 * *", 4), ("0 0 9 * * *", 6), ("0 0 9 * * * 2030", 7)]
        {
            assert_eq!(said(line), fields(count));
        }
        for line in ["0 0 30 2 *", "0 0 31 2,4,6,9,11 *", "0 9 * 2 5#5"] {
            assert_eq!(said(line), format!("the cron line {line:?} never comes: no day from 2024 to 2031 matches it"));
        }
    }

    #[test]
    fn a_field_that_holds_something_else_is_named() {
        let how = "or * for all, with lists (1,2), ranges from the lower to the higher (1-5) and steps of at least 1 (*/2)";
        assert_eq!(said("*/0 9 * * *"), format!("the minute of the cron line is \"*/0\"; it is 0 to 59, {how}"));
        assert_eq!(
            said("0 9 * * fri-mon"),
            format!("the weekday of the cron line is \"fri-mon\"; it is 0 to 7 or sun to sat, {how}")
        );
        let wrong = [
            ("60 9 * * *", "minute"),
            ("-1 9 * * *", "minute"),
            ("0,,5 9 * * *", "minute"),
            ("jan 9 * * *", "minute"),
            ("5/10 9 * * *", "minute"),
            ("99999999999999999999 9 * * *", "minute"),
            ("0 24 * * *", "hour"),
            ("0 17-9 * * *", "hour"),
            ("0 @hourly * * *", "hour"),
            ("0 9 0 * *", "day of the month"),
            ("0 9 ? * *", "day of the month"),
            ("0 9 32 * *", "day of the month"),
            ("0 9 * 13 *", "month"),
            ("0 9 * janfeb *", "month"),
            ("0 9 * * 8", "weekday"),
            ("0 9 * * +1", "weekday"),
            ("0 9 * * 1#6", "weekday"),
            ("0 9 * * mon\u{0}", "weekday"),
            ("0 9 * * ÿ", "weekday"),
        ];
        for (line, field) in wrong {
            assert!(said(line).starts_with(&format!("the {field} of the cron line is ")), "{line}: {}", said(line));
        }
    }

    #[test]
    fn two_runs_are_an_hour_apart() {
        let often = [("* * * * *", 1), ("*/15 * * * *", 15), ("0,59 9 * * *", 59), ("0,59 0,23 * * *", 1), ("0,30 9 1 1 *", 30)];
        for (line, minutes) in often {
            let expected =
                format!("the cron line {line:?} comes again after {minutes} min; two runs are at least 60 minutes apart");
            assert_eq!(said(line), expected);
        }
        // 23:30 and 00:00 never meet where two days never follow each other.
        assert!(Cron::parse("30 23 * * *").is_ok() && Cron::parse("0 * * * *").is_ok() && Cron::parse("0 0,23 1 * *").is_ok());
        assert_eq!(Cron::read("* * * * *").unwrap().as_str(), "* * * * *", "what is stored is kept");
    }

    #[test]
    fn a_period_is_the_longest_pause() {
        let days = |line: &str| Cron::parse(line).unwrap().longest_pause().num_days();
        assert_eq!(["0 * * * *", "0 9 * * 1-5", "0 9 1 * *", "0 9 1 1 *", "0 9 29 2 *"].map(days), [1, 3, 31, 366, 366]);
    }

    #[test]
    fn last_days_and_nth_weekdays_are_found() {
        let next = |line: &str| {
            let next = Cron::parse(line).unwrap().next_after("2026-02-10T00:00:00".parse().unwrap());
            next.unwrap().to_string()
        };
        assert_eq!(next("0 9 L * *"), "2026-02-28 09:00:00");
        assert_eq!(next("0 9 15W * *"), "2026-02-16 09:00:00");
        assert_eq!(next("0 9 LW * *"), "2026-02-27 09:00:00");
        assert_eq!(next("0 9 * * 5#3"), "2026-02-20 09:00:00");
        assert_eq!(next("0 9 * * 5L"), "2026-02-27 09:00:00");
        assert_eq!(next("0 9 13 * 0"), "2026-02-13 09:00:00");
        assert_eq!(next("0 9 * * 7"), "2026-02-15 09:00:00");
    }

    /// A field as text, and what it holds.
    type Spoken = (String, BTreeSet<u32>);

    fn part(low: u32, high: u32) -> impl Strategy<Value = Spoken> {
        (low..=high, low..=high, 1_u32..8, 0_u8..4).prop_map(move |(a, b, step, form)| {
            let (from, to) = (a.min(b), a.max(b));
            match form {
                0 => (a.to_string(), BTreeSet::from([a])),
                1 => (format!("{from}-{to}"), (from..=to).collect()),
                2 => (format!("{from}-{to}/{step}"), (from..=to).step_by(step as usize).collect()),
                _ => (format!("*/{step}"), (low..=high).step_by(step as usize).collect()),
            }
        })
    }

    fn field(low: u32, high: u32) -> impl Strategy<Value = Spoken> {
        let list = vec(part(low, high), 1..3).prop_map(|parts| {
            let text: Vec<_> = parts.iter().map(|it| it.0.clone()).collect();
            (text.join(","), parts.into_iter().flat_map(|it| it.1).collect())
        });
        prop_oneof![Just(("*".to_owned(), (low..=high).collect())), list]
    }

    proptest! {
        /// Minute by minute, by the text of the manual: the line says the same.
        #[test]
        fn a_line_agrees_with_a_walk(
            fields in (field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 6)),
            start in 0_i64..8 * 366 * 24 * 60,
        ) {
            let (minute, hour, day, month, weekday) = &fields;
            let line = [minute, hour, day, month, weekday].map(|it| it.0.as_str()).join(" ");
            let Ok(cron) = Cron::read(&line) else { return Ok(()) };
            let from = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap().and_time(NaiveTime::MIN) + TimeDelta::minutes(start);
            let found = cron.next_after(from).unwrap();
            let is_match = |it: NaiveDateTime| {
                use chrono::Timelike as _;
                let (by_day, by_weekday) = (day.1.contains(&it.day()), weekday.1.contains(&it.weekday().num_days_from_sunday()));
                let either = day.0 != "*" && weekday.0 != "*";
                let on_day = if either { by_day || by_weekday } else { by_day && by_weekday };
                on_day && minute.1.contains(&it.minute()) && hour.1.contains(&it.hour()) && month.1.contains(&it.month())
            };
            prop_assert!(found > from && is_match(found), "{line} after {from}: {found}");
            // The month before what was found stands for all the minutes between.
            let first = (from + TimeDelta::minutes(1)).max(found - TimeDelta::days(31));
            let mut walked = std::iter::successors(Some(first), |it| Some(*it + TimeDelta::minutes(1))).take_while(|it| *it < found);
            prop_assert!(!walked.any(is_match), "{line} after {from}: {found} is not the first");
        }
    }
}
