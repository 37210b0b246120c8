//! The owner of a report is told, once, at the address of their own account, and only of what they want to know.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use yarnnn::Yarnnn;
use yarnnn::accounts::{MailPreferences, Tier, User};
use yarnnn::connections::Provider;
use yarnnn::deliverables::{
    CreateDeliverable, Deliverable, Destination, Ending, RunDeliverable, RunOutcome, RunRequest, RunStatus,
};
use yarnnn::id::{RandomIds, RunToken};
use yarnnn::jobs::{JobCx, JobFilter, JobRecord, Lease, LeaseEnd, Outcome, WorkerId, new_job};
use yarnnn::pipeline::CancelToken;
use yarnnn_server::worker::{self, JobWatch, WorkerConfig};
use yarnnn_sim::models::{Prompt, Scripted, Turn, Writer};
use yarnnn_sim::{Fault, SimWriter};

use crate::office::Office;
use crate::place::Backend;

const OWNER: &str = "ana@office.example";
const READER: &str = "board@office.example";
pub(crate) const POSTS: &str = "slack.chat.postMessage";

pub(crate) struct Scene {
    pub(crate) office: Office,
    pub(crate) yarnnn: Yarnnn,
    pub(crate) user: User,
}

impl Scene {
    /// An owner with an account of their own, and something to report.
    pub(crate) async fn on(backend: Backend) -> Self {
        let office = Office::on(backend).await;
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

    pub(crate) fn slack(&self) -> Destination {
        Destination::Slack { channel: self.office.general.clone() }
    }

    async fn run(&self, deliverable: &Deliverable) -> RunOutcome {
        let request = RunRequest { force: true, ..RunRequest::of(self.user.id, deliverable.id) };
        self.yarnnn.deliverables().run(&self.yarnnn.stage_cx(), &request).await.unwrap()
    }

    /// Works the notices that wait; answers subject and text of the mails to the owner.
    pub(crate) async fn told(&self) -> Vec<(String, String)> {
        for job in self.waiting().await {
            let (jobs, kinds) = (self.yarnnn.jobs().clone(), self.yarnnn.job_kinds());
            worker::run_job(jobs, kinds, WorkerConfig::new("notices", &RandomIds), job.id, JobWatch::default()).await.unwrap();
        }
        self.office.sim.mail().inbox_of(OWNER).into_iter().map(|it| (it.subject, it.text)).collect()
    }

    /// The jobs that send notices.
    async fn waiting(&self) -> Vec<JobRecord> {
        let filter = JobFilter { kind: Some("deliverable_notice".to_owned()), limit: 9, ..JobFilter::default() };
        self.yarnnn.jobs().admin.list(&filter).await.unwrap()
    }

    async fn wants(&self, preferences: MailPreferences) {
        self.yarnnn.preferences().save_mail_preferences(self.user.id, preferences, self.office.sim.now()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_could_not_be_written_is_told_of_once() {
    let scene = Scene::on(Backend::Sqlite).await;
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
    let scene = Scene::on(Backend::Sqlite).await;
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
    let scene = Scene::on(Backend::Sqlite).await;
    let mailed = scene.report("Mail", Destination::Email { address: OWNER.parse().unwrap() }).await;
    assert_eq!(scene.run(&mailed).await.status, RunStatus::Delivered);
    let told = scene.told().await;
    assert!(told.len() == 1 && told[0].0 == "Mail", "the report itself: {told:?}");
    scene.wants(MailPreferences { deliverable_ready: false, ..MailPreferences::default() }).await;
    let posted = scene.report("Posted", scene.slack()).await;
    assert_eq!(scene.run(&posted).await.status, RunStatus::Delivered);
    assert_eq!(scene.told().await.len(), 1);
    scene.office.close().await;
}

/// The local user has no mailbox: what became of their reports is in the log.
#[tokio::test(flavor = "multi_thread")]
async fn the_local_user_is_sent_nothing() {
    let office = Office::on(Backend::Sqlite).await;
    let yarnnn = office.facade().await;
    let user = office.connect(&yarnnn).await;
    let scene = Scene { office, yarnnn, user };
    let report = scene.report("Local", scene.slack()).await;
    scene.office.sim.models().set_writer(Scripted::new([Turn::refusal()]));
    let failed = scene.run(&report).await;
    assert!(failed.status == RunStatus::Failed && failed.version.is_some(), "who has a mailbox is told of that");
    scene.office.sim.models().set_writer(SimWriter::Faithful);
    assert_eq!(scene.run(&report).await.status, RunStatus::Delivered, "and of that");
    assert_eq!(scene.waiting().await, [], "nothing waits to be sent either");
    let lines = scene.yarnnn.activity().recent(scene.user.id, 99).await.unwrap();
    let ends = lines.iter().filter_map(|it| it.metadata["final_status"].as_str()).collect::<Vec<_>>();
    assert_eq!(ends, ["delivered", "failed"]);
    scene.office.close().await;
}

/// A report that is put away while it is being written, and then is not.
#[tokio::test(flavor = "multi_thread")]
async fn who_puts_a_report_away_is_not_told_that_it_failed() {
    struct Archiving(Yarnnn, Deliverable);
    impl std::fmt::Debug for Archiving {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("Archiving")
        }
    }
    impl Writer for Archiving {
        fn write(&self, _: &Prompt) -> Turn {
            let archive = async { self.0.deliverables().archive(self.1.user, self.1.id).await.unwrap() };
            tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(archive));
            Turn::refusal()
        }
    }
    let scene = Scene::on(Backend::Sqlite).await;
    let report = scene.report("Harbor", scene.slack()).await;
    scene.office.sim.models().set_writer(Archiving(scene.yarnnn.clone(), report.clone()));
    let failed = scene.run(&report).await;
    assert_eq!((failed.status, failed.version.unwrap().state.ending), (RunStatus::Failed, Some(Ending::Refused)));
    assert_eq!(scene.told().await, []);
    scene.office.close().await;
}

/// A try of a job, with so many tries and put-offs behind it.
async fn a_try(scene: &Scene, run: RunDeliverable, is_last: bool, is_put_off_for_the_last_time: bool) -> Outcome {
    let jobs = scene.yarnnn.jobs();
    let new = new_job(&RandomIds, Some(scene.user.id), &run).unwrap();
    let id = jobs.queue.enqueue(vec![new]).await.unwrap()[0].id();
    let record = jobs.queue.get(id).await.unwrap().unwrap();
    let record = JobRecord { attempt: if is_last { record.policy.max_attempts } else { 1 }, ..record };
    let lease = Lease {
        job: id,
        worker: WorkerId::new("notices"),
        token: RunToken::fresh(&RandomIds),
        attempt: record.attempt,
        policy: record.policy.clone(),
        reschedules: if is_put_off_for_the_last_time { record.policy.max_reschedules } else { 0 },
    };
    let ends = LeaseEnd::starting(Instant::now(), Duration::from_mins(1));
    let cx = JobCx::new(Arc::new(record.clone()), Arc::new(lease), ends, CancelToken::default(), scene.office.clock.clone());
    scene.yarnnn.job_kinds().get(&record.kind).unwrap().run(record.payload.clone(), &cx).await
}

/// The last try of a job whose run cannot be gone on with now.
async fn last_try(scene: &Scene, run: RunDeliverable) -> Outcome {
    a_try(scene, run, true, false).await
}

/// What is put off costs no try, and is told of when it is put off no more.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_only_put_off_is_told_of_when_it_is_given_up() {
    let scene = Scene::on(Backend::Sqlite).await;
    let report = scene.report("Harbor", scene.slack()).await;
    scene.office.sim.faults().always("anthropic.messages", Fault::RetryAfter(600));
    let run = RunDeliverable::requested(&RunRequest::of(scene.user.id, report.id));
    let outcome = a_try(&scene, run.clone(), true, false).await;
    assert!(matches!(outcome, Outcome::RetryAt { .. }), "{outcome:?}");
    let failures = || async { scene.yarnnn.activity().failures(scene.user.id, report.id, 9).await.unwrap().len() };
    assert_eq!((scene.told().await, failures().await), (vec![], 0), "it is asked again when the provider said");
    let outcome = a_try(&scene, run, false, true).await;
    assert!(matches!(outcome, Outcome::RetryAt { .. }), "{outcome:?}");
    let told = scene.told().await;
    assert!(told.len() == 1 && told[0].0 == "Failed: Harbor", "{told:?}");
    assert_eq!(failures().await, 1);
    scene.office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_is_given_up_is_told_of() {
    let scene = Scene::on(Backend::Sqlite).await;
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
    let scene = Scene::on(Backend::Sqlite).await;
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

/// A run that an event called for, without leave to post, which ends before there is a version.
async fn without_a_version(backend: Backend) -> (Scene, Deliverable, RunRequest) {
    let scene = Scene::on(backend).await;
    let report = scene.report("Harbor", scene.slack()).await;
    scene.yarnnn.connections().unwrap().disconnect(scene.user.id, Provider::Slack).await.unwrap();
    let request = RunRequest { key: Some("event:Ev1".to_owned()), ..RunRequest::of(scene.user.id, report.id) };
    let outcome = last_try(&scene, RunDeliverable::requested(&request)).await;
    let (_, versions) = scene.yarnnn.deliverables().show(scene.user.id, report.id).await.unwrap();
    assert!(versions.is_empty(), "{outcome:?}");
    (scene, report, request)
}

async fn told_without_a_version(backend: Backend) {
    let (scene, report, request) = without_a_version(backend).await;
    let failures = scene.yarnnn.activity().failures(scene.user.id, report.id, 9).await.unwrap();
    assert!(failures.len() == 1 && failures[0].summary.starts_with("Harbor ended without a report: "), "{failures:?}");
    let told = scene.told().await;
    let [(subject, text)] = told.as_slice() else { panic!("{told:?}") };
    assert!(subject == "Failed: Harbor" && text.starts_with("\"Harbor\" could not be written."), "{subject}: {text}");
    // The same run with a version: it was told of.
    scene.office.connect_for(&scene.yarnnn, scene.user.clone()).await;
    scene.office.sim.models().set_writer(Scripted::new([Turn::refusal()]));
    let failed = scene.yarnnn.deliverables().run(&scene.yarnnn.stage_cx(), &request).await.unwrap();
    assert!(failed.status == RunStatus::Failed && failed.version.is_some());
    assert_eq!(scene.told().await.len(), 1);
    scene.office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_failed_before_it_had_a_version_is_told_of_once() {
    for backend in Backend::BOTH {
        Box::pin(told_without_a_version(backend)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_had_no_version_and_arrives_before_it_is_told_of_is_ready_only() {
    let (scene, _, request) = without_a_version(Backend::Sqlite).await;
    scene.office.connect_for(&scene.yarnnn, scene.user.clone()).await;
    let arrived = scene.yarnnn.deliverables().run(&scene.yarnnn.stage_cx(), &request).await.unwrap();
    assert_eq!(arrived.status, RunStatus::Delivered);
    let told = scene.told().await;
    assert!(told.len() == 1 && told[0].0 == "Ready: Harbor", "{told:?}");
    scene.office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_want_to_know_has_the_line_of_a_run_without_a_version() {
    let scene = Scene::on(Backend::Sqlite).await;
    scene.wants(MailPreferences { deliverable_failed: false, ..MailPreferences::default() }).await;
    let report = scene.report("Harbor", Destination::Slack { channel: "C0NOWHERE".to_owned() }).await;
    scene.yarnnn.connections().unwrap().disconnect(scene.user.id, Provider::Slack).await.unwrap();
    let request = RunRequest { key: Some("event:Ev1".to_owned()), ..RunRequest::of(scene.user.id, report.id) };
    last_try(&scene, RunDeliverable::requested(&request)).await;
    assert_eq!(scene.yarnnn.activity().failures(scene.user.id, report.id, 9).await.unwrap().len(), 1);
    assert_eq!(scene.told().await, []);
    scene.office.close().await;
}
