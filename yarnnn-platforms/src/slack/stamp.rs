//! Slack's time and identity of a message as a number: microseconds since 1970, with Slack's own text as its form.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// `1451692801.000007`: seconds with six decimals. Compared as a number; as text it is what Slack sends and takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Ts(i64);

/// The text is no time of Slack's.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a time like 1451692801.000007")]
pub(crate) struct NotATime(String);

const MICROS: i64 = 1_000_000;

impl Ts {
    /// Before all messages.
    pub(crate) const ZERO: Self = Self(0);

    /// The time of an instant; 0 for what was before 1970.
    pub(crate) fn of(instant: DateTime<Utc>) -> Self {
        Self(instant.timestamp_micros().max(0))
    }

    /// As an instant.
    pub(crate) fn instant(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_micros(self.0)
    }

    /// The time right before: as an exclusive bound it lets this one in.
    pub(crate) fn before(self) -> Self {
        Self(self.0.saturating_sub(1).max(0))
    }

    /// The time right after.
    pub(crate) const fn after(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The first time that an exclusive bound lets in; 0 is no bound.
    pub(crate) fn opens(self) -> Self {
        if self == Self::ZERO { self } else { self.after() }
    }
}

/// Read without a detour through floating point.
impl FromStr for Ts {
    type Err = NotATime;
    fn from_str(text: &str) -> Result<Self, NotATime> {
        let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|it| it.is_ascii_digit());
        let micros: String = fraction.chars().chain("000000".chars()).take(6).collect();
        let parsed = (digits(seconds) && digits(fraction)).then(|| {
            let seconds: i64 = seconds.parse().ok()?;
            seconds.checked_mul(MICROS)?.checked_add(micros.parse().ok()?)
        });
        let inside = parsed.flatten().map(Self).filter(|it| it.instant().is_some());
        inside.ok_or_else(|| NotATime(text.to_owned()))
    }
}

impl fmt::Display for Ts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0 / MICROS, self.0 % MICROS)
    }
}

impl TryFrom<String> for Ts {
    type Error = NotATime;
    fn try_from(text: String) -> Result<Self, NotATime> {
        text.parse()
    }
}

impl From<Ts> for String {
    fn from(ts: Ts) -> Self {
        ts.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_are_read_as_slack_writes_them() {
        let check = |text: &str, expected: &str| assert_eq!(text.parse::<Ts>().unwrap().to_string(), expected);
        check("1451692801.000007", "1451692801.000007");
        check("1451692801", "1451692801.000000");
        check("1451692801.5", "1451692801.500000");
        for foreign in ["", "x", "-1.000000", "1.-00001", "99999999999999999999", "9999999999999.000000", "1451692801.00000x"] {
            assert!(foreign.parse::<Ts>().is_err(), "{foreign}");
        }
    }

    proptest! {
        #[test]
        fn order_and_text_survive(left in 0_i64..4_000_000_000_000_000, right in 0_i64..4_000_000_000_000_000) {
            let (left, right) = (Ts(left), Ts(right));
            prop_assert_eq!(left.to_string().parse::<Ts>().unwrap(), left);
            prop_assert_eq!(left.cmp(&right), left.instant().cmp(&right.instant()));
            prop_assert_eq!(left.after().before(), left);
        }
    }
}
