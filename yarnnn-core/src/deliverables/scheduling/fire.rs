//! Firing: a slot whose time has come becomes a row, a line of the log and a job, and its deliverable moves on, all or nothing.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use uuid::Uuid;

use super::super::job::RunDeliverable;
use super::super::model::Deliverable;
use super::super::run::Deliverables;
use super::due::slot_key;
use super::slot::{DueSlot, Fire, FireSlot, FiredSlot, RequeueSlot, slot_name};
use crate::activity::{ActivityKind, NewActivity};
use crate::error::{Error, StoreError};
use crate::id::{ActivityId, DeliverableId, JobId, UserId};
use crate::jobs::{NewJob, Start, new_job};
use crate::scheduler::PhaseLease;

/// A run that begins later than this after its time is late.
const LATE: TimeDelta = TimeDelta::minutes(15);
/// Runs that are late begin within so many seconds, each at its own: after an outage all of them are.
const SPREAD: u32 = 30 * 60;
/// Slots that are counted one by one; beyond, the next is looked for from now on.
const COUNTED: u32 = 10_000;

/// Who fires, and how.
#[derive(Debug, Clone, Copy)]
pub(in crate::deliverables) struct Firing<'a> {
    pub(in crate::deliverables) lease: Option<&'a PhaseLease>,
    pub(in crate::deliverables) cycle: Option<DateTime<Utc>>,
    /// Whether late runs begin one after the other.
    pub(in crate::deliverables) spread: bool,
    pub(in crate::deliverables) now: DateTime<Utc>,
}

/// What a firing came to.
#[derive(Debug, Default)]
pub(in crate::deliverables) struct Fired {
    pub(in crate::deliverables) fired: Vec<DeliverableId>,
    /// What cannot be fired as it is stored; the rest was.
    pub(in crate::deliverables) problems: Vec<String>,
}

impl From<Deliverable> for DueSlot {
    fn from(it: Deliverable) -> Self {
        Self {
            user: it.user,
            deliverable: it.id,
            title: it.title,
            report_type: it.report_type,
            schedule: Ok(it.schedule),
            due_at: it.next_run_at.unwrap_or(it.created_at),
        }
    }
}

impl Deliverables {
    /// Fires what is due of one user, for a person who does not wait for the next tick; answers the slots of the user that may still be
    /// finished, newest of each deliverable, with what earlier firings left.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn fire_due(&self, user: UserId) -> Result<Vec<FiredSlot>, Error> {
        let now = self.parts.clock.now();
        let due = self.parts.deliverables.due(user, now).await?.into_iter().map(DueSlot::from).collect();
        self.fire(due, Firing { lease: None, cycle: None, spread: false, now }).await?;
        let mut open = vec![];
        for slot in self.parts.slots.open(user).await? {
            if self.may_be_finished(&slot).await? {
                open.push(slot);
            }
        }
        Ok(open)
    }

    /// Another job for a slot whose own is no longer there; answers its id, or that of the one that somebody else gave it meanwhile.
    ///
    /// # Errors
    /// `Busy` when its job is there after all, and those of the store.
    pub async fn requeue(&self, slot: &FiredSlot) -> Result<JobId, Error> {
        let FiredSlot { user, deliverable, due_at, .. } = *slot;
        let run = RunDeliverable::scheduled(user, deliverable, due_at);
        let job = new_job(self.parts.ids.as_ref(), Some(user), &run).map_err(|error| Error::Failed(error.to_string()))?;
        let id = job.id;
        match self.parts.slots.requeue(RequeueSlot { user, deliverable, due_at, gone: slot.job, job }).await {
            Ok(()) => Ok(id),
            Err(StoreError::Conflict { what }) => {
                let now = self.parts.slots.slot(user, deliverable, due_at).await?;
                let given = now.map(|it| it.job).filter(|it| *it != slot.job);
                given.ok_or_else(|| Error::Busy(format!("{what} has its job")))
            }
            Err(other) => Err(other.into()),
        }
    }

    /// Whether a run of the slot could still bring its report: not when it wrote one that failed for good.
    async fn may_be_finished(&self, slot: &FiredSlot) -> Result<bool, Error> {
        if slot.outcome.is_none() {
            return Ok(true);
        }
        let version = self.parts.versions.by_key(slot.user, slot.deliverable, &slot_key(slot.due_at)).await?;
        Ok(version.is_none_or(|it| it.is_resumable()))
    }

    /// Fires these. One that somebody else has fired, or that is no longer due, is passed over.
    pub(in crate::deliverables) async fn fire(&self, due: Vec<DueSlot>, firing: Firing<'_>) -> Result<Fired, Error> {
        let mut fired = Fired::default();
        let mut slots = Vec::with_capacity(due.len());
        for it in due {
            match self.prepared(&it, firing) {
                Ok(slot) => slots.push(slot),
                Err(problem) => fired.problems.push(format!("deliverable {}: {problem}", it.deliverable)),
            }
        }
        let fire = Fire { lease: firing.lease.cloned(), cycle: firing.cycle, slots, at: firing.now };
        fired.fired = self.parts.slots.fire(fire).await?;
        Ok(fired)
    }

    fn prepared(&self, due: &DueSlot, firing: Firing<'_>) -> Result<FireSlot, String> {
        let schedule = due.schedule.as_ref().map_err(Clone::clone)?.as_ref();
        let late = firing.now - due.due_at > LATE;
        let (mut missed, mut next) = (0, schedule.map(|it| it.next_after(due.due_at)));
        while let (Some(schedule), Some(passed)) = (schedule, next.filter(|it| *it <= firing.now)) {
            missed += 1;
            next = Some(schedule.next_after(if missed < COUNTED { passed } else { firing.now }));
        }
        let slot = slot_name(schedule, due.due_at);
        let run = RunDeliverable::scheduled(due.user, due.deliverable, due.due_at);
        let job = new_job(self.parts.ids.as_ref(), Some(due.user), &run).map_err(|error| error.to_string())?;
        let start = if late && firing.spread { Start::After(delay(due.deliverable)) } else { Start::Now };
        Ok(FireSlot {
            user: due.user,
            deliverable: due.deliverable,
            due_at: due.due_at,
            next,
            late,
            missed,
            line: self.line(due, &slot, late, missed),
            slot,
            job: NewJob { start, ..job },
        })
    }

    fn line(&self, due: &DueSlot, slot: &str, late: bool, missed: u32) -> NewActivity {
        let lateness = if late { ", late" } else { "" };
        NewActivity {
            id: ActivityId::fresh(self.parts.ids.as_ref()),
            kind: ActivityKind::DeliverableScheduled,
            key: Uuid::new_v5(&due.deliverable.as_uuid(), slot.as_bytes()),
            summary: format!("{} came due at {slot}{lateness}", due.title),
            metadata: json!({
                "deliverable_id": due.deliverable,
                "scheduled_for": due.due_at,
                "trigger_reason": "schedule",
                "deliverable_type": due.report_type.as_str(),
                "late": late,
                "missed": missed,
            }),
        }
    }
}

/// When a deliverable's late runs begin: always the same for one, and even over all.
fn delay(deliverable: DeliverableId) -> Duration {
    let hash = Uuid::new_v5(&deliverable.as_uuid(), b"spread").as_u128() % u128::from(SPREAD);
    Duration::from_secs(u64::try_from(hash).unwrap_or_default())
}
