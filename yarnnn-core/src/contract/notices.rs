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
    NewNotice { user, version: version.id, message, job, at: minute(12) }
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
    let notices = ports.notices.notices(ANA, version.id).await.unwrap();
    assert_eq!(notices.len(), 1);
    assert_eq!((notices[0].id, &notices[0].key, &notices[0].files), (told.id, &told.key, &told.files));
    assert_eq!((notices[0].state, notices[0].channel, &notices[0].target), (MessageState::Pending, told.channel, &told.target));
    // Sent and settled as any other.
    let started = ports.outbox.start(ANA, told.id, minute(13)).await.unwrap();
    let sent = Settlement::Sent { external_id: "m1".to_owned() };
    ports.outbox.settle(ANA, told.id, started.attempts, sent, minute(13)).await.unwrap();
    assert_eq!(ports.notices.notices(ANA, version.id).await.unwrap()[0].state, MessageState::Sent);
    assert_eq!(ports.outbox.messages(ANA, version.id).await.unwrap()[0].state, MessageState::Pending);
    assert_eq!(ports.notices.notices(ben(ports).await, version.id).await.unwrap(), []);
}

/// It is stored with the step that it tells of and its job, or not at all, and once for all tries.
pub async fn notices_come_with_their_step(ports: &Ports) {
    let version = queued_version(ports, vec![]).await;
    let told = |commit| StepCommit { notice: Some(letter("n")), follow_up: vec![job("n")], ..commit };
    assert!(ports.versions.advance(told(StepCommit { expected: Step::Verified, ..finished(version.id) })).await.is_err());
    assert_eq!((ports.notices.notices(ANA, version.id).await.unwrap().len(), jobs(ports).await), (0, 0));
    ports.versions.advance(told(failed(version.id, Step::Queued))).await.unwrap();
    ports.versions.hold(super::fixtures::hold(version.id, &super::fixtures::me(), 11)).await.unwrap();
    ports.versions.advance(told(failed(version.id, Step::Queued))).await.unwrap();
    assert_eq!((ports.notices.notices(ANA, version.id).await.unwrap().len(), jobs(ports).await), (1, 1));
}

/// One key, one notice, one job; and only about one's own versions.
pub async fn notify_stores_once(ports: &Ports) {
    let (ben, version) = (ben(ports).await, opened(ports).await);
    assert!(is_missing(&ports.notices.notify(notice(ben, &version, letter("n"))).await));
    for _ in 0..2 {
        ports.notices.notify(notice(ANA, &version, letter("n"))).await.unwrap();
    }
    assert_eq!((ports.notices.notices(ANA, version.id).await.unwrap().len(), jobs(ports).await), (1, 1));
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
