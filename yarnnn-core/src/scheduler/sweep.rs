//! Every zone, every change of its clocks from 2024 to 2035: what a schedule makes of the days around it.
//!
//! What is expected is worked out from the change alone (its instant, and the offsets before and after), without asking the
//! zone for local times.

use chrono::{DateTime, Datelike as _, Days, NaiveDate, NaiveDateTime, NaiveTime, Offset as _, TimeDelta, TimeZone as _, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};

use super::{ClockChange, Frequency, Schedule, Slot};

/// A change of the clocks.
#[derive(Debug, Clone, Copy)]
struct Change {
    at: DateTime<Utc>,
    before: TimeDelta,
    after: TimeDelta,
}

fn offset(zone: Tz, seconds: i64) -> TimeDelta {
    let at = DateTime::from_timestamp(seconds, 0).unwrap();
    TimeDelta::seconds(zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc().into())
}

/// The changes of a zone, in order: looked for day by day, then by halving.
fn changes(zone: Tz) -> Vec<Change> {
    const DAY: i64 = 86_400;
    let second = |text: &str| text.parse::<DateTime<Utc>>().unwrap().timestamp();
    let (first, last) = (second("2024-01-01T00:00:00Z"), second("2036-01-01T00:00:00Z"));
    let mut found = vec![];
    let mut before = offset(zone, first);
    for day in (first..last).step_by(86_400) {
        let after = offset(zone, day + DAY);
        if after != before {
            let (mut low, mut high) = (day, day + DAY);
            while high - low > 1 {
                let middle = low + (high - low) / 2;
                if offset(zone, middle) == before { low = middle } else { high = middle }
            }
            found.push(Change { at: DateTime::from_timestamp(high, 0).unwrap(), before, after });
            before = after;
        }
    }
    found
}

impl Change {
    /// The slot of a local time near this change: before it if that can be, else after, else the change itself.
    fn slot(&self, local: NaiveDateTime) -> Slot {
        let (early, late) = ((local - self.before).and_utc(), (local - self.after).and_utc());
        let (at, clock_change) = match (early < self.at, late >= self.at) {
            (true, true) => (early, Some(ClockChange::FirstOfTwo)),
            (true, false) => (early, None),
            (false, true) => (late, None),
            (false, false) => (self.at, Some(ClockChange::Moved)),
        };
        Slot { at, local, clock_change }
    }

    /// The date that ends, or is interrupted, at this change.
    fn date(&self) -> NaiveDate {
        (self.at.naive_utc() + self.before - TimeDelta::seconds(1)).date()
    }
}

fn quarters() -> impl Iterator<Item = NaiveTime> {
    (0..96).map(|it| NaiveTime::from_hms_opt(it / 4, it % 4 * 15, 0).unwrap())
}

/// One schedule around one change: a slot for each date, where it is expected, and nothing else.
fn check(schedule: &Schedule, change: &Change, dates: &[NaiveDate]) -> usize {
    let mut from = change.slot(dates[0].and_time(schedule.time)).at - TimeDelta::seconds(1);
    for date in dates {
        let expected = change.slot(date.and_time(schedule.time));
        let found = schedule.slots_after(from).next().unwrap();
        assert_eq!(found, expected, "{} after {from}", schedule.describe());
        assert!(found.at > from, "{}", schedule.describe());
        from = found.at;
    }
    dates.len()
}

fn sweep(zone: Tz, schedules: &mut [Schedule]) -> (usize, usize) {
    let changes = changes(zone);
    assert!(changes.windows(2).all(|it| it[1].at - it[0].at > TimeDelta::days(4)), "{zone}: too close to be looked at alone");
    let mut cases = 0;
    for change in &changes {
        let day = |days: i64| change.date() + TimeDelta::days(days);
        for schedule in &mut *schedules {
            schedule.timezone = zone;
            schedule.day = change.date().weekday();
            cases += match schedule.frequency {
                Frequency::Daily | Frequency::Custom => check(schedule, change, &[day(-1), day(0), day(1), day(2)]),
                _ => check(schedule, change, &[day(0)]) + next_week(schedule, change),
            };
        }
    }
    (changes.len(), cases)
}

/// A week, or a fortnight, after the slot of the change's own day comes the next: on its day, however the clocks moved it.
fn next_week(schedule: &Schedule, change: &Change) -> usize {
    let days = if schedule.frequency == Frequency::Weekly { 7 } else { 14 };
    let slot = change.slot(change.date().and_time(schedule.time));
    let next = schedule.slots_after(slot.at).next().unwrap();
    assert_eq!(next.local.date(), change.date() + Days::new(days), "{} after {}", schedule.describe(), slot.at);
    1
}

fn swept(schedules: &mut [Schedule]) -> (usize, usize) {
    let swept = TZ_VARIANTS.iter().map(|zone| sweep(*zone, schedules));
    swept.fold((0, 0), |all, it| (all.0 + it.0, all.1 + it.1))
}

fn parsed(frequency: &str) -> Vec<Schedule> {
    let parse = |time: NaiveTime| Schedule::parse(frequency, None, Some(&time.format("%H:%M").to_string()), None).unwrap();
    quarters().map(parse).collect()
}

#[test]
fn a_daily_schedule_comes_once_for_each_local_date_in_every_zone() {
    let (changes, cases) = swept(&mut parsed("daily"));
    assert!(changes > 4_000 && cases == changes * 96 * 4, "{changes} changes, {cases} cases");
}

#[test]
fn weekly_and_biweekly_schedules_keep_their_day_in_every_zone() {
    let (changes, cases) = swept(&mut [parsed("weekly"), parsed("biweekly")].concat());
    assert!(changes > 4_000 && cases == changes * 96 * 2 * 2, "{changes} changes, {cases} cases");
}

#[test]
fn a_cron_line_comes_once_for_each_local_date_in_every_zone() {
    // Every time of the hours in which clocks change, and one of the middle of the day.
    let hours = |it: &NaiveTime| it.format("%H").to_string().parse::<u32>().is_ok_and(|it| it < 5 || it == 12 || it > 21);
    let custom = |time: NaiveTime| {
        let line = time.format("%-M %-H * * *").to_string();
        Schedule { time, ..Schedule::custom(&line, None).unwrap() }
    };
    let mut schedules: Vec<_> = quarters().filter(hours).map(custom).collect();
    let (changes, cases) = swept(&mut schedules);
    assert!(changes > 4_000 && cases == changes * schedules.len() * 4, "{changes} changes, {cases} cases");
}
