//! Lifecycle: what is suggested is taken up or not, what came up once is made to come again, and what is no longer wanted is put
//! away (dossier §6.9).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::manage::{CreateDeliverable, within_tier};
use super::model::{Deliverable, DeliverableOrigin, DeliverableStatus, NewDeliverable, ReportType, TriggerType};
use super::run::Deliverables;
use super::version::{RunState, VersionStatus};
use crate::accounts::User;
use crate::error::{Error, StoreError};
use crate::id::{DeliverableId, UserId, VersionId};
use crate::scheduler::Schedule;

/// Longest text of a reason, in characters, and most sessions that it names.
const MAX_REASON: usize = 1_000;
const MAX_SESSIONS: usize = 100;

/// Why a report is suggested; `analyst_metadata` in the brief's shape.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SuggestionReason {
    /// How sure one is, from 0 to 1.
    pub confidence: f64,
    /// What was noticed.
    pub detected_pattern: String,
    /// The conversations in which it was.
    pub source_sessions: Vec<Uuid>,
    /// Why that calls for a report.
    pub detection_reason: String,
}

/// A suggestion to be stored: a paused deliverable, and its first version, which says why.
#[derive(Debug, Clone)]
pub struct NewSuggestion {
    /// The deliverable. Until it is taken up it is paused and has no next run.
    pub deliverable: NewDeliverable,
    /// Id of the version.
    pub version: VersionId,
    /// The state of a run that has read nothing.
    pub state: RunState,
    /// Why.
    pub why: SuggestionReason,
}

/// A suggestion that nobody has decided about.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestion {
    /// The version that carries it.
    pub version: VersionId,
    /// What would be made active.
    pub deliverable: DeliverableId,
    /// Its title.
    pub title: String,
    /// Its type.
    pub report_type: ReportType,
    /// When it would run.
    pub schedule: Option<Schedule>,
    /// Why.
    pub why: SuggestionReason,
    /// Since when.
    pub created_at: DateTime<Utc>,
}

/// Takes up a suggestion.
#[derive(Debug, Clone)]
pub struct EnableSuggestion {
    /// Owner.
    pub user: UserId,
    /// The version that carries it.
    pub version: VersionId,
    /// The first run by schedule.
    pub next_run_at: Option<DateTime<Utc>>,
    /// So many active ones its owner may have with it; none for any number.
    pub slots: Option<u32>,
    /// Now.
    pub at: DateTime<Utc>,
}

/// Gives a deliverable that came up by itself a schedule.
#[derive(Debug, Clone)]
pub struct PromoteDeliverable {
    /// Owner.
    pub user: UserId,
    /// Which.
    pub deliverable: DeliverableId,
    /// When it runs from now on.
    pub schedule: Schedule,
    /// Its next run.
    pub next_run_at: DateTime<Utc>,
    /// So many active ones its owner may have with it; none for any number.
    pub slots: Option<u32>,
    /// Now.
    pub at: DateTime<Utc>,
}

impl Deliverables {
    /// Lets a deliverable that a signal made run by schedule. How it was born stays as it was.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` for one that the user made, that has a schedule, or that is archived, or over the tier's limit; those of
    /// the store.
    pub async fn promote_to_recurring(&self, owner: &User, id: DeliverableId, schedule: Schedule) -> Result<Deliverable, Error> {
        let user = owner.id;
        let found = self.parts.deliverables.get(user, id).await?;
        let refused = |why: &str| Err(Error::Invalid(format!("\"{}\" cannot be promoted: {why}", found.title)));
        if found.origin != DeliverableOrigin::SignalEmergent {
            return refused("only what a signal made can be");
        }
        if found.trigger == TriggerType::Schedule {
            return refused("it has a schedule");
        }
        if found.status == DeliverableStatus::Archived {
            return refused("it is archived");
        }
        let at = self.parts.clock.now();
        let schedule = schedule.spread_over_hour(id.as_uuid());
        let next_run_at = schedule.next_after(at);
        let slots = owner.tier.active_deliverables();
        let promote = PromoteDeliverable { user, deliverable: id, schedule, next_run_at, slots, at };
        within_tier(owner, self.parts.lifecycle.promote(promote).await)?;
        Ok(self.parts.deliverables.get(user, id).await?)
    }

    /// Puts a deliverable away: it never runs again, and its versions stay.
    ///
    /// # Errors
    /// `NotFound` and those of the store.
    pub async fn archive(&self, user: UserId, id: DeliverableId) -> Result<(), Error> {
        let at = self.parts.clock.now();
        Ok(self.parts.deliverables.set_status(user, id, DeliverableStatus::Archived, at).await?)
    }

    /// Suggests a report to its user: nothing runs before they take it up.
    ///
    /// # Errors
    /// As [`Deliverables::create`], without the tier's limit, which counts what is active; `Invalid` for a reason that is none.
    pub async fn suggest(
        &self,
        user: UserId,
        create: CreateDeliverable,
        why: SuggestionReason,
    ) -> Result<(Deliverable, VersionId), Error> {
        check_reason(&why)?;
        let new = self.new_deliverable(user, create, DeliverableOrigin::AnalystSuggested).await?;
        let profile = new.report_type.kind().profile();
        let version = VersionId::fresh(self.parts.ids.as_ref());
        let id = new.id;
        let state = RunState::of(profile.binding, (new.at, new.at), profile.window(new.at));
        self.parts.lifecycle.suggest(NewSuggestion { deliverable: new, version, state, why }).await?;
        Ok((self.parts.deliverables.get(user, id).await?, version))
    }

    /// What is suggested to a user and not decided, newest first.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn suggested(&self, user: UserId, limit: u32) -> Result<Vec<Suggestion>, Error> {
        Ok(self.parts.lifecycle.suggested(user, limit).await?)
    }

    /// Takes up a suggestion: the deliverable is active, and its next run, the first that writes anything, is one like any other.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` for a version that is no suggestion (any more), or over the tier's limit; those of the store.
    pub async fn enable(&self, user: &User, version: VersionId) -> Result<Deliverable, Error> {
        let deliverable = self.suggestion(user.id, version).await?;
        let (slots, at) = (user.tier.active_deliverables(), self.parts.clock.now());
        let next_run_at = deliverable.schedule.as_ref().map(|it| it.next_after(at));
        let enabled = self.parts.lifecycle.enable(EnableSuggestion { user: user.id, version, next_run_at, slots, at }).await;
        unless_decided(enabled, |it| within_tier(user, it))?;
        Ok(self.parts.deliverables.get(user.id, deliverable.id).await?)
    }

    /// Does not take up a suggestion: it is gone, and its deliverable archived.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` for a version that is no suggestion (any more); those of the store.
    pub async fn dismiss(&self, user: UserId, version: VersionId) -> Result<(), Error> {
        self.suggestion(user, version).await?;
        unless_decided(self.parts.lifecycle.dismiss(user, version, self.parts.clock.now()).await, |it| Ok(it?))
    }

    async fn suggestion(&self, user: UserId, version: VersionId) -> Result<Deliverable, Error> {
        let found = self.parts.versions.version(user, version).await?;
        if found.status != VersionStatus::Suggested {
            let status = found.status.as_str();
            return Err(Error::Invalid(format!("version {} is no suggestion: it is {status}", found.number)));
        }
        Ok(self.parts.deliverables.get(user, found.deliverable).await?)
    }
}

/// Somebody else may have decided meanwhile.
fn unless_decided(
    answer: Result<(), StoreError>,
    otherwise: impl FnOnce(Result<(), StoreError>) -> Result<(), Error>,
) -> Result<(), Error> {
    match answer {
        Err(StoreError::Conflict { .. }) => Err(Error::Invalid("the suggestion is decided already".to_owned())),
        other => otherwise(other),
    }
}

fn check_reason(why: &SuggestionReason) -> Result<(), Error> {
    let too_long = |text: &str| text.chars().count() > MAX_REASON;
    if !(0.0..=1.0).contains(&why.confidence) {
        return Err(Error::Invalid(format!("a confidence of {} is none: it lies between 0 and 1", why.confidence)));
    }
    if too_long(&why.detected_pattern) || too_long(&why.detection_reason) || why.source_sessions.len() > MAX_SESSIONS {
        return Err(Error::Invalid(format!("the reason of a suggestion has texts of at most {MAX_REASON} characters")));
    }
    Ok(())
}
