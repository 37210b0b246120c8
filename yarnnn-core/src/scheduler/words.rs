//! Schedules as people write and read them.

use chrono::{NaiveTime, Weekday};
use chrono_tz::Tz;

use super::cron::{Cron, InvalidCron};
use super::recurrence::{Frequency, Schedule};

/// A schedule that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSchedule {
    /// None of the five.
    #[error("{0:?} is not a frequency; the frequencies are daily, weekly, biweekly, monthly and custom")]
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
    /// A custom schedule without its line.
    #[error("a custom schedule needs a cron line, for example \"0 9 * * mon-fri\"")]
    NoCron,
    /// Its line cannot be.
    #[error(transparent)]
    Cron(#[from] InvalidCron),
}

impl Schedule {
    /// Reads a schedule as people write it; day, time and zone default to Monday, 09:00 and UTC. Without a time it is not
    /// pinned. A custom one has a line: [`Schedule::custom`].
    ///
    /// # Errors
    /// [`InvalidSchedule`] names the part that is wrong and what it may be.
    pub fn parse(frequency: &str, day: Option<&str>, time: Option<&str>, zone: Option<&str>) -> Result<Self, InvalidSchedule> {
        let named = Frequency::ALL.into_iter().find(|it| it.as_str() == frequency);
        let frequency = named.ok_or_else(|| InvalidSchedule::Frequency(frequency.to_owned()))?;
        if frequency == Frequency::Custom {
            return Err(InvalidSchedule::NoCron);
        }
        let pinned = time.is_some();
        let day = day.map_or(Ok(monday()), |it| it.parse().map_err(|_| InvalidSchedule::Day(it.to_owned())))?;
        let time = time.map_or(Ok(nine()), |it| parse_time(it).ok_or_else(|| InvalidSchedule::Time(it.to_owned())))?;
        Ok(Self { frequency, day, time, timezone: parse_zone(zone)?, cron: None, pinned })
    }

    /// A schedule by a cron line of five fields, in a zone (default: UTC).
    ///
    /// # Errors
    /// [`InvalidSchedule`] names what is wrong with the line, or the zone.
    pub fn custom(cron: &str, zone: Option<&str>) -> Result<Self, InvalidSchedule> {
        let (timezone, cron) = (parse_zone(zone)?, Some(Cron::parse(cron)?));
        Ok(Self { frequency: Frequency::Custom, day: monday(), time: nine(), timezone, cron, pinned: true })
    }

    /// The schedule in words, for example `Every Monday at 09:00 (Europe/Berlin)`.
    pub fn describe(&self) -> String {
        let zone = self.timezone;
        if let Some(cron) = &self.cron {
            return format!("By cron {cron} ({zone})");
        }
        let day = day_name(self.day);
        let when = match self.frequency {
            Frequency::Daily => "Daily".to_owned(),
            Frequency::Weekly | Frequency::Custom => format!("Every {day}"),
            Frequency::Biweekly => format!("Every other {day}"),
            Frequency::Monthly => format!("Monthly on {day}"),
        };
        format!("{when} at {} ({zone})", self.time.format("%H:%M"))
    }
}

pub(super) const fn monday() -> Weekday {
    Weekday::Mon
}

pub(super) fn nine() -> NaiveTime {
    NaiveTime::from_hms_opt(9, 0, 0).unwrap_or_default()
}

pub(super) fn parse_time(text: &str) -> Option<NaiveTime> {
    NaiveTime::parse_from_str(text, "%H:%M").ok()
}

fn parse_zone(zone: Option<&str>) -> Result<Tz, InvalidSchedule> {
    zone.map_or(Ok(Tz::UTC), |it| it.parse().map_err(|_| InvalidSchedule::Zone(it.to_owned())))
}

pub(super) const fn day_name(day: Weekday) -> &'static str {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        let said = |frequency: &str, day: &str, time: &str, zone: &str| {
            Schedule::parse(frequency, Some(day), Some(time), Some(zone)).unwrap_err().to_string()
        };
        let known = "the frequencies are daily, weekly, biweekly, monthly and custom";
        assert_eq!(said("hourly", "monday", "09:00", "UTC"), format!("\"hourly\" is not a frequency; {known}"));
        assert_eq!(said("weekly", "someday", "09:00", "UTC"), "\"someday\" is not a day; the days are monday to sunday");
        assert_eq!(said("daily", "monday", "24:00", "UTC"), "\"24:00\" is not a time; write HH:MM, for example 09:00");
        let zone = "\"Mars/Base\" is not a time zone; write an IANA name, for example Europe/Berlin";
        assert_eq!(said("daily", "monday", "09:00", "Mars/Base"), zone);
        assert_eq!(said("custom", "monday", "09:00", "UTC"), InvalidSchedule::NoCron.to_string());
        assert_eq!(Schedule::custom("0 9 * * *", Some("Mars/Base")).unwrap_err().to_string(), zone);
    }

    #[test]
    fn schedules_read_well() {
        let parse = |frequency: &str| Schedule::parse(frequency, Some("fri"), Some("17:30"), Some("Europe/Berlin")).unwrap();
        let said = ["daily", "weekly", "biweekly", "monthly"].map(|it| parse(it).describe());
        let expected = ["Daily", "Every Friday", "Every other Friday", "Monthly on Friday"];
        assert_eq!(said, expected.map(|it| format!("{it} at 17:30 (Europe/Berlin)")));
        assert_eq!(Schedule::custom(" 0 9 * *  1-5", None).unwrap().describe(), "By cron 0 9 * * 1-5 (UTC)");
    }
}
