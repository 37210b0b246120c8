//! Where a sync of a channel stands: the cursor between runs.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use yarnnn_core::platform::{Cursor, PlatformError};

use super::stamp::Ts;

const VERSION: u8 = 1;

/// What is known of a channel, and what is known to be missing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Position {
    v: u8,
    /// The newest message that was listed.
    pub(super) latest: Ts,
    /// When the time to live was listed last.
    #[serde(default)]
    pub(super) swept_at: Option<DateTime<Utc>>,
    /// Replies up to here were there to be seen at that time; later ones are late.
    #[serde(default)]
    pub(super) replies: Option<Ts>,
    /// Stretches that a cap cut off, newest first.
    #[serde(default)]
    pub(super) holes: Vec<Hole>,
    /// Threads whose replies have not been read.
    #[serde(default)]
    pub(super) threads: Vec<Thread>,
}

/// A stretch that was not listed, without its bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hole {
    #[serde(rename = "from")]
    pub(super) after: Ts,
    #[serde(rename = "to")]
    pub(super) before: Ts,
}

/// A thread whose replies after an instant have not been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Thread {
    /// Its first message.
    pub(super) ts: Ts,
    #[serde(rename = "since")]
    pub(super) after: Ts,
}

impl Position {
    /// Of a channel of which nothing is known.
    pub(super) const fn unknown() -> Self {
        Self { v: VERSION, latest: Ts::ZERO, swept_at: None, replies: None, holes: Vec::new(), threads: Vec::new() }
    }

    /// Reads a cursor. Older installations left nothing but the `ts` of the newest message.
    ///
    /// # Errors
    /// `CursorExpired` when it cannot be read, or lies so far ahead that nothing would ever be newer.
    pub(super) fn read(cursor: &Cursor, now: DateTime<Utc>) -> Result<Self, PlatformError> {
        let text = cursor.as_str().trim();
        let plain = || text.parse().ok().map(|latest| Self { latest, ..Self::unknown() });
        let position = serde_json::from_str(text).ok().filter(|it: &Self| it.v == VERSION).or_else(plain);
        let horizon = Ts::of(now + TimeDelta::days(1));
        position.filter(|it| it.latest <= horizon).ok_or(PlatformError::CursorExpired)
    }

    pub(super) fn cursor(&self) -> Result<Cursor, PlatformError> {
        let unavailable =
            |error: serde_json::Error| PlatformError::Unavailable { what: "the cursor".into(), source: error.into() };
        serde_json::to_string(self).map(Cursor::new).map_err(unavailable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Position, PlatformError> {
        Position::read(&Cursor::new(text), "2026-01-05T09:00:00Z".parse().unwrap())
    }

    #[test]
    fn cursors_survive_being_kept() {
        let ts = |text: &str| text.parse::<Ts>().unwrap();
        let position = Position {
            latest: ts("1767600000.000100"),
            swept_at: Some("2026-01-05T08:00:00Z".parse().unwrap()),
            replies: Some(ts("1767600001.000100")),
            holes: vec![Hole { after: ts("1.000000"), before: ts("2.000000") }],
            threads: vec![Thread { ts: ts("3.000000"), after: Ts::ZERO }],
            ..Position::unknown()
        };
        let cursor = position.cursor().unwrap();
        assert_eq!(
            cursor.as_str(),
            r#"{"v":1,"latest":"1767600000.000100","swept_at":"2026-01-05T08:00:00Z","replies":"1767600001.000100","#.to_owned()
                + r#""holes":[{"from":"1.000000","to":"2.000000"}],"threads":[{"ts":"3.000000","since":"0.000000"}]}"#
        );
        assert_eq!(read(cursor.as_str()).unwrap(), position);
    }

    #[test]
    fn a_bare_ts_of_an_older_installation_is_understood() {
        let position = read("1767600000.000100").unwrap();
        assert_eq!((position.latest.to_string().as_str(), position.swept_at), ("1767600000.000100", None));
        assert_eq!(read(r#"{"v":1,"latest":"1767600000.000100"}"#).unwrap(), position);
    }

    #[test]
    fn what_cannot_be_a_cursor_has_expired() {
        for foreign in ["", "{}", "null", r#"{"v":2,"latest":"1.000000"}"#, r#"{"v":1,"latest":7}"#, "4000000000.000000"] {
            assert!(matches!(read(foreign), Err(PlatformError::CursorExpired)), "{foreign}");
        }
    }
}
