//! When a deliverable runs by itself: local time and zone, and the next instant that follows (dossier §6.2).
//!
//! Daylight saving: a time that does not exist on a day is moved to the first instant after the gap; a time that occurs
//! twice means its first occurrence.

use chrono::{DateTime, Datelike, Days, LocalResult, NaiveDate, NaiveTime, TimeDelta, TimeZone as _, Utc, Weekday};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// How often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Frequency {
    /// Every day.
    Daily,
    /// Every week, on a day.
    Weekly,
    /// Every second week, on a day.
    Biweekly,
    /// On the first given weekday of every month.
    Monthly,
}

/// A schedule in the user's own terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// How often.
    pub frequency: Frequency,
    /// On which weekday; not used by daily ones.
    #[serde(default = "monday", with = "weekday_name")]
    pub day: Weekday,
    /// At which local time.
    #[serde(default = "nine", with = "clock_time")]
    pub time: NaiveTime,
    /// In which zone.
    #[serde(default)]
    pub timezone: Tz,
}

/// A schedule that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSchedule {
    /// None of the four.
    #[error("{0:?} is not a frequency; the frequencies are daily, weekly, biweekly and monthly")]
    Frequency(String),
    /// Not a weekday.
    #[error("{0:?} is not a day; the days are monday to sunday")]
    Day(String),
    /// Not a time of day.
    #[error("{0:?} is not a time; write HH:MM, for example 09:00")]
    Time(String),
    /// Not an IANA zone.
    #[error("{0:?} is not a time zone; write an IANA name, for example Europe/Berlin")]
    Zone(String),
}

fn monday() -> Weekday {
    Weekday::Mon
}

fn nine() -> NaiveTime {
    NaiveTime::from_hms_opt(9, 0, 0).unwrap_or_default()
}

impl Schedule {
    /// Reads a schedule as people write it; day, time and zone default to Monday, 09:00 and UTC.
    ///
    /// # Errors
    /// [`InvalidSchedule`] names the part that is wrong and what it may be.
    pub fn parse(frequency: &str, day: Option<&str>, time: Option<&str>, zone: Option<&str>) -> Result<Self, InvalidSchedule> {
        let frequency = match frequency {
            "daily" => Frequency::Daily,
            "weekly" => Frequency::Weekly,
            "biweekly" => Frequency::Biweekly,
            "monthly" => Frequency::Monthly,
            other => return Err(InvalidSchedule::Frequency(other.to_owned())),
        };
        let day = day.map_or(Ok(Weekday::Mon), |it| it.parse().map_err(|_| InvalidSchedule::Day(it.to_owned())))?;
        let time = time.map_or(Ok(nine()), |it| parse_time(it).ok_or_else(|| InvalidSchedule::Time(it.to_owned())))?;
        let timezone = zone.map_or(Ok(Tz::UTC), |it| it.parse().map_err(|_| InvalidSchedule::Zone(it.to_owned())))?;
        Ok(Self { frequency, day, time, timezone })
    }

    /// The next instant strictly after `from`.
    pub fn next_after(&self, from: DateTime<Utc>) -> DateTime<Utc> {
        let today = from.with_timezone(&self.timezone).date_naive();
        match self.frequency {
            Frequency::Daily => self.first_after(from, [today, plus(today, 1), plus(today, 2)]),
            Frequency::Weekly => self.first_after(from, self.weekdays_from(today, 7)),
            Frequency::Biweekly => self.first_after(from, self.weekdays_from(today, 14)),
            Frequency::Monthly => self.first_of_next_month(from, today),
        }
    }

    /// The first slot from `slot` on that lies after `now`: slots keep their distance however late a run was.
    pub fn next_slot(&self, slot: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
        let mut next = slot;
        while next <= now {
            next = self.next_after(next);
        }
        next
    }

    /// How long one period is, for the window of a report.
    pub fn period(&self) -> TimeDelta {
        match self.frequency {
            Frequency::Daily => TimeDelta::days(1),
            Frequency::Weekly => TimeDelta::days(7),
            Frequency::Biweekly => TimeDelta::days(14),
            Frequency::Monthly => TimeDelta::days(31),
        }
    }

    /// The schedule in words, for example `Every Monday at 09:00 (Europe/Berlin)`.
    pub fn describe(&self) -> String {
        let day = weekday_name::long(self.day);
        let when = match self.frequency {
            Frequency::Daily => "Daily".to_owned(),
            Frequency::Weekly => format!("Every {day}"),
            Frequency::Biweekly => format!("Every other {day}"),
            Frequency::Monthly => format!("Monthly on {day}"),
        };
        format!("{when} at {} ({})", self.time.format("%H:%M"), self.timezone)
    }

    fn weekdays_from(&self, today: NaiveDate, step: u64) -> [NaiveDate; 3] {
        let ahead = u64::from(self.day.days_since(today.weekday()));
        let first = plus(today, ahead);
        [first, plus(first, step), plus(first, 2 * step)]
    }

    fn first_of_next_month(&self, from: DateTime<Utc>, today: NaiveDate) -> DateTime<Utc> {
        let first = today.with_day(1).unwrap_or(today);
        let candidates = [1_u32, 2, 3].map(|months| {
            let month = first.checked_add_months(chrono::Months::new(months)).unwrap_or(first);
            plus(month, u64::from(self.day.days_since(month.weekday())))
        });
        self.first_after(from, candidates)
    }

    fn first_after(&self, from: DateTime<Utc>, dates: [NaiveDate; 3]) -> DateTime<Utc> {
        let mut instants = dates.into_iter().map(|date| self.instant_on(date));
        instants.find(|it| *it > from).unwrap_or(from + self.period())
    }

    fn instant_on(&self, date: NaiveDate) -> DateTime<Utc> {
        let local = date.and_time(self.time);
        match self.timezone.from_local_datetime(&local) {
            LocalResult::Single(instant) | LocalResult::Ambiguous(instant, _) => instant.to_utc(),
            LocalResult::None => self.first_valid_after(local),
        }
    }

    /// The first instant after a gap. Gaps are shorter than two days (the longest known one skipped a whole date).
    fn first_valid_after(&self, local: chrono::NaiveDateTime) -> DateTime<Utc> {
        let later = (1..=48 * 60).map(|minutes| local + TimeDelta::minutes(minutes));
        let mut valid = later.filter_map(|it| self.timezone.from_local_datetime(&it).earliest());
        valid.next().map_or_else(|| local.and_utc(), |it| it.to_utc())
    }
}

fn plus(date: NaiveDate, days: u64) -> NaiveDate {
    date.checked_add_days(Days::new(days)).unwrap_or(date)
}

fn parse_time(text: &str) -> Option<NaiveTime> {
    NaiveTime::parse_from_str(text, "%H:%M").ok()
}

mod weekday_name {
    use chrono::Weekday;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn long(day: Weekday) -> &'static str {
        match day {
            Weekday::Mon => "Monday",
            Weekday::Tue => "Tuesday",
            Weekday::Wed => "Wednesday",
            Weekday::Thu => "Thursday",
            Weekday::Fri => "Friday",
            Weekday::Sat => "Saturday",
            Weekday::Sun => "Sunday",
        }
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde takes")]
    pub(super) fn serialize<S: Serializer>(day: &Weekday, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&long(*day).to_lowercase())
    }

    /// A missing or unreadable day is Monday: rows of an older installation hold nulls (dossier §13, 42).
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Weekday, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        Ok(text.and_then(|it| it.parse().ok()).unwrap_or(Weekday::Mon))
    }
}

mod clock_time {
    use chrono::NaiveTime;
    use serde::{Deserialize as _, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde takes")]
    pub(super) fn serialize<S: Serializer>(time: &NaiveTime, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&time.format("%H:%M"))
    }

    /// A missing or unreadable time is 09:00.
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveTime, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        Ok(text.and_then(|it| super::parse_time(&it)).unwrap_or_else(super::nine))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(frequency: &str, day: &str, time: &str, zone: &str, from: &str, next: &str) {
        let schedule = Schedule::parse(frequency, Some(day), Some(time), Some(zone)).unwrap();
        let from: DateTime<Utc> = format!("{from}:00Z").parse().unwrap();
        let next: DateTime<Utc> = format!("{next}:00Z").parse().unwrap();
        assert_eq!(schedule.next_after(from), next, "{} from {from}", schedule.describe());
    }

    #[test]
    fn the_worked_examples_of_the_dossier_hold() {
        check("daily", "monday", "09:00", "UTC", "2026-02-26T08:59", "2026-02-26T09:00");
        check("daily", "monday", "09:00", "UTC", "2026-02-26T09:00", "2026-02-27T09:00");
        check("daily", "monday", "08:00", "Asia/Seoul", "2026-02-26T00:00", "2026-02-26T23:00");
        check("weekly", "monday", "09:00", "America/Los_Angeles", "2026-02-26T12:00", "2026-03-02T17:00");
        check("weekly", "monday", "09:00", "America/Los_Angeles", "2026-03-02T17:00", "2026-03-09T16:00");
        check("biweekly", "friday", "17:30", "Europe/Berlin", "2026-02-27T17:00", "2026-03-13T16:30");
        check("monthly", "monday", "09:00", "UTC", "2026-12-15T00:00", "2027-01-04T09:00");
        check("monthly", "sunday", "09:00", "UTC", "2026-02-01T00:00", "2026-03-01T09:00");
    }

    #[test]
    fn a_time_in_a_gap_moves_behind_it_and_a_doubled_time_is_its_first() {
        check("daily", "monday", "02:30", "America/New_York", "2026-03-08T05:00", "2026-03-08T07:00");
        check("daily", "monday", "01:30", "America/New_York", "2026-11-01T04:00", "2026-11-01T05:30");
        check("daily", "monday", "12:00", "Pacific/Apia", "2011-12-30T00:00", "2011-12-30T10:00");
    }

    #[test]
    fn a_late_run_moves_no_slot() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let biweekly = Schedule::parse("biweekly", Some("monday"), None, None).unwrap();
        let next = biweekly.next_slot(at("2026-03-02T09:00:00Z"), at("2026-03-04T12:00:00Z"));
        assert_eq!(next, at("2026-03-16T09:00:00Z"), "a fortnight after the slot, not the coming Monday");
        let monthly = Schedule::parse("monthly", Some("monday"), None, None).unwrap();
        let next = monthly.next_slot(at("2026-11-02T09:00:00Z"), at("2027-01-02T00:00:00Z"));
        assert_eq!(next, at("2027-01-04T09:00:00Z"), "the missed December is skipped, January is not");
    }

    #[test]
    fn rows_with_nulls_read_as_the_defaults() {
        let schedule: Schedule = serde_json::from_str(r#"{"frequency":"weekly","day":null,"time":"25:99"}"#).unwrap();
        assert_eq!(schedule, Schedule::parse("weekly", None, None, None).unwrap());
        assert!(Schedule::parse("hourly", None, None, None).unwrap_err().to_string().contains("daily, weekly"));
    }
}
