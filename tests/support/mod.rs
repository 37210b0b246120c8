//! Installations for tests through the library: a folder, a database, time that stands still and ids that count.
#![allow(dead_code, reason = "every test program uses its own part")]
#![allow(clippy::unwrap_used, reason = "what is not there fails the test")]

use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;
use yarnnn::accounts::User;
use yarnnn::deliverables::{CreateDeliverable, Deliverable, RunOutcome, RunRequest};
use yarnnn::llm::LanguageModel;
use yarnnn::platform::PlatformClient;
use yarnnn::platforms::export::{self, Limits};
use yarnnn::sync::SyncOptions;
use yarnnn::testing::{FixedClock, FixedIds};
use yarnnn::{Config, Yarnnn};
use yarnnn_sim::sample::Sample;

/// The instant at which the time of these tests stands still.
pub(crate) const NOW: &str = "2026-03-02T12:00:00Z";

/// One installation.
pub(crate) struct Installation {
    pub(crate) folder: TempDir,
    pub(crate) yarnnn: Yarnnn,
    pub(crate) user: User,
}

impl Installation {
    /// An empty one with the key-less writer.
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let yarnnn = open(&Config::in_folder(folder.path()), None).await;
        let user = yarnnn.local_user().await.unwrap();
        Self { folder, yarnnn, user }
    }

    /// One with the sample imported.
    pub(crate) async fn with_sample() -> Self {
        let installation = Self::new().await;
        let sample = Sample::load().write_exports(NOW.parse().unwrap(), &installation.folder.path().join("exports")).unwrap();
        for path in [sample.slack, sample.mail, sample.calendar, sample.notion] {
            installation.import(&path).await;
        }
        installation
    }

    /// The same database and outbox with another writer.
    pub(crate) async fn written_by(self, model: Arc<dyn LanguageModel>) -> Self {
        let yarnnn = open(&self.config(), Some(model)).await;
        Self { yarnnn, ..self }
    }

    /// What it connects with.
    pub(crate) fn config(&self) -> Config {
        Config::in_folder(self.folder.path())
    }

    async fn import(&self, path: &Path) {
        for source in export::open(path, Limits::default()).unwrap().sources {
            self.sync(source.client.as_ref()).await;
        }
    }

    /// Reads everything a client has.
    pub(crate) async fn sync(&self, client: &dyn PlatformClient) {
        let options = SyncOptions::import(self.user.id, NOW.parse().unwrap());
        let outcome = self.yarnnn.sync().run(client, &options).await.unwrap();
        assert_eq!(outcome.counts.failed, 0, "{:?}", outcome.quarantined);
    }

    /// Makes a deliverable.
    pub(crate) async fn create(&self, create: CreateDeliverable) -> Deliverable {
        self.yarnnn.deliverables().create(&self.user, create).await.unwrap()
    }

    /// Runs it.
    pub(crate) async fn run(&self, deliverable: &Deliverable) -> Result<RunOutcome, yarnnn::Error> {
        let request = RunRequest::of(self.user.id, deliverable.id);
        self.yarnnn.deliverables().run(&self.yarnnn.stage_cx(), &request).await
    }

    /// The names of the delivered files.
    pub(crate) fn delivered(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.folder.path().join("outbox")) else { return vec![] };
        let mut names: Vec<_> = entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// A handle whose clock stands still. Ids go on where a database has none of the same.
pub(crate) async fn open(config: &Config, model: Option<Arc<dyn LanguageModel>>) -> Yarnnn {
    let builder = yarnnn::builder(config).await.unwrap();
    let builder = builder.clock(Arc::new(FixedClock::parse(NOW)));
    match model {
        None => builder.ids(Arc::new(FixedIds::default())).build(),
        // A second handle on the same database must not hand out the ids of the first once more.
        Some(model) => builder.model(model).build(),
    }
}

/// The delivered file with this ending.
pub(crate) fn file<'a>(outcome: &'a RunOutcome, ending: &str) -> &'a str {
    let files = outcome.messages.iter().flat_map(|it| &it.files);
    &files.into_iter().find(|it| it.name.ends_with(ending)).expect("the file is there").content
}
