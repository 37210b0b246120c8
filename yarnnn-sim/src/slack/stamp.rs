//! Slack's timestamps, which are also the identifiers of messages.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};

/// Microseconds since 1970, written as seconds with six digits after the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stamp(pub(super) i64);

impl Stamp {
    pub(super) fn of(instant: DateTime<Utc>) -> Self {
        Self(instant.timestamp_micros())
    }

    pub(super) fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0.div_euclid(1_000_000), self.0.rem_euclid(1_000_000))
    }
}

/// The text is not a timestamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct InvalidStamp;

impl FromStr for Stamp {
    type Err = InvalidStamp;

    fn from_str(text: &str) -> Result<Self, InvalidStamp> {
        let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |it: &str| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(seconds) || !digits(fraction) || fraction.len() > 6 {
            return Err(InvalidStamp);
        }
        let seconds: i64 = seconds.parse().map_err(|_| InvalidStamp)?;
        let micros: i64 = format!("{fraction:0<6}").parse().map_err(|_| InvalidStamp)?;
        seconds.checked_mul(1_000_000).and_then(|it| it.checked_add(micros)).map(Self).ok_or(InvalidStamp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_reads_as_it_is_written() {
        for text in ["1771827176.313839", "0.000000", "1700000000.000100"] {
            assert_eq!(text.parse::<Stamp>().unwrap().to_string(), text);
        }
        assert_eq!("12.5".parse(), Ok(Stamp(12_500_000)));
        assert_eq!("12".parse(), Ok(Stamp(12_000_000)));
        for text in ["", "now", "-1", "1.", "1.1234567", "1e3", "99999999999999999999"] {
            assert_eq!(text.parse::<Stamp>(), Err(InvalidStamp), "{text}");
        }
    }
}
