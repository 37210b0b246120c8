//! Due: runs what its schedule asks for by now, each slot once.

use chrono::{DateTime, Utc};

use super::model::{Deliverable, DeliverableStatus};
use super::run::{Deliverables, DueOutcome, RunOutcome, RunRequest, leaves_resumable, no_news};
use super::version::VersionStatus;
use crate::error::{Error, StoreError};
use crate::id::{DeliverableId, UserId};
use crate::pipeline::StageCx;

impl Deliverables {
    /// The active deliverables of the user whose time has come, with the slot that each is due for.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn due(&self, user: UserId) -> Result<Vec<(Deliverable, DateTime<Utc>)>, Error> {
        let due = self.parts.deliverables.due(user, self.parts.clock.now()).await?;
        Ok(due.into_iter().filter_map(|it| it.next_run_at.map(|at| (it, at))).collect())
    }

    /// Runs every active deliverable of the user whose time has come, see [`Deliverables::run_slot`].
    ///
    /// # Errors
    /// Those of listing and of moving on; what a run says is in its own outcome.
    pub async fn run_due(&self, cx: &StageCx, user: UserId) -> Result<Vec<DueOutcome>, Error> {
        let mut outcomes = Vec::new();
        for (deliverable, due_at) in self.due(user).await? {
            let ran = self.slot(cx, &deliverable, due_at).await?;
            outcomes.push(DueOutcome { deliverable, due_at, outcome: ran.map_err(|it| it.to_string()) });
        }
        Ok(outcomes)
    }

    /// Runs one slot of a schedule. The slot is the key of the run, so two programs at once, or one after a crash, write one
    /// report for it; the deliverable moves on to its next slot unless the run may still be resumed. A source that was not read
    /// since the last run skips it (dossier §6.4).
    ///
    /// # Errors
    /// As [`Deliverables::run`].
    pub async fn run_slot(
        &self,
        cx: &StageCx,
        user: UserId,
        deliverable: DeliverableId,
        due_at: DateTime<Utc>,
    ) -> Result<RunOutcome, Error> {
        let deliverable = self.parts.deliverables.get(user, deliverable).await?;
        if deliverable.status != DeliverableStatus::Active || deliverable.next_run_at != Some(due_at) {
            // Paused, or past this slot, since it was asked for; what an earlier run of the slot wrote is its outcome.
            let key = slot_key(due_at);
            return match self.parts.versions.by_key(user, deliverable.id, &key).await? {
                Some(version) => self.outcome_of(user, version.id).await,
                None => Ok(no_news(deliverable.id)),
            };
        }
        self.slot(cx, &deliverable, due_at).await?
    }

    async fn slot(
        &self,
        cx: &StageCx,
        deliverable: &Deliverable,
        due_at: DateTime<Utc>,
    ) -> Result<Result<RunOutcome, Error>, Error> {
        let ran = self.scheduled(cx, deliverable, due_at).await;
        if ran.as_ref().err().is_none_or(|error| !leaves_resumable(error)) {
            self.move_on(deliverable, due_at).await?;
        }
        Ok(ran)
    }

    /// Leaves the slot behind: the next one is counted from it, so that a late run moves nothing, and missed ones are skipped.
    async fn move_on(&self, deliverable: &Deliverable, due_at: DateTime<Utc>) -> Result<(), Error> {
        let now = self.parts.clock.now();
        let next = deliverable.schedule.as_ref().map(|it| it.next_slot(due_at, now));
        match self.parts.deliverables.reschedule(deliverable.user, deliverable.id, due_at, next).await {
            Err(StoreError::Conflict { .. }) => Ok(()),
            moved => Ok(moved?),
        }
    }

    async fn scheduled(&self, cx: &StageCx, deliverable: &Deliverable, due_at: DateTime<Utc>) -> Result<RunOutcome, Error> {
        // Who wants to be told that nothing is new is told so by the run.
        if !deliverable.options.says_when_quiet && !self.is_fresh(deliverable).await? {
            return Ok(no_news(deliverable.id));
        }
        let key = Some(slot_key(due_at));
        self.run(cx, &RunRequest { key, ..RunRequest::of(deliverable.user, deliverable.id) }).await
    }

    /// Whether any source was read since the items of the last version were gathered. Without listed sources, or before the
    /// first run, there is no skip.
    async fn is_fresh(&self, deliverable: &Deliverable) -> Result<bool, Error> {
        let last = self.parts.versions.recent(deliverable.user, deliverable.id, 1).await?.pop();
        let Some(last) = last.filter(|it| it.status == VersionStatus::Delivered && !deliverable.sources.is_empty()) else {
            return Ok(true);
        };
        let resources: Vec<_> = deliverable.sources.iter().map(|it| it.resource.clone()).collect();
        let statuses = self.parts.content.coverage(deliverable.user, &resources).await?;
        let gathered_at = last.state.asked_for.min(last.created_at);
        Ok(statuses.iter().any(|it| it.last_synced_at.is_none_or(|at| at > gathered_at)))
    }
}

fn slot_key(due_at: DateTime<Utc>) -> String {
    format!("slot:{}", crate::clock::instant_text(due_at))
}
