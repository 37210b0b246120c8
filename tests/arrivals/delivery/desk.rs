//! The product over ports that can be cut, and cells of the matrix to try it in.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use yarnnn::accounts::User;
use yarnnn::deliverables::Destination;
use yarnnn::delivery::{Channel, ChannelKind, DownloadChannel, DownloadFormat};
use yarnnn::id::RandomIds;
use yarnnn::models::Models;
use yarnnn::platform::OpenAccess;
use yarnnn::platforms::http::HttpTransport;
use yarnnn::platforms::oauth::ProviderOAuth;
use yarnnn::platforms::{FolderChannel, LivePlatforms, ResendChannel};
use yarnnn::store::SqlStore;
use yarnnn::{Config, HostProcesses, Stores, Yarnnn};
use yarnnn_sim::VirtualClock;
use yarnnn_sim::notion::Place;

use super::cell::Cell;
use super::cuts::Cuts;
use super::ports::Cut;
use crate::office::Office;
use crate::permits::FixedCapacity;
use crate::place::Backend;

/// The writer.
const MODEL: &str = "anthropic/claude-sonnet-5-5";

/// One office, connected, with the product on it.
pub(super) struct Desk {
    pub(super) office: Office,
    pub(super) user: User,
    pub(super) config: Config,
    pub(super) transport: HttpTransport,
    store: SqlStore,
    cells: AtomicU32,
    /// Calls of the model that a run makes when nothing goes wrong.
    pub(super) calls: usize,
}

impl Desk {
    pub(super) async fn on_sqlite() -> Self {
        Box::pin(Self::of(Office::on(Backend::Sqlite).await)).await
    }

    pub(super) async fn on_postgres() -> Self {
        Box::pin(Self::of(Office::on(Backend::Postgres).await)).await
    }

    pub(super) async fn of(office: Office) -> Self {
        for (hours, text) in [
            (30, "The harbor launch moves to Thursday because the crane is late."),
            (28, "The insurance for the harbor launch covers three hundred visitors."),
            (26, "We ordered twelve lanterns for the quay, and they arrive on Monday."),
        ] {
            office.sim.slack().post_at(&office.general, &office.ana, text, office.ago(hours));
        }
        let config = office.config();
        let store = yarnnn::open_store(&config).await.unwrap().with_clock(office.clock.clone());
        let transport = HttpTransport::new().unwrap();
        let yarnnn = assemble(&config, store.clone(), &office.clock, &Cuts::none(), &transport);
        let user = Box::pin(office.connect(&yarnnn)).await;
        let mut desk = Self { office, user, config, transport, store, cells: AtomicU32::new(0), calls: 0 };
        desk.calls = {
            let cell = desk.cell(&[ChannelKind::Folder]).await;
            Box::pin(cell.finish()).await;
            cell.calls()
        };
        assert!(desk.calls > 1, "the writer uses its tools: {} calls", desk.calls);
        desk
    }

    /// The product, as a process of its own has it.
    pub(super) fn handle(&self, cuts: &Arc<Cuts>, transport: &HttpTransport) -> Yarnnn {
        assemble(&self.config, self.store.clone(), &self.office.clock, cuts, transport)
    }

    /// A report with recipients of its own.
    pub(super) async fn cell(&self, channels: &[ChannelKind]) -> Cell<'_> {
        let number = self.cells.fetch_add(1, Ordering::Relaxed);
        let sim = &self.office.sim;
        let slack = sim.slack().add_channel(&format!("cell-{number}"), false, &[&self.office.ana]);
        sim.slack().bot_joins(&slack);
        let address = format!("reader-{number}@office.example");
        let folder = self.office.place.folder.path().join(format!("cell-{number}"));
        let page = sim.notion().add_page(Place::Workspace, &format!("cell-{number}"), vec![]).unwrap();
        let to = channels.iter().map(|it| match it {
            ChannelKind::Folder => Destination::Folder { path: Some(folder.display().to_string()) },
            ChannelKind::Slack => Destination::Slack { channel: slack.clone() },
            ChannelKind::Gmail => Destination::GmailDraft { address: address.parse().unwrap() },
            ChannelKind::Notion => Destination::Notion { page: page.clone() },
            ChannelKind::Download => Destination::Download { format: DownloadFormat::Html },
            _ => Destination::Email { address: address.parse().unwrap() },
        });
        let yarnnn = self.handle(&Cuts::none(), &self.transport);
        let deliverable = self.office.deliverable(&yarnnn, &self.user, "status_report", to.collect()).await;
        let calls_before = sim.models().calls().len();
        Cell { desk: self, deliverable, channels: channels.to_vec(), address, slack, page, folder, calls_before }
    }

    pub(super) async fn close(self) {
        self.store.close().await;
        self.office.close().await;
    }
}

/// What `yarnnn::connect` puts together, over ports that can be cut and without limits on calls.
pub(super) fn assemble(
    config: &Config,
    store: SqlStore,
    clock: &Arc<VirtualClock>,
    cuts: &Arc<Cuts>,
    transport: &HttpTransport,
) -> Yarnnn {
    let plain = Stores::of(store);
    let stores = Stores {
        versions: Cut::new(plain.versions.clone(), cuts),
        outbox: Cut::new(plain.outbox.clone(), cuts),
        model_ledger: Cut::new(plain.model_ledger.clone(), cuts),
        capacity: Arc::new(FixedCapacity::unlimited()),
        ..plain
    };
    let models = config.model.models.clone();
    let models = Models::new(models, stores.model_ledger.clone(), clock.clone(), Arc::new(RandomIds)).unwrap();
    let platforms = LivePlatforms::new(transport.clone(), config.platforms.bases.clone(), clock.clone());
    let platforms = Arc::new(platforms);
    let oauth = ProviderOAuth::new(config.oauth(), transport.clone(), clock.clone());
    let mail = config.outbox.mail.clone().unwrap();
    let resend = ResendChannel::new(transport.clone(), mail.base, mail.key, clock.clone()).sent_from(mail.from);
    let cut = |channel: Arc<dyn Channel>| -> Arc<dyn Channel> { Cut::new(channel, cuts) };
    let account = |make: fn(&LivePlatforms, Arc<dyn OpenAccess>) -> Arc<dyn Channel>| {
        let (platforms, cuts) = (platforms.clone(), cuts.clone());
        move |access| -> Arc<dyn Channel> { Cut::new(make(&platforms, access), &cuts) }
    };
    Yarnnn::builder(stores, models.open(MODEL).unwrap(), Arc::new(HostProcesses::default()))
        .live(platforms.clone(), Arc::new(oauth))
        .channel(cut(Arc::new(FolderChannel::new(&config.outbox.folder))))
        .channel(cut(Arc::new(resend)))
        .channel(cut(Arc::new(DownloadChannel)))
        .account_channel(account(|it, access| Arc::new(it.slack_channel(access))))
        .account_channel(account(|it, access| Arc::new(it.gmail_channel(access))))
        .account_channel(account(|it, access| Arc::new(it.notion_channel(access))))
        .clock(clock.clone())
        .build()
}
