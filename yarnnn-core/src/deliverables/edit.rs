//! Edit: changes a deliverable, all of what is asked for or nothing.

use chrono::{DateTime, TimeDelta, Utc};

use super::manage::{MAX_DESCRIPTION, MAX_TITLE, destinations, one_line, options, within_tier};
use super::model::{Deliverable, DeliverableUpdate, Destination, ReportOptions, ScheduleUpdate, TriggerType};
use super::run::Deliverables;
use crate::accounts::User;
use crate::error::{Error, StoreError};
use crate::id::DeliverableId;
use crate::platform::ResourceId;
use crate::scheduler::Schedule;

/// How often an edit is tried again because something else changed the deliverable meanwhile.
const TRIES: u32 = 5;

/// What is to change; what is none stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EditDeliverable {
    /// Title; the one that it has, to say that it may be shown to others.
    pub title: Option<String>,
    /// What it is about; empty for nothing in particular.
    pub description: Option<String>,
    /// What it reads instead; empty for everything its type can use.
    pub sources: Option<Vec<ResourceId>>,
    /// Where it goes instead; empty for the outbox folder.
    pub destinations: Option<Vec<Destination>>,
    /// Of a hundred statements so many must be proven.
    pub min_evidence_percent: Option<u8>,
    /// Whether the reader is told that nothing is new.
    pub says_when_quiet: Option<bool>,
    /// Whether the writer is told what its reader changed in earlier reports.
    pub learns_from_edits: Option<bool>,
    /// Another schedule, or none any more.
    pub schedule: Option<EditSchedule>,
}

/// What is to become of a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EditSchedule {
    /// This one.
    Set(Schedule),
    /// It no longer runs by itself.
    Remove,
}

impl Deliverables {
    /// Changes a deliverable. Another schedule counts from now: what was due by the old one and has not run is not run.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` names the field, an edit of nothing, an archived one, or the tier's limit for a schedule; `Busy`
    /// when others change it all the time.
    pub async fn edit(&self, user: &User, id: DeliverableId, edit: EditDeliverable) -> Result<Deliverable, Error> {
        if edit == EditDeliverable::default() {
            return Err(Error::Invalid("nothing to change is given".to_owned()));
        }
        for _ in 0..TRIES {
            let found = self.parts.deliverables.get(user.id, id).await?;
            let update = self.edited(user, &found, edit.clone()).await?;
            match self.parts.deliverables.update(update).await {
                Err(StoreError::Conflict { .. }) => {}
                updated => {
                    within_tier(user, updated)?;
                    return Ok(self.parts.deliverables.get(user.id, id).await?);
                }
            }
        }
        Err(Error::Busy("it is being changed by others; try again".to_owned()))
    }

    async fn edited(&self, user: &User, found: &Deliverable, edit: EditDeliverable) -> Result<DeliverableUpdate, Error> {
        found.refuse_archived()?;
        // Instants are kept in whole microseconds; a clock that stands still must not hide this change from the next.
        let at = self.parts.clock.now().max(found.updated_at + TimeDelta::microseconds(1));
        let title = edit.title.map(|it| one_line("title", &it, MAX_TITLE)).transpose()?;
        let sources = match edit.sources {
            Some(asked) => self.resolve_sources(user.id, &asked).await?,
            None => found.sources.clone(),
        };
        let chosen = ReportOptions {
            min_evidence_percent: edit.min_evidence_percent.or(found.options.min_evidence_percent),
            says_when_quiet: edit.says_when_quiet.unwrap_or(found.options.says_when_quiet),
            learns_from_edits: edit.learns_from_edits.unwrap_or(found.options.learns_from_edits),
            titled_by_owner: title.is_some() || found.options.titled_by_owner,
        };
        Ok(DeliverableUpdate {
            id: found.id,
            user: found.user,
            seen: found.updated_at,
            title: title.unwrap_or_else(|| found.title.clone()),
            description: described(found, edit.description)?,
            sources,
            destinations: edit.destinations.map_or_else(|| Ok(found.destinations.clone()), destinations)?,
            options: options(chosen)?,
            schedule: rescheduled(user, found, edit.schedule, at),
            at,
        })
    }
}

/// Another schedule and its first run; none when it is the one that there is.
fn rescheduled(user: &User, found: &Deliverable, asked: Option<EditSchedule>, at: DateTime<Utc>) -> Option<ScheduleUpdate> {
    let schedule = match asked? {
        EditSchedule::Set(schedule) => Some(schedule.spread_over_hour(found.id.as_uuid())),
        EditSchedule::Remove => None,
    };
    if schedule == found.schedule && (schedule.is_none() || found.trigger == TriggerType::Schedule) {
        return None;
    }
    let trigger = match (&schedule, found.trigger) {
        (Some(_), _) => TriggerType::Schedule,
        (None, TriggerType::Event) => TriggerType::Event,
        (None, _) => TriggerType::Manual,
    };
    let next_run_at = schedule.as_ref().map(|it| it.next_after(at));
    // A tier that has become smaller keeps what runs, and gets nothing more.
    let slots = schedule.as_ref().and_then(|_| user.tier.active_deliverables());
    Some(ScheduleUpdate { trigger, schedule, next_run_at, slots })
}

fn described(found: &Deliverable, asked: Option<String>) -> Result<Option<String>, Error> {
    match asked {
        None => Ok(found.description.clone()),
        Some(none) if none.trim().is_empty() => Ok(None),
        Some(text) => one_line("description", &text, MAX_DESCRIPTION).map(Some),
    }
}
