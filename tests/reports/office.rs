//! An installation whose writer is a simulated provider: the real client, the real ledger, on either database.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use serde_json::json;
use sqlx::Connection as _;
use yarnnn::accounts::{Tier, User};
use yarnnn::agent::{ModelWebSearch, ResearchMeans};
use yarnnn::config::{Config, DatabaseConfig, OutboxConfig};
use yarnnn::deliverables::{CreateDeliverable, Deliverable, RunOutcome, RunRequest};
use yarnnn::hash::Sha256;
use yarnnn::llm::{CallQuery, LanguageModel, LedgerCall, SpendingCaps, StreamCompletion};
use yarnnn::models::{Catalogue, Models, ModelsConfig};
use yarnnn::platform::{Author, ContentType, Item, Platform, PlatformClient, Resource, ResourceId, ResourceKind};
use yarnnn::platforms::export::{self, Limits};
use yarnnn::platforms::web::PublicPages;
use yarnnn::sync::{Origin, SyncOptions};
use yarnnn::testing::{FixedClock, FixedIds, ScriptedPlatform};
use yarnnn::{Error, Yarnnn};
use yarnnn_sim::sample::Sample;
use yarnnn_sim::{Provider, Running, Sim};

use crate::place::{Backend, Place};

/// The instant at which these tests begin.
pub(crate) const NOW: &str = "2026-03-02T12:00:00Z";
/// The model that writes when none is named.
pub(crate) const WRITER: &str = "anthropic/claude-sonnet-5-5";
/// What every call of Anthropic's is called in the simulator's journal.
pub(crate) const CALLS: &str = "anthropic.messages";

/// What a handle is opened with.
#[derive(Debug, Clone)]
pub(crate) struct Wants {
    pub(crate) model: &'static str,
    pub(crate) caps: SpendingCaps,
    pub(crate) catalogue: Catalogue,
    /// Whether reports may be researched on the web.
    pub(crate) web: bool,
    /// Where the model is, if not at the simulator.
    pub(crate) base: Option<SocketAddr>,
    /// Whether mails may be left as files.
    pub(crate) mail_as_files: bool,
}

impl Default for Wants {
    fn default() -> Self {
        let catalogue = Catalogue::built_in();
        Self { model: WRITER, caps: SpendingCaps::default(), catalogue, web: false, base: None, mail_as_files: true }
    }
}

impl Wants {
    pub(crate) fn model(model: &'static str) -> Self {
        Self { model, ..Self::default() }
    }

    pub(crate) fn caps(caps: SpendingCaps) -> Self {
        Self { caps, ..Self::default() }
    }
}

/// One installation and the world around it.
pub(crate) struct Office {
    pub(crate) sim: Sim,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) yarnnn: Yarnnn,
    pub(crate) user: User,
    pub(crate) running: Running,
    ids: Arc<FixedIds>,
    keys: (String, String),
    place: Place,
}

impl Office {
    /// An empty installation on `SQLite`.
    pub(crate) async fn new() -> Self {
        Self::on(Backend::Sqlite).await
    }

    /// An empty installation.
    pub(crate) async fn on(backend: Backend) -> Self {
        Self::of(backend, &Wants::default()).await
    }

    /// An empty installation that is opened so.
    pub(crate) async fn of(backend: Backend, wants: &Wants) -> Self {
        let clock = Arc::new(FixedClock::parse(NOW));
        let sim = Sim::new(clock.clone());
        let running = sim.start().await.unwrap();
        let keys = (sim.tokens().key(Provider::Anthropic), sim.tokens().key(Provider::OpenAi));
        let (place, ids) = (Place::new(backend).await, Arc::new(FixedIds::default()));
        let yarnnn = handle(&place, wants, &clock, &ids, (&running, &keys)).await;
        let user = User { tier: Tier::Pro, ..yarnnn.local_user().await.unwrap() };
        Self { sim, clock, yarnnn, user, running, ids, keys, place }
    }

    /// Another handle on the same database and the same world.
    pub(crate) async fn opened(self, wants: &Wants) -> Self {
        let yarnnn = handle(&self.place, wants, &self.clock, &self.ids, (&self.running, &self.keys)).await;
        Self { yarnnn, ..self }
    }

    /// Ends it: a Postgres database is dropped.
    pub(crate) async fn close(self) {
        self.place.close().await;
    }

    /// Changes rows behind the program's back.
    pub(crate) async fn sql(&self, statement: &'static str) {
        self.place.sql(statement).await;
    }

    /// The models, for calls outside of reports; they share the installation's ledger.
    pub(crate) fn streaming(&self, wants: &Wants) -> Arc<dyn StreamCompletion> {
        let config = models_config(wants, (&self.running, &self.keys));
        let models = Models::new(config, self.yarnnn.ledger().clone(), self.clock.clone(), self.ids.clone()).unwrap();
        models.open_streaming(wants.model).unwrap()
    }

    /// The sample team's month, by import.
    pub(crate) async fn import_sample(&self) {
        let exports = self.place.folder.path().join("exports");
        let sample = Sample::load().write_exports(NOW.parse().unwrap(), &exports).unwrap();
        for path in [sample.slack, sample.mail, sample.calendar, sample.notion] {
            assert!(self.import(&path).await > 0, "{}", path.display());
        }
    }

    async fn import(&self, path: &Path) -> usize {
        self.try_import(path).await.unwrap_or_default()
    }

    /// Imports an export file and answers how many sources it had; none if it is no export.
    pub(crate) async fn try_import(&self, path: &Path) -> Option<usize> {
        let sources = export::open(path, Limits::default()).ok()?.sources;
        for source in &sources {
            self.sync(source.client.as_ref(), Origin::Import).await;
        }
        Some(sources.len())
    }

    async fn sync(&self, client: &dyn PlatformClient, origin: Origin) {
        let options = SyncOptions { origin, ..SyncOptions::import(self.user.id, self.clock_time()) };
        self.yarnnn.sync().run(client, &options).await.unwrap();
    }

    pub(crate) fn clock_time(&self) -> DateTime<Utc> {
        self.yarnnn.clock().now()
    }

    /// What stands in the team's channel now: messages by id; these ids are gone.
    pub(crate) async fn channel(&self, messages: &[(&str, &str)], gone: &[&str]) {
        self.posts(messages.iter().map(|(id, text)| message(id, text)).collect(), gone).await;
    }

    /// Somebody replies to a message.
    pub(crate) async fn replies(&self, to: &str, (id, text): (&str, &str)) {
        let reply = Item { content_type: ContentType::ThreadReply, metadata: json!({ "thread_ts": to }), ..message(id, text) };
        self.posts(vec![reply], &[]).await;
    }

    async fn posts(&self, items: Vec<Item>, gone: &[&str]) {
        let channel = Resource::new(ResourceId::new(Platform::Slack, "C1").unwrap(), "#team", ResourceKind::Channel);
        let gone = gone.iter().map(|it| (*it).to_owned()).collect();
        let client = ScriptedPlatform::new(Platform::Slack).with(channel, items).with_faults(vec![], vec![], gone);
        self.sync(&client, Origin::Live).await;
    }

    /// Mails that came in.
    pub(crate) async fn mails(&self, mails: &[(&str, &str)]) {
        let items = mails.iter().map(|(id, text)| Item { content_type: ContentType::Email, ..message(id, text) }).collect();
        let inbox = Resource::new(ResourceId::new(Platform::Gmail, "INBOX").unwrap(), "Inbox", ResourceKind::Label);
        self.sync(&ScriptedPlatform::new(Platform::Gmail).with(inbox, items), Origin::Live).await;
    }

    /// Events of the coming days: by id, with the hours until they begin.
    pub(crate) async fn calendar(&self, events: &[(&str, &str, i64)]) {
        let items = events.iter().map(|(id, text, hours)| event(id, text, *hours)).collect();
        let calendar = Resource::new(ResourceId::new(Platform::Calendar, "primary").unwrap(), "Team", ResourceKind::Calendar);
        self.sync(&ScriptedPlatform::new(Platform::Calendar).with(calendar, items), Origin::Live).await;
    }

    /// From now on the report goes to this address alone.
    pub(crate) async fn sends_to(&self, deliverable: &Deliverable, address: &str) {
        let mut connection = sqlx::SqliteConnection::connect(&self.place.url).await.unwrap();
        let column = json!({ "platform": "email", "target": address, "format": "send" }).to_string();
        let statement = sqlx::query("update deliverables set destination = $1 where id = $2").bind(column);
        let changed = statement.bind(deliverable.id.to_string()).execute(&mut connection).await.unwrap();
        assert_eq!(changed.rows_affected(), 1);
    }

    pub(crate) async fn create(&self, create: CreateDeliverable) -> Deliverable {
        self.yarnnn.deliverables().create(&self.user, create).await.unwrap()
    }

    /// A status report over everything.
    pub(crate) async fn status_report(&self) -> Deliverable {
        self.create(CreateDeliverable::new("status_report", "Weekly")).await
    }

    pub(crate) fn request(&self, deliverable: &Deliverable) -> RunRequest {
        RunRequest::of(self.user.id, deliverable.id)
    }

    pub(crate) async fn run(&self, deliverable: &Deliverable) -> Result<RunOutcome, Error> {
        self.run_as(&self.request(deliverable)).await
    }

    pub(crate) async fn run_as(&self, request: &RunRequest) -> Result<RunOutcome, Error> {
        self.yarnnn.deliverables().run(&self.yarnnn.stage_cx(), request).await
    }

    /// Calls that reached the provider, answered or not.
    pub(crate) fn asked(&self) -> usize {
        self.sim.journal().all().iter().filter(|it| it.call.starts_with("anthropic.") || it.call.starts_with("openai.")).count()
    }

    /// The rows of the ledger.
    pub(crate) async fn ledger(&self) -> Vec<LedgerCall> {
        self.yarnnn.ledger().calls(&CallQuery::default()).await.unwrap()
    }

    /// The files that were delivered.
    pub(crate) fn delivered(&self) -> Vec<String> {
        self.place.delivered()
    }
}

pub(crate) fn message(id: &str, text: &str) -> Item {
    let now: DateTime<Utc> = NOW.parse().unwrap();
    Item {
        item_id: id.to_owned(),
        content_type: ContentType::Message,
        content_hash: Sha256::of(text),
        content: text.to_owned(),
        title: None,
        author: Some(Author { name: "Ana".into(), id: None }),
        is_user_authored: false,
        source_timestamp: Some(now - TimeDelta::hours(9) + TimeDelta::minutes(id.bytes().map(i64::from).sum())),
        metadata: json!({}),
        records: 1,
    }
}

fn event(id: &str, text: &str, hours: i64) -> Item {
    let starts = NOW.parse::<DateTime<Utc>>().unwrap() + TimeDelta::hours(hours);
    let metadata = json!({ "start": starts, "end": starts + TimeDelta::hours(1) });
    let content_type = ContentType::Event;
    Item { content_type, title: Some(id.to_owned()), source_timestamp: Some(starts), metadata, ..message(id, text) }
}

/// An address of this machine where nobody listens.
pub(crate) fn closed_port() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}

/// The last request to a model, as it was read.
pub(crate) fn last_question(sim: &Sim) -> String {
    sim.models().calls().last().expect("a model was asked").prompt.asked()
}

fn models_config(wants: &Wants, (running, keys): (&Running, &(String, String))) -> ModelsConfig {
    let base = |own: String, path: &str| wants.base.map_or(own, |it| format!("http://{it}{path}")).parse().unwrap();
    ModelsConfig {
        anthropic_key: Some(SecretString::from(keys.0.clone())),
        openai_key: Some(SecretString::from(keys.1.clone())),
        anthropic_base: Some(base(running.anthropic_url(), "")),
        openai_base: Some(base(running.openai_url(), "/v1")),
        catalogue: wants.catalogue.clone(),
        caps: wants.caps,
    }
}

async fn handle(
    place: &Place,
    wants: &Wants,
    clock: &Arc<FixedClock>,
    ids: &Arc<FixedIds>,
    provider: (&Running, &(String, String)),
) -> Yarnnn {
    let folder = place.folder.path();
    let mut outbox = OutboxConfig::in_folder(place.outbox());
    outbox.mail_as_files = wants.mail_as_files;
    let database = DatabaseConfig::new(place.url.clone()).unwrap();
    let config = Config { database, outbox, ..Config::in_folder(folder) };
    let ledger = Arc::new(yarnnn::open_store(&config).await.unwrap());
    let models = Models::new(models_config(wants, provider), ledger, clock.clone(), ids.clone()).unwrap();
    let model: Arc<dyn LanguageModel> = models.open(wants.model).unwrap();
    let builder = yarnnn::builder(&config).await.unwrap().clock(clock.clone()).ids(ids.clone()).model(model.clone());
    if !wants.web {
        return builder.build();
    }
    let pages = PublicPages::reaching_for_tests(&[provider.0.address], clock.clone()).unwrap();
    let means = ResearchMeans { search: Arc::new(ModelWebSearch::new(model)), pages: Some(Arc::new(pages)) };
    builder.research(means).build()
}
