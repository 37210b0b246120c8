//! Of a run that its worker ended for good its owner is told, whoever asked for it; and a version that nobody goes on with does not stay
//! open for ever.

use chrono::TimeDelta;
use yarnnn::clock::instant_text;
use yarnnn::deliverables::{
    CreateDeliverable, Deliverable, ReportOptions, RunDeliverable, RunRequest, RunStatus, Step, VersionStatus,
};
use yarnnn::id::JobId;
use yarnnn::pipeline::CancelToken;
use yarnnn_sim::Fault;
use yarnnn_sim::models::{Scripted, Turn};

use crate::ends::TOO_LONG;
use crate::notices::{POSTS, Scene};
use crate::place::Backend;

impl Scene {
    async fn by_hand(&self, options: ReportOptions) -> Deliverable {
        let create = CreateDeliverable::new("status_report", "Harbor");
        let create = CreateDeliverable { destinations: vec![self.slack()], options, ..create };
        self.yarnnn.deliverables().create(&self.user, create).await.unwrap()
    }

    /// A job of a run that nobody has begun.
    async fn enqueued(&self, report: &Deliverable, key: Option<&str>) -> JobId {
        let request = RunRequest { key: key.map(str::to_owned), ..RunRequest::of(self.user.id, report.id) };
        let run = RunDeliverable::requested(&request);
        self.yarnnn.jobs().enqueue(Some(self.user.id), &run).await.unwrap().id()
    }

    /// The same, which its worker ended for good; jobs have the time of their table, and ticks that of the office.
    async fn died(&self, report: &Deliverable, key: Option<&str>) {
        let job = self.enqueued(report, key).await;
        self.give_up(job).await;
        let now = instant_text(self.office.sim.now());
        self.office
            .place
            .sql(format!("update job_queue set completed_at = '{now}' where status = 'dead' and id = '{job}'"))
            .await;
    }

    async fn lines_of(&self, report: &Deliverable) -> Vec<String> {
        let lines = self.yarnnn.activity().failures(self.user.id, report.id, 9).await.unwrap();
        lines.into_iter().map(|it| it.summary).collect()
    }

    async fn tick_after(&self, passed: TimeDelta) {
        self.office.clock.advance(passed);
        let report = self.yarnnn.phases(false).tick(self.office.sim.now(), &CancelToken::default()).await.unwrap();
        assert_eq!(report.errors().collect::<Vec<_>>(), []);
    }
}

async fn told_once(backend: Backend, key: Option<&str>) {
    let scene = Scene::on(backend).await;
    let report = scene.by_hand(ReportOptions::default()).await;
    scene.died(&report, key).await;
    assert_eq!((scene.told().await, scene.lines_of(&report).await), (vec![], vec![]), "the worker tells nobody");
    scene.tick_after(TimeDelta::minutes(30)).await;
    assert_eq!(scene.told().await, [], "whoever asked may still try it again");
    for _ in 0..2 {
        scene.tick_after(TimeDelta::hours(1)).await;
    }
    let told = scene.told().await;
    let [(subject, text)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(subject, "Failed: Harbor");
    assert!(text.starts_with("\"Harbor\" could not be written.") && text.contains(TOO_LONG), "{text}");
    assert_eq!(scene.lines_of(&report).await, [format!("Harbor ended without a report: {TOO_LONG}")]);
    scene.office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_by_hand_that_its_worker_ended_is_told_of_once() {
    for backend in Backend::BOTH {
        Box::pin(told_once(backend, None)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn so_is_one_that_a_signal_or_an_event_called_for() {
    for key in ["signal:1", "event:1"] {
        Box::pin(told_once(Backend::Sqlite, Some(key))).await;
    }
}

/// A mail that was stored before the line could be is not sent twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_tick_that_died_between_mail_and_line_tells_once() {
    let scene = Scene::on(Backend::Sqlite).await;
    let report = scene.by_hand(ReportOptions::default()).await;
    scene.died(&report, None).await;
    scene.tick_after(TimeDelta::hours(2)).await;
    scene.office.place.sql("delete from activity_log where event_type = 'deliverable_run'").await;
    scene.tick_after(TimeDelta::hours(2)).await;
    assert_eq!((scene.told().await.len(), scene.lines_of(&report).await.len()), (1, 1));
    scene.office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cancelled_put_away_or_brought_a_report_is_told_nothing() {
    let scene = Scene::on(Backend::Sqlite).await;
    let [cancelled, archived, brought, old] = [(); 4].map(|()| scene.by_hand(ReportOptions::default()));
    let (cancelled, archived, brought, old) = (cancelled.await, archived.await, brought.await, old.await);
    let deliverables = scene.yarnnn.deliverables();
    scene.died(&old, None).await;
    scene.office.clock.advance(TimeDelta::days(8));
    let job = scene.enqueued(&cancelled, None).await;
    scene.yarnnn.jobs().admin.cancel(job, "test").await.unwrap();
    for report in [&archived, &brought] {
        scene.died(report, None).await;
    }
    deliverables.archive(scene.user.id, archived.id).await.unwrap();
    let ran = deliverables.run(&scene.yarnnn.stage_cx(), &RunRequest::of(scene.user.id, brought.id)).await.unwrap();
    assert_eq!(ran.status, RunStatus::Delivered);
    scene.tick_after(TimeDelta::hours(2)).await;
    let told: Vec<_> = scene.told().await.into_iter().map(|(subject, _)| subject).collect();
    assert_eq!(told, ["Ready: Harbor"]);
    for report in [cancelled, archived, brought, old] {
        assert_eq!(scene.lines_of(&report).await, [""; 0]);
    }
    scene.office.close().await;
}

/// What was written and not sent stays for the next run, until nobody was at it for a long time.
async fn left_open(backend: Backend) {
    let scene = Scene::on(backend).await;
    let report = scene.by_hand(ReportOptions { min_evidence_percent: Some(100), ..ReportOptions::default() }).await;
    let deliverables = scene.yarnnn.deliverables();
    let run = async || deliverables.run(&scene.yarnnn.stage_cx(), &RunRequest::of(scene.user.id, report.id)).await;
    scene.office.sim.models().set_writer(Scripted::new([Turn::text("## Summary\n\n- All is well.\n")]));
    let staged = run().await.unwrap().version.unwrap();
    // Let pass, and left.
    deliverables.decide(scene.user.id, staged.id, true).await.unwrap();
    let stands = async || deliverables.outcome_of(scene.user.id, staged.id).await.unwrap().version.unwrap();
    scene.tick_after(TimeDelta::days(89)).await;
    assert_eq!(stands().await.status, VersionStatus::Generating);
    scene.tick_after(TimeDelta::days(2)).await;
    let left = stands().await;
    assert_eq!((left.status, left.step), (VersionStatus::Failed, Step::Verified));
    assert_eq!(left.delivery_error.as_deref(), Some("nobody went on with it for 90 days"));
    assert_eq!(scene.told().await, [], "nobody waits for it");
    assert_eq!(scene.lines_of(&report).await.len(), 0);
    scene.office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_nobody_goes_on_with_ends() {
    for backend in Backend::BOTH {
        Box::pin(left_open(backend)).await;
    }
}

/// What was about to be sent fails as well, and is sent by whoever runs the report again.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_left_before_it_was_sent_can_still_be_sent() {
    let scene = Scene::on(Backend::Sqlite).await;
    let report = scene.by_hand(ReportOptions::default()).await;
    let deliverables = scene.yarnnn.deliverables();
    let run = async || deliverables.run(&scene.yarnnn.stage_cx(), &RunRequest::of(scene.user.id, report.id)).await;
    scene.office.sim.faults().always(POSTS, Fault::Status(503, String::new()));
    run().await.unwrap_err();
    scene.tick_after(TimeDelta::days(91)).await;
    let version = deliverables.show(scene.user.id, report.id).await.unwrap().1.remove(0);
    assert_eq!((version.status, version.step), (VersionStatus::Failed, Step::Queued));
    scene.office.sim.faults().clear();
    let sent = run().await.unwrap();
    assert_eq!((sent.status, sent.version.unwrap().id), (RunStatus::Delivered, version.id));
    scene.office.close().await;
}

/// What had arrived when its process died, before the run could say so, is no failure, and ends as what it is.
#[tokio::test(flavor = "multi_thread")]
async fn what_had_arrived_before_it_was_left_has_arrived() {
    let scene = Scene::on(Backend::Sqlite).await;
    let report = scene.by_hand(ReportOptions::default()).await;
    let deliverables = scene.yarnnn.deliverables();
    scene.office.sim.faults().always(POSTS, Fault::Status(503, String::new()));
    deliverables.run(&scene.yarnnn.stage_cx(), &RunRequest::of(scene.user.id, report.id)).await.unwrap_err();
    let job = scene.enqueued(&report, None).await;
    let held = "update deliverable_versions set held_by = 'job:";
    scene.office.place.sql(format!("{held}{job}#1', held_until = null")).await;
    scene.office.place.sql("update outbox set state = 'sent', external_id = '1700000000.000100'").await;
    scene.give_up(job).await;
    let now = instant_text(scene.office.sim.now());
    scene.office.place.sql(format!("update job_queue set completed_at = '{now}' where id = '{job}'")).await;
    scene.tick_after(TimeDelta::hours(2)).await;
    assert_eq!((scene.told().await, scene.lines_of(&report).await), (vec![], vec![]), "there is nothing to tell");
    scene.tick_after(TimeDelta::days(91)).await;
    let version = deliverables.show(scene.user.id, report.id).await.unwrap().1.remove(0);
    assert_eq!((version.status, version.step), (VersionStatus::Delivered, Step::Finished));
    assert_eq!((scene.told().await, scene.lines_of(&report).await), (vec![], vec![]));
    scene.office.close().await;
}
