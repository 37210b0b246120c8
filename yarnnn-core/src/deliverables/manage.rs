//! Create, list, show, pause; a change is [`super::EditDeliverable`].

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::learning::feedback::NewFeedback;
use super::model::{
    Deliverable, DeliverableOrigin, DeliverableStatus, DeliverableUpdate, Destination, NewDeliverable, ReportOptions, ReportType,
    ResumeDeliverable, ScheduleUpdate, SourceRef, TriggerType,
};
use super::run::Deliverables;
use super::version::{Version, VersionStatus};
use crate::accounts::User;
use crate::delivery::{HeldDecision, OutboxMessage};
use crate::error::{Error, StoreError};
use crate::id::{DeliverableId, MessageId, UserId, VersionId};
use crate::platform::ResourceId;
use crate::scheduler::Schedule;
use crate::sync::ResourceStatus;

/// Longest title and description, in characters.
pub(super) const MAX_TITLE: usize = 200;
pub(super) const MAX_DESCRIPTION: usize = 4_000;
/// Versions that `show` lists.
const SHOWN_VERSIONS: u32 = 20;

/// What the user asks for.
#[derive(Debug, Clone)]
pub struct CreateDeliverable {
    /// Title.
    pub title: String,
    /// What it is about, in the user's words.
    pub description: Option<String>,
    /// Type or alias.
    pub report_type: String,
    /// Resources by id or by name, for example `slack:C024BE91L` or `slack:#general`; empty for all.
    pub sources: Vec<ResourceId>,
    /// Where it goes: each channel at most once; none for the outbox folder.
    pub destinations: Vec<Destination>,
    /// What else its reader wants.
    pub options: ReportOptions,
    /// When it runs.
    pub schedule: Option<Schedule>,
}

impl CreateDeliverable {
    /// A report of everything its type can use, delivered to the outbox folder, run by hand.
    pub fn new(report_type: impl Into<String>, title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            description: None,
            report_type: report_type.into(),
            sources: vec![],
            destinations: vec![],
            options: ReportOptions::default(),
            schedule: None,
        }
    }
}

impl Deliverables {
    /// Makes a deliverable.
    ///
    /// # Errors
    /// `Invalid` names the field and what it may be; a tier's limit is `Invalid` too.
    pub async fn create(&self, user: &User, create: CreateDeliverable) -> Result<Deliverable, Error> {
        let new = self.new_deliverable(user.id, create, DeliverableOrigin::UserConfigured).await?;
        let (id, slots) = (new.id, user.tier.active_deliverables());
        within_tier(user, self.parts.deliverables.create(NewDeliverable { slots, ..new }).await)?;
        Ok(self.parts.deliverables.get(user.id, id).await?)
    }

    /// What is asked for, checked and with its sources found.
    pub(super) async fn new_deliverable(
        &self,
        user: UserId,
        create: CreateDeliverable,
        origin: DeliverableOrigin,
    ) -> Result<NewDeliverable, Error> {
        let report_type = ReportType::parse(&create.report_type).map_err(|it| Error::Invalid(it.to_string()))?;
        let title = one_line("title", &create.title, MAX_TITLE)?;
        let description = create.description.map(|it| one_line("description", &it, MAX_DESCRIPTION)).transpose()?;
        let sources = self.resolve_sources(user, &create.sources).await?;
        let at = self.parts.clock.now();
        let id = DeliverableId::fresh(self.parts.ids.as_ref());
        let schedule = create.schedule.map(|it| it.spread_over_hour(id.as_uuid()));
        Ok(NewDeliverable {
            id,
            user,
            title,
            description,
            report_type,
            sources,
            destinations: destinations(create.destinations)?,
            options: options(create.options)?,
            origin,
            trigger: if schedule.is_some() { TriggerType::Schedule } else { TriggerType::Manual },
            next_run_at: schedule.as_ref().map(|it| it.next_after(at)),
            schedule,
            slots: None,
            at,
        })
    }

    /// All deliverables of a user that are not archived.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn list(&self, user: UserId) -> Result<Vec<Deliverable>, Error> {
        Ok(self.parts.deliverables.list(user).await?)
    }

    /// A deliverable and its newest versions.
    ///
    /// # Errors
    /// `NotFound` and those of the store.
    pub async fn show(&self, user: UserId, id: DeliverableId) -> Result<(Deliverable, Vec<Version>), Error> {
        let deliverable = self.parts.deliverables.get(user, id).await?;
        let versions = self.parts.versions.recent(user, id, SHOWN_VERSIONS).await?;
        Ok((deliverable, versions))
    }

    /// Pauses a deliverable, or makes it active again.
    ///
    /// # Errors
    /// `NotFound`, `Invalid` for an archived one, to resume one that is only suggested, or over the tier's limit, and those of the store.
    pub async fn pause(&self, user: &User, id: DeliverableId, paused: bool) -> Result<(), Error> {
        let deliverable = self.parts.deliverables.get(user.id, id).await?;
        deliverable.refuse_archived()?;
        if paused {
            let at = self.parts.clock.now();
            return Ok(self.parts.deliverables.set_status(user.id, id, DeliverableStatus::Paused, at).await?);
        }
        if deliverable.status == DeliverableStatus::Active {
            return Ok(());
        }
        self.refuse_undecided(&deliverable).await?;
        // Before it is active: a tick in between would fire what was missed.
        self.skip_missed(&deliverable).await?;
        let (slots, at) = (user.tier.active_deliverables(), self.parts.clock.now());
        within_tier(user, self.parts.deliverables.resume(ResumeDeliverable { id, user: user.id, slots, at }).await)
    }

    /// What was missed while it was paused stays missed.
    async fn skip_missed(&self, deliverable: &Deliverable) -> Result<(), Error> {
        let (user, id, now) = (deliverable.user, deliverable.id, self.parts.clock.now());
        match (&deliverable.schedule, deliverable.next_run_at) {
            (Some(schedule), Some(seen)) => self.skip_to(user, id, seen, schedule.next_slot(seen, now)).await,
            (Some(schedule), None) if deliverable.trigger == TriggerType::Schedule => {
                self.begin_schedule(user, id, schedule.clone()).await
            }
            _ => Ok(()),
        }
    }

    /// What is suggested is taken up as a suggestion, which counts it as decided.
    async fn refuse_undecided(&self, deliverable: &Deliverable) -> Result<(), Error> {
        let newest = self.parts.versions.recent(deliverable.user, deliverable.id, 1).await?.pop();
        if newest.is_some_and(|it| it.status == VersionStatus::Suggested) {
            let title = &deliverable.title;
            return Err(Error::Invalid(format!("\"{title}\" is suggested: take it up with `deliverables enable`")));
        }
        Ok(())
    }

    /// Gives a schedule that has no next run its first, unless somebody else has just changed the deliverable.
    async fn begin_schedule(&self, user: UserId, id: DeliverableId, schedule: Schedule) -> Result<(), Error> {
        let found = self.parts.deliverables.get(user, id).await?;
        let at = self.parts.clock.now().max(found.updated_at + TimeDelta::microseconds(1));
        let next_run_at = Some(schedule.next_after(at));
        let update = DeliverableUpdate {
            id,
            user,
            seen: found.updated_at,
            title: found.title,
            description: found.description,
            sources: found.sources,
            destinations: found.destinations,
            options: found.options,
            schedule: Some(ScheduleUpdate { trigger: TriggerType::Schedule, schedule: Some(schedule), next_run_at, slots: None }),
            at,
        };
        match self.parts.deliverables.update(update).await {
            Err(StoreError::Conflict { .. }) => Ok(()),
            updated => Ok(updated?),
        }
    }

    /// Lets a staged report pass, or ends one: staged, unfinished, or written and never delivered. One that passes is sent by the
    /// next run; one that is ended is never sent, and stands in the way of no other.
    ///
    /// # Errors
    /// `NotFound`, `Invalid` for one that waits for nothing, and those of the store.
    pub async fn decide(&self, user: UserId, version: VersionId, passes: bool) -> Result<Version, Error> {
        let found = self.parts.versions.version(user, version).await?;
        let is_staged = found.status == VersionStatus::Staged;
        if !is_staged && (passes || !found.is_resumable()) {
            let status = found.status.as_str();
            return Err(Error::Invalid(format!("version {} waits for nobody: it is {status}", found.number)));
        }
        let feedback = NewFeedback { approved: passes, ..NewFeedback::default() };
        self.take_feedback(found, feedback, Some(passes)).await
    }

    /// Whether a report of this deliverable could be sent now: settings, connections, permissions. Nothing is sent.
    ///
    /// # Errors
    /// `NeedsOperator` or `Failed` say what is missing.
    pub async fn ready(&self, deliverable: &Deliverable) -> Result<(), Error> {
        self.parts.ways.check(deliverable.user, &deliverable.destinations).await
    }

    /// Says what became of a message that is held, because nobody could find out whether it arrived.
    ///
    /// # Errors
    /// `NotFound`, `Busy` for one that is not held, and those of the store.
    pub async fn decide_message(&self, user: UserId, message: MessageId, decision: HeldDecision) -> Result<OutboxMessage, Error> {
        match self.parts.outbox.decide(user, message, decision, self.parts.clock.now()).await {
            Err(StoreError::Conflict { .. }) => {
                Err(Error::Invalid(format!("message {message} is not held: there is nothing to decide about it")))
            }
            decided => Ok(decided?),
        }
    }

    /// Moves the next run, unless somebody else has just done so.
    async fn skip_to(&self, user: UserId, id: DeliverableId, seen: DateTime<Utc>, next: DateTime<Utc>) -> Result<(), Error> {
        match self.parts.deliverables.reschedule(user, id, seen, Some(next)).await {
            Err(StoreError::Conflict { .. }) => Ok(()),
            moved => Ok(moved?),
        }
    }

    /// Stored resources by id or by name.
    ///
    /// # Errors
    /// `Invalid` for one that is not there, or a name that several have; it names those there are.
    pub async fn resolve_sources(&self, user: UserId, asked: &[ResourceId]) -> Result<Vec<SourceRef>, Error> {
        let known = self.parts.content.coverage(user, &[]).await?;
        asked.iter().map(|it| resolve(it, &known)).collect()
    }
}

/// What a store says of the limit, in the words of the tier that it comes from.
pub(super) fn within_tier(user: &User, answer: Result<(), StoreError>) -> Result<(), Error> {
    match answer {
        Err(StoreError::OverLimit { limit, .. }) => {
            Err(Error::Invalid(format!("the {} tier allows {limit} active deliverables; pause one first", user.tier.as_str())))
        }
        other => Ok(other?),
    }
}

/// Each channel once, so that a report has one message for each; none is the outbox folder.
pub(super) fn destinations(mut given: Vec<Destination>) -> Result<Vec<Destination>, Error> {
    if given.is_empty() {
        given.push(Destination::Folder { path: None });
    }
    let mut channels = HashSet::new();
    for destination in &given {
        if !channels.insert(destination.channel()) {
            return Err(Error::Invalid(format!("a report goes to one {} only", destination.channel().as_str())));
        }
    }
    Ok(given)
}

pub(super) fn options(options: ReportOptions) -> Result<ReportOptions, Error> {
    match options.min_evidence_percent {
        Some(percent) if percent > 100 => Err(Error::Invalid(format!("{percent} of a hundred statements cannot be proven"))),
        _ => Ok(options),
    }
}

/// A resource by its id, else by its name; an unknown one is an error that names those there are.
fn resolve(asked: &ResourceId, known: &[ResourceStatus]) -> Result<SourceRef, Error> {
    let of_platform = || known.iter().filter(|it| it.resource.platform() == asked.platform());
    let name = asked.as_str().trim_start_matches("label:");
    let plain = |text: &str| text.trim_start_matches(['#', '@']).to_lowercase();
    let by_name = || of_platform().filter(|it| plain(&it.resource_name) == plain(name)).collect::<Vec<_>>();
    let found = of_platform().find(|it| it.resource == *asked).map_or_else(by_name, |it| vec![it]);
    match found.as_slice() {
        [one] => Ok(SourceRef { resource: one.resource.clone(), resource_name: one.resource_name.clone() }),
        [] => Err(Error::Invalid(unknown_source(asked, of_platform()))),
        several => {
            let ids: Vec<_> = several.iter().map(|it| it.resource.to_string()).collect();
            Err(Error::Invalid(format!("{asked} is the name of several sources; choose one of {}", ids.join(", "))))
        }
    }
}

fn unknown_source<'a>(asked: &ResourceId, there: impl Iterator<Item = &'a ResourceStatus>) -> String {
    let names: Vec<_> = there.take(10).map(|it| format!("{} ({})", it.resource, it.resource_name)).collect();
    if names.is_empty() {
        return format!("no source {asked}: nothing of {} is stored; import or sync it first", asked.platform());
    }
    format!("no source {asked}; there are {}", names.join(", "))
}

/// A text of one line.
pub(super) fn one_line(field: &str, text: &str, max: usize) -> Result<String, Error> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::Invalid(format!("the {field} is empty")));
    }
    if text.chars().any(char::is_control) {
        return Err(Error::Invalid(format!("the {field} contains a line break or control character")));
    }
    if text.chars().count() > max {
        return Err(Error::Invalid(format!("the {field} is longer than {max} characters")));
    }
    Ok(text.to_owned())
}
