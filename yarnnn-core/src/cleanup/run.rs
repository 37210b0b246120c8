//! Deleting what has expired, user by user.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
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
