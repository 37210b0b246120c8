//! Where the next fetch starts: a sync token, and the stretch that a cap left for later.

use serde::{Deserialize, Serialize};
use yarnnn_core::platform::{Interval, PlatformError};

const VERSION: u8 = 1;

/// The cursor as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Cursor {
    v: u8,
    /// None if Google gave none: then the window is listed again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sync_token: Option<String>,
    /// Events of one page, which the token is bound to.
    pub(super) size: u32,
    /// What was listed when the token came: it tells nothing of other times.
    pub(super) window: Interval,
    /// Where events are that were not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) hole: Option<Interval>,
}

impl Cursor {
    pub(super) const fn new(sync_token: Option<String>, size: u32, window: Interval, hole: Option<Interval>) -> Self {
        Self { v: VERSION, sync_token, size, window, hole }
    }

    /// Reads a stored cursor. A bare sync token of an older installation belongs to a list with other parameters.
    pub(super) fn read(text: &str) -> Result<Self, PlatformError> {
        let cursor: Option<Self> = serde_json::from_str(text).ok();
        cursor.filter(|it| it.v == VERSION && it.size > 0).ok_or(PlatformError::CursorExpired)
    }

    pub(super) fn write(&self) -> yarnnn_core::platform::Cursor {
        yarnnn_core::platform::Cursor::new(serde_json::to_string(self).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::*;

    #[test]
    fn a_cursor_comes_back_and_what_is_none_starts_over() {
        let window = Interval { from: DateTime::UNIX_EPOCH, to: DateTime::UNIX_EPOCH + TimeDelta::days(1) };
        let cursor = Cursor::new(Some("CPDAlvWDx70CEPDAlvWDx70CGAU=".into()), 100, window, Some(window));
        let text = cursor.write().as_str().to_owned();
        assert_eq!(Cursor::read(&text).unwrap(), cursor);
        for foreign in ["CPDAlvWDx70CEPDAlvWDx70CGAU=", "", "{}", &text.replace("\"v\":1", "\"v\":2")] {
            assert!(matches!(Cursor::read(foreign), Err(PlatformError::CursorExpired)), "{foreign}");
        }
    }
}
