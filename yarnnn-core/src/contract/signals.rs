//! Facts of [`SignalStore`](crate::signals::SignalStore), and of what a pass was answered.

use chrono::TimeDelta;
use futures::future::join_all;
use serde_json::json;

use super::Ports;
use super::fixtures::{ANA, ben, channel, created, deliverable, finished, fresh, is_missing, live, message, minute, opened, row};
use super::job_fixtures::{ended, job, status, stored};
use super::ledger_fixtures::{answered, call, over, reserved, within_run};
use super::slots::{due_at, fired, slot};
use crate::activity::ActivityKind;
use crate::deliverables::{
    DeliverableOrigin, DeliverableStatus, NewDeliverable, ReportType, RunDeliverable, RunRequest, TriggerType,
};
use crate::id::{ActivityId, ContentId, DeliverableId, JobId, PassId, RandomIds, UserId};
use crate::jobs::{JobStatus, NewJob, Outcome, new_job};
use crate::llm::CallAccount;
use crate::platform::Platform;
use crate::signals::{
    Act, ActionKind, ActionTaken, CandidateQuery, DropReason, OpenPass, Pass, PassCommit, PassOutcome, PassStatus, PassTrigger,
    PreferenceChange, Shown, SignalPreferences, SignalProcessing, SignalsFilter, TakeTurn, Turn, Wanted,
};

pub(super) fn pass_of(user: UserId, minutes: i64) -> OpenPass {
    let shown = Shown {
        items: vec![ContentId::from_uuid(fresh()), ContentId::from_uuid(fresh())],
        deliverables: vec![DeliverableId::from_uuid(fresh())],
        found: [(Platform::Slack, 7), (Platform::Calendar, 1)].into(),
    };
    let (id, trigger) = (PassId::from_uuid(fresh()), PassTrigger::Hourly);
    OpenPass { id, user, filter: SignalsFilter::NonCalendar, trigger, shown, at: minute(minutes) }
}

async fn begun(ports: &Ports, user: UserId) -> Pass {
    ports.signals.begin(pass_of(user, 0)).await.unwrap()
}

/// The end of a pass at a minute that wants these.
fn commit(pass: &Pass, wanted: Vec<Wanted>, minutes: i64) -> PassCommit {
    let outcome = PassOutcome {
        reasoning_summary: "A \u{0} “look”".to_owned(),
        ..PassOutcome::of(PassStatus::Completed, pass.filter, 8)
    };
    let line = ActivityId::from_uuid(fresh());
    PassCommit { pass: pass.id, user: pass.user, wanted, slots: None, outcome, line, at: minute(minutes) }
}

fn run_of(user: UserId, id: DeliverableId) -> NewJob {
    new_job(&RandomIds, Some(user), &RunDeliverable::requested(&RunRequest::of(user, id))).unwrap()
}

fn wants(act: Act, (user, id): (UserId, DeliverableId), reference: &str, minutes: i64) -> Wanted {
    let job = run_of(user, id);
    let action = if matches!(act, Act::Create(_)) { ActionKind::Create } else { ActionKind::Trigger };
    let taken = ActionTaken {
        action,
        deliverable_id: id,
        deliverable_type: "meeting_prep".to_owned(),
        title: "Prep".to_owned(),
        signal_type: "meeting_prep".to_owned(),
        signal_reference: reference.to_owned(),
        reasoning: "It begins soon.".to_owned(),
        confidence: serde_json::from_value(json!(90)).unwrap(),
        job_id: job.id,
    };
    let unless_since = minute(minutes) - TimeDelta::hours(24);
    Wanted { act, unless_since, one_of_a_kind: false, about: vec![], job, taken }
}

fn born(user: UserId) -> NewDeliverable {
    NewDeliverable {
        report_type: ReportType::parse("meeting_prep").unwrap(),
        origin: DeliverableOrigin::SignalEmergent,
        trigger: TriggerType::Manual,
        ..deliverable(user)
    }
}

/// Wants a new report about this, at a minute.
fn makes(user: UserId, reference: &str, minutes: i64) -> Wanted {
    let new = born(user);
    let id = new.id;
    wants(Act::Create(Box::new(new)), (user, id), reference, minutes)
}

pub(super) fn sets_going(user: UserId, id: DeliverableId, reference: &str) -> Wanted {
    wants(Act::Trigger(id), (user, id), reference, 1)
}

/// What was done and what was dropped by a new pass of the user.
pub(super) async fn done(ports: &Ports, user: UserId, wanted: Vec<Wanted>, minutes: i64) -> (usize, Vec<DropReason>) {
    let pass = begun(ports, user).await;
    let outcome = ports.signals.commit(commit(&pass, wanted, minutes)).await.unwrap().outcome.unwrap();
    (outcome.actions_taken.len(), outcome.dropped.iter().map(|it| it.reason).collect())
}

async fn is_enqueued(ports: &Ports, job: JobId) -> bool {
    ports.jobs.get(job).await.unwrap().is_some()
}

/// A pass reads back as it was opened.
pub async fn begin_stores_what_is_shown(ports: &Ports) {
    let open = pass_of(ANA, 1);
    let pass = ports.signals.begin(open.clone()).await.unwrap();
    assert_eq!((pass.id, pass.user, pass.filter, pass.trigger), (open.id, ANA, open.filter, open.trigger));
    assert_eq!((pass.shown, pass.started_at, pass.outcome, pass.ended_at), (open.shown, minute(1), None, None));
}

/// The first try of a pass says what all of them show.
pub async fn begin_again_answers_the_pass_as_it_stands(ports: &Ports) {
    let first = begun(ports, ANA).await;
    let again = OpenPass { id: first.id, ..pass_of(ANA, 5) };
    assert_eq!(ports.signals.begin(again).await.unwrap(), first);
}

/// Another user's pass does not exist, and an unknown user has none.
pub async fn begin_needs_the_users_own(ports: &Ports) {
    let (ben, pass) = (ben(ports).await, begun(ports, ANA).await);
    assert!(is_missing(&ports.signals.begin(OpenPass { id: pass.id, ..pass_of(ben, 1) }).await));
    assert!(is_missing(&ports.signals.begin(pass_of(UserId::from_uuid(fresh()), 1)).await));
}

/// What was made, its run, the history, the kept items, the end and the line are there together.
pub async fn commit_stores_everything_of_a_pass(ports: &Ports) {
    let item = message("1", "x");
    let about = item.id;
    live(ports, vec![item], 0).await;
    let pass = begun(ports, ANA).await;
    let wanted = Wanted { about: vec![about], ..makes(ANA, "event:1", 1) };
    let (id, run) = (wanted.taken.deliverable_id, wanted.job.id);
    let ended = ports.signals.commit(commit(&pass, vec![wanted.clone()], 1)).await.unwrap();
    let outcome = ended.outcome.unwrap();
    assert_eq!((&outcome.actions_taken, outcome.content_retained_count), (&vec![wanted.taken], 1));
    assert_eq!(
        (ended.ended_at, ended.shown, &*outcome.reasoning_summary),
        (Some(minute(1)), Shown::default(), "A \u{fffd} “look”")
    );
    let made = ports.deliverables.get(ANA, id).await.unwrap();
    assert_eq!((made.origin, made.trigger, made.next_run_at), (DeliverableOrigin::SignalEmergent, TriggerType::Manual, None));
    assert_eq!((stored(ports, run).await.owner, status(ports, run).await), (Some(ANA), JobStatus::Queued));
    assert!(row(ports, about).await.retained);
    let record = ports.signals.history(ANA, 9).await.unwrap().pop().unwrap();
    assert_eq!((&*record.signal_type, &*record.signal_ref), ("meeting_prep", "event:1"));
    assert_eq!((record.last_triggered_at, record.deliverable), (minute(1), Some(id)));
    let line = ports.activity.recent(ANA, 1).await.unwrap().pop().unwrap();
    assert_eq!((line.kind, line.key, line.created_at), (ActivityKind::SignalProcessed, pass.id.as_uuid(), minute(1)));
    assert_eq!((&line.metadata["items_processed"], &line.metadata["content_retained_count"]), (&json!(8), &json!(1)));
    assert_eq!(line.metadata["deliverables_triggered"], json!([id]));
}

/// A pass that does nothing leaves its line all the same.
pub async fn commit_of_nothing_leaves_a_line(ports: &Ports) {
    assert_eq!(done(ports, ANA, vec![], 1).await, (0, vec![]));
    let line = ports.activity.recent(ANA, 9).await.unwrap();
    assert_eq!((line.len(), line[0].kind), (1, ActivityKind::SignalProcessed));
    assert_eq!(line[0].metadata["actions_taken"], json!([]));
}

/// A pass ends once: what a second end wants does not happen.
pub async fn commit_of_a_pass_that_has_ended_changes_nothing(ports: &Ports) {
    let pass = begun(ports, ANA).await;
    let first = ports.signals.commit(commit(&pass, vec![], 1)).await.unwrap();
    let wanted = makes(ANA, "event:1", 2);
    let id = wanted.taken.deliverable_id;
    assert_eq!(ports.signals.commit(commit(&pass, vec![wanted], 2)).await.unwrap(), first);
    assert!(is_missing(&ports.deliverables.get(ANA, id).await));
    assert_eq!(ports.activity.recent(ANA, 9).await.unwrap().len(), 1);
}

/// What was acted upon within the window is not done again; its last instant counts as within.
pub async fn commit_does_nothing_twice_within_the_window(ports: &Ports) {
    const DAY: i64 = 24 * 60;
    assert_eq!(done(ports, ANA, vec![makes(ANA, "event:1", 0)], 0).await, (1, vec![]));
    for minutes in [1, DAY] {
        let again = makes(ANA, "event:1", minutes);
        assert_eq!(done(ports, ANA, vec![again], minutes).await, (0, vec![DropReason::SeenBefore]), "{minutes}");
    }
    let archive = ports.deliverables.list(ANA).await.unwrap();
    for it in archive {
        ports.deliverables.set_status(ANA, it.id, DeliverableStatus::Archived, minute(1)).await.unwrap();
    }
    let other = (ben(ports).await, makes(ANA, "event:2", 1));
    assert_eq!(done(ports, other.0, vec![makes(other.0, "event:1", 1)], 1).await, (1, vec![]), "another user's is another");
    assert_eq!(done(ports, ANA, vec![makes(ANA, "event:1", DAY + 1)], DAY + 1).await, (1, vec![]));
    assert_eq!(ports.signals.history(ANA, 9).await.unwrap().len(), 1, "the same, at a later time");
}

/// Two passes at once that notice the same make one report.
pub async fn commit_at_once_does_a_thing_once(ports: &Ports) {
    let passes = join_all((0..6).map(|_| begun(ports, ANA))).await;
    let commits = passes.iter().map(|it| ports.signals.commit(commit(it, vec![makes(ANA, "event:1", 1)], 1)));
    let ends = join_all(commits).await.into_iter().map(|it| it.unwrap().outcome.unwrap());
    assert_eq!(ends.map(|it| it.actions_taken.len()).sum::<usize>(), 1);
    assert_eq!(ports.deliverables.list(ANA).await.unwrap().len(), 1);
}

/// The tier's slots are for what its owner made, and for what runs by itself.
pub async fn commit_keeps_to_the_slots(ports: &Ports) {
    let own = created(ports, ANA).await;
    let slots = Some(1);
    for (expected, pauses) in [(Some(DropReason::TierLimit), false), (None, true)] {
        if pauses {
            ports.deliverables.set_status(ANA, own, DeliverableStatus::Paused, minute(1)).await.unwrap();
        }
        let pass = begun(ports, ANA).await;
        let end = PassCommit { slots, ..commit(&pass, vec![makes(ANA, "event:1", 1)], 1) };
        let outcome = ports.signals.commit(end).await.unwrap().outcome.unwrap();
        assert_eq!(outcome.dropped.first().map(|it| it.reason), expected);
    }
    let all = ports.deliverables.list(ANA).await.unwrap();
    assert_eq!((all.len(), all.iter().filter(|it| it.takes_slot()).count()), (2, 0), "what runs once takes none");
}

/// A type is taken by any deliverable of it that is not archived; what ran once for an event leaves room for the next event.
pub async fn commit_makes_nothing_of_a_type_that_is_taken(ports: &Ports) {
    let new = born(ANA);
    let id = new.id;
    ports.deliverables.create(new).await.unwrap();
    ports.jobs.enqueue(vec![run_of(ANA, id)]).await.unwrap();
    assert_eq!(done(ports, ANA, vec![makes(ANA, "event:2", 1)], 1).await, (0, vec![DropReason::TypeTaken]), "it has not run");
    ports.deliverables.set_status(ANA, id, DeliverableStatus::Paused, minute(1)).await.unwrap();
    assert_eq!(done(ports, ANA, vec![makes(ANA, "event:2", 1)], 1).await, (0, vec![DropReason::TypeTaken]), "paused is there");
    has_run(ports, id).await;
    let alone = Wanted { one_of_a_kind: true, ..makes(ANA, "event:2", 1) };
    assert_eq!(done(ports, ANA, vec![alone], 1).await, (0, vec![DropReason::TypeTaken]));
    assert_eq!(done(ports, ANA, vec![makes(ANA, "event:2", 1)], 1).await, (1, vec![]));
}

/// What runs once for an event leaves room when its run has ended without a report, and when it is a day old and never ran.
pub async fn commit_leaves_no_room_taken_for_ever(ports: &Ports) {
    const DAY: i64 = 24 * 60;
    let (taken, done_now) = ((0, vec![DropReason::TypeTaken]), (1, vec![]));
    assert_eq!(done(ports, ANA, vec![makes(ANA, "event:1", 0)], 0).await, done_now);
    assert_eq!(done(ports, ANA, vec![makes(ANA, "event:2", DAY)], DAY).await, taken, "its run waits");
    assert_eq!(done(ports, ANA, vec![makes(ANA, "event:2", DAY + 11)], DAY + 11).await, done_now, "nobody waits for it any more");
    let ben = ben(ports).await;
    let new = born(ben);
    let id = new.id;
    ports.deliverables.create(new).await.unwrap();
    ended(ports, run_of(ben, id), Outcome::failed("no")).await;
    let alone = Wanted { one_of_a_kind: true, ..makes(ben, "event:2", 1) };
    assert_eq!(done(ports, ben, vec![alone], 1).await, taken);
    assert_eq!(done(ports, ben, vec![makes(ben, "event:2", 1)], 1).await, done_now, "its run has failed for good");
}

/// Runs a version of a deliverable to its end.
async fn has_run(ports: &Ports, id: DeliverableId) {
    use super::fixtures::{open_after, queued, verified, written};
    let version = ports.versions.open(open_after(ANA, id, 0)).await.unwrap().id;
    for step in [written(version), verified(version, vec![]), queued(version, vec![], vec![]), finished(version)] {
        ports.versions.advance(step).await.unwrap();
    }
}

/// Only active deliverables of the user are set going, and no schedule moves.
pub async fn commit_sets_going_what_is_the_users_and_active(ports: &Ports) {
    let ben = ben(ports).await;
    let (foreign, paused) = (created(ports, ben).await, created(ports, ANA).await);
    ports.deliverables.set_status(ANA, paused, DeliverableStatus::Paused, minute(1)).await.unwrap();
    let own = NewDeliverable { next_run_at: Some(minute(99)), ..deliverable(ANA) };
    let id = own.id;
    ports.deliverables.create(own).await.unwrap();
    let unknown = DeliverableId::from_uuid(fresh());
    let wanted: Vec<_> = (0..).zip([foreign, paused, unknown, id]).map(|(n, it)| sets_going(ANA, it, &n.to_string())).collect();
    let runs: Vec<_> = wanted.iter().map(|it| it.job.id).collect();
    let expected = vec![DropReason::UnknownDeliverable, DropReason::NotActive, DropReason::UnknownDeliverable];
    assert_eq!(done(ports, ANA, wanted, 1).await, (1, expected));
    for (run, expected) in runs.into_iter().zip([false, false, false, true]) {
        assert_eq!(is_enqueued(ports, run).await, expected);
    }
    let after = ports.deliverables.get(ANA, id).await.unwrap();
    assert_eq!(
        (after.next_run_at, after.status, after.trigger),
        (Some(minute(99)), DeliverableStatus::Active, TriggerType::Manual)
    );
}

/// What waits or runs is not set going once more; what has ended is.
pub async fn commit_leaves_alone_what_runs_already(ports: &Ports) {
    let id = created(ports, ANA).await;
    assert_eq!(done(ports, ANA, vec![sets_going(ANA, id, "a")], 1).await, (1, vec![]));
    assert_eq!(done(ports, ANA, vec![sets_going(ANA, id, "b")], 1).await, (0, vec![DropReason::AlreadyRunning]));
    let other = created(ports, ANA).await;
    ended(ports, run_of(ANA, other), Outcome::failed("no")).await;
    assert_eq!(done(ports, ANA, vec![sets_going(ANA, other, "c")], 1).await, (1, vec![]));
}

/// A run by schedule, one of an event, and a version that is being written without a job are runs too; another's are not its own.
pub async fn commit_sees_runs_of_every_kind(ports: &Ports) {
    let waiting = (0, vec![DropReason::AlreadyRunning]);
    let (of_event, written, other) = (created(ports, ANA).await, created(ports, ANA).await, created(ports, ANA).await);
    let scheduled = due_at(ports, ANA, 2).await;
    let slot = slot(ANA, scheduled, 2);
    let job = slot.job.id;
    assert_eq!(fired(ports, vec![slot]).await, [scheduled]);
    assert_eq!(done(ports, ANA, vec![sets_going(ANA, scheduled, "a")], 3).await, waiting, "a slot");
    ports.job_admin.cancel(job, "ana").await.unwrap();
    assert_eq!(done(ports, ANA, vec![sets_going(ANA, scheduled, "a")], 3).await, (1, vec![]), "a slot that was ended");
    let request = RunRequest { key: Some("event:Ev1".to_owned()), ..RunRequest::of(ANA, of_event) };
    let job = new_job(&RandomIds, Some(ANA), &RunDeliverable::requested(&request)).unwrap();
    ports.jobs.enqueue(vec![job]).await.unwrap();
    assert_eq!(done(ports, ANA, vec![sets_going(ANA, of_event, "b")], 1).await, waiting, "an event");
    ports.versions.open(super::fixtures::open_after(ANA, written, 0)).await.unwrap();
    assert_eq!(done(ports, ANA, vec![sets_going(ANA, written, "c")], 59).await, waiting, "a version that is held");
    assert_eq!(done(ports, ANA, vec![sets_going(ANA, written, "c")], 60).await, (1, vec![]), "and no longer");
    assert_eq!(done(ports, ANA, vec![sets_going(ANA, other, "d")], 1).await, (1, vec![]));
}

/// Signals set a deliverable going once in a day, whatever they are about; the last instant of the day counts as within.
pub async fn commit_sets_a_deliverable_going_once_a_day(ports: &Ports) {
    const DAY: i64 = 24 * 60;
    let (ids, other) = ([created(ports, ANA).await, created(ports, ANA).await], ben(ports).await);
    for (id, reference, minutes, expected) in [
        (ids[0], "a", 0, None),
        (ids[1], "b", 0, None),
        (ids[0], "c", DAY, Some(DropReason::SeenBefore)),
        (ids[0], "d", DAY + 1, None),
    ] {
        let wanted = sets_going(ANA, id, reference);
        // The run before has ended: its key is free.
        let wanted = Wanted { job: NewJob { key: None, ..wanted.job.clone() }, ..wanted };
        let count = usize::from(expected.is_none());
        assert_eq!(done(ports, ANA, vec![wanted], minutes).await, (count, expected.into_iter().collect()), "{reference}");
    }
    let theirs = created(ports, other).await;
    assert_eq!(done(ports, other, vec![sets_going(other, theirs, "a")], 0).await, (1, vec![]), "another user's is another");
}

/// A pass whose jobs are refused has not ended, and nothing of it is there.
pub async fn commit_is_all_or_nothing(ports: &Ports) {
    let pass = begun(ports, ANA).await;
    let refused = Wanted { job: NewJob { priority: 0, ..job() }, ..makes(ANA, "event:1", 1) };
    assert!(ports.signals.commit(commit(&pass, vec![refused.clone()], 1)).await.is_err());
    assert!(is_missing(&ports.deliverables.get(ANA, refused.taken.deliverable_id).await));
    assert_eq!((ports.signals.history(ANA, 9).await.unwrap(), ports.activity.recent(ANA, 9).await.unwrap()), (vec![], vec![]));
    assert_eq!(ports.signals.begin(OpenPass { id: pass.id, ..pass_of(ANA, 9) }).await.unwrap(), pass);
}

/// Only the user's own pass ends.
pub async fn commit_needs_the_users_own_pass(ports: &Ports) {
    let (ben, pass) = (ben(ports).await, begun(ports, ANA).await);
    assert!(is_missing(&ports.signals.commit(PassCommit { user: ben, ..commit(&pass, vec![], 1) }).await));
    assert_eq!(ports.signals.passes(ANA, 9).await.unwrap(), [pass]);
}

/// Newest first, and nobody else's; what was made and is gone is no longer named.
pub async fn history_is_newest_first_and_the_users_own(ports: &Ports) {
    let ids = [created(ports, ANA).await, created(ports, ANA).await];
    for (minutes, id) in (1..).zip(ids) {
        done(ports, ANA, vec![sets_going(ANA, id, &format!("r{minutes}"))], minutes).await;
    }
    let history = ports.signals.history(ANA, 9).await.unwrap();
    let found: Vec<_> = history.iter().map(|it| (it.signal_ref.as_str(), it.deliverable)).collect();
    assert_eq!(found, [("r2", Some(ids[1])), ("r1", Some(ids[0]))]);
    assert_eq!(ports.signals.history(ANA, 1).await.unwrap(), history[..1]);
    assert_eq!(ports.signals.history(ben(ports).await, 9).await.unwrap(), []);
}

/// Newest first, and nobody else's.
pub async fn passes_are_newest_first_and_the_users_own(ports: &Ports) {
    let mut ids = vec![];
    for minutes in [2, 1, 3] {
        ids.push((minutes, ports.signals.begin(pass_of(ANA, minutes)).await.unwrap().id));
    }
    ids.sort_unstable_by(|a, b| b.cmp(a));
    let passes: Vec<_> = ports.signals.passes(ANA, 2).await.unwrap().into_iter().map(|it| it.id).collect();
    assert_eq!(passes, ids[..2].iter().map(|it| it.1).collect::<Vec<_>>());
    assert_eq!(ports.signals.passes(ben(ports).await, 9).await.unwrap(), []);
}

/// Who has set none wants to be told everything.
pub async fn preferences_are_on_unless_switched_off(ports: &Ports) {
    assert_eq!(ports.signals.preferences(ANA).await.unwrap(), SignalPreferences::default());
    let all = SignalPreferences { meeting_prep: true, silence_alert: true, contact_drift: true };
    assert_eq!(SignalPreferences::default(), all);
}

/// A change leaves what it does not name, and other users.
pub async fn set_preferences_changes_what_is_named(ports: &Ports) {
    let ben = ben(ports).await;
    let change = PreferenceChange { meeting_prep: Some(false), ..PreferenceChange::default() };
    let off = SignalPreferences { meeting_prep: false, ..SignalPreferences::default() };
    assert_eq!(ports.signals.set_preferences(ANA, change, minute(1)).await.unwrap(), off);
    let change = PreferenceChange { contact_drift: Some(false), ..PreferenceChange::default() };
    let off = SignalPreferences { contact_drift: false, ..off };
    assert_eq!(ports.signals.set_preferences(ANA, change, minute(2)).await.unwrap(), off);
    assert_eq!(ports.signals.preferences(ANA).await.unwrap(), off);
    assert_eq!(ports.signals.preferences(ben).await.unwrap(), SignalPreferences::default());
    let change = PreferenceChange { meeting_prep: Some(true), ..PreferenceChange::default() };
    assert!(ports.signals.set_preferences(ANA, change, minute(3)).await.unwrap().meeting_prep);
}

fn turn(user: UserId, minutes: i64) -> TakeTurn {
    let job = new_job(&RandomIds, Some(user), &SignalProcessing::manual(user, SignalsFilter::All)).unwrap();
    TakeTurn { user, cool_down: TimeDelta::minutes(5), job, at: minute(minutes) }
}

/// A turn is granted with its job, unless the last one is too near.
pub async fn take_turn_waits_for_the_cool_down(ports: &Ports) {
    let ben = ben(ports).await;
    let tries = [(ANA, 0, true), (ANA, 4, false), (ben, 4, true), (ANA, 5, true), (ANA, 9, false), (ANA, 10, true)];
    for (user, minutes, is_granted) in tries {
        let asked = turn(user, minutes);
        // The pass before has ended: its key is free.
        let job = NewJob { key: None, ..asked.job.clone() };
        let id = job.id;
        let answer = ports.signals.take_turn(TakeTurn { job, ..asked }).await.unwrap();
        assert_eq!((answer == Turn::Granted(id), is_enqueued(ports, id).await), (is_granted, is_granted), "{minutes}");
    }
    let answer = ports.signals.take_turn(turn(ANA, 11)).await.unwrap();
    assert_eq!(answer, Turn::TooSoon { last: minute(10) });
}

/// Of turns at once one is granted.
pub async fn take_turn_at_once_grants_one(ports: &Ports) {
    let answers = join_all((0..6).map(|_| ports.signals.take_turn(turn(ANA, 1)))).await;
    assert_eq!(answers.iter().filter(|it| matches!(it, Ok(Turn::Granted(_)))).count(), 1, "{answers:?}");
}

/// A turn whose job is refused was not taken.
pub async fn take_turn_is_all_or_nothing(ports: &Ports) {
    let asked = turn(ANA, 1);
    let refused = TakeTurn { job: NewJob { priority: 0, ..asked.job.clone() }, ..asked };
    assert!(ports.signals.take_turn(refused).await.is_err());
    let asked = turn(ANA, 1);
    let id = asked.job.id;
    assert_eq!(ports.signals.take_turn(asked).await.unwrap(), Turn::Granted(id));
}

/// Who asks while a pass by hand still waits is told of the job that there is.
pub async fn take_turn_answers_the_job_that_there_is(ports: &Ports) {
    let (first, second) = (turn(ANA, 0), turn(ANA, 5));
    let (job, other) = (first.job.id, second.job.id);
    assert_eq!(ports.signals.take_turn(first).await.unwrap(), Turn::Granted(job));
    assert_eq!(ports.signals.take_turn(second).await.unwrap(), Turn::Granted(job));
    assert!(!is_enqueued(ports, other).await);
}

/// Users with content or a live connection, by id; the free tier only where it is asked for.
pub async fn candidates_have_something_to_look_at(ports: &Ports) {
    let (ben, all) = (ben(ports).await, CandidateQuery { limit: 9, ..CandidateQuery::default() });
    let ask = |query: CandidateQuery| async move { ports.signals.candidates(query).await.unwrap() };
    assert_eq!(ask(all).await, [], "nothing is connected or stored");
    live(ports, vec![message("1", "x")], 0).await;
    assert_eq!((ask(all).await, ask(CandidateQuery { user: Some(ben), ..all }).await), (vec![ANA], vec![]));
    let run = super::fixtures::begin(ports, ben, &channel()).await;
    ports.content.commit(super::fixtures::last_page(&run, vec![message("2", "y")], 0)).await.unwrap();
    let mut both = vec![ANA, ben];
    both.sort_unstable();
    assert_eq!((ask(all).await, ask(CandidateQuery { paying: true, ..all }).await), (both.clone(), vec![ANA]));
    assert_eq!(ask(CandidateQuery { after: Some(both[0]), ..all }).await, both[1..]);
    assert_eq!(ask(CandidateQuery { limit: 1, ..all }).await, both[..1]);
}

/// A pass has its answer once there is one, whatever was asked, and until it ends; nobody else has it.
pub async fn answered_in_pass_lasts_until_the_pass_ends(ports: &Ports) {
    let (ben, pass) = (ben(ports).await, begun(ports, ANA).await);
    let account = CallAccount { pass: Some(pass.id), ..CallAccount::of(ANA) };
    let answer = |user: UserId, id: PassId| async move { ports.model_ledger.answered_in_pass(user, id).await.unwrap() };
    let id = reserved(ports, call(account, 9)).await;
    assert_eq!(answer(ANA, pass.id).await, None);
    ports.model_ledger.settle(ANA, id, answered(5), minute(1)).await.unwrap();
    assert_eq!(answer(ANA, pass.id).await, Some(super::ledger_fixtures::answer(5)));
    assert_eq!((answer(ben, pass.id).await, answer(ANA, begun(ports, ANA).await.id).await), (None, None));
    ports.signals.commit(commit(&pass, vec![], 2)).await.unwrap();
    assert_eq!(answer(ANA, pass.id).await, None, "what was said about others is not kept");
    let kept = ports.model_ledger.calls(&crate::llm::CallQuery::default()).await.unwrap().pop().unwrap();
    assert_eq!((kept.account, kept.usage.cost_micro_usd), (account, 5));
}

/// An answer that comes when its pass has ended, because another process ended it, is counted and not kept.
pub async fn answered_in_pass_keeps_nothing_that_comes_after_its_end(ports: &Ports) {
    let pass = begun(ports, ANA).await;
    let account = CallAccount { pass: Some(pass.id), ..CallAccount::of(ANA) };
    let id = reserved(ports, call(account, 9)).await;
    ports.signals.commit(commit(&pass, vec![], 2)).await.unwrap();
    ports.model_ledger.settle(ANA, id, answered(5), minute(3)).await.unwrap();
    assert_eq!(ports.model_ledger.answered_in_pass(ANA, pass.id).await.unwrap(), None);
    let counted = ports.model_ledger.calls(&crate::llm::CallQuery::default()).await.unwrap().pop().unwrap();
    assert_eq!((counted.state, counted.usage.cost_micro_usd), (crate::llm::CallState::Answered, 5));
}

/// The calls of a pass are a run, under the cap on runs, and of the user's own pass.
pub async fn reserve_caps_passes_and_needs_the_users_own(ports: &Ports) {
    let (ben, pass) = (ben(ports).await, begun(ports, ANA).await);
    let account = CallAccount { pass: Some(pass.id), ..CallAccount::of(ANA) };
    reserved(ports, within_run(account, 60, 100)).await;
    assert_eq!(over(ports, within_run(account, 41, 100)).await, Some(("run", 100, 60)));
    reserved(ports, within_run(CallAccount { pass: None, ..account }, 41, 100)).await;
    let other = begun(ports, ANA).await.id;
    reserved(ports, within_run(CallAccount { pass: Some(other), ..account }, 41, 100)).await;
    for foreign in [CallAccount { user: ben, ..account }, CallAccount { pass: Some(PassId::from_uuid(fresh())), ..account }] {
        let refused = ports.model_ledger.reserve(call(foreign, 1)).await;
        assert!(matches!(refused, Err(crate::llm::ReserveError::Store(crate::error::StoreError::NotFound { .. }))));
    }
    let version = opened(ports).await;
    reserved(ports, within_run(CallAccount { version: Some(version.id), pass: None, ..account }, 100, 100)).await;
}
