//! Facts of [`LifecycleStore`](crate::deliverables::LifecycleStore).

use futures::future::join_all;

use super::Ports;
use super::fixtures::{ANA, ben, created, deliverable, fresh, is_conflict, is_missing, minute, open_after, opened, run_state};
use crate::deliverables::{
    DeliverableOrigin, DeliverableStatus, EnableSuggestion, NewDeliverable, NewSuggestion, PromoteDeliverable, Schedule, Step,
    SuggestionReason, TriggerType, VersionStatus,
};
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
    EnableSuggestion { user, version, next_run_at: Some(minute(60)), at: minute(20) }
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
    let emergent = NewDeliverable { origin: DeliverableOrigin::SignalEmergent, ..deliverable(ANA) };
    ports.deliverables.create(emergent.clone()).await.unwrap();
    let promote = |user, deliverable| PromoteDeliverable {
        user,
        deliverable,
        schedule: Schedule::parse("daily", None, Some("07:30"), None).unwrap(),
        next_run_at: minute(90),
        at: minute(5),
    };
    let ben = ben(ports).await;
    assert!(is_missing(&ports.lifecycle.promote(promote(ben, emergent.id)).await));
    assert!(is_missing(&ports.lifecycle.promote(promote(ANA, DeliverableId::from_uuid(fresh()))).await));
    ports.lifecycle.promote(promote(ANA, emergent.id)).await.unwrap();
    let stored = ports.deliverables.get(ANA, emergent.id).await.unwrap();
    assert_eq!((stored.trigger, stored.origin), (TriggerType::Schedule, DeliverableOrigin::SignalEmergent));
    assert_eq!((stored.schedule, stored.next_run_at), (Some(promote(ANA, emergent.id).schedule), Some(minute(90))));
    assert!(is_conflict(&ports.lifecycle.promote(promote(ANA, emergent.id)).await), "it has one already");
    let own = created(ports, ANA).await;
    assert!(is_conflict(&ports.lifecycle.promote(promote(ANA, own)).await), "its user made it");
}
