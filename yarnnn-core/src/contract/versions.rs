//! Facts of [`VersionStore`](crate::deliverables::VersionStore).

use chrono::TimeDelta;
use futures::future::join_all;

use super::Ports;
use super::fixtures::{
    ANA, ben, clean, created, failed, finished, fresh, hold, import, is_conflict, is_missing, letter, line, live, me, message,
    minute, open_after, opened, queued, queued_version, row, rows, run_state, sentence, staged, step, verified, verified_version,
    written,
};
use super::slots::{due_at, fired, slot};
use super::version_material::opened_with;
use crate::activity::ActivityKind;
use crate::deliverables::{
    DecideVersion, EndSlot, Hold, MaterialRef, NewFeedback, OpenVersion, Researched, RunState, SlotOutcome, Step, StepChange,
    StepCommit, Tally, Version, VersionStatus,
};
use crate::evidence::SentenceRecord;
use crate::hash::Sha256;
use crate::id::{ContentId, DeliverableId, VersionId};
use crate::pipeline::Holder;
use crate::platform::Platform;
use crate::sync::{Retain, RetainReason};

fn other() -> Holder {
    Holder::new("host/boot/2/start")
}

/// A new version has the number after the given one, its state, and its opener as holder.
pub async fn open_gives_the_next_number(ports: &Ports) {
    let deliverable = created(ports, ANA).await;
    let open = OpenVersion { run_key: Some("2026-W01".to_owned()), ..open_after(ANA, deliverable, 0) };
    let version = ports.versions.open(open.clone()).await.unwrap();
    assert_eq!((version.id, version.user, version.deliverable, version.number), (open.id, ANA, deliverable, 1));
    assert_eq!((version.status, version.step), (VersionStatus::Generating, Step::Gathered));
    assert_eq!((&version.run_key, &version.state), (&open.run_key, &run_state()));
    assert_eq!((&version.held_by, version.held_until, version.created_at), (&Some(me()), Some(minute(60)), minute(0)));
    assert_eq!((&version.draft, &version.final_content, &version.delivery_error), (&None, &None, &None));
    assert_eq!(version.delivered_at, None);
    assert_eq!(ports.versions.version(ANA, version.id).await.unwrap(), version);
    assert_eq!(ports.versions.open(open_after(ANA, deliverable, 1)).await.unwrap().number, 2);
}

/// A taken number is a conflict, and nothing is opened.
pub async fn open_refuses_a_taken_number(ports: &Ports) {
    let version = opened(ports).await;
    let open = open_after(ANA, version.deliverable, 0);
    assert!(is_conflict(&ports.versions.open(open.clone()).await));
    assert!(is_missing(&ports.versions.version(ANA, open.id).await));
}

/// A taken run key is a conflict within its deliverable, and free in any other.
pub async fn open_refuses_a_taken_key(ports: &Ports) {
    let deliverable = created(ports, ANA).await;
    let keyed = |deliverable, after| OpenVersion { run_key: Some("k".to_owned()), ..open_after(ANA, deliverable, after) };
    ports.versions.open(keyed(deliverable, 0)).await.unwrap();
    assert!(is_conflict(&ports.versions.open(keyed(deliverable, 1)).await));
    let open = open_after(ANA, deliverable, 1);
    assert_eq!(ports.versions.open(open).await.unwrap().number, 2);
    ports.versions.open(keyed(created(ports, ANA).await, 0)).await.unwrap();
}

/// Of many who open the same number at once, exactly one does.
pub async fn open_at_once_succeeds_once(ports: &Ports) {
    let deliverable = created(ports, ANA).await;
    let answers = join_all((0..8).map(|_| ports.versions.open(open_after(ANA, deliverable, 0)))).await;
    assert_eq!(answers.iter().filter(|it| it.is_ok()).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|it| it.is_ok() || is_conflict(it)), "{answers:?}");
}

/// Nobody opens a version of another's deliverable, or of one that is not there.
pub async fn open_needs_the_users_own_deliverable(ports: &Ports) {
    let (ben, deliverable) = (ben(ports).await, created(ports, ANA).await);
    assert!(is_missing(&ports.versions.open(open_after(ben, deliverable, 0)).await));
    assert!(is_missing(&ports.versions.open(open_after(ANA, DeliverableId::from_uuid(fresh()), 0)).await));
}

/// Another user's version does not exist, for any verb.
pub async fn version_and_others_see_only_the_users_own(ports: &Ports) {
    let (ben, version) = (ben(ports).await, opened(ports).await);
    assert!(is_missing(&ports.versions.version(ben, version.id).await));
    assert!(is_missing(&ports.versions.version(ANA, VersionId::from_uuid(fresh())).await));
    assert!(is_missing(&ports.versions.hold(Hold { user: ben, ..hold(version.id, &me(), 1) }).await));
    assert!(is_missing(&ports.versions.advance(StepCommit { user: ben, ..written(version.id) }).await));
    assert_eq!(ports.versions.recent(ben, version.deliverable, 9).await.unwrap(), []);
    assert_eq!(ports.versions.unfinished(ben, version.deliverable).await.unwrap(), None);
    assert_eq!(ports.versions.reported(ben, version.deliverable).await.unwrap(), []);
    assert_eq!(ports.versions.version(ANA, version.id).await.unwrap(), version);
}

/// A version is found by the key it was opened with, by its owner.
pub async fn by_key_finds_what_the_key_opened(ports: &Ports) {
    let (ben, deliverable) = (ben(ports).await, created(ports, ANA).await);
    let open = OpenVersion { run_key: Some("k\0".to_owned()), ..open_after(ANA, deliverable, 0) };
    let version = ports.versions.open(open).await.unwrap();
    assert_eq!(ports.versions.by_key(ANA, deliverable, "k\0").await.unwrap(), Some(version));
    assert_eq!(ports.versions.by_key(ANA, deliverable, "other").await.unwrap(), None);
    assert_eq!(ports.versions.by_key(ben, deliverable, "k\0").await.unwrap(), None);
    assert_eq!(ports.versions.by_key(ANA, created(ports, ANA).await, "k\0").await.unwrap(), None);
}

/// The newest versions, newest first, at most as many as asked for.
pub async fn recent_is_newest_first_and_limited(ports: &Ports) {
    let deliverable = created(ports, ANA).await;
    for after in 0..11 {
        ports.versions.open(open_after(ANA, deliverable, after)).await.unwrap();
    }
    let recent = ports.versions.recent(ANA, deliverable, 3).await.unwrap();
    assert_eq!(recent.iter().map(|it| it.number).collect::<Vec<_>>(), [11, 10, 9]);
}

/// The oldest version that a run can go on with: one whose run has not ended, or whose delivery failed.
pub async fn unfinished_is_the_oldest_to_go_on_with(ports: &Ports) {
    let version = queued_version(ports, vec![]).await;
    let unfinished = || async { ports.versions.unfinished(ANA, version.deliverable).await.unwrap().map(|it| it.number) };
    assert_eq!(unfinished().await, Some(1));
    ports.versions.advance(failed(version.id, Step::Queued)).await.unwrap();
    let next = ports.versions.open(open_after(ANA, version.deliverable, 1)).await.unwrap();
    assert_eq!(unfinished().await, Some(1), "a failed delivery waits, whatever came after it");
    ports.versions.hold(hold(version.id, &me(), 11)).await.unwrap();
    ports.versions.advance(finished(version.id)).await.unwrap();
    assert_eq!(unfinished().await, Some(2));
    ports.versions.advance(failed(next.id, Step::Gathered)).await.unwrap();
    assert_eq!(unfinished().await, None, "what failed before it was queued has failed for good");
}

/// What delivered versions were written from, and nothing of others.
pub async fn reported_is_the_material_of_what_arrived(ports: &Ports) {
    let version = queued_version(ports, vec![]).await;
    assert_eq!(ports.versions.reported(ANA, version.deliverable).await.unwrap(), []);
    ports.versions.advance(finished(version.id)).await.unwrap();
    ports.versions.open(open_after(ANA, version.deliverable, 1)).await.unwrap();
    assert_eq!(ports.versions.reported(ANA, version.deliverable).await.unwrap(), version.state.material);
}

/// A held version is not given to another before the hold has ended; its holder may renew.
pub async fn hold_waits_for_the_end_of_another(ports: &Ports) {
    let version = opened(ports).await;
    assert!(is_conflict(&ports.versions.hold(hold(version.id, &other(), 59)).await));
    let renewed = ports.versions.hold(hold(version.id, &me(), 30)).await.unwrap();
    assert_eq!((renewed.held_by, renewed.held_until), (Some(me()), Some(minute(90))));
    assert!(is_conflict(&ports.versions.hold(hold(version.id, &other(), 89)).await));
    let taken = ports.versions.hold(hold(version.id, &other(), 90)).await.unwrap();
    assert_eq!((taken.held_by, taken.held_until), (Some(other()), Some(minute(150))));
    assert!(is_conflict(&ports.versions.hold(hold(version.id, &me(), 91)).await));
}

/// A holder that is known to be gone does not count; another one that is said to be gone does not help.
pub async fn hold_passes_over_who_is_gone(ports: &Ports) {
    let version = opened(ports).await;
    let wrong = Hold { gone: Some(Holder::new("host/boot/9/start")), ..hold(version.id, &other(), 1) };
    assert!(is_conflict(&ports.versions.hold(wrong).await));
    let right = Hold { gone: Some(me()), ..hold(version.id, &other(), 1) };
    assert_eq!(ports.versions.hold(right).await.unwrap().held_by, Some(other()));
}

/// Of many who want a free version at once, one gets it.
pub async fn hold_at_once_succeeds_once(ports: &Ports) {
    let version = opened(ports).await;
    let holders: Vec<_> = (0..8).map(|number| Holder::new(format!("host/boot/{number}0/start"))).collect();
    let answers = join_all(holders.iter().map(|it| ports.versions.hold(hold(version.id, it, 60)))).await;
    assert_eq!(answers.iter().filter(|it| it.is_ok()).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|it| it.is_ok() || is_conflict(it)), "{answers:?}");
}

/// Every step brings what it says, and leaves the rest.
pub async fn advance_goes_step_by_step(ports: &Ports) {
    let version = opened(ports).await;
    let state = RunState { tally: Some(Tally { sentences: 1, with_evidence: 0, inference: 1 }), ..run_state() };
    let at = |step: Step| async move {
        let version = ports.versions.version(ANA, version.id).await.unwrap();
        assert_eq!((version.step, version.status, version.held_by.clone()), (step, VersionStatus::Generating, Some(me())));
        version
    };
    ports.versions.advance(written(version.id)).await.unwrap();
    assert_eq!(at(Step::Written).await.draft.as_deref(), Some("A draft. [s1]"));
    let change = StepChange::Verified { sentences: vec![sentence(0, "A.", &[])], state: state.clone() };
    ports.versions.advance(step(version.id, Step::Written, change)).await.unwrap();
    assert_eq!(at(Step::Verified).await.state, state);
    assert_eq!(ports.evidence.sentences(ANA, version.id).await.unwrap().len(), 1);
    ports.versions.advance(queued(version.id, vec![letter("k")], vec![])).await.unwrap();
    let last = at(Step::Queued).await;
    assert_eq!((last.final_content.as_deref(), last.draft.as_deref()), (Some("# Report"), Some("A draft. [s1]")));
    assert_eq!((last.state, ports.outbox.messages(ANA, version.id).await.unwrap().len()), (state, 1));
}

/// What was looked up is a step with a state of its own; a draft may follow on it, or on what was gathered.
pub async fn advance_to_researched_comes_before_writing(ports: &Ports) {
    let version = opened(ports).await;
    let state = RunState { research: Some(Researched::default()), ..run_state() };
    let researched = |expected| step(version.id, expected, StepChange::Researched { state: state.clone() });
    assert!(is_conflict(&ports.versions.advance(researched(Step::Researched)).await));
    ports.versions.advance(researched(Step::Gathered)).await.unwrap();
    let stands = ports.versions.version(ANA, version.id).await.unwrap();
    assert_eq!((stands.step, stands.status, &stands.held_by), (Step::Researched, VersionStatus::Generating, &version.held_by));
    assert_eq!(stands.state, state);
    for expected in [Step::Gathered, Step::Researched] {
        assert!(is_conflict(&ports.versions.advance(researched(expected)).await), "once is enough");
    }
    assert!(is_conflict(&ports.versions.advance(written(version.id)).await), "by somebody who missed it");
    assert_eq!(ports.versions.unfinished(ANA, version.deliverable).await.unwrap(), Some(stands));
    ports.versions.advance(StepCommit { expected: Step::Researched, ..written(version.id) }).await.unwrap();
    assert_eq!(ports.versions.version(ANA, version.id).await.unwrap().step, Step::Written);
}

/// A version stands still for who expects another step, even with the right change.
pub async fn advance_needs_the_expected_step(ports: &Ports) {
    let version = opened(ports).await;
    let early = verified(version.id, vec![sentence(0, "A.", &["q"])]);
    assert!(is_conflict(&ports.versions.advance(early).await));
    let odd = StepCommit { expected: Step::Gathered, ..verified(version.id, vec![sentence(0, "A.", &[])]) };
    assert!(is_conflict(&ports.versions.advance(odd).await));
    ports.versions.advance(written(version.id)).await.unwrap();
    assert!(is_conflict(&ports.versions.advance(written(version.id)).await));
    assert!(is_conflict(&ports.versions.advance(failed(version.id, Step::Gathered)).await));
    assert_eq!(ports.versions.version(ANA, version.id).await.unwrap().step, Step::Written);
    assert_eq!(ports.evidence.sentences(ANA, version.id).await.unwrap(), []);
}

/// Only the holder advances a version.
pub async fn advance_needs_the_holder(ports: &Ports) {
    let version = opened(ports).await;
    assert!(is_conflict(&ports.versions.advance(StepCommit { holder: other(), ..written(version.id) }).await));
    ports.versions.hold(hold(version.id, &other(), 60)).await.unwrap();
    assert!(is_conflict(&ports.versions.advance(written(version.id)).await));
    assert_eq!(ports.versions.version(ANA, version.id).await.unwrap().step, Step::Gathered);
    ports.versions.advance(StepCommit { holder: other(), ..written(version.id) }).await.unwrap();
}

/// Of many who commit one step at once, exactly one does.
pub async fn advance_at_once_succeeds_once(ports: &Ports) {
    let version = opened(ports).await;
    let answers = join_all((0..8).map(|_| ports.versions.advance(written(version.id)))).await;
    assert_eq!(answers.iter().filter(|it| it.is_ok()).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|it| it.is_ok() || is_conflict(it)), "{answers:?}");
}

/// What a step brings is committed with it or not at all.
pub async fn advance_is_all_or_nothing(ports: &Ports) {
    let version = opened(ports).await;
    ports.versions.advance(written(version.id)).await.unwrap();
    let twice = vec![sentence(0, "A.", &["q"]), sentence(0, "B.", &[])];
    assert!(ports.versions.advance(verified(version.id, twice)).await.is_err());
    assert_eq!(ports.versions.version(ANA, version.id).await.unwrap().step, Step::Written);
    assert_eq!(ports.evidence.sentences(ANA, version.id).await.unwrap(), []);
    ports.versions.advance(verified(version.id, vec![sentence(0, "A.", &["q"])])).await.unwrap();
}

/// With the messages, what the report cites is retained for it; a message whose key exists is not queued again.
pub async fn advance_to_queued_retains_and_queues_once(ports: &Ports) {
    let cited = message("1", "x");
    let id = cited.id;
    live(ports, vec![cited], 1).await;
    let version = verified_version(ports).await;
    ports.versions.advance(queued(version.id, vec![letter("b"), letter("a"), letter("b")], vec![id])).await.unwrap();
    let kept = row(ports, id).await;
    assert!(kept.retained && kept.expires_at.is_none());
    let next = verified_version(ports).await;
    ports.versions.advance(queued(next.id, vec![letter("a"), letter("c")], vec![id])).await.unwrap();
    let keys = |version| async move {
        let messages = ports.outbox.messages(ANA, version).await.unwrap();
        messages.into_iter().map(|it| it.key).collect::<Vec<_>>()
    };
    assert_eq!((keys(version.id).await, keys(next.id).await), (vec!["a".to_owned(), "b".to_owned()], vec!["c".to_owned()]));
}

/// A finished run ends the hold, marks the version as delivered, and moves its deliverable on.
pub async fn advance_to_finished_delivers(ports: &Ports) {
    let version = queued_version(ports, vec![]).await;
    ports.versions.advance(finished(version.id)).await.unwrap();
    let version = ports.versions.version(ANA, version.id).await.unwrap();
    assert_eq!(
        (version.status, version.step, version.delivered_at),
        (VersionStatus::Delivered, Step::Finished, Some(minute(10)))
    );
    assert_eq!((version.held_by, version.held_until), (None, None));
    let deliverable = ports.deliverables.get(ANA, version.deliverable).await.unwrap();
    assert_eq!(deliverable.last_run_at, Some(minute(10)));
    assert_eq!(ports.activity.recent(ANA, 9).await.unwrap()[0].summary, "delivered");
    ports.versions.hold(hold(version.id, &me(), 11)).await.unwrap();
    assert!(is_conflict(&ports.versions.advance(failed(version.id, Step::Finished)).await), "what arrived cannot fail");
}

/// A failed run ends the hold and says why; its step stays, and another process may go on.
pub async fn advance_to_failed_ends_the_hold(ports: &Ports) {
    let version = queued_version(ports, vec![]).await;
    ports.versions.advance(failed(version.id, Step::Queued)).await.unwrap();
    let version = ports.versions.version(ANA, version.id).await.unwrap();
    assert_eq!((version.status, version.step), (VersionStatus::Failed, Step::Queued));
    assert_eq!(version.delivery_error.as_deref(), Some("the folder is full"));
    assert_eq!((version.held_by.clone(), version.held_until, version.is_resumable()), (None, None, true));
    assert_eq!(ports.deliverables.get(ANA, version.deliverable).await.unwrap().last_run_at, None);
    assert_eq!(ports.activity.recent(ANA, 9).await.unwrap()[0].summary, "failed");
    ports.versions.hold(hold(version.id, &other(), 11)).await.unwrap();
    ports.versions.advance(StepCommit { holder: other(), ..finished(version.id) }).await.unwrap();
    let version = ports.versions.version(ANA, version.id).await.unwrap();
    assert_eq!((version.status, version.delivery_error), (VersionStatus::Delivered, None));
}

/// A staged run ends the hold and says why; its step stays, it is nothing to go on with, and its readers have not had it.
pub async fn advance_to_staged_waits_for_a_person(ports: &Ports) {
    let early = opened(ports).await;
    assert!(is_conflict(&ports.versions.advance(StepCommit { expected: Step::Gathered, ..staged(early.id) }).await));
    let version = verified_version(ports).await;
    ports.versions.advance(staged(version.id)).await.unwrap();
    let version = ports.versions.version(ANA, version.id).await.unwrap();
    assert_eq!((version.status, version.step), (VersionStatus::Staged, Step::Verified));
    assert_eq!(version.delivery_error.as_deref(), Some("too little is proven"));
    assert_eq!((version.held_by.clone(), version.held_until, version.is_resumable()), (None, None, false));
    assert_eq!(ports.versions.unfinished(ANA, version.deliverable).await.unwrap(), None);
    assert_eq!(ports.versions.reported(ANA, version.deliverable).await.unwrap(), []);
    assert_eq!(ports.activity.recent(ANA, 9).await.unwrap()[0].summary, "staged");
}

/// A version that waits for a person and cites these rows.
pub async fn staged_on(ports: &Ports, rows: &[ContentId]) -> Version {
    let version = opened(ports).await;
    for step in [written(version.id), verified(version.id, vec![citing(rows)]), staged(version.id)] {
        ports.versions.advance(step).await.unwrap();
    }
    version
}

/// A statement that cites these rows.
fn citing(rows: &[ContentId]) -> SentenceRecord {
    let mut cites = sentence(0, "X.", &vec!["x"; rows.len()]);
    for (evidence, id) in cites.evidence.iter_mut().zip(rows) {
        evidence.content_id = *id;
    }
    cites
}

/// However long a person takes: what a staged run cites does not expire meanwhile.
pub async fn advance_to_staged_keeps_what_it_cites(ports: &Ports) {
    let item = message("1", "x");
    let id = item.id;
    live(ports, vec![item], 1).await;
    staged_on(ports, &[id]).await;
    assert_eq!(clean(ports, ANA, minute(1) + TimeDelta::days(365)).await, 0);
    assert_eq!(row(ports, id).await.content, "x");
}

/// What a person decides about a staged version.
pub fn decision(version: &Version, status: VersionStatus) -> DecideVersion {
    let state = RunState { approved: status == VersionStatus::Generating, ..version.state.clone() };
    DecideVersion {
        user: ANA,
        version: version.id,
        seen: VersionStatus::Staged,
        status,
        state,
        feedback: NewFeedback::default(),
        activity: None,
        slot: None,
        at: minute(20),
    }
}

fn ends(deliverable: DeliverableId, outcome: SlotOutcome) -> EndSlot {
    EndSlot { user: ANA, deliverable, due_at: minute(1), outcome, cancelled: false, line: None, at: minute(10) }
}

/// The slot that the version was opened for ends with its run and has its line, or neither.
pub async fn advance_ends_the_slot_of_its_run(ports: &Ports) {
    let id = due_at(ports, ANA, 1).await;
    fired(ports, vec![slot(ANA, id, 1)]).await;
    let version = ports.versions.open(open_after(ANA, id, 0)).await.unwrap();
    for commit in [written(version.id), verified(version.id, vec![]), queued(version.id, vec![], vec![])] {
        ports.versions.advance(commit).await.unwrap();
    }
    let told = Some(line(ActivityKind::DeliverableGenerated, fresh(), "by schedule"));
    let end = EndSlot { line: told, ..ends(id, SlotOutcome::Delivered) };
    let commit = StepCommit { slot: Some(end), ..finished(version.id) };
    let outcome = || async { ports.slots.slot(ANA, id, minute(1)).await.unwrap().unwrap().outcome };
    let told = || async { ports.activity.recent(ANA, 9).await.unwrap().iter().filter(|it| it.summary == "by schedule").count() };
    assert!(ports.versions.advance(StepCommit { holder: other(), ..commit.clone() }).await.is_err());
    assert_eq!((outcome().await, told().await), (None, 0));
    ports.versions.advance(commit).await.unwrap();
    assert_eq!((outcome().await, told().await), (Some(SlotOutcome::Delivered), 1));
}

/// The step in which a version that was let pass fails, and the decision that rejects one, end a slot that waits for a person; nothing
/// else that says so does.
pub async fn advance_and_decide_end_a_slot_that_waits_for_a_person(ports: &Ports) {
    let mut waits = vec![];
    for _ in 0..2 {
        let id = due_at(ports, ANA, 1).await;
        fired(ports, vec![slot(ANA, id, 1)]).await;
        let version = ports.versions.open(open_after(ANA, id, 0)).await.unwrap();
        let staged = StepCommit { slot: Some(ends(id, SlotOutcome::Staged)), ..staged(version.id) };
        for commit in [written(version.id), verified(version.id, vec![]), staged] {
            ports.versions.advance(commit).await.unwrap();
        }
        ports.slots.end(ends(id, SlotOutcome::Failed)).await.unwrap();
        waits.push((id, version));
    }
    let outcome = async |id| ports.slots.slot(ANA, id, minute(1)).await.unwrap().unwrap().outcome;
    let [(first, passed), (second, rejected)] = waits.try_into().unwrap();
    assert_eq!((outcome(first).await, outcome(second).await), (Some(SlotOutcome::Staged), Some(SlotOutcome::Staged)));
    ports.versions.decide(decision(&passed, VersionStatus::Generating)).await.unwrap();
    ports.versions.hold(hold(passed.id, &me(), 21)).await.unwrap();
    assert_eq!(outcome(first).await, Some(SlotOutcome::Staged), "it is not sent yet");
    let fails = StepCommit { slot: Some(ends(first, SlotOutcome::Failed)), ..failed(passed.id, Step::Verified) };
    ports.versions.advance(fails).await.unwrap();
    let slot = Some(ends(second, SlotOutcome::Failed));
    ports.versions.decide(DecideVersion { slot, ..decision(&rejected, VersionStatus::Rejected) }).await.unwrap();
    assert_eq!((outcome(first).await, outcome(second).await), (Some(SlotOutcome::Failed), Some(SlotOutcome::Failed)));
}

/// A staged version that passes goes on from where it stood; one that is rejected has ended.
pub async fn decide_lets_a_staged_version_go_on_or_ends_it(ports: &Ports) {
    let version = verified_version(ports).await;
    ports.versions.advance(staged(version.id)).await.unwrap();
    let passed = ports.versions.decide(decision(&version, VersionStatus::Generating)).await.unwrap();
    assert_eq!((passed.status, passed.step, passed.state.approved), (VersionStatus::Generating, Step::Verified, true));
    assert_eq!((&passed.delivery_error, passed.is_resumable()), (&None, true));
    assert_eq!(ports.versions.unfinished(ANA, version.deliverable).await.unwrap(), Some(passed));
    ports.versions.hold(hold(version.id, &me(), 21)).await.unwrap();
    ports.versions.advance(queued(version.id, vec![letter("k")], vec![])).await.unwrap();

    let other = verified_version(ports).await;
    ports.versions.advance(staged(other.id)).await.unwrap();
    let rejected = ports.versions.decide(decision(&other, VersionStatus::Rejected)).await.unwrap();
    assert_eq!((rejected.status, rejected.state.approved, rejected.is_resumable()), (VersionStatus::Rejected, false, false));
    assert_eq!(ports.versions.version(ANA, other.id).await.unwrap(), rejected);
}

/// What was rejected is not told again; what tools only showed to its writer is.
pub async fn reported_has_what_was_rejected_and_not_what_was_only_shown(ports: &Ports) {
    let version = verified_version(ports).await;
    ports.versions.advance(staged(version.id)).await.unwrap();
    let row = |reference: &str, only_shown| MaterialRef {
        reference: reference.to_owned(),
        content_id: ContentId::from_uuid(fresh()),
        revision: Sha256::of(reference),
        changed: false,
        only_shown,
        unanswered: !only_shown,
    };
    let (gathered, told, shown) = (row("s1", false), row("s2", false), row("s3", true));
    let reject = decision(&version, VersionStatus::Rejected);
    let state = RunState { material: vec![gathered.clone()], found: vec![told.clone(), shown], ..reject.state.clone() };
    ports.versions.decide(DecideVersion { state, ..reject }).await.unwrap();
    assert_eq!(ports.versions.reported(ANA, version.deliverable).await.unwrap(), [gathered, told]);
}

/// What was kept for a staged version alone expires when it is rejected, as if it had never been kept; what another version cites or
/// sends, a person imported, or a signal acted upon since, stays.
pub async fn decide_frees_what_only_a_rejected_version_cites(ports: &Ports) {
    let items: Vec<_> =
        ["only", "cited", "sent", "imported", "both", "acted upon"].into_iter().map(|it| message(it, it)).collect();
    let [only, cited, sent, imported, both, acted] = [0, 1, 2, 3, 4, 5].map(|it: usize| items[it].id);
    live(ports, items.clone(), 1).await;
    let version = staged_on(ports, &[only, cited, sent, imported, both, acted]).await;
    let (waits, rejected) = (staged_on(ports, &[cited]).await, staged_on(ports, &[both]).await);
    let sends = opened_with(ports, &[&items[2]]).await;
    for step in [written(sends.id), verified(sends.id, vec![]), queued(sends.id, vec![letter("k")], vec![sent])] {
        ports.versions.advance(step).await.unwrap();
    }
    import(ports, vec![message("imported", "imported")], 2).await;
    let signal =
        Retain { user: ANA, ids: vec![acted], reason: RetainReason::SignalProcessing, reference: Some(fresh()), at: minute(5) };
    assert_eq!(ports.content.retain(&signal).await.unwrap(), 1);
    ports.versions.decide(decision(&rejected, VersionStatus::Rejected)).await.unwrap();
    let kept = async || {
        let rows = rows(ports, &[only, cited, sent, imported, both, acted]).await;
        let mut kept: Vec<_> = rows.iter().filter(|it| it.retained).map(|it| it.content.clone()).collect();
        kept.sort();
        kept
    };
    assert_eq!(kept().await, ["acted upon", "both", "cited", "imported", "only", "sent"], "the other still waits");
    ports.versions.decide(decision(&version, VersionStatus::Rejected)).await.unwrap();
    assert_eq!(kept().await, ["acted upon", "cited", "imported", "sent"]);
    let end = minute(1) + Platform::Slack.time_to_live();
    assert_eq!(row(ports, only).await.expires_at, Some(end));
    assert_eq!((clean(ports, ANA, end).await, clean(ports, ANA, end + TimeDelta::microseconds(1)).await), (0, 2));
    ports.versions.decide(decision(&waits, VersionStatus::Generating)).await.unwrap();
    assert_eq!(kept().await, ["acted upon", "cited", "imported", "sent"], "who approves keeps");
}

/// What was kept for a staged version that was let pass expires when that fails before it is sent; once its messages are queued it stays,
/// and a version that never waited frees nothing.
pub async fn advance_to_failed_frees_what_a_staged_version_cites(ports: &Ports) {
    let items: Vec<_> = ["passed", "sent", "other's"].into_iter().map(|it| message(it, it)).collect();
    let [passed, sent, others] = [0, 1, 2].map(|it: usize| items[it].id);
    live(ports, items.clone(), 1).await;
    let (fails, queues) = (staged_on(ports, &[passed]).await, staged_on(ports, &[sent]).await);
    let legacy = Retain {
        user: ANA,
        ids: vec![others],
        reason: RetainReason::DeliverableExecution,
        reference: Some(fresh()),
        at: minute(5),
    };
    ports.content.retain(&legacy).await.unwrap();
    let kept = async || rows(ports, &[passed, sent, others]).await.iter().filter(|it| it.retained).count();
    for version in [&fails, &queues] {
        ports.versions.decide(decision(version, VersionStatus::Generating)).await.unwrap();
        ports.versions.hold(hold(version.id, &me(), 21)).await.unwrap();
    }
    ports.versions.advance(queued(queues.id, vec![letter("k")], vec![sent])).await.unwrap();
    ports.versions.advance(failed(queues.id, Step::Queued)).await.unwrap();
    assert_eq!(kept().await, 3, "what waits to be sent again is kept");
    ports.versions.advance(failed(fails.id, Step::Verified)).await.unwrap();
    assert_eq!(kept().await, 2);
    assert!(!row(ports, passed).await.retained);
    assert_eq!(row(ports, passed).await.expires_at, Some(minute(1) + Platform::Slack.time_to_live()));
    let never = opened(ports).await;
    for step in [written(never.id), verified(never.id, vec![citing(&[others])]), failed(never.id, Step::Verified)] {
        ports.versions.advance(step).await.unwrap();
    }
    assert!(row(ports, others).await.retained, "it was not kept for this one");
}

/// A version that never arrived is ended as well, and its hold with it.
pub async fn decide_ends_what_is_unfinished(ports: &Ports) {
    let version = verified_version(ports).await;
    let reject = DecideVersion { seen: VersionStatus::Generating, ..decision(&version, VersionStatus::Rejected) };
    let ended = ports.versions.decide(reject.clone()).await.unwrap();
    assert_eq!((ended.status, ended.held_by, ended.held_until), (VersionStatus::Rejected, None, None));
    assert_eq!(ports.versions.unfinished(ANA, version.deliverable).await.unwrap(), None);
    assert!(is_conflict(&ports.versions.decide(reject).await), "it has ended");
    assert!(is_conflict(&ports.versions.advance(staged(version.id)).await), "whoever was at it commits nothing");
}

/// Only a staged version of the user's own is decided about, and once.
pub async fn decide_needs_a_staged_version(ports: &Ports) {
    let (ben, version) = (ben(ports).await, verified_version(ports).await);
    let pass = || decision(&version, VersionStatus::Generating);
    assert!(is_conflict(&ports.versions.decide(pass()).await), "it does not wait for anybody");
    ports.versions.advance(staged(version.id)).await.unwrap();
    assert!(is_missing(&ports.versions.decide(DecideVersion { user: ben, ..pass() }).await));
    ports.versions.decide(pass()).await.unwrap();
    assert!(is_conflict(&ports.versions.decide(pass()).await), "it was decided");
    assert!(is_conflict(&ports.versions.decide(decision(&version, VersionStatus::Rejected)).await));
}

/// Of many who decide at once, one does.
pub async fn decide_at_once_succeeds_once(ports: &Ports) {
    let version = verified_version(ports).await;
    ports.versions.advance(staged(version.id)).await.unwrap();
    let decisions = [VersionStatus::Generating, VersionStatus::Rejected].into_iter().cycle().take(8);
    let answers = join_all(decisions.map(|it| ports.versions.decide(decision(&version, it)))).await;
    assert_eq!(answers.iter().filter(|it| it.is_ok()).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|it| it.is_ok() || is_conflict(it)), "{answers:?}");
}
