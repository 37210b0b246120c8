//! When something runs by itself: local time and zone, and the next instant that follows (dossier §6.2).

use chrono::{DateTime, Datelike as _, Days, Months, NaiveDate, NaiveTime, TimeDelta, Timelike as _, Utc, Weekday};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::cron::Cron;
use super::slot::Slot;
use super::stored;
use crate::hash::Sha256;

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
    /// By a cron line.
    Custom,
}

/// A schedule in the user's own terms. It reads from whatever is stored (see [`Schedule::stored`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "serde_json::Value")]
pub struct Schedule {
    /// How often.
    pub frequency: Frequency,
    /// On which weekday; not used by daily and custom ones.
    #[serde(serialize_with = "stored::day")]
    pub day: Weekday,
    /// At which local time; not used by custom ones.
    #[serde(serialize_with = "stored::time")]
    pub time: NaiveTime,
    /// In which zone.
    pub timezone: Tz,
    /// The line of a custom one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cron: Option<Cron>,
    /// Whether its owner chose the minute. Else [`Schedule::spread_over_hour`] does, and it is kept.
    #[serde(skip_serializing_if = "Clone::clone")]
    pub pinned: bool,
}

impl Frequency {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Daily, Self::Weekly, Self::Biweekly, Self::Monthly, Self::Custom];

    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Biweekly => "biweekly",
            Self::Monthly => "monthly",
            Self::Custom => "custom",
        }
    }
}

impl Schedule {
    /// The next instant strictly after `from`.
    pub fn next_after(&self, from: DateTime<Utc>) -> DateTime<Utc> {
        self.slot_after(from).at
    }

    /// The first slot from `slot` on that lies after `now`: slots keep their distance however late a run was.
    pub fn next_slot(&self, slot: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
        let mut next = slot;
        while next <= now {
            // Only these are counted from slot to slot; the others stand in the calendar.
            let is_counted = matches!(self.frequency, Frequency::Biweekly | Frequency::Monthly);
            next = self.next_after(if is_counted { next } else { now });
        }
        next
    }

    /// The slots strictly after `from`, without end.
    pub fn slots_after(&self, from: DateTime<Utc>) -> impl Iterator<Item = Slot> {
        std::iter::successors(Some(self.slot_after(from)), |it| Some(self.slot_after(it.at)))
    }

    /// The slot that comes at this instant. One that the schedule does not have, because it was another one then or the
    /// zone had other rules, is that of its day; for a cron line the minute that clocks show.
    pub fn slot_of(&self, at: DateTime<Utc>) -> Slot {
        let today = at.with_timezone(&self.timezone).date_naive();
        let slot = match &self.cron {
            Some(_) => Some(self.slot_after(at - TimeDelta::seconds(1))),
            // A slot that the clocks moved past midnight is of the day before.
            None => [Some(today), today.pred_opt()].into_iter().flatten().map(|day| self.slot_on(day)).find(|it| it.at == at),
        };
        let plain = Slot::plain(at, self.timezone);
        slot.filter(|it| it.at == at).unwrap_or_else(|| match &self.cron {
            Some(_) => plain,
            // The zone's rules were others when it was stored: it still is the one run that this day has.
            None => Slot { local: today.and_time(self.time), ..plain },
        })
    }

    /// How long one period is, for the window of a report.
    pub fn period(&self) -> TimeDelta {
        match (&self.cron, self.frequency) {
            (Some(cron), _) => cron.longest_pause(),
            (None, Frequency::Daily) => TimeDelta::days(1),
            (None, Frequency::Weekly | Frequency::Custom) => TimeDelta::days(7),
            (None, Frequency::Biweekly) => TimeDelta::days(14),
            (None, Frequency::Monthly) => TimeDelta::days(31),
        }
    }

    /// With a minute of its own, if its owner chose none: the same one for the same id, evenly over the hour, so that not all
    /// reports of the world are written on the hour.
    #[must_use]
    pub fn spread_over_hour(self, id: Uuid) -> Self {
        if self.pinned || self.cron.is_some() {
            return self;
        }
        let minute = u32::try_from(Sha256::of(id).number() % 60).unwrap_or_default();
        Self { time: self.time.with_minute(minute).unwrap_or(self.time), ..self }
    }

    fn slot_after(&self, from: DateTime<Utc>) -> Slot {
        if let Some(cron) = &self.cron {
            return self.match_after(cron, from);
        }
        let today = from.with_timezone(&self.timezone).date_naive();
        let days = match self.frequency {
            Frequency::Daily => [today, plus(today, 1), plus(today, 2)],
            Frequency::Weekly | Frequency::Custom => self.weekdays_from(today, 7),
            Frequency::Biweekly => self.fortnights_from(from, today),
            Frequency::Monthly => self.months_after(today),
        };
        let slot = days.into_iter().map(|day| self.slot_on(day)).find(|it| it.at > from);
        slot.unwrap_or_else(|| self.without_calendar(from))
    }

    /// The first match that lies behind. The instants of later local times are never earlier, so what lies before the clock's
    /// local time needs no look.
    fn match_after(&self, cron: &Cron, from: DateTime<Utc>) -> Slot {
        let mut local = from.with_timezone(&self.timezone).naive_local();
        while let Some(next) = cron.next_after(local) {
            match Slot::of(next, self.timezone) {
                Some(slot) if slot.at > from => return slot,
                _ => local = next,
            }
        }
        self.without_calendar(from)
    }

    /// At the end of representable time.
    fn without_calendar(&self, from: DateTime<Utc>) -> Slot {
        Slot::plain(from.checked_add_signed(self.period()).unwrap_or(from), self.timezone)
    }

    fn weekdays_from(&self, today: NaiveDate, step: u64) -> [NaiveDate; 3] {
        let ahead = u64::from(self.day.days_since(today.weekday()));
        let first = plus(today, ahead);
        [first, plus(first, step), plus(first, 2 * step)]
    }

    /// A fortnight is counted from a slot, also from one that the clocks moved past midnight; else from the coming weekday.
    fn fortnights_from(&self, from: DateTime<Utc>, today: NaiveDate) -> [NaiveDate; 3] {
        let last = today.checked_sub_days(Days::new(u64::from(today.weekday().days_since(self.day))));
        match last.filter(|it| self.slot_on(*it).at == from) {
            Some(slot) => [slot, plus(slot, 14), plus(slot, 28)],
            None => self.weekdays_from(today, 14),
        }
    }

    fn months_after(&self, today: NaiveDate) -> [NaiveDate; 3] {
        let first = today.with_day(1).unwrap_or(today);
        [1_u32, 2, 3].map(|months| {
            let month = first.checked_add_months(Months::new(months)).unwrap_or(first);
            plus(month, u64::from(self.day.days_since(month.weekday())))
        })
    }

    fn slot_on(&self, date: NaiveDate) -> Slot {
        let local = date.and_time(self.time);
        Slot::of(local, self.timezone).unwrap_or_else(|| Slot::plain(local.and_utc(), self.timezone))
    }
}

fn plus(date: NaiveDate, days: u64) -> NaiveDate {
    date.checked_add_days(Days::new(days)).unwrap_or(date)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::super::slot::ClockChange;
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

    /// The clocks of Nuuk skip the last hour of 28 March 2026, a Saturday: the slot comes on Sunday, and stays of Saturday.
    #[test]
    fn a_slot_that_is_moved_past_midnight_keeps_its_day_and_its_fortnight() {
        let from = "2026-03-27T12:00:00Z".parse().unwrap();
        for (frequency, days) in [("weekly", 7), ("biweekly", 14)] {
            let schedule = Schedule::parse(frequency, Some("saturday"), Some("23:30"), Some("America/Nuuk")).unwrap();
            let slots: Vec<_> = schedule.slots_after(from).take(2).collect();
            let day = |slot: &Slot| slot.local.date();
            assert_eq!((slots[0].key().as_str(), slots[0].clock_change), ("2026-03-28T23:30", Some(ClockChange::Moved)));
            assert_eq!(slots[0].at.with_timezone(&schedule.timezone).to_rfc3339(), "2026-03-29T00:00:00-01:00");
            assert_eq!((day(&slots[1]) - day(&slots[0])).num_days(), days);
            assert_eq!(
                (schedule.slot_of(slots[0].at), slots[0].remark().unwrap().as_str()),
                (slots[0], "moved: 23:30 does not exist")
            );
        }
    }

    #[test]
    fn a_minute_that_nobody_chose_is_the_ids_own() {
        let nine = Schedule::parse("daily", None, None, None).unwrap();
        let minute = |id: u128| nine.clone().spread_over_hour(Uuid::from_u128(id)).time;
        let minutes: HashSet<_> = (0..1_000).map(minute).collect();
        assert_eq!((minutes.len(), minute(7)), (60, minute(7)), "all of the hour, and always the same");
        assert!(minutes.iter().all(|it| it.hour() == 9));
        for pinned in [Schedule::parse("daily", None, Some("09:00"), None), Schedule::custom("0 9 * * *", None)] {
            assert_eq!(pinned.clone().unwrap().spread_over_hour(Uuid::from_u128(7)), pinned.unwrap());
        }
    }

    #[test]
    fn a_cron_line_follows_the_clocks_of_its_zone() {
        let check = |line: &str, from: &str, expected: &[&str]| {
            let schedule = Schedule::custom(line, Some("America/New_York")).unwrap();
            let slots = schedule.slots_after(from.parse().unwrap()).take(expected.len());
            let shown: Vec<_> = slots.map(|it| it.at.with_timezone(&schedule.timezone).to_rfc3339()).collect();
            assert_eq!(shown, expected, "{line}");
        };
        check("30 2 * * *", "2026-03-07T12:00:00Z", &["2026-03-08T03:00:00-04:00", "2026-03-09T02:30:00-04:00"]);
        check("30 1 * * *", "2026-10-31T12:00:00Z", &["2026-11-01T01:30:00-04:00", "2026-11-02T01:30:00-05:00"]);
        // Each local time once: none at the hour that is skipped, none at the second 01:00.
        check("0 * * * *", "2026-03-08T06:30:00Z", &["2026-03-08T03:00:00-04:00", "2026-03-08T04:00:00-04:00"]);
        check("0 * * * *", "2026-11-01T05:00:00Z", &["2026-11-01T02:00:00-05:00", "2026-11-01T03:00:00-05:00"]);
        check("0 9 29 2 *", "2026-01-01T00:00:00Z", &["2028-02-29T09:00:00-05:00", "2032-02-29T09:00:00-05:00"]);
    }

    fn schedules() -> impl Strategy<Value = Schedule> {
        let lines =
            ["0 9 * * *", "30 2 * * mon-fri", "0 * * * *", "15 1,2,3 L * *", "0 0 1 1 *", "45 23 13 * fri", "0 6 * * 5#3"];
        let zones = ["UTC", "America/New_York", "Australia/Lord_Howe", "America/Nuuk", "Africa/Casablanca", "Asia/Kolkata"];
        (0_usize..12, 0_u32..7, 0_u32..96, 0..zones.len()).prop_map(move |(kind, day, quarter, zone)| {
            let (time, zone) = (format!("{:02}:{:02}", quarter / 4, quarter % 4 * 15), Some(zones[zone]));
            if let Some(line) = lines.get(kind) {
                return Schedule::custom(line, zone).unwrap();
            }
            let frequency = ["daily", "weekly", "biweekly", "monthly", "monthly"][kind - lines.len()];
            let day = Weekday::try_from(u8::try_from(day).unwrap()).unwrap().to_string();
            Schedule::parse(frequency, Some(&day), Some(&time), zone).unwrap()
        })
    }

    proptest! {
        #[test]
        fn slots_are_strictly_later_and_their_keys_differ(schedule in schedules(), minutes in 0_i64..12 * 366 * 24 * 60) {
            let from = "2024-01-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::minutes(minutes);
            let slots: Vec<_> = schedule.slots_after(from).take(4).collect();
            prop_assert!(slots[0].at > from && slots.windows(2).all(|it| it[0].at < it[1].at && it[0].key() < it[1].key()), "{slots:?}");
            for slot in slots {
                prop_assert_eq!(schedule.slot_of(slot.at), slot);
                // From nothing before it is another one found, but the first of the next month, and the fortnight.
                if !matches!(schedule.frequency, Frequency::Biweekly | Frequency::Monthly) {
                    prop_assert_eq!(schedule.next_after(slot.at - TimeDelta::seconds(1)), slot.at);
                }
            }
        }

        #[test]
        fn the_next_slot_is_one_of_those_that_follow(schedule in schedules(), late in 0_i64..100 * 24 * 60) {
            let first = schedule.next_after("2026-02-20T00:00:00Z".parse().unwrap());
            let now = first + TimeDelta::minutes(late);
            let expected = schedule.slots_after(first).map(|it| it.at).find(|it| *it > now).unwrap();
            prop_assert_eq!(schedule.next_slot(first, now), expected);
            prop_assert_eq!(schedule.next_slot(expected, now), expected, "one that lies ahead stays");
        }
    }
}
