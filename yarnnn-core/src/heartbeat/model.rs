//! The numbers of a user in a tick.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::id::UserId;

/// Which numbers are asked for.
#[derive(Debug, Clone)]
pub struct AskNumbers {
    /// The tick.
    pub cycle: DateTime<Utc>,
    /// The tick before it that told anything: what was made since belongs to this one.
    pub since: DateTime<Utc>,
    /// The key of the lines that the tick's cleanup wrote.
    pub cleanup: Uuid,
    /// Users after this one, by id.
    pub after: Option<UserId>,
    /// At most so many.
    pub limit: u32,
}

/// What the scheduler did for a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserNumbers {
    /// Who.
    pub user: UserId,
    /// Slots that the tick fired.
    pub fired: u64,
    /// Those of them that are known to be skipped.
    pub skipped: u64,
    /// Reports that signals called for since the tick before.
    pub signals: u64,
    /// Expired items that the tick deleted.
    pub cleaned: u64,
}
