//! What a session sees of what its user has: how far its reach goes in resources and in time.
//!
//! A report must say nothing that its readers may not know. A session that writes for others sees the resources that its report
//! stands on, and of reports only how its own is set up: what that said before may have been for its owner alone.

use chrono::{DateTime, TimeDelta, Utc};

use super::library::{DeliverableView, Entity, PlatformView, SystemState};
use super::reference::{EntityKind, Identifier, Reference};
use super::task::AgentTask;
use crate::id::DeliverableId;
use crate::platform::{Interval, Platform, ResourceId};
use crate::sync::StoredItem;

/// Before any item: 1 January of the year 1, in seconds.
const YEAR_ONE: i64 = -62_135_596_800;

/// What a session sees.
#[derive(Debug, Clone)]
pub(super) struct Sight {
    /// Of these resources and nothing else; none for everything.
    scope: Option<Vec<ResourceId>>,
    /// What it writes for.
    own: Option<DeliverableId>,
    /// Whether others than its owner read what it writes.
    for_others: bool,
    until: DateTime<Utc>,
    events_until: DateTime<Utc>,
}

impl Sight {
    pub(super) fn of(task: &AgentTask) -> Self {
        let AgentTask { scope, account, for_others, until, events_until, .. } = task;
        let (scope, own) = (scope.clone(), account.deliverable);
        Self { scope, own, for_others: *for_others, until: *until, events_until: *events_until }
    }

    /// The resources it is held to; none when it sees them all.
    pub(super) fn scope(&self) -> Option<&[ResourceId]> {
        self.scope.as_deref()
    }

    /// Whether it sees this resource.
    pub(super) fn has(&self, resource: &ResourceId) -> bool {
        self.scope.as_ref().is_none_or(|it| it.contains(resource))
    }

    /// Whether it sees something of this resource that was written then. What is undated is always there.
    pub(super) fn shows(&self, resource: &ResourceId, time: Option<DateTime<Utc>>) -> bool {
        let until = if resource.platform() == Platform::Calendar { self.events_until } else { self.until };
        self.has(resource) && time.is_none_or(|it| it <= until)
    }

    /// Whether it sees this item.
    pub(super) fn shows_item(&self, item: &StoredItem) -> bool {
        self.shows(&item.resource, item.source_timestamp)
    }

    /// The stretches of time that it sees: of calendars, and of everything else.
    pub(super) fn stretches(&self) -> (Interval, Interval) {
        let from = DateTime::from_timestamp(YEAR_ONE, 0).unwrap_or_default();
        let up_to = |it: DateTime<Utc>| Interval { from, to: it + TimeDelta::microseconds(1) };
        (up_to(self.events_until), up_to(self.until))
    }

    /// Everything that it sees lies in here.
    pub(super) fn whole_stretch(&self) -> Interval {
        let (events, others) = self.stretches();
        Interval { from: events.from, to: events.to.max(others.to) }
    }

    /// The reference by which a library finds what is meant, if the session may know it. The latest report is then its own.
    pub(super) fn allowed(&self, reference: &Reference) -> Option<Reference> {
        if self.scope.is_none() || reference.kind != EntityKind::Deliverable {
            return Some(reference.clone());
        }
        let own = self.own?;
        let is_own = match &reference.identifier {
            Identifier::Latest => true,
            Identifier::Named(name) => name.parse().is_ok_and(|it: DeliverableId| it == own),
            _ => false,
        };
        is_own.then(|| Reference { identifier: Identifier::Named(own.to_string()), ..reference.clone() })
    }

    /// What may be shown of something, if it may be known at all.
    pub(super) fn narrow(&self, entity: Entity) -> Option<Entity> {
        match entity {
            entity if self.scope.is_none() => Some(entity),
            Entity::Deliverable(it) => (Some(it.id) == self.own).then(|| Entity::Deliverable(self.own_report(it))),
            Entity::Platform(it) => self.narrow_platform(it).map(Entity::Platform),
        }
    }

    fn own_report(&self, it: DeliverableView) -> DeliverableView {
        if self.for_others { without_words(it) } else { it }
    }

    /// How things stand, as far as it may be known: jobs and names of what is not synced say what else there is.
    pub(super) fn narrow_state(&self, mut state: SystemState) -> SystemState {
        if self.scope.is_some() {
            state.failed_jobs.clear();
            state.platforms.retain_mut(|it| {
                it.unsynced.clear();
                let narrowed = self.narrow_platform(it.view.clone());
                narrowed.map(|view| it.view = view).is_some()
            });
        }
        state
    }

    /// The platform as if it had nothing but what is seen of it.
    fn narrow_platform(&self, mut view: PlatformView) -> Option<PlatformView> {
        let Some(scope) = &self.scope else { return Some(view) };
        if !scope.iter().any(|it| it.platform() == view.platform) {
            return None;
        }
        view.resources.retain(|it| scope.contains(&it.resource_id));
        let resources = &view.resources;
        view.last_synced_at = resources.iter().filter_map(|it| it.last_synced_at).max();
        view.total_items_synced = resources.iter().map(|it| it.item_count).sum();
        view.synced_resources_count = resources.iter().filter(|it| it.last_synced_at.is_some()).count();
        Some(view)
    }
}

/// How a report is set up, without what was said in it or about it: earlier versions may have been written from everything that
/// there is, and so may the words of a model. A title that its owner gave goes out with the report.
fn without_words(it: DeliverableView) -> DeliverableView {
    let title = if it.titled_by_model { it.deliverable_type.clone() } else { it.title };
    DeliverableView { title, description: None, latest_version: None, ..it }
}
