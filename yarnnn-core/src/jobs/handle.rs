//! The job system as features and workers hold it: its ports together.

use std::fmt;
use std::sync::Arc;

use super::payload::Refusal;
use super::{Capacity, EnqueueError, Enqueued, Job, JobAdmin, JobQueue, OpenLeaseKeeper, Presence, WakeUps, new_job};
use crate::clock::Clock;
use crate::id::{IdGen, UserId};
use crate::pipeline::Liveness;

/// The ports of the job system. Cheap to clone.
#[derive(Clone)]
pub struct Jobs {
    /// The table.
    pub queue: Arc<dyn JobQueue>,
    /// Its administration.
    pub admin: Arc<dyn JobAdmin>,
    /// Permits to call providers.
    pub capacity: Arc<dyn Capacity>,
    /// Who works.
    pub presence: Arc<dyn Presence>,
    /// What keeps leases.
    pub keeper: Arc<dyn OpenLeaseKeeper>,
    /// What wakes workers.
    pub wake_ups: Arc<dyn WakeUps>,
    /// The processes of this host.
    pub liveness: Arc<dyn Liveness>,
    /// Time, for what is shown; the store has its own.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub ids: Arc<dyn IdGen>,
}

impl fmt::Debug for Jobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jobs").finish_non_exhaustive()
    }
}

impl Jobs {
    /// Enqueues one job under the constants, rules and key of its kind.
    ///
    /// # Errors
    /// Those of the queue; a payload that is no JSON object is refused.
    pub async fn enqueue<J: Job>(&self, owner: Option<UserId>, job: &J) -> Result<Enqueued, EnqueueError> {
        let refused = |error: serde_json::Error| Refusal::new("empty_payload", error.to_string());
        let new = new_job(self.ids.as_ref(), owner, job).map_err(refused)?;
        let id = new.id;
        let answers = self.queue.enqueue(vec![new]).await?;
        Ok(answers.into_iter().next().unwrap_or(Enqueued::New(id)))
    }
}
