//! Facts of [`LifecycleStore`](crate::deliverables::LifecycleStore).

use futures::future::join_all;

use super::Ports;
use super::events::listens;
use super::fixtures::{
    ANA, ben, created, deliverable, fresh, is_conflict, is_missing, is_over, minute, open_after, opened, resume, run_state,
};
use crate::deliverables::{
    Deliverable, DeliverableOrigin, DeliverableStatus, DeliverableUpdate, EnableSuggestion, NewDeliverable, NewSuggestion,
    PromoteDeliverable, Schedule, ScheduleUpdate, Step, SuggestionReason, TriggerType, VersionStatus,
};
use crate::error::StoreError;
use crate::id::{DeliverableId, UserId, VersionId};

fn why() -> SuggestionReason {
    SuggestionReason {
        confidence: 0.75,
        detected_pattern: "asks every Monday".to_owned(),
        source_sessions: vec![fresh()],
        detection_reason: "“three” weeks in a row".to_owned(),
    }
}

fn suggestion(user: UserId, minutes: i64) -> NewSuggestion {
    let schedule = Some(Schedule::parse("weekly", None, None, None).unwrap());
    let (origin, trigger) = (DeliverableOrigin::AnalystSuggested, TriggerType::Schedule);
    let next_run_at = Some(minute(5));
    NewSuggestion {
        deliverable: NewDeliverable { origin, trigger, schedule, next_run_at, at: minute(minutes), ..deliverable(user) },
        version: VersionId::from_uuid(fresh()),
        state: run_state(),
        why: why(),
    }
}

async fn suggested(ports: &Ports, minutes: i64) -> NewSuggestion {
    let new = suggestion(ANA, minutes);
    ports.lifecycle.suggest(new.clone()).await.unwrap();
    new
}

async fn waiting(ports: &Ports, user: UserId) -> Vec<VersionId> {
    ports.lifecycle.suggested(user, 9).await.unwrap().into_iter().map(|it| it.version).collect()
}

fn enable(user: UserId, version: VersionId) -> EnableSuggestion {
    EnableSuggestion { user, version, next_run_at: Some(minute(60)), slots: None, at: minute(20) }
}

fn promote(user: UserId, deliverable: DeliverableId) -> PromoteDeliverable {
    let schedule = Schedule::parse("daily", None, Some("07:30"), None).unwrap();
    PromoteDeliverable { user, deliverable, schedule, next_run_at: minute(90), slots: None, at: minute(5) }
}

/// A paused deliverable that no schedule sets going, and a first version that is no report.
pub async fn suggest_makes_a_paused_deliverable_and_its_reason(ports: &Ports) {
    let new = suggested(ports, 0).await;
    let stored = ports.deliverables.get(ANA, new.deliverable.id).await.unwrap();
    assert_eq!((stored.status, stored.origin), (DeliverableStatus::Paused, DeliverableOrigin::AnalystSuggested));
    assert_eq!((stored.next_run_at, stored.schedule), (None, new.deliverable.schedule));
    assert_eq!(ports.deliverables.due(ANA, minute(10_000)).await.unwrap().len(), 0);
    let version = ports.versions.version(ANA, new.version).await.unwrap();
    assert_eq!((version.number, version.status, version.step), (1, VersionStatus::Suggested, Step::Gathered));
    assert_eq!((version.draft, version.held_by), (None, None));
    assert_eq!(ports.versions.unfinished(ANA, new.deliverable.id).await.unwrap(), None);
    assert_eq!(ports.versions.open(open_after(ANA, new.deliverable.id, 1)).await.unwrap().number, 2);
}

/// One that cannot be stored leaves nothing behind.
pub async fn suggest_is_all_or_nothing(ports: &Ports) {
    let taken = opened(ports).await.id;
    let new = NewSuggestion { version: taken, ..suggestion(ANA, 0) };
    assert!(ports.lifecycle.suggest(new.clone()).await.is_err());
    assert!(is_missing(&ports.deliverables.get(ANA, new.deliverable.id).await));
}

/// Newest first, with what they are and why, and only the user's.
pub async fn suggested_is_newest_first_and_limited(ports: &Ports) {
    let (older, newer, ben) = (suggested(ports, 1).await, suggested(ports, 2).await, ben(ports).await);
    assert_eq!(waiting(ports, ANA).await, [newer.version, older.version]);
    assert_eq!(waiting(ports, ben).await, []);
    let shown = ports.lifecycle.suggested(ANA, 1).await.unwrap().remove(0);
    assert_eq!((shown.version, shown.deliverable, shown.why), (newer.version, newer.deliverable.id, newer.why));
    assert_eq!((shown.title, shown.report_type), (newer.deliverable.title, newer.deliverable.report_type));
    assert_eq!((shown.schedule, shown.created_at), (newer.deliverable.schedule, minute(2)));
    ports.deliverables.set_status(ANA, older.deliverable.id, DeliverableStatus::Archived, minute(3)).await.unwrap();
    assert_eq!(waiting(ports, ANA).await, [newer.version]);
}

/// Active, with a next run; the suggestion waits no more.
pub async fn enable_makes_it_run(ports: &Ports) {
    let new = suggested(ports, 0).await;
    ports.lifecycle.enable(enable(ANA, new.version)).await.unwrap();
    let stored = ports.deliverables.get(ANA, new.deliverable.id).await.unwrap();
    assert_eq!((stored.status, stored.next_run_at), (DeliverableStatus::Active, Some(minute(60))));
    assert_eq!(stored.origin, DeliverableOrigin::AnalystSuggested);
    assert_eq!(ports.versions.version(ANA, new.version).await.unwrap().status, VersionStatus::Approved);
    assert_eq!(waiting(ports, ANA).await, []);
    assert!(is_conflict(&ports.lifecycle.enable(enable(ANA, new.version)).await));
    assert!(is_conflict(&ports.lifecycle.dismiss(ANA, new.version, minute(21)).await));
    assert_eq!(ports.versions.reported(ANA, new.deliverable.id).await.unwrap(), [], "it is no report");
}

/// What is no suggestion, or whose deliverable is archived, is not taken up.
pub async fn enable_needs_a_suggestion(ports: &Ports) {
    let (ben, version) = (ben(ports).await, opened(ports).await);
    assert!(is_conflict(&ports.lifecycle.enable(enable(ANA, version.id)).await));
    let new = suggested(ports, 0).await;
    assert!(is_missing(&ports.lifecycle.enable(enable(ben, new.version)).await));
    ports.deliverables.set_status(ANA, new.deliverable.id, DeliverableStatus::Archived, minute(3)).await.unwrap();
    assert!(is_conflict(&ports.lifecycle.enable(enable(ANA, new.version)).await));
    assert_eq!(ports.versions.version(ANA, new.version).await.unwrap().status, VersionStatus::Suggested, "nothing of it is done");
}

/// Of many who decide at once one does.
pub async fn enable_at_once_succeeds_once(ports: &Ports) {
    let new = suggested(ports, 0).await;
    let answers = join_all((0..8).map(|_| ports.lifecycle.enable(enable(ANA, new.version)))).await;
    assert_eq!(answers.iter().filter(|it| it.is_ok()).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|it| it.is_ok() || is_conflict(it)), "{answers:?}");
}

/// Nothing of it is done where it would be one more than allowed.
pub async fn enable_keeps_to_the_slots(ports: &Ports) {
    let new = suggested(ports, 0).await;
    let other = created(ports, ANA).await;
    let over = EnableSuggestion { slots: Some(1), ..enable(ANA, new.version) };
    assert!(is_over(&ports.lifecycle.enable(over.clone()).await));
    assert_eq!(waiting(ports, ANA).await, [new.version]);
    assert_eq!(ports.deliverables.get(ANA, new.deliverable.id).await.unwrap().status, DeliverableStatus::Paused);
    ports.deliverables.set_status(ANA, other, DeliverableStatus::Paused, minute(1)).await.unwrap();
    ports.lifecycle.enable(over).await.unwrap();
}

/// The version is gone and the deliverable archived.
pub async fn dismiss_leaves_nothing_to_run(ports: &Ports) {
    let (ben, new) = (ben(ports).await, suggested(ports, 0).await);
    assert!(is_missing(&ports.lifecycle.dismiss(ben, new.version, minute(9)).await));
    ports.lifecycle.dismiss(ANA, new.version, minute(9)).await.unwrap();
    assert!(is_missing(&ports.versions.version(ANA, new.version).await));
    assert!(is_missing(&ports.lifecycle.dismiss(ANA, new.version, minute(9)).await));
    assert_eq!(ports.deliverables.get(ANA, new.deliverable.id).await.unwrap().status, DeliverableStatus::Archived);
    let version = opened(ports).await;
    assert!(is_conflict(&ports.lifecycle.dismiss(ANA, version.id, minute(9)).await), "a report is no suggestion");
}

/// It has the schedule, and was born as it was.
pub async fn promote_gives_a_schedule(ports: &Ports) {
    let emergent = called_for(ports).await;
    let ben = ben(ports).await;
    assert!(is_missing(&ports.lifecycle.promote(promote(ben, emergent)).await));
    assert!(is_missing(&ports.lifecycle.promote(promote(ANA, DeliverableId::from_uuid(fresh()))).await));
    ports.lifecycle.promote(promote(ANA, emergent)).await.unwrap();
    let stored = ports.deliverables.get(ANA, emergent).await.unwrap();
    assert_eq!((stored.trigger, stored.origin), (TriggerType::Schedule, DeliverableOrigin::SignalEmergent));
    assert_eq!((stored.schedule, stored.next_run_at), (Some(promote(ANA, emergent).schedule), Some(minute(90))));
    assert!(is_conflict(&ports.lifecycle.promote(promote(ANA, emergent)).await), "it has one already");
    let own = created(ports, ANA).await;
    assert!(is_conflict(&ports.lifecycle.promote(promote(ANA, own)).await), "its user made it");
}

/// What a signal called for takes a slot from then on, if it is active.
pub async fn promote_keeps_to_the_slots(ports: &Ports) {
    let (once, paused) = (called_for(ports).await, called_for(ports).await);
    ports.deliverables.set_status(ANA, paused, DeliverableStatus::Paused, minute(1)).await.unwrap();
    created(ports, ANA).await;
    let over = |id| ports.lifecycle.promote(PromoteDeliverable { slots: Some(1), ..promote(ANA, id) });
    assert!(is_over(&over(once).await));
    let stored = ports.deliverables.get(ANA, once).await.unwrap();
    assert_eq!((stored.trigger, stored.next_run_at), (TriggerType::Manual, None), "nothing is done");
    over(paused).await.unwrap();
    assert!(is_over(&resume(ports, paused, Some(1)).await), "it is counted when it is resumed");
}

async fn called_for(ports: &Ports) -> DeliverableId {
    let new = NewDeliverable { origin: DeliverableOrigin::SignalEmergent, ..deliverable(ANA) };
    let id = new.id;
    ports.deliverables.create(new).await.unwrap();
    id
}

/// What takes a slot when it is done.
enum Way {
    Enable(VersionId),
    Resume(DeliverableId),
    Promote(DeliverableId),
    Listen(DeliverableId),
    Edit(Box<Deliverable>),
}

/// One of each way, of which none takes a slot yet.
async fn ways(ports: &Ports) -> [Way; 5] {
    let (suggested, paused) = (suggested(ports, 0).await, created(ports, ANA).await);
    ports.deliverables.set_status(ANA, paused, DeliverableStatus::Paused, minute(1)).await.unwrap();
    let edited = called_for(ports).await;
    let edited = ports.deliverables.get(ANA, edited).await.unwrap();
    [
        Way::Enable(suggested.version),
        Way::Resume(paused),
        Way::Promote(called_for(ports).await),
        Way::Listen(called_for(ports).await),
        Way::Edit(Box::new(edited)),
    ]
}

async fn goes(ports: &Ports, way: Way, limit: u32) -> Result<(), StoreError> {
    let slots = Some(limit);
    match way {
        Way::Enable(version) => ports.lifecycle.enable(EnableSuggestion { slots, ..enable(ANA, version) }).await,
        Way::Resume(id) => resume(ports, id, slots).await,
        Way::Promote(id) => ports.lifecycle.promote(PromoteDeliverable { slots, ..promote(ANA, id) }).await,
        Way::Listen(id) => ports.events.listen(listens(id, limit)).await,
        Way::Edit(found) => {
            let (trigger, schedule) = (TriggerType::Schedule, Some(promote(ANA, found.id).schedule));
            let update = DeliverableUpdate {
                id: found.id,
                user: ANA,
                seen: found.updated_at,
                title: found.title,
                description: found.description,
                sources: found.sources,
                destinations: found.destinations,
                options: found.options,
                schedule: Some(ScheduleUpdate { trigger, schedule, next_run_at: Some(minute(60)), slots }),
                at: minute(1),
            };
            ports.deliverables.update(update).await
        }
    }
}

/// However many become active at once, in one way or in several, there are no more than allowed.
pub async fn enable_and_others_at_once_keep_to_the_slots(ports: &Ports) {
    let (mut alike, mut mixed) = ([const { Vec::new() }; 5], Vec::new());
    for _ in 0..8 {
        alike.iter_mut().zip(ways(ports).await).for_each(|(all, way)| all.push(way));
    }
    mixed.extend(ways(ports).await.into_iter().chain(ways(ports).await));
    for ways in alike.into_iter().chain([mixed]) {
        let answers = join_all(ways.into_iter().map(|it| goes(ports, it, 3))).await;
        let all = ports.deliverables.list(ANA).await.unwrap();
        let active: Vec<_> = all.iter().filter(|it| it.takes_slot()).collect();
        assert_eq!((active.len(), answers.iter().filter(|it| it.is_ok()).count()), (3, 3), "{answers:?}");
        assert!(answers.iter().all(|it| it.is_ok() || is_over(it)), "{answers:?}");
        for it in active {
            ports.deliverables.set_status(ANA, it.id, DeliverableStatus::Paused, minute(2)).await.unwrap();
        }
    }
}
