//! The product as people have it: a real database, real clients over loopback, connected to everything.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use futures::future::try_join_all;
use yarnnn::accounts::User;
use yarnnn::clock::Clock;
use yarnnn::config::Config;
use yarnnn::connections::Provider;
use yarnnn::jobs::Capacity;
use yarnnn::models::ExtractiveModel;
use yarnnn::platform::{Platform, ResourceId};
use yarnnn::platform_sync::{SyncRequest, SyncTrigger, SyncWatch, SyncedPlatform};
use yarnnn::platforms::http::HttpTransport;
use yarnnn::platforms::oauth::{OAuthApp, OAuthSettings, ProviderOAuth};
use yarnnn::platforms::{LivePlatforms, Pace, PlatformBases};
use yarnnn::store::{SealKeys, SqlStore};
use yarnnn::{HostProcesses, Stores, Yarnnn};
use yarnnn_sim::{CLIENT_ID, CLIENT_SECRET, Running, Sim};

const SLACK_SCOPES: [&str; 8] = [
    "channels:history",
    "channels:join",
    "channels:read",
    "chat:write",
    "groups:history",
    "groups:read",
    "team:read",
    "users:read",
];
const GOOGLE_SCOPES: [&str; 2] =
    ["https://www.googleapis.com/auth/gmail.readonly", "https://www.googleapis.com/auth/calendar.readonly"];

/// Where the world is, and the tokens that open it, in the order of [`Provider::ALL`].
#[derive(Debug, Clone)]
pub(crate) struct Address {
    pub(crate) url: String,
    pub(crate) tokens: Vec<String>,
}

impl Address {
    pub(crate) fn of(sim: &Sim, running: &Running) -> Self {
        let token = |provider| match provider {
            Provider::Slack => sim.tokens().slack(&SLACK_SCOPES),
            Provider::Google => sim.tokens().google_refresh(&GOOGLE_SCOPES),
            Provider::Notion => sim.tokens().notion(),
        };
        Self { url: running.oauth_url(), tokens: Provider::ALL.map(token).to_vec() }
    }

    fn bases(&self) -> anyhow::Result<PlatformBases> {
        Ok(PlatformBases {
            slack: format!("{}/api", self.url).parse()?,
            gmail: self.url.parse()?,
            calendar: self.url.parse()?,
            google_oauth: self.url.parse()?,
            notion: self.url.parse()?,
            ..PlatformBases::default()
        })
    }
}

/// With what it is opened.
pub(crate) struct Parts {
    pub(crate) config: Config,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) pace: Pace,
    /// What permits go through.
    pub(crate) permits: fn(Arc<dyn Capacity>, u32) -> Arc<dyn Capacity>,
    pub(crate) factor: u32,
}

/// One installation with one person, whose tier is `pro`.
pub(crate) struct Installation {
    yarnnn: Yarnnn,
    user: User,
}

/// What a sync of everything came to.
#[derive(Debug)]
pub(crate) struct Synced {
    pub(crate) took: Duration,
    /// Items that were new, or had changed.
    pub(crate) items: u64,
    /// By provider, how long it took.
    pub(crate) each: Vec<(Provider, Duration)>,
}

impl Installation {
    /// Opens and connects it, and chooses everything that the world is about.
    pub(crate) async fn open(parts: Parts, address: &Address) -> anyhow::Result<Self> {
        let keys = SealKeys::parse(&SealKeys::generate())?;
        let store: SqlStore = yarnnn::open_store(&parts.config).await?.with_clock(parts.clock.clone()).with_seal(keys);
        let mut stores = Stores::of(store);
        stores.capacity = (parts.permits)(stores.capacity, parts.factor);
        let transport = HttpTransport::new()?;
        let bases = address.bases()?;
        let google = OAuthApp { client_id: Some(CLIENT_ID.to_owned()), client_secret: Some(CLIENT_SECRET.to_owned().into()) };
        let settings = OAuthSettings { bases: bases.clone(), google, ..OAuthSettings::default() };
        let oauth = ProviderOAuth::new(settings, transport.clone(), parts.clock.clone());
        let platforms = LivePlatforms::new(transport, bases, parts.clock.clone()).paced(parts.pace);
        let builder = Yarnnn::builder(stores, Arc::new(ExtractiveModel::new()), Arc::new(HostProcesses::default()));
        let yarnnn = builder.live(Arc::new(platforms), Arc::new(oauth)).clock(parts.clock).build();
        let user = yarnnn.local_user().await?;
        let connections = yarnnn.connections().context("nothing reaches platforms")?;
        for (provider, token) in Provider::ALL.into_iter().zip(&address.tokens) {
            connections.connect(&user, provider, token.clone().into()).await?;
        }
        let installation = Self { yarnnn, user };
        installation.choose().await?;
        Ok(installation)
    }

    /// Everything but the labels of Gmail's own that no mail lies under.
    async fn choose(&self) -> anyhow::Result<()> {
        let sync = self.yarnnn.platform_sync().context("nothing reaches platforms")?;
        let connections = self.yarnnn.connections().context("nothing reaches platforms")?;
        for connection in connections.list(self.user.id).await? {
            let is_meant = |id: &ResourceId| {
                id.platform() != Platform::Gmail || id.as_str() == "label:INBOX" || id.as_str().starts_with("label:Label_")
            };
            let ids = connection.landscape.resources.iter().map(|it| it.id.clone());
            let wanted: Vec<_> = ids.filter(is_meant).collect();
            sync.choose(&self.user, connection.provider, &wanted).await?;
        }
        Ok(())
    }

    /// All providers at once, as the clock would.
    pub(crate) async fn sync(&self) -> anyhow::Result<Synced> {
        let begun = Instant::now();
        let ended = try_join_all(Provider::ALL.map(|it| self.provider(it))).await?;
        let took = begun.elapsed();
        let items = ended.iter().flat_map(|it| &it.2).map(|it| it.items_synced).sum();
        Ok(Synced { took, items, each: ended.into_iter().map(|(provider, took, _)| (provider, took)).collect() })
    }

    async fn provider(&self, provider: Provider) -> anyhow::Result<(Provider, Duration, Vec<SyncedPlatform>)> {
        let sync = self.yarnnn.platform_sync().context("nothing reaches platforms")?;
        let request = SyncRequest { user: self.user.id, provider, platform: None, trigger: SyncTrigger::Scheduled };
        let begun = Instant::now();
        let reports = sync.run(&request, &SyncWatch::default()).await?;
        let took = begun.elapsed();
        for report in &reports {
            let errors: Vec<_> =
                report.resources.iter().filter_map(|it| it.error.as_deref()).chain(report.error.as_deref()).collect();
            ensure!(report.outcome.is_ok() && report.skipped.is_none(), "{}: {:?} {errors:?}", report.platform, report.skipped);
        }
        Ok((provider, took, reports))
    }
}
