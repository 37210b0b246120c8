//! Where a run was cut short, as it is kept for the next one: the token of the page to read, what was begun, and the account of
//! what had been read.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::Place;
use crate::platform::{Cursor, Gap, Interval, PageToken, Quarantined};

const VERSION: u8 = 1;

/// A run that goes on again and again has an end: its cursor is that of its first page, and the oldest point of a mailbox's
/// history that Google promises to know is about a week old.
const LONGEST: TimeDelta = TimeDelta::days(3);

/// A run that was cut short.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    v: u8,
    pub(super) begun: Begun,
    /// The page to read next.
    pub(super) token: PageToken,
    /// When the first page was asked for.
    pub(super) began: DateTime<Utc>,
    /// For how long the token is good.
    until: DateTime<Utc>,
    pub(super) tally: Tally,
}

/// What a run began with. It goes on with the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Begun {
    Start {
        window: Interval,
    },
    Since {
        cursor: Cursor,
    },
    Audit {
        window: Interval,
        /// What is looked for; none for everything stored.
        only: Option<BTreeSet<String>>,
        /// Whether everything stored is accounted for when it ends.
        is_whole: bool,
    },
}

/// The account of what a run has read so far, over all its parts.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Tally {
    /// Items that were seen.
    pub(super) seen: BTreeSet<String>,
    pub(super) latest: Option<DateTime<Utc>>,
    pub(super) gaps: Vec<Gap>,
    pub(super) covered: Vec<Interval>,
    /// The first few.
    pub(super) quarantined: Vec<Quarantined>,
}

impl Kept {
    pub(super) const fn new(
        begun: Begun,
        token: PageToken,
        (since, until): (DateTime<Utc>, DateTime<Utc>),
        tally: Tally,
    ) -> Self {
        Self { v: VERSION, begun, token, began: since, until, tally }
    }

    /// Reads a place, unless it is too old or of another version: then the run starts over.
    pub(super) fn read(place: &Place, now: DateTime<Utc>) -> Option<Self> {
        let kept: Self = serde_json::from_str(place.as_str()).ok()?;
        (kept.v == VERSION && now <= kept.until && now - kept.began <= LONGEST).then_some(kept)
    }

    pub(super) fn write(&self) -> Option<Place> {
        serde_json::to_string(self).ok().and_then(Place::new)
    }
}

impl Begun {
    /// Whether a run that finds this cursor would begin in the same way.
    pub(super) fn goes_with(&self, now: Option<&Cursor>) -> bool {
        match self {
            Self::Start { .. } => now.is_none(),
            Self::Since { cursor } => now == Some(cursor),
            Self::Audit { .. } => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::hours(hour)
    }

    fn kept(until: i64, item: &str) -> Kept {
        let tally = Tally { seen: BTreeSet::from([item.to_owned()]), ..Tally::default() };
        let begun = Begun::Since { cursor: Cursor::new("c") };
        Kept::new(begun, PageToken::new("2"), (at(0), at(until)), tally)
    }

    #[test]
    fn a_place_is_good_as_long_as_its_token_and_not_for_ever() {
        let place = kept(24, "a").write().unwrap();
        assert_eq!(Kept::read(&place, at(24)).unwrap().tally.seen.len(), 1);
        assert!(Kept::read(&place, at(25)).is_none());
        let place = kept(99, "a").write().unwrap();
        assert!(Kept::read(&place, at(72)).is_some());
        assert!(Kept::read(&place, at(73)).is_none(), "a run that goes on has an end");
        assert!(Kept::read(&Place::new("{}".to_owned()).unwrap(), at(0)).is_none());
    }

    #[test]
    fn a_place_that_is_too_long_is_none() {
        assert!(kept(24, &"x".repeat(Place::MAX)).write().is_none());
    }

    #[test]
    fn a_place_goes_with_the_cursor_that_it_began_with() {
        let (start, cursor) = (Begun::Start { window: Interval::ALL }, Cursor::new("c"));
        assert!(start.goes_with(None) && !start.goes_with(Some(&cursor)));
        let since = Begun::Since { cursor: cursor.clone() };
        assert!(since.goes_with(Some(&cursor)) && !since.goes_with(None) && !since.goes_with(Some(&Cursor::new("d"))));
    }
}
