//! Facts of [`DeliverableStore`](crate::deliverables::DeliverableStore).

use futures::future::join_all;

use super::Ports;
use super::fixtures::{ANA, ben, created, deliverable, fresh, is_conflict, is_missing, minute, resource};
use crate::deliverables::{
    DeliverableOrigin, DeliverableStatus, Destination, NewDeliverable, ReportOptions, ReportType, Schedule, SourceRef,
    TriggerType,
};
use crate::id::{DeliverableId, UserId};

async fn listed(ports: &Ports, user: UserId) -> Vec<DeliverableId> {
    ports.deliverables.list(user).await.unwrap().into_iter().map(|it| it.id).collect()
}

async fn scheduled(ports: &Ports, minutes: i64) -> DeliverableId {
    let new = NewDeliverable { next_run_at: Some(minute(minutes)), ..deliverable(ANA) };
    let id = new.id;
    ports.deliverables.create(new).await.unwrap();
    id
}

/// What is created reads back the same.
pub async fn create_stores_what_was_given(ports: &Ports) {
    let schedule = Schedule::parse("biweekly", Some("friday"), Some("17:30"), Some("Europe/Berlin")).unwrap();
    let source = |text: &str| SourceRef { resource: resource(text), resource_name: format!("{text} “name”") };
    let mail = || Destination::Email { address: "ana@example.com".parse().unwrap() };
    let destinations = [
        vec![Destination::Folder { path: None }],
        vec![Destination::Folder { path: Some("/srv/Berichte ö".to_owned()) }],
        vec![mail(), Destination::Slack { channel: "#general".to_owned() }, Destination::Folder { path: None }],
    ];
    let options = ReportOptions { min_evidence_percent: Some(80), says_when_quiet: true, learns_from_edits: false };
    for (destinations, type_name) in destinations.into_iter().zip(["custom", "weekly_status", "meeting_prep"]) {
        let new = NewDeliverable {
            report_type: ReportType::parse(type_name).unwrap(),
            sources: vec![source("gmail:INBOX"), source("calendar:team@example.com"), source("slack:C1")],
            destinations,
            options: options.clone(),
            origin: if type_name == "custom" { DeliverableOrigin::SignalEmergent } else { DeliverableOrigin::AnalystSuggested },
            trigger: if type_name == "custom" { TriggerType::Manual } else { TriggerType::Schedule },
            schedule: (type_name != "custom").then_some(schedule),
            next_run_at: Some(minute(9)),
            description: None,
            ..deliverable(ANA)
        };
        ports.deliverables.create(new.clone()).await.unwrap();
        let stored = ports.deliverables.get(ANA, new.id).await.unwrap();
        assert_eq!((stored.id, stored.user, stored.title, stored.description), (new.id, ANA, new.title, new.description));
        assert_eq!(stored.report_type.as_str(), type_name);
        assert_eq!(stored.report_type, new.report_type);
        assert_eq!((stored.sources, stored.destinations, stored.schedule), (new.sources, new.destinations, new.schedule));
        assert_eq!((stored.options, stored.origin, stored.trigger), (new.options, new.origin, new.trigger));
        assert_eq!((stored.next_run_at, stored.last_run_at, stored.created_at), (Some(minute(9)), None, minute(0)));
        assert_eq!(stored.status, DeliverableStatus::Active);
    }
}

/// An id is given once, and to a user who exists.
pub async fn create_refuses_a_taken_id_and_an_unknown_user(ports: &Ports) {
    let new = deliverable(ANA);
    ports.deliverables.create(new.clone()).await.unwrap();
    assert!(is_conflict(&ports.deliverables.create(new).await));
    assert!(is_missing(&ports.deliverables.create(deliverable(UserId::from_uuid(fresh()))).await));
}

/// Another user's deliverable does not exist, for any verb.
pub async fn get_and_others_see_only_the_users_own(ports: &Ports) {
    let (ben, id) = (ben(ports).await, scheduled(ports, 1).await);
    assert!(is_missing(&ports.deliverables.get(ben, id).await));
    assert!(is_missing(&ports.deliverables.get(ANA, DeliverableId::from_uuid(fresh())).await));
    assert!(is_missing(&ports.deliverables.set_status(ben, id, DeliverableStatus::Archived, minute(1)).await));
    assert!(is_missing(&ports.deliverables.reschedule(ben, id, minute(1), None).await));
    assert_eq!((listed(ports, ben).await, ports.deliverables.due(ben, minute(9)).await.unwrap().len()), (vec![], 0));
    assert_eq!(ports.deliverables.get(ANA, id).await.unwrap().next_run_at, Some(minute(1)));
}

/// In the order of creation, without archived ones.
pub async fn list_is_in_the_order_of_creation(ports: &Ports) {
    let mut ids = vec![];
    for minutes in [3, 1, 2] {
        let new = NewDeliverable { at: minute(minutes), ..deliverable(ANA) };
        ids.push((minutes, new.id));
        ports.deliverables.create(new).await.unwrap();
    }
    ids.sort();
    assert_eq!(listed(ports, ANA).await, ids.iter().map(|it| it.1).collect::<Vec<_>>());
    ports.deliverables.set_status(ANA, ids[1].1, DeliverableStatus::Archived, minute(4)).await.unwrap();
    ports.deliverables.set_status(ANA, ids[0].1, DeliverableStatus::Paused, minute(4)).await.unwrap();
    assert_eq!(listed(ports, ANA).await, [ids[0].1, ids[2].1]);
    assert_eq!(ports.deliverables.get(ANA, ids[1].1).await.unwrap().status, DeliverableStatus::Archived);
}

/// Any status may follow any other.
pub async fn set_status_pauses_and_resumes(ports: &Ports) {
    let id = created(ports, ANA).await;
    for status in [DeliverableStatus::Paused, DeliverableStatus::Active, DeliverableStatus::Archived] {
        ports.deliverables.set_status(ANA, id, status, minute(1)).await.unwrap();
        assert_eq!(ports.deliverables.get(ANA, id).await.unwrap().status, status);
    }
}

/// Active ones whose instant is not after now, oldest first; those without one never.
pub async fn due_finds_what_should_run(ports: &Ports) {
    let (second, first, later, paused) =
        (scheduled(ports, 2).await, scheduled(ports, 1).await, scheduled(ports, 9).await, scheduled(ports, 1).await);
    created(ports, ANA).await;
    ports.deliverables.set_status(ANA, paused, DeliverableStatus::Paused, minute(0)).await.unwrap();
    let due = |minutes| async move {
        let due = ports.deliverables.due(ANA, minute(minutes)).await.unwrap();
        due.into_iter().map(|it| it.id).collect::<Vec<_>>()
    };
    assert_eq!((due(0).await, due(1).await, due(2).await), (vec![], vec![first], vec![first, second]));
    assert_eq!(due(9).await, [first, second, later]);
}

/// The next run moves only if it still is what the caller saw.
pub async fn reschedule_compares_before_it_moves(ports: &Ports) {
    let id = scheduled(ports, 1).await;
    assert!(is_conflict(&ports.deliverables.reschedule(ANA, id, minute(2), Some(minute(8))).await));
    ports.deliverables.reschedule(ANA, id, minute(1), Some(minute(8))).await.unwrap();
    assert!(is_conflict(&ports.deliverables.reschedule(ANA, id, minute(1), Some(minute(9))).await));
    assert_eq!(ports.deliverables.get(ANA, id).await.unwrap().next_run_at, Some(minute(8)));
    ports.deliverables.reschedule(ANA, id, minute(8), None).await.unwrap();
    assert_eq!(ports.deliverables.get(ANA, id).await.unwrap().next_run_at, None);
    assert!(is_conflict(&ports.deliverables.reschedule(ANA, id, minute(8), None).await));
}

/// Of many who move the same instant at once, one succeeds.
pub async fn reschedule_at_once_succeeds_once(ports: &Ports) {
    let id = scheduled(ports, 1).await;
    let answers = join_all((2..10).map(|it| ports.deliverables.reschedule(ANA, id, minute(1), Some(minute(it))))).await;
    assert_eq!(answers.iter().filter(|it| it.is_ok()).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|it| it.is_ok() || is_conflict(it)), "{answers:?}");
}
