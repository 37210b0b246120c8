//! Facts of [`Outbox`](crate::delivery::Outbox). Messages are queued with the version's step.

use futures::future::join_all;

use super::Ports;
use super::fixtures::{ANA, ben, finished, fresh, is_conflict, is_missing, letter, minute, queued_version};
use crate::delivery::{ChannelKind, HeldDecision, MessageState, OutboxMessage, Settlement};
use crate::id::{MessageId, VersionId};

async fn only_message(ports: &Ports) -> OutboxMessage {
    let version = queued_version(ports, vec![letter("d/1/folder")]).await;
    ports.outbox.messages(ANA, version.id).await.unwrap().pop().unwrap()
}

async fn again(ports: &Ports, message: &OutboxMessage) -> OutboxMessage {
    ports.outbox.messages(ANA, message.version.unwrap()).await.unwrap().pop().unwrap()
}

fn sent() -> Settlement {
    Settlement::Sent { external_id: "out/a.md\nout/a.html".to_owned() }
}

fn refused() -> Settlement {
    Settlement::Failed { error: "the folder is full".to_owned() }
}

fn unknown() -> Settlement {
    Settlement::Unknown { error: "timed out\0".to_owned() }
}

/// A message of which nobody can say whether it arrived, after one attempt at minute 1.
async fn held(ports: &Ports) -> OutboxMessage {
    let message = only_message(ports).await;
    ports.outbox.start(ANA, message.id, minute(1)).await.unwrap();
    let settlement = Settlement::Held { error: "look into the channel".to_owned() };
    ports.outbox.settle(ANA, message.id, 1, settlement, minute(2)).await.unwrap();
    again(ports, &message).await
}

/// The messages of a version by key, as they were queued.
pub async fn messages_are_by_key_and_as_they_were_queued(ports: &Ports) {
    let letters = ["b", "a", "B", "é", "a/b"].map(letter);
    let version = queued_version(ports, letters.to_vec()).await;
    let messages = ports.outbox.messages(ANA, version.id).await.unwrap();
    assert_eq!(messages.iter().map(|it| it.key.as_str()).collect::<Vec<_>>(), ["B", "a", "a/b", "b", "é"]);
    let (stored, queued) = (&messages[3], &letters[0]);
    assert_eq!((stored.id, stored.user, stored.version), (queued.id, ANA, Some(version.id)));
    assert_eq!((stored.channel, &stored.target, &stored.files), (ChannelKind::Folder, &queued.target, &queued.files));
    assert_eq!((stored.state, stored.attempts), (MessageState::Pending, 0));
    assert_eq!((&stored.external_id, &stored.error, stored.first_attempt_at), (&None, &None, None));
}

/// Another user sees none, and a version that is not there has none.
pub async fn messages_are_shown_to_their_owner(ports: &Ports) {
    let (ben, message) = (ben(ports).await, only_message(ports).await);
    assert_eq!(ports.outbox.messages(ben, message.version.unwrap()).await.unwrap(), []);
    assert_eq!(ports.outbox.messages(ANA, VersionId::from_uuid(fresh())).await.unwrap(), []);
    assert!(is_missing(&ports.outbox.start(ben, message.id, minute(1)).await));
    ports.outbox.start(ANA, message.id, minute(1)).await.unwrap();
    assert!(is_missing(&ports.outbox.settle(ben, message.id, 1, sent(), minute(2)).await));
    assert!(is_missing(&ports.outbox.start(ANA, MessageId::from_uuid(fresh()), minute(1)).await));
    assert_eq!(again(ports, &message).await.state, MessageState::Sending);
}

/// Beginning an attempt counts it; neither it nor its end changes what is sent.
pub async fn start_counts_the_attempt(ports: &Ports) {
    let message = only_message(ports).await;
    let found = [MessageState::Pending, MessageState::Failed, MessageState::Failed];
    for (attempt, found) in (1..4).zip(found) {
        let started = ports.outbox.start(ANA, message.id, minute(1)).await.unwrap();
        assert_eq!((started.state, started.attempts, started.first_attempt_at), (found, attempt, Some(minute(1))));
        assert_eq!(again(ports, &message).await.state, MessageState::Sending);
        ports.outbox.settle(ANA, message.id, attempt, refused(), minute(2)).await.unwrap();
    }
    let last = again(ports, &message).await;
    assert_eq!((last.state, last.error.as_deref(), last.external_id), (MessageState::Failed, Some("the folder is full"), None));
    assert_eq!((last.files, last.key, last.target, last.channel), (message.files, message.key, message.target, message.channel));
}

/// What was sent is not sent again.
pub async fn start_refuses_what_was_sent(ports: &Ports) {
    let message = only_message(ports).await;
    ports.outbox.start(ANA, message.id, minute(1)).await.unwrap();
    ports.outbox.settle(ANA, message.id, 1, refused(), minute(2)).await.unwrap();
    ports.outbox.start(ANA, message.id, minute(3)).await.unwrap();
    ports.outbox.settle(ANA, message.id, 2, sent(), minute(4)).await.unwrap();
    assert!(is_conflict(&ports.outbox.start(ANA, message.id, minute(5)).await));
    let last = again(ports, &message).await;
    assert_eq!((last.state, last.attempts, last.error), (MessageState::Sent, 2, None));
    assert_eq!(last.external_id.as_deref(), Some("out/a.md\nout/a.html"));
    ports.versions.advance(finished(message.version.unwrap())).await.unwrap();
}

/// The caller learns in what state the message was: whether it has to ask first.
pub async fn start_answers_the_state_that_it_found(ports: &Ports) {
    let message = only_message(ports).await;
    let ends = [None, Some(unknown()), Some(refused()), None, Some(unknown())];
    let found = [
        MessageState::Pending,
        MessageState::Sending,
        MessageState::Unknown,
        MessageState::Failed,
        MessageState::Sending,
        MessageState::Unknown,
    ];
    for ((attempt, found), end) in (1..).zip(found).zip(ends.into_iter().chain([None])) {
        let started = ports.outbox.start(ANA, message.id, minute(1)).await.unwrap();
        assert_eq!((started.state, started.attempts), (found, attempt));
        assert_eq!(again(ports, &message).await.state, MessageState::Sending);
        if let Some(end) = end {
            ports.outbox.settle(ANA, message.id, attempt, end, minute(2)).await.unwrap();
        }
    }
}

/// Since when it is in doubt is kept; an attempt that certainly sent nothing begins anew.
pub async fn start_keeps_since_when_it_is_in_doubt(ports: &Ports) {
    let message = only_message(ports).await;
    for ((attempt, end), since) in (1..).zip([refused(), unknown(), unknown(), sent()]).zip([10, 20, 20, 20]) {
        let started = ports.outbox.start(ANA, message.id, minute(10 * i64::from(attempt))).await.unwrap();
        assert_eq!((started.attempts, started.first_attempt_at), (attempt, Some(minute(since))));
        ports.outbox.settle(ANA, message.id, attempt, end, minute(99)).await.unwrap();
        assert_eq!(again(ports, &message).await.first_attempt_at, Some(minute(since)));
    }
}

/// What waits for a person is not sent.
pub async fn start_refuses_what_is_held(ports: &Ports) {
    let message = held(ports).await;
    assert_eq!((message.state, message.error.as_deref()), (MessageState::Held, Some("look into the channel")));
    assert!(is_conflict(&ports.outbox.start(ANA, message.id, minute(3)).await));
    assert!(is_conflict(&ports.outbox.settle(ANA, message.id, 1, sent(), minute(3)).await));
    assert_eq!(again(ports, &message).await, message);
}

/// Only the attempt that was begun last may end, and only once.
pub async fn settle_ends_the_last_attempt(ports: &Ports) {
    let message = only_message(ports).await;
    assert!(is_conflict(&ports.outbox.settle(ANA, message.id, 0, sent(), minute(1)).await), "nothing was begun");
    ports.outbox.start(ANA, message.id, minute(1)).await.unwrap();
    ports.outbox.start(ANA, message.id, minute(2)).await.unwrap();
    assert!(is_conflict(&ports.outbox.settle(ANA, message.id, 1, sent(), minute(3)).await));
    assert_eq!(again(ports, &message).await.state, MessageState::Sending);
    ports.outbox.settle(ANA, message.id, 2, refused(), minute(3)).await.unwrap();
    assert!(is_conflict(&ports.outbox.settle(ANA, message.id, 2, sent(), minute(4)).await));
    assert_eq!(again(ports, &message).await.state, MessageState::Failed);
}

/// What is in doubt says so until its end is known.
pub async fn settle_keeps_a_doubt_until_it_is_gone(ports: &Ports) {
    let message = only_message(ports).await;
    ports.outbox.start(ANA, message.id, minute(1)).await.unwrap();
    ports.outbox.settle(ANA, message.id, 1, unknown(), minute(2)).await.unwrap();
    let doubted = again(ports, &message).await;
    assert_eq!((doubted.state, doubted.error.as_deref()), (MessageState::Unknown, Some("timed out\u{fffd}")));
    ports.outbox.start(ANA, message.id, minute(3)).await.unwrap();
    ports.outbox.settle(ANA, message.id, 2, sent(), minute(4)).await.unwrap();
    let arrived = again(ports, &message).await;
    assert_eq!((arrived.state, arrived.error, arrived.attempts), (MessageState::Sent, None, 2));
}

/// Of many attempts that begin at once all do, one after the other, and only the last may end.
pub async fn start_at_once_lets_the_last_settle(ports: &Ports) {
    let message = only_message(ports).await;
    let started = join_all((0..6).map(|_| ports.outbox.start(ANA, message.id, minute(1)))).await;
    let mut started: Vec<_> = started.into_iter().map(|it| it.unwrap()).collect();
    started.sort_unstable_by_key(|it| it.attempts);
    let attempts: Vec<_> = started.iter().map(|it| it.attempts).collect();
    assert_eq!(attempts, [1, 2, 3, 4, 5, 6]);
    let found: Vec<_> = started.iter().map(|it| it.state).collect();
    assert_eq!((found[0], &found[1..]), (MessageState::Pending, &[MessageState::Sending; 5][..]));
    let settled = join_all(attempts.iter().map(|it| ports.outbox.settle(ANA, message.id, *it, sent(), minute(2)))).await;
    assert_eq!(settled.iter().map(Result::is_ok).collect::<Vec<_>>(), [false, false, false, false, false, true]);
}

/// A person saw it: it is sent, and never again.
pub async fn decide_that_it_arrived_ends_it(ports: &Ports) {
    let message = held(ports).await;
    let decided = ports.outbox.decide(ANA, message.id, HeldDecision::Arrived, minute(3)).await.unwrap();
    assert_eq!((decided.state, decided.error.clone(), decided.attempts), (MessageState::Sent, None, 1));
    assert_eq!(again(ports, &message).await, decided);
    assert!(is_conflict(&ports.outbox.start(ANA, message.id, minute(4)).await));
    ports.versions.advance(finished(message.version.unwrap())).await.unwrap();
}

/// A person missed it: it is sent once more, with the same bytes and under the same key.
pub async fn decide_to_send_again_takes_it_back(ports: &Ports) {
    let message = held(ports).await;
    let decided = ports.outbox.decide(ANA, message.id, HeldDecision::SendAgain, minute(3)).await.unwrap();
    assert_eq!(decided, OutboxMessage { state: MessageState::Pending, error: None, ..message.clone() });
    assert_eq!(again(ports, &message).await, decided);
    let started = ports.outbox.start(ANA, message.id, minute(4)).await.unwrap();
    assert_eq!((started.state, started.attempts, started.first_attempt_at), (MessageState::Pending, 2, Some(minute(4))));
    assert!(is_conflict(&ports.outbox.settle(ANA, message.id, 1, sent(), minute(5)).await), "of the attempt before");
    ports.outbox.settle(ANA, message.id, 2, sent(), minute(5)).await.unwrap();
}

/// Nobody decides about a message that is not held.
pub async fn decide_needs_a_held_message(ports: &Ports) {
    let message = only_message(ports).await;
    for (attempt, end) in (1..).zip([refused(), unknown(), sent()]) {
        assert!(is_conflict(&ports.outbox.decide(ANA, message.id, HeldDecision::SendAgain, minute(1)).await), "{end:?}");
        ports.outbox.start(ANA, message.id, minute(1)).await.unwrap();
        assert!(is_conflict(&ports.outbox.decide(ANA, message.id, HeldDecision::SendAgain, minute(1)).await), "{end:?}");
        ports.outbox.settle(ANA, message.id, attempt, end, minute(2)).await.unwrap();
    }
    assert!(is_conflict(&ports.outbox.decide(ANA, message.id, HeldDecision::SendAgain, minute(3)).await));
    assert_eq!(again(ports, &message).await.state, MessageState::Sent);
}

/// Another user decides nothing, and a message that is not there waits for nobody.
pub async fn decide_needs_the_users_own_message(ports: &Ports) {
    let (ben, message) = (ben(ports).await, held(ports).await);
    assert!(is_missing(&ports.outbox.decide(ben, message.id, HeldDecision::Arrived, minute(3)).await));
    let unknown = MessageId::from_uuid(fresh());
    assert!(is_missing(&ports.outbox.decide(ANA, unknown, HeldDecision::Arrived, minute(3)).await));
    assert_eq!(again(ports, &message).await, message);
}

/// Of decisions at once the first counts.
pub async fn decide_at_once_succeeds_once(ports: &Ports) {
    let message = held(ports).await;
    let decisions = [HeldDecision::Arrived, HeldDecision::SendAgain].into_iter().cycle().take(6);
    let decided = join_all(decisions.map(|it| ports.outbox.decide(ANA, message.id, it, minute(3)))).await;
    assert_eq!(decided.iter().filter(|it| it.is_ok()).count(), 1, "{decided:?}");
    assert!(decided.iter().all(|it| it.is_ok() || is_conflict(it)), "{decided:?}");
}
