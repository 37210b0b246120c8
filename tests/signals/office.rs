//! An installation with a calendar and a channel, whose fast model is a simulated provider.

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tempfile::TempDir;
use yarnnn::accounts::{Tier, User};
use yarnnn::deliverables::{CreateDeliverable, Deliverable};
use yarnnn::hash::Sha256;
use yarnnn::id::{DeliverableId, IdGen as _, JobId, PassId, RandomIds, UserId};
use yarnnn::jobs::{JobRecord, JobStatus};
use yarnnn::platform::{Author, ContentType, Item, Platform, Resource, ResourceId, ResourceKind};
use yarnnn::signals::{Pass, PassOutcome, PassRequest, PassTrigger, SignalsFilter};
use yarnnn::sync::SyncOptions;
use yarnnn::testing::ScriptedPlatform;
use yarnnn::{Config, Yarnnn};
use yarnnn_server::worker::{self, JobWatch, WorkerConfig};
use yarnnn_sim::models::{Referring, SimWriter, Turn, Writer};
use yarnnn_sim::{Provider, Running, Sim, VirtualClock};

/// Who mails are from.
const FROM: &str = "YARNNN <reports@yarnnn.example>";
/// What is said in the channel, oldest first.
const MESSAGES: [&str; 3] = [
    "The harbor map ships on Friday unless the tide tables are late again.",
    "Ben sent the tide tables for the harbor map this morning.",
    "The crane inspection moved to next week because of the storm.",
];

/// Which database.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
}

impl Backend {
    pub(crate) const BOTH: [Self; 2] = [Self::Sqlite, Self::Postgres];
}

/// One installation.
pub(crate) struct Office {
    pub(crate) sim: Sim,
    pub(crate) clock: Arc<VirtualClock>,
    pub(crate) yarnnn: Yarnnn,
    pub(crate) user: User,
    _running: Running,
    settings: Vec<(&'static str, String)>,
    _folder: TempDir,
    database: Option<String>,
}

impl Office {
    /// With a meeting tomorrow and three messages of this morning.
    pub(crate) async fn new(backend: Backend) -> Self {
        let office = Self::empty(backend).await;
        office.fill(&office.user).await;
        office
    }

    /// Without content.
    pub(crate) async fn empty(backend: Backend) -> Self {
        let clock = Arc::new(VirtualClock::at("2026-03-05T09:30:00Z".parse().unwrap()));
        let sim = Sim::new(clock.clone());
        let running = sim.start().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (url, database) = database(backend, folder.path()).await;
        let settings = vec![
            ("DATABASE_URL", url),
            ("YARNNN_OUTBOX_DIR", folder.path().join("outbox").display().to_string()),
            ("ANTHROPIC_API_KEY", sim.tokens().key(Provider::Anthropic)),
            ("ANTHROPIC_BASE_URL", running.anthropic_url()),
            ("RESEND_API_KEY", sim.tokens().key(Provider::Resend)),
            ("RESEND_BASE_URL", running.resend_url()),
            ("RESEND_FROM_EMAIL", FROM.to_owned()),
        ];
        let yarnnn = open(&settings, &[], &clock).await;
        let user = yarnnn.local_user().await.unwrap();
        Self { sim, clock, yarnnn, user, _running: running, settings, _folder: folder, database }
    }

    /// The same installation with other settings.
    pub(crate) async fn with(&self, more: &[(&'static str, &str)]) -> Yarnnn {
        open(&self.settings, more, &self.clock).await
    }

    /// The same installation, put together in another way.
    pub(crate) async fn builder(&self) -> yarnnn::YarnnnBuilder {
        let config = config(&self.settings, &[]);
        yarnnn::builder(&config).await.unwrap().clock(self.clock.clone())
    }

    /// Another user of this tier, whose content is alike.
    pub(crate) async fn person(&self, name: &str, tier: Tier) -> User {
        let email = format!("{name}@office.example").parse().unwrap();
        let user = self.yarnnn.user(email).await.unwrap();
        self.sql(&format!("update workspaces set subscription_status = '{}' where owner_id = '{}'", tier.as_str(), user.id))
            .await;
        let user = self.yarnnn.accounts().user(user.id).await.unwrap();
        self.fill(&user).await;
        user
    }

    /// Runs a statement on the database.
    pub(crate) async fn sql(&self, statement: &str) {
        let url = &self.settings[0].1;
        if self.database.is_some() {
            PgConnection::connect(url).await.unwrap().execute(AssertSqlSafe(statement.to_owned())).await.unwrap();
        } else {
            let mut connection = sqlx::SqliteConnection::connect(url).await.unwrap();
            connection.execute(AssertSqlSafe(statement.to_owned())).await.unwrap();
        }
    }

    async fn fill(&self, user: &User) {
        let now = self.now();
        let messages = MESSAGES.iter().zip(1..).map(|(text, hour)| {
            item(&format!("1772.{hour}"), ContentType::Message, text, now - TimeDelta::hours(4 - hour), json!({}))
        });
        self.bring(user, "slack:C1", messages.collect()).await;
        self.bring(user, "calendar:team@office.example", vec![self.event("harbor", "Harbor review", 26, 4)]).await;
    }

    /// An event so many hours from now with so many people.
    pub(crate) fn event(&self, id: &str, title: &str, hours: i64, people: usize) -> Item {
        let attendees: Vec<_> = (0..people).map(|it| json!({ "email": format!("p{it}@office.example") })).collect();
        let text = format!("{title} with the port authority about the harbor map and the tide tables.");
        let at = self.now() + TimeDelta::hours(hours);
        Item { title: Some(title.to_owned()), ..item(id, ContentType::Event, &text, at, json!({ "attendees": attendees })) }
    }

    /// A message so many minutes ago.
    pub(crate) fn message(&self, id: &str, text: &str, minutes: i64) -> Item {
        item(id, ContentType::Message, text, self.now() - TimeDelta::minutes(minutes), json!({}))
    }

    /// Brings items of a resource in.
    pub(crate) async fn bring(&self, user: &User, resource: &str, items: Vec<Item>) {
        let id: ResourceId = resource.parse().unwrap();
        let platform = id.platform();
        let kind = match platform {
            Platform::Slack => ResourceKind::Channel,
            Platform::Gmail => ResourceKind::Label,
            Platform::Notion => ResourceKind::Page,
            Platform::Calendar => ResourceKind::Calendar,
        };
        let client = ScriptedPlatform::new(platform).with(Resource::new(id, "#harbor", kind), items);
        self.yarnnn.sync().run(&client, &SyncOptions::import(user.id, self.now())).await.unwrap();
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.sim.now()
    }

    /// Lets the model answer so, once for each, with the refs of the question for `s1`, `d1`, …; then faithfully.
    pub(crate) fn answers(&self, answers: &[String]) {
        self.writer(Referring::new(answers.iter().map(Turn::text)));
    }

    pub(crate) fn writer(&self, writer: impl Writer) {
        self.sim.models().set_writer(writer);
    }

    pub(crate) fn faithful(&self) {
        self.writer(SimWriter::Faithful);
    }

    /// How often a model was asked for signals.
    pub(crate) fn asked(&self) -> usize {
        self.sim.models().calls().iter().filter(|it| it.prompt.system.contains("trigger_existing")).count()
    }

    /// A new pass of the user.
    pub(crate) async fn pass(&self) -> PassOutcome {
        self.pass_of(&self.yarnnn, self.user.id).await.outcome.unwrap()
    }

    pub(crate) async fn pass_of(&self, yarnnn: &Yarnnn, user: UserId) -> Pass {
        yarnnn.signals().run(&request(user, PassId::fresh(&RandomIds))).await.unwrap()
    }

    /// A report that the user made.
    pub(crate) async fn report(&self, kind: &str, title: &str) -> Deliverable {
        self.yarnnn.deliverables().create(&self.user, CreateDeliverable::new(kind, title)).await.unwrap()
    }

    /// Works a job to its end.
    pub(crate) async fn work(&self, yarnnn: &Yarnnn, job: JobId) -> JobRecord {
        let jobs = yarnnn.jobs();
        let config = WorkerConfig::new("signals", jobs.ids.as_ref());
        worker::run_job(jobs.clone(), yarnnn.job_kinds(), config, job, JobWatch::default()).await.unwrap()
    }

    /// Every job that waits, of any kind.
    pub(crate) async fn waiting(&self) -> Vec<JobRecord> {
        let filter = yarnnn::jobs::JobFilter { statuses: vec![JobStatus::Queued], limit: 100, ..Default::default() };
        self.yarnnn.jobs().admin.list(&filter).await.unwrap()
    }

    /// Everything that signals could have changed: reports, history, jobs.
    pub(crate) async fn state(&self) -> (Vec<(DeliverableId, String, Option<DateTime<Utc>>)>, usize, usize) {
        let all = self.yarnnn.deliverables().list(self.user.id).await.unwrap();
        let all = all.into_iter().map(|it| (it.id, it.title, it.next_run_at)).collect();
        let (_, history) = self.yarnnn.signals().list(self.user.id, 100).await.unwrap();
        (all, history.len(), self.waiting().await.len())
    }

    /// Ends it.
    pub(crate) async fn close(self) {
        if let Some(name) = self.database {
            administer(format!("drop database {name} with (force)")).await;
        }
    }
}

pub(crate) fn request(user: UserId, pass: PassId) -> PassRequest {
    PassRequest { pass, user, filter: SignalsFilter::All, trigger: PassTrigger::Hourly, hour: None, last_try: false }
}

fn item(id: &str, content_type: ContentType, text: &str, at: DateTime<Utc>, metadata: serde_json::Value) -> Item {
    Item {
        item_id: id.to_owned(),
        content_type,
        content_hash: Sha256::of(text),
        content: text.to_owned(),
        title: None,
        author: Some(Author { name: "Ana Almeida".into(), id: None }),
        is_user_authored: false,
        source_timestamp: Some(at),
        metadata,
        records: 1,
    }
}

fn config(settings: &[(&'static str, String)], more: &[(&'static str, &str)]) -> Config {
    let own = |name: &str| settings.iter().find(|(it, _)| *it == name).map(|(_, value)| value.clone());
    let given = |name: &str| more.iter().find(|(it, _)| *it == name).map(|(_, value)| (*value).to_owned());
    Config::from_lookup(&|name: &str| given(name).or_else(|| own(name))).unwrap()
}

async fn open(settings: &[(&'static str, String)], more: &[(&'static str, &str)], clock: &Arc<VirtualClock>) -> Yarnnn {
    yarnnn::builder(&config(settings, more)).await.unwrap().clock(clock.clone()).build()
}

async fn database(backend: Backend, folder: &Path) -> (String, Option<String>) {
    match backend {
        Backend::Sqlite => (format!("sqlite://{}", folder.join("yarnnn.db").display()), None),
        Backend::Postgres => {
            let name = format!("yarnnn_signals_{}", RandomIds.uuid().simple());
            administer(format!("create database {name}")).await;
            let cluster = cluster();
            let (head, query) = cluster.split_once('?').unwrap_or((cluster.as_str(), ""));
            let head = head.rsplit_once('/').map_or(head, |(head, _)| head);
            (format!("{head}/{name}?{query}"), Some(name))
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "tests are told so where their cluster is")]
fn cluster() -> String {
    std::env::var("YARNNN_TEST_POSTGRES_URL")
        .expect("set YARNNN_TEST_POSTGRES_URL, or run `cargo xtask test`, which starts a Postgres")
}

async fn administer(statement: String) {
    let mut connection = PgConnection::connect(&cluster()).await.unwrap();
    connection.execute(AssertSqlSafe(statement)).await.unwrap();
}
