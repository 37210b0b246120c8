//! Where the next fetch starts: a point of the mailbox's history, and the mails that a cap left for later.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use yarnnn_core::platform::PlatformError;

const VERSION: u8 = 1;

/// The cursor as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Cursor {
    v: u8,
    /// Everything up to here has been read, or is pending.
    #[serde(with = "text")]
    pub(super) history_id: u64,
    /// When that point was the newest.
    pub(super) at: DateTime<Utc>,
    /// Mails that are there and were not read yet, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) pending: Vec<String>,
    /// How many of them, counted from the end, stand in the order in which they came in.
    #[serde(default)]
    pub(super) listed: usize,
    /// Start of the first fetch's window.
    pub(super) from: DateTime<Utc>,
    /// The listed ones of them, and those that were not listed, came in before.
    pub(super) until: DateTime<Utc>,
    /// Whether more mails than could be listed lie behind them.
    #[serde(default)]
    pub(super) more: bool,
}

/// What a cursor is made of besides its version.
pub(super) struct Parts {
    pub(super) history_id: u64,
    pub(super) at: DateTime<Utc>,
    pub(super) pending: Vec<String>,
    pub(super) listed: usize,
    pub(super) from: DateTime<Utc>,
    pub(super) until: DateTime<Utc>,
    pub(super) more: bool,
}

impl Cursor {
    pub(super) fn new(parts: Parts) -> Self {
        let Parts { history_id, at, pending, listed, from, until, more } = parts;
        Self { v: VERSION, history_id, at, listed: listed.min(pending.len()), pending, from, until, more }
    }

    /// Reads a stored cursor. What an older installation left (a day such as `2026/11/22`) cannot be gone on from.
    pub(super) fn read(text: &str) -> Result<Self, PlatformError> {
        let cursor: Option<Self> = serde_json::from_str(text).ok();
        cursor.filter(|it| it.v == VERSION).ok_or(PlatformError::CursorExpired)
    }

    pub(super) fn write(&self) -> yarnnn_core::platform::Cursor {
        yarnnn_core::platform::Cursor::new(serde_json::to_string(self).unwrap_or_default())
    }
}

/// History ids are larger than what every reader of JSON takes for a number.
mod text {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub(super) fn serialize<S: Serializer>(id: &u64, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(id)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_and_what_is_none_starts_over() {
        let (at, pending) = (DateTime::UNIX_EPOCH, vec!["b".to_owned(), "a".to_owned()]);
        let parts = Parts { history_id: u64::MAX, at, pending, listed: 9, from: at, until: at, more: true };
        let cursor = Cursor::new(parts);
        assert_eq!(cursor.listed, 2);
        let text = cursor.write().as_str().to_owned();
        assert!(text.starts_with(r#"{"v":1,"history_id":"18446744073709551615""#), "{text}");
        assert_eq!(Cursor::read(&text).unwrap(), cursor);
        for foreign in ["2026/11/22", "", "{}", "12345", &text.replace("\"v\":1", "\"v\":2")] {
            assert!(matches!(Cursor::read(foreign), Err(PlatformError::CursorExpired)), "{foreign}");
        }
    }
}
