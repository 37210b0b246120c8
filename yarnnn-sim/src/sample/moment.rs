//! Days and times of the story, as offsets from a clock.
//!
//! An author never writes a date. What an offset means is decided by [`Timeline`], once per rendering.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use serde::Deserialize;

/// The text is not a day offset with a local time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a day offset and a time such as \"-12 09:30\"")]
pub(crate) struct InvalidMoment(String);

/// A local time on a day counted from the clock's day: `-12 09:30`, `+1 10:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Moment {
    pub(crate) day: i32,
    pub(crate) time: NaiveTime,
}

impl TryFrom<String> for Moment {
    type Error = InvalidMoment;

    fn try_from(text: String) -> Result<Self, InvalidMoment> {
        let parse = |text: &str| {
            let (day, time) = text.split_once(' ')?;
            Some(Self { day: day_offset(day)?, time: NaiveTime::parse_from_str(time, "%H:%M").ok()? })
        };
        parse(&text).ok_or(InvalidMoment(text))
    }
}

/// Reads `+4`, `-12` or `+0`; the sign is required, so that an offset is never taken for a day of the month.
pub(crate) fn day_offset(text: &str) -> Option<i32> {
    text.starts_with(['+', '-']).then(|| text.parse().ok())?
}

/// Turns offsets into dates and instants for one clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeline {
    zone: Tz,
    today: NaiveDate,
    now: DateTime<Utc>,
}

impl Timeline {
    pub(crate) fn new(now: DateTime<Utc>, zone: Tz) -> Self {
        Self { zone, today: now.with_timezone(&zone).date_naive(), now }
    }

    /// The clock itself.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// The date of a day; today at the ends of time.
    pub(crate) fn date(&self, day: i32) -> NaiveDate {
        self.today.checked_add_signed(TimeDelta::days(day.into())).unwrap_or(self.today)
    }

    /// The wall clock's reading at a moment.
    pub(crate) fn local(&self, moment: Moment) -> NaiveDateTime {
        self.date(moment.day).and_time(moment.time)
    }

    /// The instant of a moment; a time skipped by a change of the clocks is read as if the clocks had not changed.
    pub(crate) fn instant(&self, moment: Moment) -> DateTime<Tz> {
        let local = self.local(moment);
        self.zone.from_local_datetime(&local).earliest().unwrap_or_else(|| self.zone.from_utc_datetime(&local))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn timeline(now: &str) -> Timeline {
        Timeline::new(now.parse().unwrap(), chrono_tz::Europe::Lisbon)
    }

    fn moment(text: &str) -> Moment {
        text.to_owned().try_into().unwrap()
    }

    #[test]
    fn a_day_is_the_teams_own_day() {
        // 23:30 UTC in July is already the next day in Lisbon.
        assert_eq!(timeline("2026-07-01T23:30:00Z").date(0).to_string(), "2026-07-02");
        assert_eq!(timeline("2026-01-01T23:30:00Z").date(-1).to_string(), "2025-12-31");
    }

    #[test]
    fn local_times_follow_the_zone() {
        let summer = timeline("2026-07-15T12:00:00Z").instant(moment("-1 09:30"));
        assert_eq!(summer.with_timezone(&Utc).to_string(), "2026-07-14 08:30:00 UTC");
        let skipped = timeline("2026-03-29T12:00:00Z").instant(moment("+0 01:30"));
        assert_eq!(skipped.with_timezone(&Utc).to_string(), "2026-03-29 01:30:00 UTC");
    }

    #[test]
    fn what_is_no_moment_is_named() {
        let error = Moment::try_from("12 09:30".to_owned()).unwrap_err();
        assert_eq!(error.to_string(), "\"12 09:30\" is not a day offset and a time such as \"-12 09:30\"");
        assert!(Moment::try_from("-1 25:00".to_owned()).is_err());
    }

    proptest! {
        #[test]
        fn no_text_and_no_clock_panics(text in ".{0,12}", day in any::<i32>(), seconds in any::<i64>()) {
            let _ = Moment::try_from(text);
            if let Some(now) = DateTime::from_timestamp(seconds % 8_000_000_000_000, 0) {
                let _ = Timeline::new(now, chrono_tz::Europe::Lisbon).instant(Moment { day, time: NaiveTime::MIN });
            }
        }
    }
}
