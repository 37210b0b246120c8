//! Facts of [`HeartbeatStore`](crate::heartbeat::HeartbeatStore).

use uuid::Uuid;

use super::Ports;
use super::connection_fixtures::account;
use super::fixtures::{ANA, begin, ben, channel, deliverable, fresh, last_page, line, message, minute};
use super::job_fixtures::job_for;
use crate::activity::ActivityKind;
use crate::cleanup::Clean;
use crate::connections::Provider;
use crate::deliverables::{DeliverableOrigin, EndSlot, Fire, FireSlot, NewDeliverable, SlotOutcome};
use crate::heartbeat::{AskNumbers, UserNumbers};
use crate::id::{ActivityId, UserId};
use crate::platform::Platform;

fn ask(key: Uuid) -> AskNumbers {
    AskNumbers { cycle: minute(10), since: minute(5), cleanup: key, after: None, limit: 9 }
}

async fn numbers(ports: &Ports, ask: &AskNumbers) -> Vec<UserNumbers> {
    ports.heartbeats.numbers(ask).await.unwrap()
}

async fn users(ports: &Ports, ask: &AskNumbers) -> Vec<UserId> {
    numbers(ports, ask).await.into_iter().map(|it| it.user).collect()
}

/// Fires a slot of the user in the tick of minute 10, and perhaps skips it.
async fn fired(ports: &Ports, user: UserId, skipped: bool) {
    let new = NewDeliverable { next_run_at: Some(minute(1)), ..deliverable(user) };
    let id = new.id;
    ports.deliverables.create(new).await.unwrap();
    let slot = FireSlot {
        user,
        deliverable: id,
        slot: "x".to_owned(),
        due_at: minute(1),
        next: None,
        late: false,
        missed: 0,
        line: line(ActivityKind::DeliverableScheduled, fresh(), "x"),
        job: job_for(user),
    };
    ports.slots.fire(Fire { lease: None, cycle: Some(minute(10)), slots: vec![slot], at: minute(10) }).await.unwrap();
    if skipped {
        let outcome = SlotOutcome::Skipped;
        let end = EndSlot { user, deliverable: id, due_at: minute(1), outcome, line: None, at: minute(11) };
        ports.slots.end(end).await.unwrap();
    }
}

async fn emerged(ports: &Ports, user: UserId, minutes: i64) {
    let origin = DeliverableOrigin::SignalEmergent;
    ports.deliverables.create(NewDeliverable { origin, at: minute(minutes), ..deliverable(user) }).await.unwrap();
}

async fn cleaned(ports: &Ports, user: UserId, items: usize, key: Uuid) {
    let run = begin(ports, user, &channel()).await;
    let items = (0..items).map(|it| message(&it.to_string(), "x")).collect();
    ports.content.commit(last_page(&run, items, 1)).await.unwrap();
    let before = minute(2) + Platform::Slack.time_to_live();
    let line = ActivityId::from_uuid(fresh());
    ports.retention.clean(Clean { user, before, line, key, at: before }).await.unwrap();
}

/// Everything that stands in rows of a user is the user's own.
pub async fn numbers_are_the_users_own(ports: &Ports) {
    let (ben, key) = (ben(ports).await, fresh());
    for (user, count) in [(ANA, 3), (ben, 1)] {
        for index in 0..count {
            fired(ports, user, index == 0 && user == ANA).await;
        }
        cleaned(ports, user, count, key).await;
    }
    // The tick has the moment that follows the one before, up to its own.
    for minutes in [4, 5, 9, 10] {
        emerged(ports, ben, minutes).await;
    }
    let mut found = numbers(ports, &ask(key)).await;
    found.sort_by_key(|it| it.fired);
    let ben = UserNumbers { user: ben, fired: 1, skipped: 0, signals: 2, cleaned: 1 };
    assert_eq!(found, [ben, UserNumbers { user: ANA, fired: 3, skipped: 1, signals: 0, cleaned: 3 }]);
    let other = AskNumbers { cycle: minute(15), since: minute(10), ..ask(fresh()) };
    assert_eq!(numbers(ports, &other).await, [], "nothing is due, and nothing connected");
}

/// Those whom the scheduler serves, page by page.
pub async fn numbers_are_of_those_who_are_served(ports: &Ports) {
    let ben = ben(ports).await;
    assert_eq!(users(ports, &ask(fresh())).await, []);
    ports.deliverables.create(NewDeliverable { next_run_at: Some(minute(99)), ..deliverable(ANA) }).await.unwrap();
    assert_eq!(users(ports, &ask(fresh())).await, [ANA]);
    ports.connections.connect(account(ben, Provider::Slack, "T1")).await.unwrap();
    let mut both = [ANA, ben];
    both.sort();
    assert_eq!(users(ports, &ask(fresh())).await, both);
    assert_eq!(users(ports, &AskNumbers { limit: 1, ..ask(fresh()) }).await, both[..1]);
    assert_eq!(users(ports, &AskNumbers { after: Some(both[0]), ..ask(fresh()) }).await, both[1..]);
}

/// Each line once under its key, and to its own user.
pub async fn tell_writes_each_line_once(ports: &Ports) {
    let (ben, key) = (ben(ports).await, fresh());
    let beat = |summary: &str| line(ActivityKind::SchedulerHeartbeat, key, summary);
    ports.heartbeats.tell(vec![(ANA, beat("Ana's")), (ben, beat("Ben's"))], minute(1)).await.unwrap();
    ports.heartbeats.tell(vec![(ANA, beat("again"))], minute(2)).await.unwrap();
    ports.heartbeats.tell(vec![], minute(3)).await.unwrap();
    for (user, summary) in [(ANA, "Ana's"), (ben, "Ben's")] {
        let told = ports.activity.heartbeats(user, 9).await.unwrap();
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].summary.as_str(), told[0].key, told[0].created_at), (summary, key, minute(1)));
        assert_eq!(told[0].metadata, beat("").metadata);
    }
}
