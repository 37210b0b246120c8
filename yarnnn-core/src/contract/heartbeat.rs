//! Facts of [`HeartbeatStore`](crate::heartbeat::HeartbeatStore).

use uuid::Uuid;

use super::Ports;
use super::connection_fixtures::account;
use super::fixtures::{ANA, begin, ben, channel, clean_some, clean_under, deliverable, fresh, last_page, line, message, minute};
use super::job_fixtures::job_for;
use crate::activity::ActivityKind;
use crate::connections::Provider;
use crate::deliverables::{DeliverableOrigin, EndSlot, Fire, FireSlot, NewDeliverable, SlotOutcome};
use crate::heartbeat::{AskNumbers, UserNumbers};
use crate::id::UserId;
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
        let end = EndSlot { user, deliverable: id, due_at: minute(1), outcome, cancelled: false, line: None, at: minute(11) };
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
    // As a tick does that is cut short and made again.
    assert_eq!(clean_some(ports, (user, key), before, 1).await, 1);
    clean_under(ports, (user, key), before).await;
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
    let bens = UserNumbers { user: ben, fired: 1, skipped: 0, signals: 2, cleaned: 1 };
    assert_eq!(found, [bens, UserNumbers { user: ANA, fired: 3, skipped: 1, signals: 0, cleaned: 3 }]);
    let next = AskNumbers { cycle: minute(15), since: minute(10), ..ask(fresh()) };
    assert_eq!(
        numbers(ports, &next).await,
        [UserNumbers { fired: 0, signals: 1, cleaned: 0, ..bens }],
        "its own moment is the next's"
    );
    let other = AskNumbers { cycle: minute(20), since: minute(15), ..ask(fresh()) };
    assert_eq!(numbers(ports, &other).await, [], "nothing is due, and nothing connected");
}

/// Whoever has a row of the tick, of whichever sort, page by page; nobody else, whatever is connected or will be due.
pub async fn numbers_are_of_those_for_whom_something_was_done(ports: &Ports) {
    let (ben, key) = (ben(ports).await, fresh());
    ports.deliverables.create(NewDeliverable { next_run_at: Some(minute(99)), ..deliverable(ANA) }).await.unwrap();
    ports.connections.connect(account(ben, Provider::Slack, "T1")).await.unwrap();
    assert_eq!(users(ports, &ask(key)).await, []);
    let only = |user| UserNumbers { user, fired: 0, skipped: 0, signals: 0, cleaned: 0 };
    cleaned(ports, ANA, 2, key).await;
    assert_eq!(numbers(ports, &ask(key)).await, [UserNumbers { cleaned: 2, ..only(ANA) }]);
    emerged(ports, ben, 6).await;
    let mut both = [UserNumbers { cleaned: 2, ..only(ANA) }, UserNumbers { signals: 1, ..only(ben) }];
    both.sort_by_key(|it| it.user);
    assert_eq!(numbers(ports, &ask(key)).await, both);
    assert_eq!(numbers(ports, &AskNumbers { limit: 1, ..ask(key) }).await, both[..1]);
    assert_eq!(numbers(ports, &AskNumbers { after: Some(both[0].user), ..ask(key) }).await, both[1..]);
    fired(ports, both[1].user, false).await;
    let rest = AskNumbers { after: Some(both[0].user), limit: 1, ..ask(key) };
    assert_eq!(numbers(ports, &rest).await, [UserNumbers { fired: 1, ..both[1] }], "who has rows of two sorts is one");
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
