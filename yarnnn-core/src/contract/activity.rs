//! Facts of [`ActivityLog`](crate::activity::ActivityLog). Lines are written with the run they tell of.

use serde_json::json;
use uuid::Uuid;

use super::Ports;
use super::fixtures::{ANA, begin, ben, channel, created, fresh, last_page, line, minute};
use crate::activity::{ActivityKind, NewActivity};
use crate::id::{DeliverableId, UserId};
use crate::sync::{Finished, PageCommit, Progress};

async fn write(ports: &Ports, user: UserId, key: Uuid, summary: &str, minutes: i64) {
    let run = begin(ports, user, &channel()).await;
    let activity = Some(line(ActivityKind::PlatformSynced, key, summary));
    let progress = Progress::Finished(Finished { activity, ..Finished::default() });
    ports.content.commit(PageCommit { progress, ..last_page(&run, vec![], minutes) }).await.unwrap();
}

async fn summaries(ports: &Ports, user: UserId, limit: u32) -> Vec<String> {
    ports.activity.recent(user, limit).await.unwrap().into_iter().map(|it| it.summary).collect()
}

/// Newest first, and at most as many as asked for.
pub async fn recent_is_newest_first_and_limited(ports: &Ports) {
    for (summary, minutes) in [("second", 2), ("first", 1), ("third", 3)] {
        write(ports, ANA, fresh(), summary, minutes).await;
    }
    assert_eq!(summaries(ports, ANA, 9).await, ["third", "second", "first"]);
    assert_eq!(summaries(ports, ANA, 2).await, ["third", "second"]);
    assert_eq!(summaries(ports, ANA, 0).await, [""; 0]);
}

/// A line reads back as it was written.
pub async fn recent_reads_back_what_was_written(ports: &Ports) {
    let key = fresh();
    write(ports, ANA, key, "Synced ¼ of “Slack”", 1).await;
    let stored = ports.activity.recent(ANA, 1).await.unwrap().pop().unwrap();
    assert_eq!((stored.kind, stored.key, stored.created_at), (ActivityKind::PlatformSynced, key, minute(1)));
    assert_eq!(stored.metadata, line(ActivityKind::PlatformSynced, key, "").metadata);
}

/// A second line with the same kind and key is not written, and what it came with is.
pub async fn recent_has_one_line_per_key(ports: &Ports) {
    let key = fresh();
    write(ports, ANA, key, "once", 1).await;
    write(ports, ANA, key, "twice", 2).await;
    assert_eq!(summaries(ports, ANA, 9).await, ["once"]);
    let status = ports.content.coverage(ANA, &[channel()]).await.unwrap().pop().unwrap();
    assert_eq!(status.last_synced_at, Some(minute(2)));
}

/// Only the given user's lines.
pub async fn recent_shows_nobody_elses(ports: &Ports) {
    let (ben, key) = (ben(ports).await, fresh());
    write(ports, ANA, key, "Ana's", 1).await;
    write(ports, ben, key, "Ben's", 2).await;
    assert_eq!(summaries(ports, ANA, 9).await, ["Ana's"]);
    assert_eq!(summaries(ports, ben, 9).await, ["Ben's"]);
}

/// Any number of heartbeats hides nothing, and what is older than asked for is left out.
pub async fn deeds_leave_heartbeats_out(ports: &Ports) {
    let ben = ben(ports).await;
    for (minutes, summary) in [(1, "old"), (2, "first"), (3, "second")] {
        write(ports, ANA, fresh(), summary, minutes).await;
    }
    for minutes in 4..40 {
        let run = begin(ports, ANA, &channel()).await;
        let activity = Some(line(ActivityKind::SchedulerHeartbeat, fresh(), "round"));
        let progress = Progress::Finished(Finished { activity, ..Finished::default() });
        ports.content.commit(PageCommit { progress, ..last_page(&run, vec![], minutes) }).await.unwrap();
    }
    let deeds = |user: UserId, limit: u32| async move {
        let lines = ports.activity.deeds(user, minute(2), limit).await.unwrap();
        lines.into_iter().map(|it| it.summary).collect::<Vec<_>>()
    };
    assert_eq!(
        (deeds(ANA, 9).await, deeds(ANA, 1).await),
        (vec!["second".to_owned(), "first".to_owned()], vec!["second".to_owned()])
    );
    assert_eq!(deeds(ben, 9).await, [""; 0]);
}

/// Of this deliverable of the user, and with an error; the newest first, and at most as many as asked for.
pub async fn failures_are_of_a_deliverable_and_newest_first(ports: &Ports) {
    let (ben, id, another) = (ben(ports).await, created(ports, ANA).await, created(ports, ANA).await);
    let told = |user, deliverable: DeliverableId, kind, error: Option<&str>, minutes| {
        let metadata = json!({ "deliverable_id": deliverable, "error": error });
        let line = NewActivity { metadata, ..line(kind, fresh(), error.unwrap_or("none")) };
        ports.notices.log(user, line, minute(minutes))
    };
    told(ANA, id, ActivityKind::DeliverableRun, Some("first"), 1).await.unwrap();
    told(ANA, id, ActivityKind::DeliverableRun, Some("second"), 2).await.unwrap();
    told(ANA, id, ActivityKind::DeliverableRun, None, 3).await.unwrap();
    told(ANA, id, ActivityKind::DeliverableGenerated, Some("another kind"), 4).await.unwrap();
    told(ANA, another, ActivityKind::DeliverableRun, Some("another's"), 5).await.unwrap();
    told(ben, id, ActivityKind::DeliverableRun, Some("Ben's"), 6).await.unwrap();
    let failures = |limit| async move {
        let lines = ports.activity.failures(ANA, id, limit).await.unwrap();
        lines.into_iter().map(|it| it.summary).collect::<Vec<_>>()
    };
    assert_eq!(
        (failures(9).await, failures(1).await),
        (vec!["second".to_owned(), "first".to_owned()], vec!["second".to_owned()])
    );
}

/// A thousand heartbeats hide nothing else, and are read apart.
pub async fn heartbeats_are_read_apart(ports: &Ports) {
    let (ben, beats) = (ben(ports).await, 1_000);
    write(ports, ANA, fresh(), "news", 1).await;
    let beat = |it: i64| (ANA, line(ActivityKind::SchedulerHeartbeat, fresh(), &it.to_string()));
    ports.heartbeats.tell((0..beats).map(beat).collect(), minute(2)).await.unwrap();
    write(ports, ANA, fresh(), "more news", 3).await;
    assert_eq!(summaries(ports, ANA, 9).await, ["more news", "news"]);
    assert_eq!(ports.activity.heartbeats(ANA, 5_000).await.unwrap().len(), 1_000);
    assert_eq!(ports.activity.heartbeats(ANA, 9).await.unwrap().len(), 9);
    assert_eq!(ports.activity.heartbeats(ben, 9).await.unwrap().len(), 0);
}
