//! Lost: slots whose run nobody is at any more, because its worker ended it, by its time limit or with its process, or its job was
//! taken away. Their owners are told, as of every run that is given up, and the slots end.

use chrono::{DateTime, Utc};

use super::super::job::RunDeliverable;
use super::super::run::Deliverables;
use super::due::slot_key;
use super::slot::{EndSlot, FiredSlot, Loss, LostSlot, SlotOutcome};
use crate::error::Error;
use crate::scheduler::PhaseCx;

/// Slots that are looked for at once.
const PAGE: u32 = 500;

impl Deliverables {
    /// Ends as failed what was fired at an instant or before and was lost; answers how many. Who cannot be told now is told by the
    /// next round: the slot stays as it is until then. So does one whose report somebody is at, by hand: it ends as that does.
    ///
    /// # Errors
    /// Those of the store when it cannot say what was lost, and cancellation.
    pub async fn end_lost(&self, cx: &PhaseCx, before: DateTime<Utc>) -> Result<u64, Error> {
        let (mut ended, mut after) = (0, None);
        loop {
            let page = self.parts.slots.lost(before, after, PAGE).await?;
            for lost in &page {
                cx.check()?;
                match self.end_one(lost).await {
                    Ok(has_ended) => ended += u64::from(has_ended),
                    Err(error) => {
                        tracing::warn!(deliverable = %lost.slot.deliverable, %error, "a slot that was lost could not be ended");
                    }
                }
            }
            after = page.last().map(|it| (it.slot.fired_at, it.slot.deliverable));
            if page.len() < PAGE as usize {
                return Ok(ended);
            }
        }
    }

    /// Told first: a process that dies in between leaves a slot that is found again, and what is told twice is told once.
    async fn end_one(&self, lost: &LostSlot) -> Result<bool, Error> {
        let LostSlot { slot, loss } = lost;
        if self.is_at_work(slot).await? {
            return Ok(false);
        }
        if let Loss::GivenUp(error) = loss {
            let run = RunDeliverable::scheduled(slot.user, slot.deliverable, slot.due_at);
            self.tell_of_giving_up(&run, slot.job, error).await?;
        }
        let end = slot.ends(SlotOutcome::Failed, self.parts.clock.now());
        self.parts.slots.end(EndSlot { cancelled: *loss == Loss::Cancelled, ..end }).await?;
        Ok(true)
    }

    /// Whether a run holds the version of a slot.
    async fn is_at_work(&self, slot: &FiredSlot) -> Result<bool, Error> {
        let version = self.parts.versions.by_key(slot.user, slot.deliverable, &slot_key(slot.due_at)).await?;
        Ok(version.is_some_and(|it| it.is_held(self.parts.clock.now())))
    }
}
