//! What a sync remembers between runs, as versioned JSON.
//!
//! Edits are told to the minute, so "everything before this instant has been read" holds only for minutes that were over. What a
//! cap left out is kept as stretches that later syncs read.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, DurationRound as _, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use yarnnn_core::platform::{Cursor, Gap, PlatformError};

use super::limits::{MINUTE, SKEW};

const FORM: u8 = 1;

/// Why a resource that was read before is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Away {
    /// Somebody put it in the trash.
    Trashed,
    /// It was deleted for good, or is no longer shared with the integration.
    Lost,
}

/// What is remembered of a page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PageCursor {
    #[serde(rename = "v")]
    pub(super) form: u8,
    /// When what was read had been edited last; none if nothing is stored.
    #[serde(default)]
    pub(super) last_edited: Option<DateTime<Utc>>,
    /// Whether that minute was over.
    #[serde(default)]
    pub(super) settled: bool,
    #[serde(default)]
    pub(super) away: Option<Away>,
    /// To look it up by, should it get lost.
    #[serde(default)]
    pub(super) title: String,
    /// What was left out, for as long as the page stays as it is.
    #[serde(default)]
    pub(super) gaps: Vec<Gap>,
}

/// What is remembered of a database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DatabaseCursor {
    #[serde(rename = "v")]
    pub(super) form: u8,
    #[serde(default)]
    pub(super) away: Option<Away>,
    #[serde(default)]
    pub(super) title: String,
    #[serde(default)]
    pub(super) sources: BTreeMap<String, Source>,
    /// What was left out of single rows, for as long as they stay as they are.
    #[serde(default)]
    pub(super) cuts: BTreeMap<String, Gap>,
}

/// What has been read of a data source: all rows last edited before an instant, but for some stretches.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Source {
    #[serde(default)]
    pub(super) until: Option<DateTime<Utc>>,
    #[serde(default)]
    pub(super) holes: Vec<Hole>,
}

/// Rows that were not read, by when they were last edited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hole {
    /// None for the beginning of time.
    pub(super) from: Option<DateTime<Utc>>,
    /// Exclusive.
    pub(super) to: DateTime<Utc>,
    /// Rows of the last minute that were read: more may share it.
    #[serde(default)]
    pub(super) read: BTreeSet<String>,
}

impl PageCursor {
    /// Reads a cursor. The oldest form is the bare instant of the last edit.
    pub(super) fn read(cursor: &Cursor) -> Result<Self, PlatformError> {
        if let Ok(instant) = DateTime::parse_from_rfc3339(cursor.as_str()) {
            return Ok(Self { last_edited: Some(instant.to_utc()), ..Self::default() });
        }
        read(cursor).and_then(|it: Self| if it.form == FORM { Ok(it) } else { Err(PlatformError::CursorExpired) })
    }

    pub(super) fn write(mut self) -> Cursor {
        self.form = FORM;
        write(&self)
    }
}

impl DatabaseCursor {
    pub(super) fn read(cursor: &Cursor) -> Result<Self, PlatformError> {
        read(cursor).and_then(|it: Self| if it.form == FORM { Ok(it) } else { Err(PlatformError::CursorExpired) })
    }

    pub(super) fn write(mut self) -> Cursor {
        self.form = FORM;
        write(&self)
    }
}

fn read<T: DeserializeOwned>(cursor: &Cursor) -> Result<T, PlatformError> {
    serde_json::from_str(cursor.as_str()).map_err(|_| PlatformError::CursorExpired)
}

fn write<T: Serialize>(cursor: &T) -> Cursor {
    // Strings, numbers and maps with text keys: there is nothing that JSON cannot hold.
    Cursor::new(serde_json::to_string(cursor).unwrap_or_default())
}

/// The minute in which an instant lies.
pub(super) fn minute(instant: DateTime<Utc>) -> DateTime<Utc> {
    instant.duration_trunc(MINUTE).unwrap_or(instant)
}

/// Whether nothing edited in the same minute can have been missed by who looked at that time.
pub(super) fn is_settled(last_edited: DateTime<Utc>, looked: DateTime<Utc>) -> bool {
    end_of_minute(last_edited) <= settled_before(looked)
}

/// Up to where a data source has been read by who looked at that time and found that row the newest. Bound to Notion's own
/// instants, so that a clock that is wrong loses nothing.
pub(super) fn read_until(newest: DateTime<Utc>, looked: DateTime<Utc>) -> DateTime<Utc> {
    end_of_minute(newest).min(settled_before(looked))
}

/// The end of the minute in which an instant lies; exclusive.
pub(super) fn end_of_minute(instant: DateTime<Utc>) -> DateTime<Utc> {
    minute(instant).checked_add_signed(MINUTE).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// Up to where nothing can change any more for who looked at that time.
fn settled_before(looked: DateTime<Utc>) -> DateTime<Utc> {
    minute(looked.checked_sub_signed(SKEW).unwrap_or(DateTime::<Utc>::MIN_UTC))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_minute_is_settled_when_it_and_the_skew_are_over() {
        let edited = at("2026-03-01T09:00:00Z");
        for (looked, settled) in [("09:00:30", false), ("09:01:59", false), ("09:02:00", true), ("08:00:00", false)] {
            let looked = at(&format!("2026-03-01T{looked}Z"));
            assert_eq!(is_settled(edited, looked), settled, "{looked}");
            // What is settled lies before the place to go on from, and nothing else does.
            assert_eq!(edited < read_until(edited, looked), settled, "{looked}");
        }
    }

    #[test]
    fn a_row_from_the_future_does_not_drag_the_cursor_along() {
        let looked = at("2026-03-01T09:10:10Z");
        assert_eq!(read_until(at("2030-01-01T00:00:00Z"), looked), at("2026-03-01T09:09:00Z"));
    }

    /// All there are, the outermost often.
    fn instant() -> impl Strategy<Value = DateTime<Utc>> {
        let (first, last) = (DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC);
        let anywhere = (first.timestamp()..=last.timestamp()).prop_map(|it| DateTime::from_timestamp(it, 0).unwrap());
        let near = (0_i64..200).prop_map(TimeDelta::seconds);
        let outermost = (any::<bool>(), near).prop_map(move |(is_last, near)| if is_last { last - near } else { first + near });
        prop_oneof![anywhere, outermost]
    }

    proptest! {
        #[test]
        fn no_instant_is_too_far_away(edited in instant(), looked in instant()) {
            let (from, to) = (minute(edited), end_of_minute(edited));
            prop_assert!(from <= edited && edited <= to && to.signed_duration_since(from) <= MINUTE, "{from} {edited} {to}");
            prop_assert!(read_until(edited, looked) <= looked);
            prop_assert_eq!(is_settled(edited, looked), to <= read_until(edited, looked));
        }
    }

    #[test]
    fn what_is_no_cursor_has_expired() {
        for text in ["", "{}", "[]", "7", r#"{"v":9}"#, "label:INBOX", r#"{"v":1,"sources":7}"#] {
            let read = DatabaseCursor::read(&Cursor::new(text));
            assert!(matches!(read, Err(PlatformError::CursorExpired)), "{text}: {read:?}");
        }
        assert!(matches!(PageCursor::read(&Cursor::new("{}")), Err(PlatformError::CursorExpired)));
        let old = PageCursor::read(&Cursor::new("2026-03-01T09:00:00.000Z")).unwrap();
        assert_eq!((old.last_edited, old.settled), (Some(at("2026-03-01T09:00:00Z")), false));
        assert_eq!(PageCursor::read(&old.clone().write()).unwrap().last_edited, old.last_edited);
    }
}
