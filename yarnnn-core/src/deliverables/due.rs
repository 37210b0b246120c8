//! Due: runs what its schedule asks for by now, each slot once.

use chrono::{DateTime, Utc};

use super::model::Deliverable;
use super::run::{Deliverables, DueOutcome, RunOutcome, RunRequest, leaves_resumable, no_news};
use super::version::VersionStatus;
use crate::error::{Error, StoreError};
use crate::id::UserId;
use crate::pipeline::StageCx;

impl Deliverables {
    /// Runs every active deliverable of the user whose time has come. The slot is the key of the run, so two programs at once,
    /// or one after a crash, write one report for it. A source that was not read since the last run skips it (dossier §6.4).
    ///
    /// # Errors
    /// Those of listing and of moving on; what a run says is in its own outcome.
    pub async fn run_due(&self, cx: &StageCx, user: UserId) -> Result<Vec<DueOutcome>, Error> {
        let now = self.parts.clock.now();
        let mut outcomes = Vec::new();
        for deliverable in self.parts.deliverables.due(user, now).await? {
            let Some(due_at) = deliverable.next_run_at else { continue };
            let ran = self.scheduled(cx, &deliverable, due_at).await;
            if ran.as_ref().err().is_none_or(|error| !leaves_resumable(error)) {
                self.move_on(&deliverable, due_at).await?;
            }
            outcomes.push(DueOutcome { deliverable, due_at, outcome: ran.map_err(|it| it.to_string()) });
        }
        Ok(outcomes)
    }

    /// Leaves the slot behind: the next one is counted from it, so that a late run moves nothing, and missed ones are skipped.
    async fn move_on(&self, deliverable: &Deliverable, due_at: DateTime<Utc>) -> Result<(), Error> {
        let now = self.parts.clock.now();
        let next = deliverable.schedule.map(|it| it.next_slot(due_at, now));
        match self.parts.deliverables.reschedule(deliverable.user, deliverable.id, due_at, next).await {
            Err(StoreError::Conflict { .. }) => Ok(()),
            moved => Ok(moved?),
        }
    }

    async fn scheduled(&self, cx: &StageCx, deliverable: &Deliverable, due_at: DateTime<Utc>) -> Result<RunOutcome, Error> {
        if !self.is_fresh(deliverable).await? {
            return Ok(no_news(deliverable.id));
        }
        let key = Some(format!("slot:{}", crate::clock::instant_text(due_at)));
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
