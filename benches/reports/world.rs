//! An installation with a scripted writer, and people with items.

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use chrono::TimeDelta;
use serde_json::json;
use yarnnn::accounts::User;
use yarnnn::clock::SystemClock;
use yarnnn::config::Config;
use yarnnn::deliverables::{CreateDeliverable, Deliverable, RunOutcome, RunRequest, RunStatus};
use yarnnn::hash::Sha256;
use yarnnn::id::RandomIds;
use yarnnn::llm::SpendingCaps;
use yarnnn::models::{Budgeted, Ledger, Whole};
use yarnnn::pipeline::StageCx;
use yarnnn::platform::{Author, ContentType, Item, Platform, Resource, ResourceId, ResourceKind};
use yarnnn::platforms::FolderChannel;
use yarnnn::sync::{Origin, SyncOptions};
use yarnnn::testing::ScriptedPlatform;
use yarnnn::{HostProcesses, Stores, Yarnnn};

use super::script::{Asked, Script};
use super::watch::{Part, Seen, Watch, WatchedVersions};

/// Items of each source; four sources are a thousand candidates.
const ITEMS: u64 = 250;
const WORDS: [&str; 48] = [
    "rollout",
    "billing",
    "Thursday",
    "tests",
    "gaps",
    "Priya",
    "customers",
    "invoices",
    "again",
    "before",
    "closed",
    "wants",
    "printer",
    "labels",
    "stock",
    "warehouse",
    "orders",
    "carrier",
    "delay",
    "contract",
    "review",
    "budget",
    "hiring",
    "plan",
    "design",
    "button",
    "colour",
    "shops",
    "import",
    "export",
    "slow",
    "quick",
    "memory",
    "server",
    "night",
    "morning",
    "call",
    "agenda",
    "notes",
    "minutes",
    "supplier",
    "price",
    "margin",
    "refund",
    "ticket",
    "answer",
    "question",
    "deadline",
];

/// What is put behind them, so that few words stand in a row twice.
const ENDINGS: [&str; 5] = ["", "s", "er", "al", "ish"];

/// A source of items: platform, id, kind, what its items are, and their sentences.
type Source = (Platform, &'static str, ResourceKind, ContentType, u64);

/// Chat, mail and pages, of a tenth, of one and of two thousand characters.
pub(crate) const MIXED: [Source; 4] = [
    (Platform::Slack, "C1", ResourceKind::Channel, ContentType::Message, 2),
    (Platform::Slack, "C2", ResourceKind::Channel, ContentType::Message, 2),
    (Platform::Gmail, "label:INBOX", ResourceKind::Label, ContentType::Email, 12),
    (Platform::Notion, "11111111111111111111111111111111", ResourceKind::Page, ContentType::Page, 25),
];
/// Long pages alone.
pub(crate) const LONG: [Source; 1] =
    [(Platform::Notion, "22222222222222222222222222222222", ResourceKind::Page, ContentType::Page, 40)];

/// The installation.
pub(crate) struct World {
    pub(crate) yarnnn: Yarnnn,
    pub(crate) script: Arc<Script>,
    watch: Watch,
}

impl World {
    pub(crate) async fn open(config: &Config) -> anyhow::Result<Self> {
        let watch = Watch::default();
        let mut stores = Stores::of(yarnnn::open_store(config).await?);
        stores.versions = Arc::new(WatchedVersions { inner: stores.versions, watch: watch.clone() });
        let script = Arc::new(Script::new(watch.clone()));
        let books = Ledger {
            ledger: stores.model_ledger.clone(),
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
            caps: SpendingCaps::default(),
        };
        let model = Budgeted::new(Arc::new(Whole::new(script.clone())), books);
        let model = Arc::new(Asked { inner: Arc::new(model), watch: watch.clone() });
        let builder = Yarnnn::builder(stores, model, Arc::new(HostProcesses::default()));
        let folder = Arc::new(FolderChannel::new(&config.outbox.folder));
        Ok(Self { yarnnn: builder.channel(folder).build(), script, watch })
    }

    /// A person with the items of these sources.
    pub(crate) async fn person(&self, number: usize, sources: &[Source]) -> anyhow::Result<User> {
        let user = self.yarnnn.user(format!("person{number}@example.org").parse()?).await?;
        let now = self.yarnnn.clock().now();
        for (at, (platform, id, kind, content_type, length)) in (0_u64..).zip(sources.iter().copied()) {
            let items = (0..ITEMS).map(|index| {
                let first = ((number as u64 * 10 + at) * ITEMS + index) * 100;
                let text = (first..first + length).map(sentence).collect::<Vec<_>>().join(" ");
                Item {
                    item_id: format!("{at}.{index}"),
                    content_type,
                    content_hash: Sha256::of(&text),
                    content: text,
                    title: (platform != Platform::Slack).then(|| format!("Subject {index}")),
                    author: Some(Author { name: "Ana".to_owned(), id: None }),
                    is_user_authored: false,
                    source_timestamp: Some(now - TimeDelta::minutes(10 * i64::try_from(index).unwrap_or_default() + 10)),
                    metadata: json!({}),
                    records: 1,
                }
            });
            let resource = Resource::new(ResourceId::new(platform, id)?, id, kind);
            let client = ScriptedPlatform::new(platform).with(resource, items.collect());
            let options = SyncOptions { origin: Origin::Live, ..SyncOptions::import(user.id, now) };
            let outcome = self.yarnnn.sync().run(&client, &options).await?;
            ensure!(outcome.counts.kept == ITEMS, "{:?}", outcome.counts);
        }
        Ok(user)
    }

    pub(crate) async fn deliverable(&self, user: &User) -> anyhow::Result<Deliverable> {
        let create = CreateDeliverable::new("status_report", "Weekly status");
        Ok(self.yarnnn.deliverables().create(user, create).await?)
    }

    /// Runs it, and says what was seen of the run.
    pub(crate) async fn run(&self, deliverable: &Deliverable, cx: &StageCx) -> anyhow::Result<(RunOutcome, Seen)> {
        let request = RunRequest { force: true, ..RunRequest::of(deliverable.user, deliverable.id) };
        self.watch.begin();
        let outcome = self.yarnnn.deliverables().run(cx, &request).await?;
        let seen = self.watch.end(Part::Steps);
        ensure!(outcome.status == RunStatus::Delivered, "{:?}", outcome.error);
        let ran = outcome.version.as_ref().and_then(|it| it.state.ran.as_ref()).context("nobody wrote")?;
        ensure!(!ran.repaired, "the draft was sent back");
        Ok((outcome, seen))
    }
}

/// A sentence of about seventy characters like no other.
pub(crate) fn sentence(number: u64) -> String {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d;
    let mut word = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let at = usize::try_from(state >> 33).unwrap_or_default();
        let (word, ending) = (WORDS.get(at % WORDS.len()), ENDINGS.get(at / WORDS.len() % ENDINGS.len()));
        format!("{}{}", word.unwrap_or(&""), ending.unwrap_or(&""))
    };
    let words: Vec<_> = (0..9).map(|_| word()).collect();
    format!("The {} number {number}.", words.join(" "))
}
