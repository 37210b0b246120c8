//! Due: what a fired slot comes to. Its run knows that it is late, is skipped when there is nothing to read, and says how it ended.

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use super::super::kinds::Binding;
use super::super::model::{Deliverable, DeliverableStatus};
use super::super::parts::DeliverablesParts;
use super::super::run::{Deliverables, RunOutcome, RunRequest, RunStatus, leaves_resumable, no_news};
use super::super::version::{StepChange, Version, VersionStatus};
use super::slot::{EndSlot, FiredSlot, SlotOutcome};
use crate::activity::{ActivityKind, NewActivity};
use crate::error::Error;
use crate::id::{ActivityId, DeliverableId, UserId};
use crate::pipeline::StageCx;

impl Deliverables {
    /// The active deliverables of the user whose time has come, with the instant that each is due. Nothing is changed.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn due(&self, user: UserId) -> Result<Vec<(Deliverable, DateTime<Utc>)>, Error> {
        let due = self.parts.deliverables.due(user, self.parts.clock.now()).await?;
        Ok(due.into_iter().filter_map(|it| it.next_run_at.map(|at| (it, at))).collect())
    }

    /// Runs one slot that was fired. Its instant is the key of the run, so two programs at once, or one after a crash, write one
    /// report for it. A source that was not read since the last run skips it (dossier §6.4).
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
        let slot = self.parts.slots.slot(user, deliverable.id, due_at).await?;
        let Some(slot) = slot.filter(|it| it.outcome.is_none_or(|it| !it.is_final())) else {
            // It has ended, or was never fired; what a run of it wrote is its outcome.
            return match self.parts.versions.by_key(user, deliverable.id, &slot_key(due_at)).await? {
                Some(version) => self.outcome_of(user, version.id).await,
                None => Ok(no_news(deliverable.id)),
            };
        };
        match self.scheduled(cx, &deliverable, &slot).await {
            Ok(Some(outcome)) => {
                self.end(&deliverable, &slot, of_status(outcome.status), Some(&outcome)).await?;
                Ok(outcome)
            }
            Ok(None) => {
                self.end(&deliverable, &slot, SlotOutcome::Skipped, None).await?;
                Ok(no_news(deliverable.id))
            }
            Err(error) if leaves_resumable(&error) => Err(error),
            Err(error) => {
                self.end(&deliverable, &slot, SlotOutcome::Failed, None).await?;
                Err(error)
            }
        }
    }

    /// The run of a slot; none if it is skipped.
    async fn scheduled(&self, cx: &StageCx, deliverable: &Deliverable, slot: &FiredSlot) -> Result<Option<RunOutcome>, Error> {
        let key = slot_key(slot.due_at);
        let begun = self.parts.versions.by_key(deliverable.user, deliverable.id, &key).await?.is_some();
        if deliverable.status != DeliverableStatus::Active {
            // Paused or put away since it was fired.
            return Ok(None);
        }
        // Who wants to be told that nothing is new is told so by the run.
        if !begun && !deliverable.options.says_when_quiet && !self.is_fresh(deliverable).await? {
            return Ok(None);
        }
        let request = RunRequest { key: Some(key), late: slot.lateness(), ..RunRequest::of(deliverable.user, deliverable.id) };
        self.run(cx, &request).await.map(Some)
    }

    /// Whether any source was read since the items of the last version were gathered. Without listed sources, or before the
    /// first run, there is no skip; nor for what is looked up on the web, where there is always something to look for.
    async fn is_fresh(&self, deliverable: &Deliverable) -> Result<bool, Error> {
        let may_skip = !deliverable.sources.is_empty() && deliverable.report_type.kind().profile().binding != Binding::Research;
        let last = self.parts.versions.recent(deliverable.user, deliverable.id, 1).await?.pop();
        let Some(last) = last.filter(|it| it.status == VersionStatus::Delivered && may_skip) else {
            return Ok(true);
        };
        let resources: Vec<_> = deliverable.sources.iter().map(|it| it.resource.clone()).collect();
        let statuses = self.parts.content.coverage(deliverable.user, &resources).await?;
        let gathered_at = last.state.asked_for.min(last.created_at);
        Ok(statuses.iter().any(|it| it.last_synced_at.is_none_or(|at| at > gathered_at)))
    }

    async fn end(
        &self,
        deliverable: &Deliverable,
        slot: &FiredSlot,
        outcome: SlotOutcome,
        ran: Option<&RunOutcome>,
    ) -> Result<(), Error> {
        let version = ran.and_then(|it| it.version.as_ref());
        Ok(self.parts.slots.end(self.parts.end_of(deliverable, slot, outcome, version)).await?)
    }
}

impl DeliverablesParts {
    /// The end of the slot that a version was opened for, by the step that ends its run: whichever run it is that goes on with it.
    /// None when the step does not end it, or it was opened for no slot.
    pub(in crate::deliverables) async fn slot_end(
        &self,
        deliverable: &Deliverable,
        version: &Version,
        change: &StepChange,
    ) -> Result<Option<EndSlot>, Error> {
        let outcome = match change {
            StepChange::Finished { .. } => SlotOutcome::Delivered,
            StepChange::Staged { .. } => SlotOutcome::Staged,
            StepChange::Failed { .. } => SlotOutcome::Failed,
            _ => return Ok(None),
        };
        Ok(self.slot_of(version).await?.map(|slot| self.end_of(deliverable, &slot, outcome, Some(version))))
    }

    /// The end of the slot that a version was opened for which a person rejects.
    pub(in crate::deliverables) async fn slot_without_report(&self, version: &Version) -> Result<Option<EndSlot>, Error> {
        Ok(self.slot_of(version).await?.map(|slot| slot.ends(SlotOutcome::Failed, self.clock.now())))
    }

    /// The slot that a version was opened for.
    async fn slot_of(&self, version: &Version) -> Result<Option<FiredSlot>, Error> {
        let Some(due_at) = version.run_key.as_deref().and_then(slot_of_key) else { return Ok(None) };
        Ok(self.slots.slot(version.user, version.deliverable, due_at).await?)
    }

    fn end_of(&self, deliverable: &Deliverable, slot: &FiredSlot, outcome: SlotOutcome, version: Option<&Version>) -> EndSlot {
        let line = version.filter(|_| outcome == SlotOutcome::Delivered).map(|version| NewActivity {
            id: ActivityId::fresh(self.ids.as_ref()),
            kind: ActivityKind::DeliverableGenerated,
            key: Uuid::new_v5(&deliverable.id.as_uuid(), slot.slot.as_bytes()),
            summary: format!("{} v{} was written by schedule", deliverable.title, version.number),
            metadata: json!({
                "deliverable_id": deliverable.id,
                "deliverable_type": deliverable.report_type.as_str(),
                "version_id": version.id,
            }),
        });
        EndSlot { line, ..slot.ends(outcome, self.clock.now()) }
    }
}

const fn of_status(status: RunStatus) -> SlotOutcome {
    match status {
        RunStatus::Delivered => SlotOutcome::Delivered,
        RunStatus::Failed => SlotOutcome::Failed,
        RunStatus::NoNews => SlotOutcome::NoNews,
        RunStatus::Staged => SlotOutcome::Staged,
    }
}

/// What the keys of runs by schedule begin with.
const SLOT_KEY: &str = "slot:";

/// The key of a slot's run.
pub(in crate::deliverables) fn slot_key(due_at: DateTime<Utc>) -> String {
    format!("{SLOT_KEY}{}", crate::clock::instant_text(due_at))
}

/// When the slot was due that a run has the key of.
fn slot_of_key(key: &str) -> Option<DateTime<Utc>> {
    key.strip_prefix(SLOT_KEY)?.parse().ok()
}
