//! A slot ends as its report does, whoever brings that to its end; and of a run that nobody is at any more its owner is told.

use std::time::Duration;

use chrono::TimeDelta;
use yarnnn::activity::{Activity, ActivityKind};
use yarnnn::deliverables::{
    CreateDeliverable, Deliverable, Destination, FiredSlot, Hold, ReportOptions, RunOutcome, RunRequest, RunStatus, Schedule,
    SlotOutcome,
};
use yarnnn::id::JobId;
use yarnnn::jobs::{Claim, JobStatus, Outcome, WorkerId};
use yarnnn::pipeline::{CancelToken, Holder};
use yarnnn::{Error, Stores};
use yarnnn_sim::Fault;
use yarnnn_sim::models::{Scripted, Turn};

use crate::notices::{POSTS, Scene};
use crate::place::Backend;

pub(crate) const TOO_LONG: &str = "it ran longer than 600 seconds and was stopped";

impl Scene {
    /// A report that is due within the hour, and every day.
    async fn daily(&self, to: Destination, options: ReportOptions) -> Deliverable {
        let schedule = Schedule::parse("daily", None, Some("10:30"), None).unwrap();
        let create = CreateDeliverable::new("status_report", "Harbor");
        let create = CreateDeliverable { destinations: vec![to], schedule: Some(schedule), options, ..create };
        self.yarnnn.deliverables().create(&self.user, create).await.unwrap()
    }

    fn pass(&self, hours: i64) {
        self.office.clock.advance(TimeDelta::hours(hours));
    }

    /// The slots that are due or may still be finished.
    async fn due(&self) -> Vec<FiredSlot> {
        self.yarnnn.deliverables().fire_due(self.user.id).await.unwrap()
    }

    /// The one slot of its kind.
    async fn fired(&self) -> FiredSlot {
        let mut due = self.due().await;
        assert_eq!(due.len(), 1, "{due:?}");
        due.remove(0)
    }

    async fn run_slot(&self, slot: &FiredSlot) -> Result<RunOutcome, Error> {
        let cx = self.yarnnn.stage_cx();
        self.yarnnn.deliverables().run_slot(&cx, slot.user, slot.deliverable, slot.due_at).await
    }

    /// The worker ends each try of the job by itself, until it is dead.
    pub(crate) async fn give_up(&self, job: JobId) {
        let jobs = self.yarnnn.jobs();
        loop {
            let any = Claim::any(WorkerId::new("ends"), 1, Duration::from_mins(1));
            let claimed = jobs.queue.claim(Claim { only: Some(job), ..any }).await.unwrap().remove(0);
            let outcome = Outcome::Backoff { error: TOO_LONG.to_owned() };
            jobs.queue.finish(vec![(claimed.lease, outcome)]).await.unwrap();
            if jobs.queue.get(job).await.unwrap().unwrap().status == JobStatus::Dead {
                return;
            }
            jobs.admin.hurry(job, "test").await.unwrap();
        }
    }

    /// A tick, two hours later.
    async fn clean_up(&self) {
        self.pass(2);
        let report = self.yarnnn.phases(false).tick(self.office.sim.now(), &CancelToken::default()).await.unwrap();
        assert_eq!(report.errors().collect::<Vec<_>>(), []);
    }

    async fn stores(&self) -> Stores {
        Stores::of(yarnnn::open_store(&self.office.config()).await.unwrap())
    }

    async fn outcome(&self, slot: &FiredSlot) -> Option<SlotOutcome> {
        self.stores().await.slots.slot(slot.user, slot.deliverable, slot.due_at).await.unwrap().unwrap().outcome
    }

    async fn lines(&self, kind: ActivityKind) -> Vec<Activity> {
        let lines = self.yarnnn.activity().recent(self.user.id, 99).await.unwrap();
        lines.into_iter().filter(|it| it.kind == kind).collect()
    }
}

async fn lost(backend: Backend) {
    let scene = Scene::on(backend).await;
    let report = scene.daily(scene.slack(), ReportOptions::default()).await;
    scene.pass(1);
    let slot = scene.fired().await;
    scene.give_up(slot.job).await;
    assert_eq!(scene.told().await, [], "the worker tells nobody");
    scene.clean_up().await;
    assert_eq!(scene.outcome(&slot).await, Some(SlotOutcome::Failed));
    // As if the tick had been killed before it ended the slot.
    scene.office.place.sql("update deliverable_slots set outcome = null, ended_at = null").await;
    scene.clean_up().await;
    assert_eq!(scene.outcome(&slot).await, Some(SlotOutcome::Failed));
    let told = scene.told().await;
    let [(subject, text)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(subject, "Failed: Harbor");
    assert!(text.starts_with("\"Harbor\" could not be written.") && text.contains(TOO_LONG), "{text}");
    let failures = scene.yarnnn.activity().failures(scene.user.id, report.id, 9).await.unwrap();
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert_eq!(failures[0].summary, format!("Harbor ended without a report: {TOO_LONG}"));
    // It may still be written, and has arrived then.
    assert_eq!(scene.run_slot(&scene.fired().await).await.unwrap().status, RunStatus::Delivered);
    assert_eq!((scene.outcome(&slot).await, scene.due().await), (Some(SlotOutcome::Delivered), vec![]));
    scene.office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_its_worker_ended_is_told_of_once() {
    for backend in Backend::BOTH {
        Box::pin(lost(backend)).await;
    }
}

/// As if the process that ended the version had been killed with its job, and the slot had not been ended.
async fn ended_before_its_job(backend: Backend, status: RunStatus, passes: Option<bool>) {
    let scene = Scene::on(backend).await;
    let options = ReportOptions { min_evidence_percent: Some(100), ..ReportOptions::default() };
    let report = scene.daily(scene.slack(), options).await;
    if status == RunStatus::Staged {
        scene.office.sim.models().set_writer(Scripted::new([Turn::text("## Summary\n\n- All is well.\n")]));
    }
    scene.pass(1);
    let slot = scene.fired().await;
    let ended = scene.run_slot(&slot).await.unwrap();
    assert_eq!(ended.status, status, "{:?}", ended.error);
    if let Some(passes) = passes {
        scene.yarnnn.deliverables().decide(scene.user.id, ended.version.unwrap().id, passes).await.unwrap();
    }
    scene.give_up(slot.job).await;
    scene.office.place.sql("update deliverable_slots set outcome = null, ended_at = null").await;
    let before = (scene.told().await, scene.lines(ActivityKind::DeliverableRun).await);
    scene.clean_up().await;
    assert!(scene.outcome(&slot).await.is_some(), "nobody is at it any more");
    assert_eq!((scene.told().await, scene.lines(ActivityKind::DeliverableRun).await), before, "{status:?} {passes:?}");
    assert_eq!(scene.yarnnn.activity().failures(scene.user.id, report.id, 9).await.unwrap(), [], "{status:?} {passes:?}");
    scene.office.close().await;
}

/// Of a report that arrived, waits for a person, or was rejected by one, nobody is told that it was given up.
#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_ended_before_its_job_was_given_up_has_no_failure() {
    for backend in Backend::BOTH {
        for (status, passes) in [(RunStatus::Delivered, None), (RunStatus::Staged, None), (RunStatus::Staged, Some(false))] {
            Box::pin(ended_before_its_job(backend, status, passes)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_told_what_became_of_a_report_that_was_put_away() {
    let scene = Scene::on(Backend::Sqlite).await;
    let report = scene.daily(scene.slack(), ReportOptions::default()).await;
    scene.pass(1);
    let slot = scene.fired().await;
    scene.give_up(slot.job).await;
    scene.yarnnn.deliverables().archive(scene.user.id, report.id).await.unwrap();
    scene.clean_up().await;
    assert_eq!(scene.outcome(&slot).await, Some(SlotOutcome::Failed));
    assert_eq!(scene.told().await, []);
    assert_eq!(scene.yarnnn.activity().failures(scene.user.id, report.id, 9).await.unwrap(), []);
    scene.office.close().await;
}

async fn finished_by_the_next(backend: Backend) {
    let scene = Scene::on(backend).await;
    scene.daily(scene.slack(), ReportOptions::default()).await;
    scene.office.sim.faults().always(POSTS, Fault::Status(503, String::new()));
    scene.pass(1);
    let first = scene.fired().await;
    assert!(matches!(scene.run_slot(&first).await, Err(Error::Undelivered(_))));
    scene.give_up(first.job).await;
    scene.clean_up().await;
    assert_eq!(scene.outcome(&first).await, Some(SlotOutcome::Failed));
    assert_eq!(scene.due().await.len(), 1, "its report is written, and may still be sent");
    scene.office.sim.faults().clear();
    scene.pass(24);
    let second = scene.fired().await;
    assert_ne!(second.due_at, first.due_at, "the newest of the deliverable");
    assert_eq!(scene.run_slot(&second).await.unwrap().status, RunStatus::NoNews);
    let outcomes = (scene.outcome(&first).await, scene.outcome(&second).await);
    assert_eq!(outcomes, (Some(SlotOutcome::Delivered), Some(SlotOutcome::NoNews)));
    let lines = scene.lines(ActivityKind::DeliverableGenerated).await;
    assert!(lines.len() == 1 && lines[0].summary == "Harbor v1 was written by schedule", "{lines:?}");
    assert_eq!(scene.due().await, []);
    scene.office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_whose_report_another_run_delivers_was_delivered() {
    for backend in Backend::BOTH {
        Box::pin(finished_by_the_next(backend)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_whose_staged_report_is_let_pass_was_delivered() {
    let scene = Scene::on(Backend::Sqlite).await;
    let options = ReportOptions { min_evidence_percent: Some(100), ..ReportOptions::default() };
    let report = scene.daily(scene.slack(), options).await;
    scene.office.sim.models().set_writer(Scripted::new([Turn::text("## Summary\n\n- All is well.\n")]));
    scene.pass(1);
    let slot = scene.fired().await;
    let staged = scene.run_slot(&slot).await.unwrap();
    assert_eq!((staged.status, scene.outcome(&slot).await), (RunStatus::Staged, Some(SlotOutcome::Staged)));
    assert_eq!(scene.due().await, [], "it waits for a person");
    scene.yarnnn.deliverables().decide(scene.user.id, staged.version.unwrap().id, true).await.unwrap();
    let request = RunRequest::of(scene.user.id, report.id);
    let sent = scene.yarnnn.deliverables().run(&scene.yarnnn.stage_cx(), &request).await.unwrap();
    assert_eq!((sent.status, scene.outcome(&slot).await), (RunStatus::Delivered, Some(SlotOutcome::Delivered)));
    assert_eq!(scene.lines(ActivityKind::DeliverableGenerated).await.len(), 1);
    scene.office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_whose_report_failed_for_good_is_not_tried_again() {
    let scene = Scene::on(Backend::Sqlite).await;
    scene.daily(scene.slack(), ReportOptions::default()).await;
    scene.office.sim.models().set_writer(Scripted::new([Turn::refusal()]));
    scene.pass(1);
    let slot = scene.fired().await;
    assert_eq!(scene.run_slot(&slot).await.unwrap().status, RunStatus::Failed);
    assert_eq!(scene.outcome(&slot).await, Some(SlotOutcome::Failed));
    assert_eq!(scene.due().await, []);
    scene.office.close().await;
}

/// Who goes on with the report of a slot by hand is not told that it was given up.
async fn at_by_hand(backend: Backend) {
    let scene = Scene::on(backend).await;
    scene.daily(scene.slack(), ReportOptions::default()).await;
    scene.office.sim.faults().always(POSTS, Fault::Status(503, String::new()));
    scene.pass(1);
    let slot = scene.fired().await;
    assert!(matches!(scene.run_slot(&slot).await, Err(Error::Undelivered(_))));
    scene.give_up(slot.job).await;
    let stores = scene.stores().await;
    let version = stores.versions.recent(slot.user, slot.deliverable, 1).await.unwrap().remove(0);
    let hold = |hours| {
        let (at, holder) = (scene.office.sim.now(), Holder::new("by hand"));
        let until = at + TimeDelta::hours(hours);
        stores.versions.hold(Hold { user: slot.user, version: version.id, holder, gone: None, until, at })
    };
    hold(3).await.unwrap();
    scene.clean_up().await;
    assert_eq!((scene.outcome(&slot).await, scene.told().await), (None, vec![]));
    hold(0).await.unwrap();
    scene.clean_up().await;
    assert_eq!((scene.outcome(&slot).await, scene.told().await.len()), (Some(SlotOutcome::Failed), 1));
    scene.office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_whose_report_somebody_is_at_is_not_given_up() {
    for backend in Backend::BOTH {
        Box::pin(at_by_hand(backend)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_whose_staged_report_is_rejected_has_failed() {
    let scene = Scene::on(Backend::Sqlite).await;
    let options = ReportOptions { min_evidence_percent: Some(100), ..ReportOptions::default() };
    scene.daily(scene.slack(), options).await;
    scene.office.sim.models().set_writer(Scripted::new([Turn::text("## Summary\n\n- All is well.\n")]));
    scene.pass(1);
    let slot = scene.fired().await;
    let staged = scene.run_slot(&slot).await.unwrap().version.unwrap();
    scene.yarnnn.deliverables().decide(scene.user.id, staged.id, false).await.unwrap();
    assert_eq!((scene.outcome(&slot).await, scene.due().await), (Some(SlotOutcome::Failed), vec![]));
    scene.office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_whose_run_was_cancelled_ends_without_a_word_and_for_good() {
    let scene = Scene::on(Backend::Sqlite).await;
    scene.daily(scene.slack(), ReportOptions::default()).await;
    scene.pass(1);
    let slot = scene.fired().await;
    scene.yarnnn.jobs().admin.cancel(slot.job, "test").await.unwrap();
    scene.clean_up().await;
    assert_eq!((scene.outcome(&slot).await, scene.told().await), (Some(SlotOutcome::Failed), vec![]));
    // Its job is gone a week later.
    scene.office.place.sql("delete from job_queue where job_type = 'deliverable_generate'").await;
    assert_eq!(scene.due().await, []);
    scene.office.close().await;
}
