//! A stretch of a channel that is still to be listed.

use serde::{Deserialize, Serialize};

use super::calls::Onward;
use super::stamp::Ts;

/// Why a stretch is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Kind {
    /// The first fill.
    Fill,
    /// What came after the cursor.
    New,
    /// What a cap cut off before.
    Hole,
    /// What was listed before: edits come back, and threads that grew are found.
    Known,
    /// What is stored.
    Audit,
}

/// A stretch that is still to be listed, from its end backwards, without its bounds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Stretch {
    pub(super) kind: Kind,
    pub(super) after: Ts,
    pub(super) before: Ts,
    /// Whether its beginning has been listed.
    pub(super) opened: bool,
    /// Where Slack would go on.
    #[serde(default)]
    pub(super) onward: Option<Onward>,
}

impl Kind {
    /// Whether its messages count against the cap.
    pub(super) const fn counts(self) -> bool {
        matches!(self, Self::Fill | Self::New | Self::Hole)
    }
}

impl Stretch {
    pub(super) const fn of(kind: Kind, after: Ts, before: Ts) -> Self {
        Self { kind, after, before, opened: false, onward: None }
    }
}
