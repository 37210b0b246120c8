//! Facts of [`EventStore`](crate::deliverables::EventStore).

use futures::future::join_all;
use serde_json::json;

use super::Ports;
use super::fixtures::{ANA, ben, created, deliverable, fresh, is_missing, is_over, minute, resume};
use crate::deliverables::{
    Cooldown, CooldownKind, DeliverableOrigin, DeliverableStatus, EventTrigger, FireEvent, Fired, Listen, NewDeliverable,
    TriggerType,
};
use crate::id::{DeliverableId, JobId, UserId};
use crate::jobs::{JobFilter, JobKey, KeyHolds, NewJob};
use crate::platform::Platform;

fn trigger(platform: Platform) -> EventTrigger {
    EventTrigger {
        platform,
        event_types: vec!["message".to_owned()],
        resource_ids: vec!["C1".to_owned()],
        sender_filter: vec![],
        keyword_filter: vec!["outage “ö”".to_owned()],
        cooldown: Cooldown { per: CooldownKind::PerChannel, duration_minutes: 30, max_triggers: 2 },
    }
}

/// The job that an event sets going, one at a time for each deliverable.
fn job(deliverable: DeliverableId, wish: &str) -> NewJob {
    let key = Some(JobKey { key: deliverable.to_string(), holds: KeyHolds::Active });
    NewJob { key, ..NewJob::new(JobId::from_uuid(fresh()), "test_run", json!({ "wish": wish })) }
}

/// An event at a minute, with a window of ten minutes and one run in it.
pub(super) fn event(deliverable: DeliverableId, id: &str, minutes: i64) -> FireEvent {
    FireEvent {
        user: ANA,
        deliverable,
        event_id: id.to_owned(),
        platform: Platform::Slack,
        event_type: "message".to_owned(),
        resource_id: Some("C1".to_owned()),
        cooldown_key: format!("{deliverable}:channel:C1"),
        since: minute(minutes - 10),
        max_triggers: 1,
        job: job(deliverable, "none"),
        at: minute(minutes),
    }
}

/// Waits from a minute on, whatever the limit.
fn to(user: UserId, deliverable: DeliverableId, trigger: Option<EventTrigger>, minutes: i64) -> Listen {
    Listen { user, deliverable, trigger, slots: None, at: minute(minutes) }
}

/// Waits for events of Slack, beside fewer than so many.
pub(super) fn listens(deliverable: DeliverableId, slots: u32) -> Listen {
    Listen { slots: Some(slots), ..to(ANA, deliverable, Some(trigger(Platform::Slack)), 1) }
}

async fn runs(ports: &Ports) -> usize {
    let filter = JobFilter { kind: Some("test_run".to_owned()), limit: 99, ..JobFilter::default() };
    ports.job_admin.list(&filter).await.unwrap().len()
}

async fn listening(ports: &Ports, user: UserId, platform: Platform) -> Vec<DeliverableId> {
    ports.events.listening(user, platform).await.unwrap().into_iter().map(|(it, _)| it.id).collect()
}

/// What a deliverable waits for reads back, and takes the place of its clock; without it, it waits for nothing.
pub async fn listen_sets_and_takes_away_a_trigger(ports: &Ports) {
    let (ben, id) = (ben(ports).await, created(ports, ANA).await);
    assert!(is_missing(&ports.events.listen(to(ben, id, Some(trigger(Platform::Slack)), 1)).await));
    ports.events.listen(to(ANA, id, Some(trigger(Platform::Slack)), 1)).await.unwrap();
    let (deliverable, read) = ports.events.listening(ANA, Platform::Slack).await.unwrap().remove(0);
    assert_eq!((deliverable.id, deliverable.trigger, deliverable.next_run_at), (id, TriggerType::Event, None));
    assert_eq!(deliverable.schedule, None, "the clock is gone, and may be set again");
    assert_eq!(read, trigger(Platform::Slack));
    ports.events.listen(to(ANA, id, None, 2)).await.unwrap();
    assert_eq!(listening(ports, ANA, Platform::Slack).await, []);
    assert_eq!(ports.deliverables.get(ANA, id).await.unwrap().trigger, TriggerType::Manual);
}

/// What a signal called for takes a slot when it waits for events, if it is active.
pub async fn listen_keeps_to_the_slots(ports: &Ports) {
    let once = NewDeliverable { origin: DeliverableOrigin::SignalEmergent, ..deliverable(ANA) };
    ports.deliverables.create(once.clone()).await.unwrap();
    created(ports, ANA).await;
    assert!(is_over(&ports.events.listen(listens(once.id, 1)).await));
    assert_eq!(ports.deliverables.get(ANA, once.id).await.unwrap().trigger, TriggerType::Manual, "nothing is done");
    ports.deliverables.set_status(ANA, once.id, DeliverableStatus::Paused, minute(1)).await.unwrap();
    ports.events.listen(listens(once.id, 1)).await.unwrap();
    assert!(is_over(&resume(ports, once.id, Some(1)).await), "it is counted when it is resumed");
    resume(ports, once.id, Some(2)).await.unwrap();
}

/// Active ones of the user and the platform, in the order of creation.
pub async fn listening_is_what_may_run(ports: &Ports) {
    let (first, paused, other) = (created(ports, ANA).await, created(ports, ANA).await, created(ports, ANA).await);
    created(ports, ANA).await;
    for (id, platform) in [(first, Platform::Slack), (paused, Platform::Slack), (other, Platform::Gmail)] {
        ports.events.listen(to(ANA, id, Some(trigger(platform)), 1)).await.unwrap();
    }
    ports.deliverables.set_status(ANA, paused, DeliverableStatus::Paused, minute(2)).await.unwrap();
    assert_eq!(listening(ports, ANA, Platform::Slack).await, [first]);
    assert_eq!(listening(ports, ANA, Platform::Gmail).await, [other]);
    assert_eq!(listening(ports, ben(ports).await, Platform::Slack).await, []);
}

/// An event that is told twice sets going once, also when the first was skipped.
pub async fn fire_knows_an_event_again(ports: &Ports) {
    let (id, second) = (created(ports, ANA).await, created(ports, ANA).await);
    assert_eq!(ports.events.fire(event(id, "Ev1", 0)).await.unwrap(), Fired::Executed);
    assert_eq!(ports.events.fire(event(id, "Ev1", 100)).await.unwrap(), Fired::Repeated);
    assert_eq!(ports.events.fire(event(id, "Ev2", 1)).await.unwrap(), Fired::Skipped);
    assert_eq!(ports.events.fire(event(id, "Ev2", 100)).await.unwrap(), Fired::Repeated);
    assert_eq!(runs(ports).await, 1);
    assert_eq!(ports.events.fire(event(second, "Ev1", 1)).await.unwrap(), Fired::Executed, "another deliverable has not seen it");
}

/// What was set going within the window counts, by its key; what was skipped does not.
pub async fn fire_waits_while_it_cools_down(ports: &Ports) {
    let id = created(ports, ANA).await;
    let two = |name: &str, minutes| FireEvent { max_triggers: 2, ..event(id, name, minutes) };
    for (name, minutes, expected) in
        [("a", 0, Fired::Executed), ("b", 1, Fired::Executed), ("c", 2, Fired::Skipped), ("d", 10, Fired::Executed)]
    {
        assert_eq!(ports.events.fire(two(name, minutes)).await.unwrap(), expected, "{name}");
    }
    let elsewhere = FireEvent { cooldown_key: format!("{id}:channel:C2"), ..two("e", 10) };
    assert_eq!(ports.events.fire(elsewhere).await.unwrap(), Fired::Executed);
}

/// A run that is refused is logged as failed and stops no later event.
pub async fn fire_says_when_a_run_is_refused(ports: &Ports) {
    let id = created(ports, ANA).await;
    ports.jobs.enqueue(vec![job(id, "other")]).await.unwrap();
    assert!(matches!(ports.events.fire(event(id, "a", 0)).await.unwrap(), Fired::Failed { .. }));
    assert_eq!(ports.events.fire(event(id, "a", 1)).await.unwrap(), Fired::Repeated);
    let same = FireEvent { job: job(id, "other"), ..event(id, "b", 2) };
    assert_eq!(
        ports.events.fire(same).await.unwrap(),
        Fired::Executed,
        "the run that waits reads it too, and nothing cools down"
    );
    assert_eq!(runs(ports).await, 1);
}

/// Of many events at once no more than allowed set a run going.
pub async fn fire_at_once_keeps_the_limit(ports: &Ports) {
    let id = created(ports, ANA).await;
    let answers = join_all((0..8).map(|it| ports.events.fire(event(id, &format!("Ev{}", it / 2), 0)))).await;
    let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers.iter().filter(|it| **it == Fired::Executed).count(), 1, "{answers:?}");
    assert_eq!(answers.iter().filter(|it| **it == Fired::Skipped).count(), 3, "{answers:?}");
    assert_eq!(runs(ports).await, 1);
}

/// Nobody sets another's going.
pub async fn fire_needs_the_users_own_deliverable(ports: &Ports) {
    let (ben, id) = (ben(ports).await, created(ports, ANA).await);
    assert!(is_missing(&ports.events.fire(FireEvent { user: ben, ..event(id, "a", 0) }).await));
    assert_eq!(runs(ports).await, 0);
}
