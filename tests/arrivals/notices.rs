//! The owner of a report is told, once, at the address of their own account, and only of what they want to know.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use yarnnn::Yarnnn;
use yarnnn::accounts::{MailPreferences, Tier, User};
use yarnnn::connections::Provider;
use yarnnn::deliverables::{CreateDeliverable, Deliverable, Destination, RunDeliverable, RunOutcome, RunRequest, RunStatus};
use yarnnn::id::{RandomIds, RunToken};
use yarnnn::jobs::{JobCx, JobFilter, JobRecord, Lease, LeaseEnd, Outcome, WorkerId, new_job};
use yarnnn::pipeline::CancelToken;
use yarnnn_server::worker::{self, JobWatch, WorkerConfig};
use yarnnn_sim::models::{Scripted, Turn};
use yarnnn_sim::{Fault, SimWriter};

use crate::office::Office;
use crate::place::Backend;

const OWNER: &str = "ana@office.example";
const READER: &str = "board@office.example";
const POSTS: &str = "slack.chat.postMessage";

struct Scene {
    office: Office,
    yarnnn: Yarnnn,
    user: User,
}

impl Scene {
    /// An owner with an account of their own, and something to report.
    async fn open() -> Self {
        let office = Office::on(Backend::Sqlite).await;
        let said = "The harbor launch moves to Thursday because the crane is late.";
        office.sim.slack().post_at(&office.general, &office.ana, said, office.ago(2));
        let yarnnn = office.facade().await;
        let user = User { tier: Tier::Pro, ..yarnnn.user(OWNER.parse().unwrap()).await.unwrap() };
        let user = office.connect_for(&yarnnn, user).await;
        Self { office, yarnnn, user }
    }

    async fn report(&self, title: &str, to: Destination) -> Deliverable {
        let create = CreateDeliverable { destinations: vec![to], ..CreateDeliverable::new("status_report", title) };
        self.yarnnn.deliverables().create(&self.user, create).await.unwrap()
    }

    fn slack(&self) -> Destination {
        Destination::Slack { channel: self.office.general.clone() }
    }

    async fn run(&self, deliverable: &Deliverable) -> RunOutcome {
        let request = RunRequest { force: true, ..RunRequest::of(self.user.id, deliverable.id) };
        self.yarnnn.deliverables().run(&self.yarnnn.stage_cx(), &request).await.unwrap()
    }

    /// Works the notices that wait; answers subject and text of the mails to the owner.
    async fn told(&self) -> Vec<(String, String)> {
        let filter = JobFilter { kind: Some("deliverable_notice".to_owned()), limit: 9, ..JobFilter::default() };
        for job in self.yarnnn.jobs().admin.list(&filter).await.unwrap() {
            let (jobs, kinds) = (self.yarnnn.jobs().clone(), self.yarnnn.job_kinds());
            worker::run_job(jobs, kinds, WorkerConfig::new("notices", &RandomIds), job.id, JobWatch::default()).await.unwrap();
        }
        self.office.sim.mail().inbox_of(OWNER).into_iter().map(|it| (it.subject, it.text)).collect()
    }

    async fn wants(&self, preferences: MailPreferences) {
        self.yarnnn.preferences().save_mail_preferences(self.user.id, preferences, self.office.sim.now()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_could_not_be_written_is_told_of_once() {
    let scene = Scene::open().await;
    let title = "Everything about the harbor launch, its crane and <b>all</b> of its lanterns";
    let report = scene.report(title, Destination::Email { address: READER.parse().unwrap() }).await;
    scene.office.sim.models().set_writer(Scripted::new([Turn::refusal()]));
    let failed = scene.run(&report).await;
    assert_eq!(failed.status, RunStatus::Failed);
    assert!(failed.messages.is_empty(), "a notice is no message of the report: {:?}", failed.messages);
    let told = scene.told().await;
    let [(subject, text)] = told.as_slice() else { panic!("{told:?}") };
    assert!(subject.starts_with("Failed: Everything about") && subject.chars().count() <= 60, "{subject}");
    assert!(text.contains("could not be written") && text.contains("refused to write the report"), "{text}");
    assert!(text.contains(&report.id.to_string()), "{text}");
    assert_eq!(scene.told().await.len(), 1, "its job sends nothing again");
    assert!(scene.office.sim.mail().inbox_of(READER).is_empty(), "nobody else is told");
    let mail = scene.office.sim.mail().inbox_of(OWNER).remove(0);
    assert!(!mail.html.contains("<b>"), "{}", mail.html);

    scene.wants(MailPreferences { deliverable_failed: false, ..MailPreferences::default() }).await;
    scene.office.sim.models().set_writer(Scripted::new([Turn::refusal()]));
    assert_eq!(scene.run(&report).await.status, RunStatus::Failed);
    assert_eq!(scene.told().await.len(), 1, "who does not want to know is not told");
    // The notice changes nothing about the next report.
    scene.office.sim.models().set_writer(SimWriter::Faithful);
    assert_eq!(scene.run(&report).await.status, RunStatus::Delivered);
    scene.office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_was_refused_is_told_of_once_however_often_it_is_tried() {
    let scene = Scene::open().await;
    let report = scene.report("Harbor", scene.slack()).await;
    let refusal = r#"{"ok":false,"error":"not_in_channel"}"#;
    scene.office.sim.faults().always(POSTS, Fault::Status(200, refusal.to_owned()));
    for _ in 0..3 {
        let request = RunRequest::of(scene.user.id, report.id);
        let failed = scene.yarnnn.deliverables().run(&scene.yarnnn.stage_cx(), &request).await.unwrap();
        assert!(failed.waits_for_delivery());
        scene.office.wait();
    }
    let told = scene.told().await;
    assert!(told.len() == 1 && told[0].1.contains("is written and could not be delivered"), "{told:?}");
    // It arrives after all, where no mailbox shows it.
    scene.office.sim.faults().clear();
    let request = RunRequest::of(scene.user.id, report.id);
    let arrived = scene.yarnnn.deliverables().run(&scene.yarnnn.stage_cx(), &request).await.unwrap();
    assert_eq!((arrived.status, arrived.messages.len()), (RunStatus::Delivered, 1));
    let told = scene.told().await;
    assert!(told.len() == 2 && told[1].0 == "Ready: Harbor", "{told:?}");
    scene.office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_finds_the_report_in_the_mailbox_is_not_told_of_it() {
    let scene = Scene::open().await;
    let mailed = scene.report("Mail", Destination::Email { address: OWNER.parse().unwrap() }).await;
    assert_eq!(scene.run(&mailed).await.status, RunStatus::Delivered);
    let told = scene.told().await;
    assert!(told.len() == 1 && told[0].0 == "Mail", "the report itself: {told:?}");
    scene.wants(MailPreferences { deliverable_ready: false, ..MailPreferences::default() }).await;
    let posted = scene.report("Posted", scene.slack()).await;
    assert_eq!(scene.run(&posted).await.status, RunStatus::Delivered);
    assert_eq!(scene.told().await.len(), 1);
    // The local user has no mailbox.
    let local = scene.yarnnn.local_user().await.unwrap();
    let create = CreateDeliverable::new("status_report", "Local");
    let local_report = scene.yarnnn.deliverables().create(&local, create).await.unwrap();
    scene.yarnnn.deliverables().run(&scene.yarnnn.stage_cx(), &RunRequest::of(local.id, local_report.id)).await.unwrap_err();
    assert!(scene.office.sim.mail().inbox_of("local@localhost").is_empty());
    scene.office.close().await;
}

/// The last try of a job whose run cannot be gone on with now.
async fn last_try(scene: &Scene, run: RunDeliverable) -> Outcome {
    let jobs = scene.yarnnn.jobs();
    let new = new_job(&RandomIds, Some(scene.user.id), &run).unwrap();
    let id = jobs.queue.enqueue(vec![new]).await.unwrap()[0].id();
    let record = jobs.queue.get(id).await.unwrap().unwrap();
    let record = JobRecord { attempt: record.policy.max_attempts, ..record };
    let lease = Lease {
        job: id,
        worker: WorkerId::new("notices"),
        token: RunToken::fresh(&RandomIds),
        attempt: record.attempt,
        policy: record.policy.clone(),
        reschedules: 0,
    };
    let ends = LeaseEnd::starting(Instant::now(), Duration::from_mins(1));
    let cx = JobCx::new(Arc::new(record.clone()), Arc::new(lease), ends, CancelToken::default(), scene.office.clock.clone());
    scene.yarnnn.job_kinds().get(&record.kind).unwrap().run(record.payload.clone(), &cx).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_is_given_up_is_told_of() {
    let scene = Scene::open().await;
    let report = scene.report("Harbor", scene.slack()).await;
    scene.office.sim.faults().always(POSTS, Fault::Status(503, String::new()));
    let run = RunDeliverable::requested(&RunRequest::of(scene.user.id, report.id));
    let outcome = last_try(&scene, run).await;
    assert!(matches!(outcome, Outcome::Backoff { .. }), "{outcome:?}");
    let told = scene.told().await;
    assert!(told.len() == 1 && told[0].0 == "Failed: Harbor", "{told:?}");
    scene.office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_arrives_before_the_notice_of_its_failure_is_told_of_as_ready_only() {
    let scene = Scene::open().await;
    let report = scene.report("Harbor", scene.slack()).await;
    let refusal = r#"{"ok":false,"error":"not_in_channel"}"#;
    scene.office.sim.faults().always(POSTS, Fault::Status(200, refusal.to_owned()));
    let request = RunRequest::of(scene.user.id, report.id);
    let failed = scene.yarnnn.deliverables().run(&scene.yarnnn.stage_cx(), &request).await.unwrap();
    assert!(failed.waits_for_delivery());
    scene.office.wait();
    scene.office.sim.faults().clear();
    let arrived = scene.yarnnn.deliverables().run(&scene.yarnnn.stage_cx(), &request).await.unwrap();
    assert_eq!(arrived.status, RunStatus::Delivered);
    let told = scene.told().await;
    assert!(told.len() == 1 && told[0].0 == "Ready: Harbor", "{told:?}");
    scene.office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_a_signal_called_for_and_that_has_no_version_is_in_the_log() {
    let scene = Scene::open().await;
    let nowhere = Destination::Slack { channel: "C0NOWHERE".to_owned() };
    let report = scene.report("Harbor", nowhere).await;
    scene.yarnnn.connections().unwrap().disconnect(scene.user.id, Provider::Slack).await.unwrap();
    let request = RunRequest { key: Some("event:Ev1".to_owned()), ..RunRequest::of(scene.user.id, report.id) };
    let outcome = last_try(&scene, RunDeliverable::requested(&request)).await;
    let lines = scene.yarnnn.activity().recent(scene.user.id, 9).await.unwrap();
    let line = lines.iter().find(|it| it.metadata["error"].is_string()).unwrap_or_else(|| panic!("{outcome:?}: {lines:?}"));
    assert!(line.summary.starts_with("Harbor ended without a report: "), "{line:?}");
    assert_eq!(scene.told().await, []);
    scene.office.close().await;
}
