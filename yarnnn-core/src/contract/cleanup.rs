//! Facts of [`Retention`](crate::cleanup::Retention).

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;
use serde_json::json;

use super::Ports;
use super::events::event;
use super::fixtures::{
    ANA, begin, ben, channel, clean, clean_some, clean_under, created, everything, failed, finished, fresh, last_page, letter,
    line, live, message, message_at, minute, queued_version, row, rows, texts,
};
use super::signals::{done, pass_of, sets_going};
use super::slots::{due_at, fired, slot};
use crate::activity::ActivityKind;
use crate::cleanup::{EndedPasses, Old};
use crate::connections::{OAuthState, Provider};
use crate::deliverables::{EndSlot, Fired, SlotOutcome, Step};
use crate::delivery::{NewNotice, Settlement};
use crate::id::{JobId, UserId};
use crate::jobs::NewJob;
use crate::platform::Platform;
use crate::signals::{PassOutcome, PassStatus};
use crate::sync::{Retain, RetainReason};

/// The instant after which what was read at minute 1 has expired.
fn end() -> DateTime<Utc> {
    minute(1) + Platform::Slack.time_to_live() + TimeDelta::microseconds(1)
}

async fn of_ben(ports: &Ports) -> UserId {
    let ben = ben(ports).await;
    let run = begin(ports, ben, &channel()).await;
    ports.content.commit(last_page(&run, vec![message("1", "Ben's")], 1)).await.unwrap();
    ben
}

/// Those who have something that has expired and that nothing retains, page by page.
pub async fn owners_are_those_with_expired_items(ports: &Ports) {
    let ben = of_ben(ports).await;
    live(ports, vec![message("1", "x")], 1).await;
    let owners = |before, after, limit| ports.retention.owners(before, after, limit);
    assert_eq!(owners(end() - TimeDelta::microseconds(1), None, 9).await.unwrap(), [], "its last instant still counts");
    let mut both = [ANA, ben];
    both.sort();
    assert_eq!(owners(end(), None, 9).await.unwrap(), both);
    assert_eq!(owners(end(), None, 1).await.unwrap(), both[..1]);
    assert_eq!(owners(end(), Some(both[0]), 9).await.unwrap(), both[1..]);
    clean(ports, ben, end()).await;
    assert_eq!(owners(end(), None, 9).await.unwrap(), [ANA]);
}

/// Expired rows of the user go; retained ones stay, and so does what has not expired, or is another's.
pub async fn clean_deletes_what_nothing_retains(ports: &Ports) {
    let ben = of_ben(ports).await;
    let items: Vec<_> = (1..=4).map(|it| message(&it.to_string(), "x")).collect();
    let kept = items[0].id;
    live(ports, items, 1).await;
    let retain =
        Retain { user: ANA, ids: vec![kept], reason: RetainReason::DeliverableExecution, reference: None, at: minute(2) };
    ports.content.retain(&retain).await.unwrap();
    live(ports, vec![message_at("5", "later", 5)], 9).await;
    assert_eq!(clean(ports, ANA, end() - TimeDelta::microseconds(1)).await, 0);
    assert_eq!((clean(ports, ANA, end()).await, clean(ports, ANA, end()).await), (3, 0));
    assert_eq!(texts(ports, &everything(ANA)).await, ["later", "x"]);
    assert_eq!(row(ports, kept).await.content, "x");
    assert_eq!(clean(ports, ben, end()).await, 1);
}

/// However many there are.
pub async fn clean_takes_any_number(ports: &Ports) {
    live(ports, (0..2_345).map(|it| message(&it.to_string(), "x")).collect(), 1).await;
    assert_eq!(clean(ports, ANA, end()).await, 2_345);
    let line = ports.activity.recent(ANA, 1).await.unwrap().pop().unwrap();
    assert_eq!(line.metadata["items_deleted"], 2_345, "one line for all of them");
}

/// At most as many as asked for, what expired first going first; the line under the key tells of all of them, also when more expired since.
pub async fn clean_adds_to_the_line_of_its_key(ports: &Ports) {
    let key = fresh();
    live(ports, (0..3).map(|it| message(&it.to_string(), "first")).collect(), 1).await;
    live(ports, (3..5).map(|it| message_at(&it.to_string(), "last", it)).collect(), 2).await;
    let end = end() + TimeDelta::minutes(1);
    let some = |limit| clean_some(ports, (ANA, key), end, limit);
    assert_eq!(
        (some(2).await, texts(ports, &everything(ANA)).await),
        (2, vec!["last".to_owned(), "last".into(), "first".into()])
    );
    let told = async || {
        let lines = ports.activity.recent(ANA, 9).await.unwrap();
        let of_key: Vec<_> = lines.into_iter().filter(|it| it.kind == ActivityKind::ContentCleanup).collect();
        of_key.into_iter().map(|it| (it.key, it.summary, it.metadata["items_deleted"].as_u64())).collect::<Vec<_>>()
    };
    assert_eq!(told().await, [(key, "2 expired items were deleted".to_owned(), Some(2))]);
    assert_eq!((some(2).await, some(2).await, some(2).await), (2, 1, 0));
    assert_eq!(told().await, [(key, "5 expired items were deleted".to_owned(), Some(5))]);
}

/// Of several who clean up at once under one key each row is counted by one, and the line tells of all.
pub async fn clean_at_once_counts_each_row_once(ports: &Ports) {
    let key = fresh();
    live(ports, (0..40).map(|it| message(&it.to_string(), "x")).collect(), 1).await;
    let at_once: u64 = join_all((0..6).map(|_| clean_some(ports, (ANA, key), end(), 7))).await.into_iter().sum();
    let counted = at_once + clean_under(ports, (ANA, key), end()).await;
    let line = ports.activity.recent(ANA, 1).await.unwrap().pop().unwrap();
    assert_eq!((counted, line.key, line.metadata["items_deleted"].as_u64()), (40, key, Some(40)));
}

/// A revision outlives the one it replaced.
pub async fn clean_of_an_old_revision_leaves_the_new(ports: &Ports) {
    let (old, new) = (message("1", "old"), message("1", "new"));
    let (old_id, new_id) = (old.id, new.id);
    live(ports, vec![old], 1).await;
    live(ports, vec![new], 9).await;
    assert_eq!(clean(ports, ANA, end()).await, 1);
    assert_eq!(rows(ports, &[old_id]).await, []);
    assert_eq!((row(ports, new_id).await.is_current, row(ports, new_id).await.version_of), (true, None));
}

/// Each user is told of their own, and who lost nothing is told nothing.
pub async fn clean_tells_each_user_of_their_own(ports: &Ports) {
    let ben = of_ben(ports).await;
    live(ports, vec![message("1", "x"), message("2", "y")], 1).await;
    for user in [ANA, ben, ben] {
        clean(ports, user, end()).await;
    }
    for (user, items) in [(ANA, 2), (ben, 1)] {
        let lines = ports.activity.recent(user, 9).await.unwrap();
        let told: Vec<_> = lines.iter().filter(|it| it.kind == ActivityKind::ContentCleanup).collect();
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].metadata["items_deleted"], items);
    }
}

/// Passes that were left open end as failed, with a line that says why; those that are young stay open.
pub async fn end_passes_ends_what_was_left(ports: &Ports) {
    let (left, young) = (pass_of(ANA, 0), pass_of(ANA, 1));
    let (left_id, filter, total) = (left.id, left.filter, left.shown.total());
    for pass in [left, young] {
        ports.signals.begin(pass).await.unwrap();
    }
    let end = async |before| ports.retention.end_passes(minute(before), minute(9), None, 9).await.unwrap().ended;
    assert_eq!((end(0).await, end(1).await, end(1).await), (0, 1, 0));
    let passes = ports.signals.passes(ANA, 9).await.unwrap();
    let found: Vec<_> = passes.iter().map(|it| (it.outcome.clone(), it.ended_at)).collect();
    let outcome = PassOutcome::abandoned(filter, total);
    assert_eq!(found, [(None, None), (Some(outcome.clone()), Some(minute(9)))]);
    assert_eq!(outcome.status, PassStatus::Failed);
    let lines = ports.activity.recent(ANA, 9).await.unwrap();
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!((line.kind, line.key), (ActivityKind::SignalProcessed, left_id.as_uuid()));
    assert_eq!(line.metadata["error"].as_str(), outcome.error.as_deref());
}

/// At most as many as asked for, from a place on, and the place after which there may be more.
pub async fn end_passes_takes_no_more_than_asked(ports: &Ports) {
    for minutes in [2, 0, 1] {
        ports.signals.begin(pass_of(ANA, minutes)).await.unwrap();
    }
    let end = async |after| ports.retention.end_passes(minute(5), minute(9), after, 2).await.unwrap();
    let first = end(None).await;
    let open = ports.signals.passes(ANA, 9).await.unwrap().into_iter().filter(|it| it.outcome.is_none());
    assert_eq!(open.map(|it| it.started_at).collect::<Vec<_>>(), [minute(2)], "the oldest went first");
    let second = end(first.next).await;
    assert_eq!((first.ended, first.next.map(|it| it.0)), (2, Some(minute(1))));
    assert_eq!(second, EndedPasses { ended: 1, next: None });
    ports.signals.begin(pass_of(ANA, 0)).await.unwrap();
    assert_eq!(end(first.next).await.ended, 0, "what lies before the place is passed over");
    assert_eq!(end(None).await.ended, 1);
}

async fn forget(ports: &Ports, old: Old, before: DateTime<Utc>) -> u64 {
    ports.retention.forget(old, before, 99).await.unwrap()
}

/// What is older than a minute, and then what is older than a moment later.
async fn forgotten_after(ports: &Ports, old: Old, minutes: i64) -> (u64, u64) {
    let at = minute(minutes);
    (forget(ports, old, at).await, forget(ports, old, at + TimeDelta::microseconds(1)).await)
}

/// Sign-ins by their beginning.
pub async fn forget_sign_ins(ports: &Ports) {
    let begun = ports.oauth_states.issue(ANA, Provider::Slack, minute(0)).await.unwrap();
    assert_eq!(forgotten_after(ports, Old::SignIns, 0).await, (0, 1));
    let at = minute(0) + OAuthState::LIFE / 2;
    assert_eq!(ports.oauth_states.redeem(&begun, Provider::Slack, at).await.unwrap(), None);
}

/// Passes by their end, and open ones never; what was acted upon by when; and events.
pub async fn forget_what_signals_and_events_left(ports: &Ports) {
    let id = created(ports, ANA).await;
    done(ports, ANA, vec![sets_going(ANA, id, "a")], 5).await;
    let open = ports.signals.begin(pass_of(ANA, 0)).await.unwrap().id;
    let event = event(id, "e", 7);
    ports.events.fire(event.clone()).await.unwrap();
    assert_eq!(ports.events.fire(event.clone()).await.unwrap(), Fired::Repeated);
    assert_eq!(forgotten_after(ports, Old::Passes, 5).await, (0, 1));
    assert_eq!(forget(ports, Old::Passes, minute(99)).await, 0);
    assert_eq!(ports.signals.passes(ANA, 9).await.unwrap().iter().map(|it| it.id).collect::<Vec<_>>(), [open]);
    assert_eq!(forgotten_after(ports, Old::SignalHistory, 5).await, (0, 1));
    assert_eq!(ports.signals.history(ANA, 9).await.unwrap(), []);
    assert_eq!(forgotten_after(ports, Old::Events, 7).await, (0, 1));
    assert_ne!(ports.events.fire(event).await.unwrap(), Fired::Repeated, "it is no longer known");
}

/// Of each sort of line its own, by when it was written, and no other line.
pub async fn forget_lines_of_the_log(ports: &Ports) {
    let sorts = [
        (Old::Heartbeats, ActivityKind::SchedulerHeartbeat),
        (Old::PassLines, ActivityKind::SignalProcessed),
        (Old::CleanupLines, ActivityKind::ContentCleanup),
    ];
    for kind in sorts.map(|it| it.1).into_iter().chain([ActivityKind::DeliverableRun, ActivityKind::PlatformSynced]) {
        ports.notices.log(ANA, line(kind, fresh(), "old"), minute(3)).await.unwrap();
    }
    for (old, kind) in sorts {
        let left = async || {
            let (recent, beats) =
                (ports.activity.recent(ANA, 9).await.unwrap(), ports.activity.heartbeats(ANA, 9).await.unwrap());
            recent.into_iter().chain(beats).map(|it| it.kind).collect::<Vec<_>>()
        };
        let before = left().await.len();
        assert_eq!(forgotten_after(ports, old, 3).await, (0, 1));
        assert!(left().await.len() == before - 1 && !left().await.contains(&kind), "{kind:?}");
    }
    assert_eq!(ports.activity.recent(ANA, 9).await.unwrap().len(), 2);
}

/// Slots by their end, open ones never, and never the newest of a deliverable.
pub async fn forget_slots_but_the_newest(ports: &Ports) {
    let (a, b) = (due_at(ports, ANA, 1).await, due_at(ports, ANA, 1).await);
    for (id, due) in [(a, 1), (a, 101), (a, 201), (b, 1)] {
        fired(ports, vec![slot(ANA, id, due)]).await;
        if due != 101 {
            let end = EndSlot {
                user: ANA,
                deliverable: id,
                due_at: minute(due),
                outcome: SlotOutcome::NoNews,
                cancelled: false,
                line: None,
                at: minute(300),
            };
            ports.slots.end(end).await.unwrap();
        }
    }
    assert_eq!(forgotten_after(ports, Old::Slots, 300).await, (0, 1));
    let left = async |id, due| ports.slots.slot(ANA, id, minute(due)).await.unwrap().is_some();
    assert_eq!([left(a, 1).await, left(a, 101).await, left(a, 201).await, left(b, 1).await], [false, true, true, true]);
    assert_eq!(forget(ports, Old::Slots, minute(999)).await, 0);
}

/// Notices by their last attempt, whatever came of it; none that waits, none of a version that may be gone on with, and no report.
pub async fn forget_notices_that_are_over(ports: &Ports) {
    let (over, resumable) = (queued_version(ports, vec![letter("report")]).await, queued_version(ports, vec![]).await);
    let mut started = Vec::new();
    let of = [
        ("sent", Some(over.id)),
        ("failed", Some(over.id)),
        ("held", Some(over.id)),
        ("in doubt", Some(over.id)),
        ("sending", None),
        ("waits", Some(over.id)),
        ("resumable", Some(resumable.id)),
        ("never a version", None),
    ];
    for (key, version) in of {
        let (message, job) = (letter(key), NewJob::new(JobId::from_uuid(fresh()), "test_notice", json!({ "key": key })));
        let id = message.id;
        ports.notices.notify(NewNotice { user: ANA, version, message, job, at: minute(12) }).await.unwrap();
        started.push((id, key));
    }
    let report = ports.outbox.messages(ANA, over.id).await.unwrap().remove(0).id;
    for (id, key) in started.into_iter().chain([(report, "report")]).filter(|it| it.1 != "waits") {
        let settlement = match key {
            "failed" => Settlement::Failed { error: "not needed".to_owned() },
            "held" => Settlement::Held { error: "who knows".to_owned() },
            "in doubt" => Settlement::Unknown { error: "no answer".to_owned() },
            _ => Settlement::Sent { external_id: "m".to_owned() },
        };
        let attempt = ports.outbox.start(ANA, id, minute(if key == "sending" { 14 } else { 13 })).await.unwrap().attempts;
        if key == "sending" {
            continue;
        }
        ports.outbox.settle(ANA, id, attempt, settlement, minute(14)).await.unwrap();
    }
    ports.versions.advance(finished(over.id)).await.unwrap();
    ports.versions.advance(failed(resumable.id, Step::Queued)).await.unwrap();
    assert_eq!(forgotten_after(ports, Old::Notices, 14).await, (0, 6));
    for (key, _) in of {
        let is_left = ports.notices.notice(ANA, key).await.unwrap().is_some();
        assert_eq!(is_left, ["waits", "resumable"].contains(&key), "{key}");
    }
    assert_eq!(ports.outbox.messages(ANA, over.id).await.unwrap().len(), 1);
}

/// At most as many as asked for, the oldest first.
pub async fn forget_takes_no_more_than_asked(ports: &Ports) {
    for minutes in [3, 1, 2, 5, 4] {
        ports.notices.log(ANA, line(ActivityKind::SchedulerHeartbeat, fresh(), "x"), minute(minutes)).await.unwrap();
    }
    let some = || ports.retention.forget(Old::Heartbeats, minute(9), 2);
    assert_eq!(some().await.unwrap(), 2);
    let left = ports.activity.heartbeats(ANA, 9).await.unwrap();
    assert_eq!(left.iter().map(|it| it.created_at).collect::<Vec<_>>(), [minute(5), minute(4), minute(3)]);
    assert_eq!((some().await.unwrap(), some().await.unwrap(), some().await.unwrap()), (2, 1, 0));
}
