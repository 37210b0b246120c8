//! Which slot an instant belongs to: of the ticks themselves, and of what is done less often.

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use uuid::Uuid;

use crate::clock::instant_text;

/// The time from one tick to the next.
pub const TICK: TimeDelta = TimeDelta::minutes(5);

/// What is done later than this is late (dossier §11.1).
pub(super) const LATE: TimeDelta = TimeDelta::minutes(15);

/// The slot of a tick at an instant: the last multiple of five minutes.
pub fn cycle_of(now: DateTime<Utc>) -> DateTime<Utc> {
    floor(now, TICK)
}

/// The key of what a tick writes once for each user.
pub fn cycle_key(cycle: DateTime<Utc>) -> Uuid {
    Uuid::new_v5(&Uuid::nil(), instant_text(cycle).as_bytes())
}

/// Clocks of machines differ by less.
const CLOCK_ERROR: TimeDelta = TimeDelta::minutes(5);

/// When a slot has come, as far as clocks can tell: what ended before was made in advance.
pub(super) fn comes(slot: DateTime<Utc>) -> DateTime<Utc> {
    slot - CLOCK_ERROR
}

/// How often something is done. Its newest slot is done once, by whichever tick comes first, however late; older ones are not
/// made up for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// With each tick.
    EachTick,
    /// Once in an hour, from its first minute on.
    Hourly,
    /// Once in a day, from this hour on (0 to 23, UTC).
    Daily {
        /// The hour.
        hour: u32,
    },
}

impl Gate {
    /// The newest slot that is not after now.
    pub fn slot(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::EachTick => cycle_of(now),
            Self::Hourly => floor(now, self.period()),
            Self::Daily { hour } => {
                let after_midnight = TimeDelta::hours(i64::from(hour.min(23)));
                floor(now - after_midnight, self.period()) + after_midnight
            }
        }
    }

    /// The time from one slot to the next.
    pub const fn period(self) -> TimeDelta {
        match self {
            Self::EachTick => TICK,
            Self::Hourly => TimeDelta::hours(1),
            Self::Daily { .. } => TimeDelta::days(1),
        }
    }
}

/// An instant that cannot be cut stays as it is: only those beyond the year 2262 cannot.
fn floor(instant: DateTime<Utc>, step: TimeDelta) -> DateTime<Utc> {
    instant.duration_trunc(step).unwrap_or(instant)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn an_instant_belongs_to_the_newest_slot_that_has_come() {
        let check = |gate: Gate, now: &str, slot: &str| assert_eq!(gate.slot(at(now)), at(slot), "{gate:?} at {now}");
        check(Gate::EachTick, "2026-11-23T09:04:59.999999Z", "2026-11-23T09:00:00Z");
        check(Gate::EachTick, "2026-11-23T09:05:00Z", "2026-11-23T09:05:00Z");
        check(Gate::Hourly, "2026-11-23T09:59:59Z", "2026-11-23T09:00:00Z");
        check(Gate::Daily { hour: 6 }, "2026-11-23T05:59:59Z", "2026-11-22T06:00:00Z");
        check(Gate::Daily { hour: 6 }, "2026-11-23T06:00:00Z", "2026-11-23T06:00:00Z");
        check(Gate::Daily { hour: 0 }, "2026-11-23T23:59:59Z", "2026-11-23T00:00:00Z");
    }
}
