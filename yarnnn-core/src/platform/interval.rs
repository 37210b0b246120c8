//! Coverage: which stretch of time of a resource has been seen, and which has not.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A stretch of time, `from` inclusive, `to` exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Interval {
    /// First instant inside.
    pub from: DateTime<Utc>,
    /// First instant after.
    pub to: DateTime<Utc>,
}

impl Interval {
    /// All of time that can be stored.
    pub const ALL: Self = Self { from: DateTime::<Utc>::MIN_UTC, to: DateTime::<Utc>::MAX_UTC };

    /// Whether the instant lies inside.
    pub fn contains(&self, instant: DateTime<Utc>) -> bool {
        self.from <= instant && instant < self.to
    }

    /// Joins overlapping or touching intervals; the result is sorted and disjoint.
    pub fn merge(mut intervals: Vec<Self>) -> Vec<Self> {
        intervals.retain(|it| it.from < it.to);
        intervals.sort_unstable();
        let mut merged: Vec<Self> = Vec::with_capacity(intervals.len());
        for next in intervals {
            match merged.last_mut() {
                Some(last) if next.from <= last.to => last.to = last.to.max(next.to),
                _ => merged.push(next),
            }
        }
        merged
    }
}

/// Why a stretch was not seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum GapKind {
    /// A file or record is there but could not be read.
    Unreadable,
    /// A cap on size, number or time cut the reading short.
    Cap,
    /// The replies of a thread were not read.
    UnreadThread,
}

/// A stretch that is known not to have been seen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Gap {
    /// Its class.
    pub kind: GapKind,
    /// Start, where known.
    pub from: Option<DateTime<Utc>>,
    /// End, where known.
    pub to: Option<DateTime<Utc>>,
    /// What a person should know, with the file or setting by name.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minute)
    }

    proptest! {
        #[test]
        fn merging_keeps_every_instant_and_adds_none(parts in prop::collection::vec((0_i64..60, 0_i64..20), 0..12)) {
            let parts: Vec<_> = parts.into_iter().map(|(from, len)| Interval { from: at(from), to: at(from + len) }).collect();
            let merged = Interval::merge(parts.clone());
            for minute in 0..90 {
                let inside = parts.iter().any(|it| it.contains(at(minute)));
                prop_assert_eq!(merged.iter().any(|it| it.contains(at(minute))), inside);
            }
            prop_assert!(merged.windows(2).all(|pair| pair[0].to < pair[1].from));
        }
    }
}
