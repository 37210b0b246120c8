//! Facts of [`DeliverableStore`](crate::deliverables::DeliverableStore).

use futures::future::join_all;

use super::Ports;
use super::fixtures::{ANA, ben, created, deliverable, fresh, is_conflict, is_missing, is_over, minute, resource, resume};
use crate::deliverables::{
    DeliverableOrigin, DeliverableStatus, DeliverableUpdate, Destination, NewDeliverable, ReportOptions, ReportType,
    ResumeDeliverable, Schedule, ScheduleUpdate, SourceRef, TriggerType,
};
use crate::delivery::DownloadFormat;
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
        vec![Destination::GmailDraft { address: "ana@example.com".parse().unwrap() }],
        vec![Destination::Notion { page: "59833787-2cf9-4fdf-8782-e53db20768a5".to_owned() }],
        vec![Destination::Download { format: DownloadFormat::Markdown }],
        vec![Destination::Download { format: DownloadFormat::Html }, mail()],
        vec![mail(), Destination::Slack { channel: "#general".to_owned() }, Destination::Folder { path: None }],
    ];
    let options =
        ReportOptions { min_evidence_percent: Some(80), says_when_quiet: true, learns_from_edits: false, titled_by_owner: true };
    for (destinations, type_name) in destinations.into_iter().zip(["custom", "weekly_status", "meeting_prep"].into_iter().cycle())
    {
        let new = NewDeliverable {
            report_type: ReportType::parse(type_name).unwrap(),
            sources: vec![source("gmail:INBOX"), source("calendar:team@example.com"), source("slack:C1")],
            destinations,
            options: options.clone(),
            origin: if type_name == "custom" { DeliverableOrigin::SignalEmergent } else { DeliverableOrigin::AnalystSuggested },
            trigger: if type_name == "custom" { TriggerType::Manual } else { TriggerType::Schedule },
            schedule: (type_name != "custom").then(|| schedule.clone()),
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

/// Counted is what takes a slot: of its user, active, and not for one run of a signal's.
pub async fn create_keeps_to_the_slots(ports: &Ports) {
    let new = || NewDeliverable { slots: Some(2), ..deliverable(ANA) };
    let once = NewDeliverable { origin: DeliverableOrigin::SignalEmergent, ..new() };
    created(ports, ben(ports).await).await;
    ports.deliverables.create(new()).await.unwrap();
    let paused = created(ports, ANA).await;
    assert!(is_over(&ports.deliverables.create(new()).await));
    assert_eq!(listed(ports, ANA).await.len(), 2, "nothing is stored");
    ports.deliverables.create(once).await.unwrap();
    ports.deliverables.set_status(ANA, paused, DeliverableStatus::Paused, minute(1)).await.unwrap();
    ports.deliverables.create(new()).await.unwrap();
    assert!(is_over(&ports.deliverables.create(new()).await));
    ports.deliverables.create(deliverable(ANA)).await.unwrap();
}

/// Of many at once as many as allowed.
pub async fn create_at_once_keeps_to_the_slots(ports: &Ports) {
    let new = || NewDeliverable { slots: Some(3), ..deliverable(ANA) };
    let answers = join_all((0..8).map(|_| ports.deliverables.create(new()))).await;
    assert_eq!(answers.iter().filter(|it| it.is_ok()).count(), 3, "{answers:?}");
    assert!(answers.iter().all(|it| it.is_ok() || is_over(it)), "{answers:?}");
    assert_eq!(listed(ports, ANA).await.len(), 3);
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

/// An update of everything but the schedule, one minute after the creation.
async fn update(ports: &Ports, id: DeliverableId) -> DeliverableUpdate {
    let found = ports.deliverables.get(ANA, id).await.unwrap();
    DeliverableUpdate {
        id,
        user: ANA,
        seen: found.updated_at,
        title: "Märkte “heute”".to_owned(),
        description: None,
        sources: vec![],
        destinations: vec![Destination::Slack { channel: "#general".to_owned() }],
        options: ReportOptions {
            min_evidence_percent: Some(70),
            says_when_quiet: true,
            learns_from_edits: false,
            titled_by_owner: true,
        },
        schedule: None,
        at: minute(1),
    }
}

/// What is changed reads back the same, for a plain schedule, a cron line, one without a pinned minute, and none any more.
pub async fn update_changes_what_was_given(ports: &Ports) {
    let id = scheduled(ports, 5).await;
    let unpinned = Schedule::parse("monthly", Some("friday"), None, Some("Asia/Kolkata")).unwrap();
    let schedules = [
        Some(Schedule::parse("biweekly", Some("friday"), Some("17:30"), Some("Europe/Berlin")).unwrap()),
        Some(Schedule::custom("0 9  * * MON-fri", Some("America/New_York")).unwrap()),
        Some(unpinned.spread_over_hour(id.as_uuid())),
        None,
    ];
    for (minutes, schedule) in (1..).zip(schedules) {
        let trigger = if schedule.is_some() { TriggerType::Schedule } else { TriggerType::Manual };
        let next_run_at = schedule.is_some().then(|| minute(20 + minutes));
        let new = Some(ScheduleUpdate { trigger, schedule: schedule.clone(), next_run_at, slots: None });
        let asked = DeliverableUpdate { schedule: new, at: minute(minutes), ..update(ports, id).await };
        ports.deliverables.update(asked.clone()).await.unwrap();
        let stored = ports.deliverables.get(ANA, id).await.unwrap();
        assert_eq!((stored.title, stored.description, stored.sources), (asked.title, asked.description, asked.sources));
        assert_eq!((stored.destinations, stored.options), (asked.destinations, asked.options));
        assert_eq!((stored.schedule, stored.trigger, stored.next_run_at), (schedule, trigger, next_run_at));
        assert_eq!((stored.created_at, stored.updated_at), (minute(0), minute(minutes)));
    }
}

/// Without another schedule the next run stays where it is, also where it was moved to meanwhile.
pub async fn update_leaves_the_next_run_alone(ports: &Ports) {
    let id = scheduled(ports, 5).await;
    let asked = update(ports, id).await;
    ports.deliverables.reschedule(ANA, id, minute(5), Some(minute(8))).await.unwrap();
    ports.deliverables.update(asked).await.unwrap();
    assert_eq!(ports.deliverables.get(ANA, id).await.unwrap().next_run_at, Some(minute(8)));
}

/// One that was changed since it was seen is not changed, and neither is its schedule; another user's does not exist.
pub async fn update_compares_before_it_changes(ports: &Ports) {
    let (ben, id) = (ben(ports).await, scheduled(ports, 5).await);
    let schedule = Some(ScheduleUpdate { trigger: TriggerType::Manual, schedule: None, next_run_at: None, slots: None });
    let asked = DeliverableUpdate { schedule, ..update(ports, id).await };
    assert!(is_missing(&ports.deliverables.update(DeliverableUpdate { user: ben, ..asked.clone() }).await));
    let unknown = DeliverableUpdate { id: DeliverableId::from_uuid(fresh()), ..asked.clone() };
    assert!(is_missing(&ports.deliverables.update(unknown).await));
    ports.deliverables.set_status(ANA, id, DeliverableStatus::Paused, minute(3)).await.unwrap();
    assert!(is_conflict(&ports.deliverables.update(asked).await));
    let stored = ports.deliverables.get(ANA, id).await.unwrap();
    assert_eq!((stored.title.as_str(), stored.next_run_at), ("Weekly status", Some(minute(5))));
}

/// A schedule for what took no slot takes one.
pub async fn update_keeps_to_the_slots(ports: &Ports) {
    let once = NewDeliverable { origin: DeliverableOrigin::SignalEmergent, ..deliverable(ANA) };
    ports.deliverables.create(once.clone()).await.unwrap();
    created(ports, ANA).await;
    let schedule = Schedule::parse("daily", None, Some("07:30"), None).unwrap();
    let with = |slots| ScheduleUpdate {
        trigger: TriggerType::Schedule,
        schedule: Some(schedule.clone()),
        next_run_at: Some(minute(20)),
        slots: Some(slots),
    };
    let asked = update(ports, once.id).await;
    let over = DeliverableUpdate { schedule: Some(with(1)), ..asked.clone() };
    assert!(is_over(&ports.deliverables.update(over).await));
    let stored = ports.deliverables.get(ANA, once.id).await.unwrap();
    assert_eq!((stored.title.as_str(), stored.trigger), ("Weekly status", TriggerType::Manual), "nothing is changed");
    ports.deliverables.update(DeliverableUpdate { schedule: Some(with(2)), ..asked }).await.unwrap();
}

/// Of many who saw the same, one succeeds.
pub async fn update_at_once_succeeds_once(ports: &Ports) {
    let id = created(ports, ANA).await;
    let asked = update(ports, id).await;
    let answers = join_all((2..10).map(|it| {
        let title = format!("Title {it}");
        ports.deliverables.update(DeliverableUpdate { title, at: minute(it), ..asked.clone() })
    }))
    .await;
    assert_eq!(answers.iter().filter(|it| it.is_ok()).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|it| it.is_ok() || is_conflict(it)), "{answers:?}");
}

/// It makes nothing active.
pub async fn set_status_pauses_and_archives(ports: &Ports) {
    let id = created(ports, ANA).await;
    for status in [DeliverableStatus::Paused, DeliverableStatus::Archived] {
        ports.deliverables.set_status(ANA, id, status, minute(1)).await.unwrap();
        assert_eq!(ports.deliverables.get(ANA, id).await.unwrap().status, status);
        assert!(is_conflict(&ports.deliverables.set_status(ANA, id, DeliverableStatus::Active, minute(2)).await));
        assert_eq!(ports.deliverables.get(ANA, id).await.unwrap().status, status);
    }
}

/// What is paused becomes active, and nothing else does.
pub async fn resume_needs_what_is_paused(ports: &Ports) {
    let (ben, id) = (ben(ports).await, created(ports, ANA).await);
    assert!(is_conflict(&resume(ports, id, None).await), "it is active");
    ports.deliverables.set_status(ANA, id, DeliverableStatus::Paused, minute(0)).await.unwrap();
    let of_ben = ResumeDeliverable { id, user: ben, slots: None, at: minute(1) };
    assert!(is_missing(&ports.deliverables.resume(of_ben).await));
    resume(ports, id, Some(1)).await.unwrap();
    let stored = ports.deliverables.get(ANA, id).await.unwrap();
    assert_eq!((stored.status, stored.updated_at), (DeliverableStatus::Active, minute(1)));
    ports.deliverables.set_status(ANA, id, DeliverableStatus::Archived, minute(2)).await.unwrap();
    assert!(is_conflict(&resume(ports, id, None).await), "it is archived");
}

/// What is active beside as many others as allowed is not resumed; what takes no slot is.
pub async fn resume_keeps_to_the_slots(ports: &Ports) {
    let (ben, id) = (ben(ports).await, created(ports, ANA).await);
    let once = NewDeliverable { origin: DeliverableOrigin::SignalEmergent, ..deliverable(ANA) };
    ports.deliverables.create(once.clone()).await.unwrap();
    for it in [id, once.id] {
        ports.deliverables.set_status(ANA, it, DeliverableStatus::Paused, minute(0)).await.unwrap();
    }
    created(ports, ANA).await;
    created(ports, ben).await;
    assert!(is_over(&resume(ports, id, Some(1)).await));
    assert_eq!(ports.deliverables.get(ANA, id).await.unwrap().status, DeliverableStatus::Paused);
    resume(ports, once.id, Some(1)).await.unwrap();
    resume(ports, id, Some(2)).await.unwrap();
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
