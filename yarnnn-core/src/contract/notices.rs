//! Facts of [`Notices`](crate::delivery::Notices).

use serde_json::json;

use super::Ports;
use super::fixtures::{ANA, ben, failed, finished, fresh, is_missing, letter, minute, opened, queued_version};
use crate::activity::{ActivityKind, NewActivity};
use crate::deliverables::{Step, StepCommit, Version};
use crate::delivery::{MessageState, NewMessage, NewNotice, Settlement};
use crate::id::{ActivityId, JobId, UserId};
use crate::jobs::{JobFilter, JobKey, KeyHolds, NewJob};

fn job(key: &str) -> NewJob {
    let held = Some(JobKey { key: key.to_owned(), holds: KeyHolds::Forever });
    NewJob { key: held, ..NewJob::new(JobId::from_uuid(fresh()), "test_notice", json!({ "key": key })) }
}

fn notice(user: UserId, version: &Version, message: NewMessage) -> NewNotice {
    let job = job(&message.key);
    NewNotice { user, version: Some(version.id), message, job, at: minute(12) }
}

async fn jobs(ports: &Ports) -> usize {
    let filter = JobFilter { kind: Some("test_notice".to_owned()), limit: 99, ..JobFilter::default() };
    ports.job_admin.list(&filter).await.unwrap().len()
}

/// A notice is none of the messages by which a report arrives, nor what its delivery is called by.
pub async fn notices_are_apart_from_messages(ports: &Ports) {
    let version = queued_version(ports, vec![letter("d/v1/folder")]).await;
    let told = letter("a notice");
    ports.notices.notify(notice(ANA, &version, told.clone())).await.unwrap();
    let messages = ports.outbox.messages(ANA, version.id).await.unwrap();
    assert_eq!(messages.iter().map(|it| it.key.as_str()).collect::<Vec<_>>(), ["d/v1/folder"]);
    let found = async |user, key| ports.notices.notice(user, key).await.unwrap();
    let notice = found(ANA, &told.key).await.unwrap();
    assert_eq!((notice.id, &notice.key, &notice.files, notice.version), (told.id, &told.key, &told.files, Some(version.id)));
    assert_eq!((notice.state, notice.channel, &notice.target), (MessageState::Pending, told.channel, &told.target));
    assert_eq!(found(ANA, "d/v1/folder").await, None);
    // Sent and settled as any other.
    let started = ports.outbox.start(ANA, told.id, minute(13)).await.unwrap();
    let sent = Settlement::Sent { external_id: "m1".to_owned() };
    ports.outbox.settle(ANA, told.id, started.attempts, sent, minute(13)).await.unwrap();
    assert_eq!(found(ANA, &told.key).await.unwrap().state, MessageState::Sent);
    assert_eq!(ports.outbox.messages(ANA, version.id).await.unwrap()[0].state, MessageState::Pending);
    assert_eq!(found(ben(ports).await, &told.key).await, None);
}

/// It is stored with the step that it tells of and its job, or not at all, and once for all tries.
pub async fn notices_come_with_their_step(ports: &Ports) {
    let version = queued_version(ports, vec![]).await;
    let told = |commit| StepCommit { notice: Some(letter("n")), follow_up: vec![job("n")], ..commit };
    assert!(ports.versions.advance(told(StepCommit { expected: Step::Verified, ..finished(version.id) })).await.is_err());
    assert_eq!((ports.notices.notice(ANA, "n").await.unwrap(), jobs(ports).await), (None, 0));
    ports.versions.advance(told(failed(version.id, Step::Queued))).await.unwrap();
    ports.versions.hold(super::fixtures::hold(version.id, &super::fixtures::me(), 11)).await.unwrap();
    let first = ports.notices.notice(ANA, "n").await.unwrap().unwrap();
    ports.versions.advance(told(failed(version.id, Step::Queued))).await.unwrap();
    assert_eq!((ports.notices.notice(ANA, "n").await.unwrap().unwrap().id, jobs(ports).await), (first.id, 1));
}

/// One key, one notice, one job; and only about one's own versions.
pub async fn notify_stores_once(ports: &Ports) {
    let (ben, version) = (ben(ports).await, opened(ports).await);
    assert!(is_missing(&ports.notices.notify(notice(ben, &version, letter("n"))).await));
    let (first, second) = (letter("n"), letter("n"));
    let id = first.id;
    for message in [first, second] {
        ports.notices.notify(notice(ANA, &version, message)).await.unwrap();
    }
    assert_eq!((ports.notices.notice(ANA, "n").await.unwrap().unwrap().id, jobs(ports).await), (id, 1));
    assert_eq!(ports.notices.notice(ben, "n").await.unwrap(), None);
}

/// A run that ended before it had a version is told of as any other, and is none of any version's messages.
pub async fn notify_tells_of_a_run_without_a_version(ports: &Ports) {
    let version = queued_version(ports, vec![letter("d/v1/folder")]).await;
    let told = letter("n");
    ports.notices.notify(NewNotice { version: None, ..notice(ANA, &version, told.clone()) }).await.unwrap();
    ports.notices.notify(NewNotice { version: None, ..notice(ANA, &version, letter("n")) }).await.unwrap();
    assert_eq!((ports.notices.notice(ANA, "n").await.unwrap().unwrap().id, jobs(ports).await), (told.id, 1));
    assert_eq!(ports.notices.notice(ben(ports).await, "n").await.unwrap(), None);
    assert_eq!(ports.outbox.messages(ANA, version.id).await.unwrap().len(), 1);
    let started = ports.outbox.start(ANA, told.id, minute(13)).await.unwrap();
    assert_eq!((started.version, &started.files), (None, &told.files));
    let sent = Settlement::Sent { external_id: "m1".to_owned() };
    ports.outbox.settle(ANA, told.id, started.attempts, sent, minute(13)).await.unwrap();
    assert_eq!(ports.notices.notice(ANA, "n").await.unwrap().unwrap().state, MessageState::Sent);
    // That it had none does not keep a later try of it, with a version, from being told once.
    ports.notices.notify(notice(ANA, &version, letter("n"))).await.unwrap();
    assert_eq!((ports.notices.notice(ANA, "n").await.unwrap().unwrap().version, jobs(ports).await), (None, 1));
}

/// A line of the log that belongs to no other commit is written once, and to nobody else's log.
pub async fn log_writes_a_line_once(ports: &Ports) {
    let (ben, key) = (ben(ports).await, fresh());
    for minutes in [3, 4] {
        let line = NewActivity {
            id: ActivityId::from_uuid(fresh()),
            kind: ActivityKind::DeliverableRun,
            key,
            summary: "ended without a report".to_owned(),
            metadata: json!({ "error": "no key" }),
        };
        ports.notices.log(ANA, line, minute(minutes)).await.unwrap();
    }
    let lines = ports.activity.recent(ANA, 9).await.unwrap();
    let lines: Vec<_> = lines.iter().filter(|it| it.key == key).collect();
    assert_eq!(lines.len(), 1);
    assert_eq!((lines[0].kind, lines[0].created_at), (ActivityKind::DeliverableRun, minute(3)));
    assert!(ports.activity.recent(ben, 9).await.unwrap().iter().all(|it| it.key != key));
}
