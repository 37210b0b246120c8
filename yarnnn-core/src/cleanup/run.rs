//! Deleting what has expired, user by user.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use uuid::Uuid;

use super::Retention;
use crate::activity::{ActivityKind, NewActivity};
use crate::clock::Clock;
use crate::error::Error;
use crate::id::{ActivityId, IdGen, UserId};

/// What to delete of one user.
#[derive(Debug, Clone)]
pub struct Clean {
    /// Whose.
    pub user: UserId,
    /// Content that expired before this instant.
    pub before: DateTime<Utc>,
    /// Id of the line that tells of it.
    pub line: ActivityId,
    /// Key of that line.
    pub key: Uuid,
    /// Now.
    pub at: DateTime<Utc>,
}

impl Clean {
    /// The line about so many rows.
    pub fn told(&self, deleted: u64) -> NewActivity {
        let items = if deleted == 1 { "1 expired item was".to_owned() } else { format!("{deleted} expired items were") };
        NewActivity {
            id: self.line,
            kind: ActivityKind::ContentCleanup,
            key: self.key,
            summary: format!("{items} deleted"),
            metadata: json!({ "items_deleted": deleted }),
        }
    }
}

/// How old what signals and events left behind may become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TidySignals {
    /// Passes that were begun before this instant and are open were left.
    pub left_before: DateTime<Utc>,
    /// Passes that ended before this instant are deleted.
    pub passes_before: DateTime<Utc>,
    /// What signals acted upon last before this instant is deleted.
    pub history_before: DateTime<Utc>,
    /// Events of before this instant are deleted.
    pub events_before: DateTime<Utc>,
    /// Now.
    pub at: DateTime<Utc>,
}

impl TidySignals {
    /// What is old at an instant: a pass is over within a day, its outcome and the log of events are looked at for a month. What was
    /// acted upon holds for 14 days at most, and is kept for 90.
    pub fn of(at: DateTime<Utc>) -> Self {
        let before = |days| at - TimeDelta::days(days);
        let (left_before, passes_before, history_before, events_before) = (before(1), before(30), before(90), before(30));
        Self { left_before, passes_before, history_before, events_before, at }
    }
}

/// The feature. Cheap to clone.
#[derive(Clone)]
pub struct Cleanup {
    pub(super) retention: Arc<dyn Retention>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGen>,
}

impl fmt::Debug for Cleanup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cleanup").finish_non_exhaustive()
    }
}

impl Cleanup {
    /// Deletes by this port.
    pub fn new(retention: Arc<dyn Retention>, clock: Arc<dyn Clock>, ids: Arc<dyn IdGen>) -> Self {
        Self { retention, clock, ids }
    }

    /// Deletes what has expired of one user; answers how many rows.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn user(&self, user: UserId) -> Result<u64, Error> {
        self.clean(user, self.clock.now(), self.ids.uuid()).await
    }

    pub(super) async fn clean(&self, user: UserId, before: DateTime<Utc>, key: Uuid) -> Result<u64, Error> {
        let line = ActivityId::fresh(self.ids.as_ref());
        Ok(self.retention.clean(Clean { user, before, line, key, at: self.clock.now() }).await?)
    }
}
