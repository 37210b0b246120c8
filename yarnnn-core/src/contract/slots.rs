//! Facts of [`SlotStore`](crate::deliverables::SlotStore).

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;
use serde_json::json;

use super::Ports;
use super::fixtures::{ANA, ben, created, deliverable, fresh, is_conflict, line, minute};
use super::job_fixtures::{self, claimed, history, job_for};
use super::phases::{claim, taken};
use crate::activity::ActivityKind;
use crate::clock::Clock as _;
use crate::deliverables::{
    DeliverableStatus, DueSlot, EndSlot, Fire, FireSlot, Loss, NewDeliverable, RequeueSlot, Schedule, SlotOutcome, SlotTotals,
};
use crate::id::{DeliverableId, JobId, UserId};
use crate::jobs::{JobStatus, NewJob, Outcome};

pub(super) async fn due_at(ports: &Ports, user: UserId, minutes: i64) -> DeliverableId {
    let schedule = Some(Schedule::parse("weekly", Some("friday"), Some("17:30"), Some("Europe/Berlin")).unwrap());
    let new = NewDeliverable { next_run_at: Some(minute(minutes)), schedule, ..deliverable(user) };
    let id = new.id;
    ports.deliverables.create(new).await.unwrap();
    id
}

pub(super) fn slot(user: UserId, deliverable: DeliverableId, minutes: i64) -> FireSlot {
    let name = format!("slot {minutes}");
    FireSlot {
        user,
        deliverable,
        due_at: minute(minutes),
        next: Some(minute(minutes + 100)),
        late: minutes == 1,
        missed: 2,
        line: line(ActivityKind::DeliverableScheduled, fresh(), &name),
        slot: name,
        job: job_for(user),
    }
}

fn fire(slots: Vec<FireSlot>) -> Fire {
    Fire { lease: None, cycle: Some(minute(0)), slots, at: minute(9) }
}

pub(super) async fn fired(ports: &Ports, slots: Vec<FireSlot>) -> Vec<DeliverableId> {
    ports.slots.fire(fire(slots)).await.unwrap()
}

async fn next_of(ports: &Ports, user: UserId, id: DeliverableId) -> Option<DateTime<Utc>> {
    ports.deliverables.get(user, id).await.unwrap().next_run_at
}

async fn lines(ports: &Ports, user: UserId) -> usize {
    ports.activity.recent(user, 99).await.unwrap().len()
}

async fn is_stored(ports: &Ports, job: JobId) -> bool {
    ports.jobs.get(job).await.unwrap().is_some()
}

fn ids(due: &[DueSlot]) -> Vec<DeliverableId> {
    due.iter().map(|it| it.deliverable).collect()
}

/// Of all users: active ones whose instant is not after now, by it and then by id; those without one never.
pub async fn due_anywhere_finds_what_is_due_of_everybody(ports: &Ports) {
    let ben = ben(ports).await;
    let (second, first, _later, paused) =
        (due_at(ports, ANA, 2).await, due_at(ports, ben, 1).await, due_at(ports, ANA, 9).await, due_at(ports, ANA, 1).await);
    created(ports, ANA).await;
    ports.deliverables.set_status(ANA, paused, DeliverableStatus::Paused, minute(0)).await.unwrap();
    let due = ports.slots.due_anywhere(minute(2), None, 9).await.unwrap();
    assert_eq!(ids(&due), [first, second]);
    assert_eq!((due[0].user, due[0].due_at, due[0].title.as_str()), (ben, minute(1), "Weekly status"));
    assert_eq!(due[0].report_type.as_str(), "weekly_status");
    let schedule = due[0].schedule.clone().unwrap().unwrap();
    assert_eq!(schedule.describe(), "Every Friday at 17:30 (Europe/Berlin)");
    assert_eq!(ports.slots.due_anywhere(minute(0), None, 9).await.unwrap().len(), 0);
}

/// Page by page, also where many are due at one instant.
pub async fn due_anywhere_goes_on_from_a_place(ports: &Ports) {
    let mut all = vec![];
    for _ in 0..5 {
        all.push(due_at(ports, ANA, 1).await);
    }
    all.sort();
    all.push(due_at(ports, ANA, 2).await);
    let (mut seen, mut after) = (vec![], None);
    loop {
        let page = ports.slots.due_anywhere(minute(2), after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some((last.due_at, last.deliverable));
        seen.extend(ids(&page));
    }
    assert_eq!(seen, all);
}

/// The deliverable moves on, and row, line and job are there.
pub async fn fire_makes_row_line_and_job(ports: &Ports) {
    let id = due_at(ports, ANA, 1).await;
    let new = slot(ANA, id, 1);
    let job = new.job.id;
    assert_eq!(fired(ports, vec![new]).await, [id]);
    assert_eq!(next_of(ports, ANA, id).await, Some(minute(101)));
    let stored = ports.slots.slot(ANA, id, minute(1)).await.unwrap().unwrap();
    assert_eq!((stored.slot.as_str(), stored.due_at, stored.fired_at), ("slot 1", minute(1), minute(9)));
    assert_eq!((stored.cycle, stored.late, stored.missed, stored.job), (Some(minute(0)), true, 2, job));
    assert_eq!((stored.outcome, stored.ended_at, stored.user, stored.deliverable), (None, None, ANA, id));
    assert_eq!(history(ports, job).await, ["enqueued"]);
    let line = ports.activity.recent(ANA, 1).await.unwrap().pop().unwrap();
    assert_eq!((line.kind, line.summary.as_str()), (ActivityKind::DeliverableScheduled, "slot 1"));
    assert_eq!(fired(ports, vec![]).await, []);
}

/// What is not due as it was seen, not active, or another's is not fired; the rest of the batch is.
pub async fn fire_compares_before_it_moves(ports: &Ports) {
    let ben = ben(ports).await;
    let (moved, paused, good) = (due_at(ports, ANA, 1).await, due_at(ports, ANA, 1).await, due_at(ports, ANA, 1).await);
    ports.deliverables.set_status(ANA, paused, DeliverableStatus::Paused, minute(0)).await.unwrap();
    let slots = vec![slot(ANA, moved, 2), slot(ANA, paused, 1), slot(ANA, good, 1), slot(ben, moved, 1)];
    let jobs: Vec<_> = slots.iter().map(|it| it.job.id).collect();
    assert_eq!(fired(ports, slots).await, [good]);
    assert_eq!((next_of(ports, ANA, moved).await, next_of(ports, ANA, paused).await), (Some(minute(1)), Some(minute(1))));
    assert_eq!((is_stored(ports, jobs[0]).await, is_stored(ports, jobs[2]).await), (false, true));
    assert_eq!((lines(ports, ANA).await, lines(ports, ben).await), (1, 0));
}

/// A slot for which a row stands is moved past: no second row, line or job.
pub async fn fire_moves_past_what_was_fired(ports: &Ports) {
    let id = due_at(ports, ANA, 1).await;
    fired(ports, vec![slot(ANA, id, 1)]).await;
    ports.deliverables.reschedule(ANA, id, minute(101), Some(minute(1))).await.unwrap();
    let again = FireSlot { next: None, ..slot(ANA, id, 1) };
    let job = again.job.id;
    assert_eq!(fired(ports, vec![again]).await, []);
    assert_eq!((next_of(ports, ANA, id).await, lines(ports, ANA).await, is_stored(ports, job).await), (None, 1, false));
}

/// A job that is refused leaves everything as it was.
pub async fn fire_is_all_or_nothing(ports: &Ports) {
    let (a, b) = (due_at(ports, ANA, 1).await, due_at(ports, ANA, 1).await);
    let refused = slot(ANA, b, 1);
    let refused = FireSlot { job: NewJob { payload: json!("no object"), ..refused.job }, ..refused };
    assert!(ports.slots.fire(fire(vec![slot(ANA, a, 1), refused])).await.is_err());
    assert_eq!((next_of(ports, ANA, a).await, lines(ports, ANA).await), (Some(minute(1)), 0));
    assert_eq!(ports.slots.slot(ANA, a, minute(1)).await.unwrap(), None);
}

/// Who has lost the right of a phase fires nothing with it.
pub async fn fire_needs_the_right_of_its_phase(ports: &Ports) {
    let id = due_at(ports, ANA, 1).await;
    let old = taken(ports, claim("p", 0, "a")).await;
    let new = taken(ports, crate::scheduler::ClaimPhase { at: minute(60), until: minute(70), ..claim("p", 0, "b") }).await;
    let with = |lease| Fire { lease: Some(lease), ..fire(vec![slot(ANA, id, 1)]) };
    assert!(is_conflict(&ports.slots.fire(with(old)).await));
    assert_eq!(next_of(ports, ANA, id).await, Some(minute(1)));
    assert_eq!(ports.slots.fire(with(new)).await.unwrap(), [id]);
}

/// However many fire the same at once, each slot becomes one row and one job.
pub async fn fire_at_once_makes_one_row(ports: &Ports) {
    let mut all = vec![];
    for _ in 0..20 {
        all.push(due_at(ports, ANA, 1).await);
    }
    let batch = |turned: bool| {
        let mut slots: Vec<_> = all.iter().map(|it| slot(ANA, *it, 1)).collect();
        if turned {
            slots.reverse();
        }
        fire(slots)
    };
    let answers = join_all((0..6).map(|it| ports.slots.fire(batch(it % 2 == 1)))).await;
    let mut fired: Vec<_> = answers.into_iter().flat_map(Result::unwrap).collect();
    fired.sort();
    all.sort();
    assert_eq!(fired, all);
    assert_eq!(lines(ports, ANA).await, 20);
    let waiting = super::job_fixtures::taken(ports, super::job_fixtures::anything(99)).await;
    assert_eq!(waiting.len(), 20);
}

/// By its instant, and to its owner.
pub async fn slot_is_shown_to_its_owner(ports: &Ports) {
    let (ben, id) = (ben(ports).await, due_at(ports, ANA, 1).await);
    fired(ports, vec![slot(ANA, id, 1)]).await;
    assert_eq!(ports.slots.slot(ben, id, minute(1)).await.unwrap(), None);
    assert_eq!(ports.slots.slot(ANA, id, minute(2)).await.unwrap(), None);
}

fn ends(user: UserId, deliverable: DeliverableId, outcome: SlotOutcome, minutes: i64) -> EndSlot {
    let line = Some(line(ActivityKind::DeliverableGenerated, fresh(), outcome.as_str()));
    EndSlot { user, deliverable, due_at: minute(1), outcome, cancelled: false, line, at: minute(minutes) }
}

/// What failed may still end in any way, what waits for a person as delivered, if its version does not say otherwise; what has ended
/// stays as it is.
pub async fn end_keeps_what_is_final(ports: &Ports) {
    let (ben, id) = (ben(ports).await, due_at(ports, ANA, 1).await);
    fired(ports, vec![slot(ANA, id, 1)]).await;
    ports.slots.end(ends(ben, id, SlotOutcome::Skipped, 10)).await.unwrap();
    for (outcome, minutes, stands) in [
        (SlotOutcome::Failed, 11, SlotOutcome::Failed),
        (SlotOutcome::Staged, 12, SlotOutcome::Staged),
        (SlotOutcome::Failed, 13, SlotOutcome::Staged),
        (SlotOutcome::Skipped, 14, SlotOutcome::Staged),
        (SlotOutcome::Delivered, 15, SlotOutcome::Delivered),
        (SlotOutcome::Failed, 16, SlotOutcome::Delivered),
    ] {
        ports.slots.end(ends(ANA, id, outcome, minutes)).await.unwrap();
        let slot = ports.slots.slot(ANA, id, minute(1)).await.unwrap().unwrap();
        assert_eq!((slot.outcome, slot.ended_at == Some(minute(minutes))), (Some(stands), outcome == stands), "{outcome:?}");
    }
    assert_eq!((lines(ports, ANA).await, lines(ports, ben).await), (4, 0), "one of firing, three of ends");
}

/// The user's own that have not ended, the newest of each deliverable.
pub async fn open_is_the_newest_of_each_deliverable(ports: &Ports) {
    let (ben, a, b) = (ben(ports).await, due_at(ports, ANA, 1).await, due_at(ports, ANA, 2).await);
    fired(ports, vec![slot(ANA, a, 1), slot(ANA, b, 2)]).await;
    let open = |user| async move {
        let open = ports.slots.open(user).await.unwrap();
        open.into_iter().map(|it| (it.deliverable, it.due_at)).collect::<Vec<_>>()
    };
    assert_eq!((open(ANA).await, open(ben).await), (vec![(a, minute(1)), (b, minute(2))], vec![]));
    fired(ports, vec![slot(ANA, a, 101)]).await;
    assert_eq!(open(ANA).await, [(b, minute(2)), (a, minute(101))]);
    ports.slots.end(EndSlot { due_at: minute(101), ..ends(ANA, a, SlotOutcome::NoNews, 110) }).await.unwrap();
    assert_eq!(open(ANA).await, [(b, minute(2))]);
}

/// What failed may be tried again; what waits for a person, or has ended, is not.
pub async fn open_has_what_failed(ports: &Ports) {
    let id = due_at(ports, ANA, 1).await;
    fired(ports, vec![slot(ANA, id, 1)]).await;
    let outcomes = || async { ports.slots.open(ANA).await.unwrap().into_iter().map(|it| it.outcome).collect::<Vec<_>>() };
    for (outcome, minutes, open) in [
        (SlotOutcome::Failed, 11, vec![Some(SlotOutcome::Failed)]),
        (SlotOutcome::Staged, 12, vec![]),
        (SlotOutcome::Delivered, 14, vec![]),
    ] {
        ports.slots.end(ends(ANA, id, outcome, minutes)).await.unwrap();
        assert_eq!(outcomes().await, open, "{outcome:?}");
    }
}

/// What somebody cancelled has ended for good, also when its job is gone; a newer slot is open as any other.
pub async fn open_leaves_out_what_was_cancelled(ports: &Ports) {
    let (a, b, c) = (due_at(ports, ANA, 1).await, due_at(ports, ANA, 1).await, due_at(ports, ANA, 1).await);
    let slots = vec![slot(ANA, a, 1), slot(ANA, b, 1), slot(ANA, c, 1)];
    let jobs: Vec<_> = slots.iter().map(|it| it.job.id).collect();
    fired(ports, slots).await;
    let open = || async { ports.slots.open(ANA).await.unwrap().into_iter().map(|it| it.deliverable).collect::<Vec<_>>() };
    // One that had failed, and was cancelled when it was tried again, is marked by no end of its own.
    ports.slots.end(ends(ANA, c, SlotOutcome::Failed, 10)).await.unwrap();
    for job in [jobs[0], jobs[2]] {
        ports.job_admin.cancel(job, "test").await.unwrap();
    }
    assert_eq!(open().await, [b]);
    ports.slots.end(EndSlot { cancelled: true, ..ends(ANA, a, SlotOutcome::Failed, 11) }).await.unwrap();
    ports.job_admin.purge(ports.clock.now() + TimeDelta::days(1), &[JobStatus::Cancelled], 9).await.unwrap();
    assert!(!is_stored(ports, jobs[0]).await);
    assert_eq!(open().await, [b]);
    // A run by hand that fails does not bring it back.
    ports.slots.end(ends(ANA, a, SlotOutcome::Failed, 12)).await.unwrap();
    assert_eq!(open().await, [b]);
    fired(ports, vec![slot(ANA, a, 101)]).await;
    assert_eq!(open().await, [b, a]);
}

/// One whose job is gone has another from then on; while a job is there, or for another's slot, nothing is enqueued.
pub async fn requeue_gives_a_slot_another_job(ports: &Ports) {
    let (ben, id) = (ben(ports).await, due_at(ports, ANA, 1).await);
    let first = slot(ANA, id, 1);
    let gone = first.job.id;
    fired(ports, vec![first]).await;
    let again = |user| RequeueSlot { user, deliverable: id, due_at: minute(1), gone, job: job_for(user) };
    assert!(is_conflict(&ports.slots.requeue(again(ANA)).await), "it is there");
    ports.job_admin.cancel(gone, "test").await.unwrap();
    ports.job_admin.purge(ports.clock.now() + TimeDelta::days(1), &[JobStatus::Cancelled], 9).await.unwrap();
    assert!(is_conflict(&ports.slots.requeue(again(ben)).await));
    let new = again(ANA);
    let (job, late) = (new.job.id, again(ANA));
    ports.slots.end(ends(ANA, id, SlotOutcome::Failed, 10)).await.unwrap();
    ports.slots.requeue(new).await.unwrap();
    let slot = ports.slots.slot(ANA, id, minute(1)).await.unwrap().unwrap();
    assert_eq!((slot.outcome, slot.ended_at), (None, None), "it may be lost again");
    assert_eq!((ports.slots.slot(ANA, id, minute(1)).await.unwrap().unwrap().job, history(ports, job).await.len()), (job, 1));
    assert!(is_conflict(&ports.slots.requeue(late.clone()).await), "it has one since");
    assert!(!is_stored(ports, late.job.id).await);
}

/// However many find its job gone at once, there is one more.
pub async fn requeue_at_once_makes_one_job(ports: &Ports) {
    let id = due_at(ports, ANA, 1).await;
    let first = slot(ANA, id, 1);
    let gone = first.job.id;
    fired(ports, vec![first]).await;
    ports.job_admin.cancel(gone, "test").await.unwrap();
    ports.job_admin.purge(ports.clock.now() + TimeDelta::days(1), &[JobStatus::Cancelled], 9).await.unwrap();
    let again = || RequeueSlot { user: ANA, deliverable: id, due_at: minute(1), gone, job: job_for(ANA) };
    let answers = join_all((0..6).map(|_| ports.slots.requeue(again()))).await;
    assert_eq!(answers.iter().filter(|it| it.is_ok()).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|it| it.is_ok() || is_conflict(it)), "{answers:?}");
    assert_eq!(job_fixtures::taken(ports, job_fixtures::anything(9)).await.len(), 1);
}

/// A slot whose run waits, or is for a person, is not lost; one whose job ended badly, was cancelled or is gone is, but not at once,
/// and not when it has ended.
pub async fn lost_is_what_nobody_is_at(ports: &Ports) {
    let mut all = vec![];
    for _ in 0..6 {
        all.push(due_at(ports, ANA, 1).await);
    }
    let slots: Vec<_> = all.iter().map(|it| slot(ANA, *it, 1)).collect();
    let jobs: Vec<_> = slots.iter().map(|it| it.job.id).collect();
    fired(ports, slots).await;
    for (job, outcome) in [
        (jobs[1], Outcome::NeedsUser { report: json!({}) }),
        (jobs[2], Outcome::failed("it was refused")),
        (jobs[5], Outcome::failed("it was refused")),
    ] {
        let claimed = claimed(ports, job).await;
        job_fixtures::end(ports, &claimed.lease, outcome).await;
    }
    ports.job_admin.cancel(jobs[3], "test").await.unwrap();
    let claimed = claimed(ports, jobs[4]).await;
    job_fixtures::end(ports, &claimed.lease, job_fixtures::done()).await;
    ports.job_admin.purge(ports.clock.now() + TimeDelta::days(1), &[JobStatus::Succeeded], 9).await.unwrap();
    ports.slots.end(ends(ANA, all[5], SlotOutcome::Failed, 10)).await.unwrap();
    assert_eq!(ports.slots.lost(minute(8), None, 9).await.unwrap(), [], "they were fired later");
    let mut lost: Vec<_> =
        ports.slots.lost(minute(9), None, 9).await.unwrap().into_iter().map(|it| (it.slot.job, it.loss)).collect();
    lost.sort_by_key(|it| it.0);
    let mut expected =
        vec![(jobs[2], Loss::GivenUp("it was refused".to_owned())), (jobs[3], Loss::Cancelled), (jobs[4], Loss::TakenAway)];
    expected.sort_by_key(|it| it.0);
    assert_eq!(lost, expected);
}

/// Page by page, of everybody, in the order in which they were fired, and then by id.
pub async fn lost_goes_on_from_a_place(ports: &Ports) {
    let ben = ben(ports).await;
    let mut all = vec![];
    for (user, minutes) in [(ANA, 9), (ben, 9), (ANA, 8), (ben, 7), (ANA, 9)] {
        let slot = slot(user, due_at(ports, user, 1).await, 1);
        all.push((minute(minutes), slot.deliverable, slot.job.id));
        ports.slots.fire(Fire { at: minute(minutes), ..fire(vec![slot]) }).await.unwrap();
    }
    for (_, _, job) in &all {
        ports.job_admin.cancel(*job, "test").await.unwrap();
    }
    let (mut seen, mut after) = (vec![], None);
    // Who is shown the same page for ever is stopped here.
    for _ in 0..=all.len() {
        let Some(lost) = ports.slots.lost(minute(9), after, 1).await.unwrap().pop() else { break };
        after = Some((lost.slot.fired_at, lost.slot.deliverable));
        seen.extend(after);
    }
    all.sort();
    assert_eq!(seen, all.into_iter().map(|(at, it, _)| (at, it)).collect::<Vec<_>>());
}

/// What a tick fired, and no other; at most as many as asked for.
pub async fn of_cycle_lists_what_a_tick_fired(ports: &Ports) {
    let (a, b) = (due_at(ports, ANA, 1).await, due_at(ports, ANA, 2).await);
    fired(ports, vec![slot(ANA, a, 1), slot(ANA, b, 2)]).await;
    ports.slots.fire(Fire { cycle: Some(minute(100)), ..fire(vec![slot(ANA, a, 101)]) }).await.unwrap();
    let of = |cycle, limit| async move {
        let slots = ports.slots.of_cycle(cycle, limit).await.unwrap();
        slots.into_iter().map(|it| it.due_at).collect::<Vec<_>>()
    };
    assert_eq!(of(minute(0), 9).await, [minute(1), minute(2)]);
    assert_eq!((of(minute(0), 1).await, of(minute(100), 9).await), (vec![minute(1)], vec![minute(101)]));
}

/// All of a tick, by what became of them.
pub async fn totals_count_what_a_tick_fired(ports: &Ports) {
    let mut all = vec![];
    for _ in 0..3 {
        all.push(due_at(ports, ANA, 1).await);
    }
    all.push(due_at(ports, ANA, 2).await);
    let slots = all.iter().enumerate().map(|(index, it)| slot(ANA, *it, if index == 3 { 2 } else { 1 })).collect();
    fired(ports, slots).await;
    for (id, outcome) in [(all[0], SlotOutcome::Skipped), (all[1], SlotOutcome::Delivered)] {
        ports.slots.end(ends(ANA, id, outcome, 10)).await.unwrap();
    }
    let totals = ports.slots.totals(minute(0)).await.unwrap();
    let expected = SlotTotals { fired: 4, late: 3, missed: 8, skipped: 1, delivered: 1, ..SlotTotals::default() };
    assert_eq!((totals, totals.open()), (expected, 2));
    assert_eq!(ports.slots.totals(minute(0) + TimeDelta::minutes(5)).await.unwrap(), SlotTotals::default());
}
