//! The only clock. Instants are UTC with microsecond precision, because that is what both databases keep.

use std::fmt;

use chrono::{DateTime, SecondsFormat, SubsecRound as _, Utc};

/// Tells the time. Features ask it instead of the system, so that a run can be repeated at its own instant.
pub trait Clock: Send + Sync + fmt::Debug + 'static {
    /// Now, in UTC, cut to whole microseconds.
    fn now(&self) -> DateTime<Utc>;
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system for the time")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }
}

/// The stored form of an instant: RFC 3339 in UTC with six digits and `Z`; text order is time order.
pub fn instant_text(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Micros, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_whole_microseconds() {
        let now = SystemClock.now();
        assert_eq!(now.timestamp_subsec_nanos() % 1_000, 0);
        assert_eq!(instant_text(DateTime::UNIX_EPOCH), "1970-01-01T00:00:00.000000Z");
    }
}
