//! Facts of [`Outbox`](crate::delivery::Outbox). Messages are queued with the version's step.

use futures::future::join_all;

use super::Ports;
use super::fixtures::{ANA, ben, finished, fresh, is_conflict, is_missing, letter, minute, queued_version};
use crate::delivery::{ChannelKind, MessageState, OutboxMessage, Settlement};
use crate::id::{MessageId, VersionId};

async fn only_message(ports: &Ports) -> OutboxMessage {
    let version = queued_version(ports, vec![letter("d/1/folder")]).await;
    ports.outbox.messages(ANA, version.id).await.unwrap().pop().unwrap()
}

async fn again(ports: &Ports, message: &OutboxMessage) -> OutboxMessage {
    ports.outbox.messages(ANA, message.version).await.unwrap().pop().unwrap()
}

fn sent() -> Settlement {
    Settlement::Sent { external_id: "out/a.md\nout/a.html".to_owned() }
}

fn refused() -> Settlement {
    Settlement::Failed { error: "the folder is full".to_owned() }
}

/// The messages of a version by key, as they were queued.
pub async fn messages_are_by_key_and_as_they_were_queued(ports: &Ports) {
    let letters = ["b", "a", "B", "é", "a/b"].map(letter);
    let version = queued_version(ports, letters.to_vec()).await;
    let messages = ports.outbox.messages(ANA, version.id).await.unwrap();
    assert_eq!(messages.iter().map(|it| it.key.as_str()).collect::<Vec<_>>(), ["B", "a", "a/b", "b", "é"]);
    let (stored, queued) = (&messages[3], &letters[0]);
    assert_eq!((stored.id, stored.user, stored.version), (queued.id, ANA, version.id));
    assert_eq!((stored.channel, &stored.target, &stored.files), (ChannelKind::Folder, &queued.target, &queued.files));
    assert_eq!((stored.state, stored.attempts), (MessageState::Pending, 0));
    assert_eq!((&stored.external_id, &stored.error), (&None, &None));
}

/// Another user sees none, and a version that is not there has none.
pub async fn messages_are_shown_to_their_owner(ports: &Ports) {
    let (ben, message) = (ben(ports).await, only_message(ports).await);
    assert_eq!(ports.outbox.messages(ben, message.version).await.unwrap(), []);
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
    ports.versions.advance(finished(message.version)).await.unwrap();
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

/// Of many attempts that begin at once all do, one after the other, and only the last may end.
pub async fn start_at_once_lets_the_last_settle(ports: &Ports) {
    let message = only_message(ports).await;
    let started = join_all((0..6).map(|_| ports.outbox.start(ANA, message.id, minute(1)))).await;
    let mut attempts: Vec<_> = started.into_iter().map(|it| it.unwrap().attempts).collect();
    attempts.sort_unstable();
    assert_eq!(attempts, [1, 2, 3, 4, 5, 6]);
    let settled = join_all(attempts.iter().map(|it| ports.outbox.settle(ANA, message.id, *it, sent(), minute(2)))).await;
    assert_eq!(settled.iter().map(Result::is_ok).collect::<Vec<_>>(), [false, false, false, false, false, true]);
}
