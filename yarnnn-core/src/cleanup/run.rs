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

/// Rows of one transaction: few enough that whoever else writes need not wait for long.
pub(super) const BATCH: u32 = 1_000;

/// What to delete of one user, in one transaction.
#[derive(Debug, Clone)]
pub struct Clean {
    /// Whose.
    pub user: UserId,
    /// Content that expired before this instant.
    pub before: DateTime<Utc>,
    /// At most so many rows.
    pub limit: u32,
    /// Id of the line that tells of it, if there is none yet.
    pub line: ActivityId,
    /// Key of that line.
    pub key: Uuid,
    /// Now.
    pub at: DateTime<Utc>,
}

impl Clean {
    /// What the line calls the number.
    pub const FIELD: &'static str = "items_deleted";

    /// The line about so many rows.
    pub fn told(&self, deleted: u64) -> NewActivity {
        let items = if deleted == 1 { "1 expired item was".to_owned() } else { format!("{deleted} expired items were") };
        NewActivity {
            id: self.line,
            kind: ActivityKind::ContentCleanup,
            key: self.key,
            summary: format!("{items} deleted"),
            metadata: json!({ Self::FIELD: deleted }),
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
        self.clean(user, self.clock.now(), self.ids.uuid(), || Ok(())).await
    }

    /// Deletes what expired of one user before an instant, a transaction after the other as long as it may go on; one line tells of all.
    pub(super) async fn clean(
        &self,
        user: UserId,
        before: DateTime<Utc>,
        key: Uuid,
        check: impl Fn() -> Result<(), Error> + Send + Sync,
    ) -> Result<u64, Error> {
        let mut deleted = 0;
        loop {
            check()?;
            let (line, at) = (ActivityId::fresh(self.ids.as_ref()), self.clock.now());
            let batch = self.retention.clean(Clean { user, before, limit: BATCH, line, key, at }).await?;
            deleted += batch;
            if batch < u64::from(BATCH) {
                return Ok(deleted);
            }
        }
    }
}
