//! Who is due: how often each tier is synced, at which local times, and how long a sync lasts.
//!
//! A schedule is local wall-clock time; [`crate::scheduler`] says what counts when the clocks change.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Timelike as _, Utc};
use chrono_tz::Tz;

use crate::accounts::Tier;
pub use crate::scheduler::{instant_of, zone_named, zone_of};

/// A slot is open this long: two ticks of five minutes, so that one that comes late misses nothing (dossier §4.1).
const WINDOW_MINUTES: u32 = 10;
/// Clocks of machines differ by less. A sync that is said to be later than this from now tells nothing.
const CLOCK_ERROR: TimeDelta = TimeDelta::minutes(5);

/// How often a tier is synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncFrequency {
    /// 08:00 and 18:00, local time.
    TwiceDaily,
    /// 00:00, 06:00, 12:00 and 18:00, local time.
    FourTimesDaily,
    /// Every full local hour.
    Hourly,
}

impl SyncFrequency {
    /// What a tier has (dossier §3).
    pub const fn of(tier: Tier) -> Self {
        match tier {
            Tier::Free => Self::TwiceDaily,
            Tier::Starter => Self::FourTimesDaily,
            Tier::Pro => Self::Hourly,
        }
    }

    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TwiceDaily => "2x_daily",
            Self::FourTimesDaily => "4x_daily",
            Self::Hourly => "hourly",
        }
    }

    /// The local hours; none for every one.
    const fn hours(self) -> Option<&'static [u32]> {
        match self {
            Self::TwiceDaily => Some(&[8, 18]),
            Self::FourTimesDaily => Some(&[0, 6, 12, 18]),
            Self::Hourly => None,
        }
    }

    /// The longest stretch between two slots.
    pub const fn longest_interval(self) -> TimeDelta {
        match self {
            Self::TwiceDaily => TimeDelta::hours(14),
            Self::FourTimesDaily => TimeDelta::hours(6),
            Self::Hourly => TimeDelta::hours(1),
        }
    }

    /// A connection that was synced less long ago is not due.
    pub const fn min_interval(self) -> TimeDelta {
        match self {
            Self::TwiceDaily => TimeDelta::hours(6),
            Self::FourTimesDaily => TimeDelta::hours(4),
            Self::Hourly => TimeDelta::minutes(45),
        }
    }
}

/// Whether a slot of the user is open (dossier §4.1).
pub fn should_sync_now(frequency: SyncFrequency, zone: Tz, now: DateTime<Utc>) -> bool {
    let local = now.with_timezone(&zone);
    let full_hour = frequency.hours().is_none() && local.minute() < WINDOW_MINUTES;
    let yesterday = local.date_naive() - TimeDelta::days(1);
    let is_open = |slot: DateTime<Utc>| slot <= now && now - slot < TimeDelta::minutes(WINDOW_MINUTES.into());
    full_hour || slots(frequency, zone, yesterday, 2).any(is_open)
}

/// Whether a connection was not synced for long enough (dossier §4.2). One that never was is due, and so is one whose last sync
/// a clock that was wrong put into the future.
pub fn needs_sync(frequency: SyncFrequency, last_synced_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    last_synced_at.is_none_or(|at| at - now > CLOCK_ERROR || now - at >= frequency.min_interval())
}

/// When the next slot opens, strictly after now.
pub fn next_sync(frequency: SyncFrequency, zone: Tz, now: DateTime<Utc>) -> DateTime<Utc> {
    let today = now.with_timezone(&zone).date_naive();
    let next = slots(frequency, zone, today, 3).filter(|it| *it > now).min();
    // Only at the very end of representable time.
    next.unwrap_or(now + frequency.min_interval())
}

/// When the slots of some days open.
fn slots(frequency: SyncFrequency, zone: Tz, first: NaiveDate, days: u64) -> impl Iterator<Item = DateTime<Utc>> {
    /// The hours of a day.
    const ALL: [u32; 24] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23];
    let hours = frequency.hours().unwrap_or(&ALL);
    let days = (0..days).filter_map(move |it| first.checked_add_days(Days::new(it)));
    let local =
        days.flat_map(|day| hours.iter().filter_map(move |hour| Some(day.and_time(NaiveTime::from_hms_opt(*hour, 0, 0)?))));
    local.filter_map(move |local| instant_of(local, zone))
}

#[cfg(test)]
mod tests {
    use chrono::Offset as _;
    use chrono_tz::TZ_VARIANTS;
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// Dossier, appendix A.1.
    #[test]
    fn the_worked_examples_of_slots() {
        use SyncFrequency::{FourTimesDaily, Hourly, TwiceDaily};
        let examples = [
            (TwiceDaily, "UTC", "2026-02-26T08:00:03Z", true),
            (TwiceDaily, "UTC", "2026-02-26T08:05:00Z", true),
            (TwiceDaily, "UTC", "2026-02-26T08:10:00Z", false),
            (TwiceDaily, "Asia/Seoul", "2026-02-25T23:04:00Z", true),
            (TwiceDaily, "seoul", "2026-02-26T09:04:00Z", true),
            (TwiceDaily, "America/New_York", "2026-02-26T13:02:00Z", true),
            (TwiceDaily, "new york", "2026-02-26T13:02:00Z", true),
            (TwiceDaily, "Asia/Kolkata", "2026-02-26T02:34:00Z", true),
            (FourTimesDaily, "UTC", "2026-02-26T06:09:59Z", true),
            (FourTimesDaily, "UTC", "2026-02-26T07:00:00Z", false),
            (Hourly, "Europe/Berlin", "2026-02-26T11:09:59Z", true),
            (Hourly, "Europe/Berlin", "2026-02-26T11:10:00Z", false),
            (Hourly, "Asia/Kolkata", "2026-02-26T10:32:00Z", true),
            (TwiceDaily, "not/a/zone", "2026-02-26T08:05:00Z", true),
        ];
        for (frequency, zone, now, expected) in examples {
            assert_eq!(should_sync_now(frequency, zone_of(Some(zone)), at(now)), expected, "{frequency:?} {zone} {now}");
        }
        assert_eq!((zone_of(None), zone_of(Some("  "))), (Tz::UTC, Tz::UTC));
    }

    /// Dossier, appendix A.2.
    #[test]
    fn the_worked_examples_of_intervals() {
        let now = at("2026-02-26T12:00:00Z");
        for (tier, minutes) in [(Tier::Free, 6 * 60), (Tier::Starter, 4 * 60), (Tier::Pro, 45)] {
            let frequency = SyncFrequency::of(tier);
            assert!(needs_sync(frequency, None, now));
            assert!(!needs_sync(frequency, Some(now - TimeDelta::minutes(minutes - 1)), now), "{tier:?}");
            assert!(needs_sync(frequency, Some(now - TimeDelta::minutes(minutes)), now), "{tier:?}");
            assert!(!needs_sync(frequency, Some(now + TimeDelta::minutes(5)), now), "a clock that differs a little");
            assert!(needs_sync(frequency, Some(now + TimeDelta::minutes(6)), now), "a clock that was wrong");
        }
        let synced = Some(at("2026-02-26T10:00:40Z"));
        let due = |now: &str| {
            let now = at(now);
            (should_sync_now(SyncFrequency::Hourly, Tz::UTC, now), needs_sync(SyncFrequency::Hourly, synced, now))
        };
        assert_eq!((due("2026-02-26T10:05:00Z"), due("2026-02-26T11:00:00Z")), ((true, false), (true, true)));
    }

    #[test]
    fn the_next_slot_is_strictly_later_and_in_local_time() {
        let next = |frequency, zone: &str, now: &str| next_sync(frequency, zone_of(Some(zone)), at(now)).to_rfc3339();
        assert_eq!(next(SyncFrequency::TwiceDaily, "UTC", "2026-02-26T08:00:00Z"), "2026-02-26T18:00:00+00:00");
        assert_eq!(next(SyncFrequency::TwiceDaily, "Asia/Seoul", "2026-02-26T10:00:00Z"), "2026-02-26T23:00:00+00:00");
        assert_eq!(next(SyncFrequency::FourTimesDaily, "UTC", "2026-02-26T18:00:00Z"), "2026-02-27T00:00:00+00:00");
        assert_eq!(next(SyncFrequency::Hourly, "Asia/Kolkata", "2026-02-26T10:32:00Z"), "2026-02-26T11:30:00+00:00");
        // Beirut skips midnight on 29 March 2026; Havana has midnight twice on 1 November 2026.
        assert_eq!(next(SyncFrequency::FourTimesDaily, "Asia/Beirut", "2026-03-28T21:00:00Z"), "2026-03-28T22:00:00+00:00");
        assert_eq!(next(SyncFrequency::FourTimesDaily, "America/Havana", "2026-11-01T00:00:00Z"), "2026-11-01T04:00:00+00:00");
    }

    /// Havana has midnight twice on 1 November 2026; Beirut skips it on 29 March 2026.
    #[test]
    fn a_slot_that_comes_twice_opens_once_and_one_that_is_skipped_when_the_gap_ends() {
        let open = |zone: &str, now: &str| should_sync_now(SyncFrequency::FourTimesDaily, zone_of(Some(zone)), at(now));
        assert!(open("America/Havana", "2026-11-01T04:05:00Z") && !open("America/Havana", "2026-11-01T05:05:00Z"));
        assert!(open("Asia/Beirut", "2026-03-28T22:05:00Z") && !open("Asia/Beirut", "2026-03-28T22:10:00Z"));
    }

    proptest! {
        /// In every zone, at every transition: the next slot is later, at most one step of the schedule away, on a full local
        /// hour or at the end of a gap, and open when it comes.
        #[test]
        fn slots_hold_in_every_zone(index in 0..TZ_VARIANTS.len(), hours in 0_i64..24 * 366 * 12, minutes in 0_i64..60) {
            let zone = TZ_VARIANTS[index];
            let now = at("2024-01-01T00:00:00Z") + TimeDelta::minutes(hours * 60 + minutes);
            for (frequency, longest) in [(SyncFrequency::Hourly, 3), (SyncFrequency::FourTimesDaily, 32), (SyncFrequency::TwiceDaily, 40)] {
                let next = next_sync(frequency, zone, now);
                prop_assert!(next > now && next - now <= TimeDelta::hours(longest), "{zone} {now} {next}");
                let (local, before) = (next.with_timezone(&zone), (next - TimeDelta::seconds(1)).with_timezone(&zone));
                let after_gap = local.offset().fix() != before.offset().fix();
                prop_assert!(local.minute() == 0 || after_gap, "{zone} {now} {local}");
                prop_assert!(should_sync_now(frequency, zone, next), "{zone} {now} {local}");
                let last = next + TimeDelta::minutes(10) - TimeDelta::seconds(1);
                prop_assert!(should_sync_now(frequency, zone, last), "{zone} {now} {local}");
            }
        }
    }
}
