//! The product as people have it, but for time: real clients over loopback, a real database in memory, the world's clock.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use secrecy::SecretString;
use url::Url;
use yarnnn::accounts::User;
use yarnnn::connections::{ConnectionStatus, Connections, Provider, smart_defaults};
use yarnnn::id::UserId;
use yarnnn::jobs::CapacityLimits;
use yarnnn::models::ExtractiveModel;
use yarnnn::pipeline::CancelToken;
use yarnnn::platform::OpenPlatform;
use yarnnn::platform_sync::{PlatformSync, SyncRequest, SyncTrigger, SyncWatch, SyncedPlatform};
use yarnnn::platforms::http::HttpTransport;
use yarnnn::platforms::notion::NotionLimits;
use yarnnn::platforms::oauth::{OAuthApp, OAuthSettings, ProviderOAuth};
use yarnnn::platforms::slack::SlackLimits;
use yarnnn::platforms::{LivePlatforms, Pace, PlatformBases};
use yarnnn::store::{SealKeys, SqlStore};
use yarnnn::{HostProcesses, Stores, Yarnnn};
use yarnnn_sim::{CLIENT_ID, CLIENT_SECRET, Running, Sim, VirtualClock};

use super::permits::FixedCapacity;
use super::plant::{Plant, Spoiled};
use super::trouble::Loss;

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
const LEFT_OUT: [&str; 2] = ["label:SENT", "label:IMPORTANT"];
const PAGE_SIZE: u32 = 5;
const GMAIL_SCOPE: &str = "https://www.googleapis.com/auth/gmail.readonly";
const CALENDAR_SCOPE: &str = "https://www.googleapis.com/auth/calendar.readonly";

/// One installation with one person, connected to everything.
pub(crate) struct Installation {
    pub(crate) yarnnn: Yarnnn,
    pub(crate) user: User,
    sim: Sim,
    /// The token that each provider was connected with.
    tokens: [(Provider, String); 3],
    opening: Opening,
}

/// What a handle is opened with.
#[derive(Debug, Clone)]
pub(crate) struct Opening {
    pub(crate) store: SqlStore,
    pub(crate) keys: Option<SealKeys>,
    pub(crate) bases: PlatformBases,
    pub(crate) transport: HttpTransport,
    pub(crate) clock: Arc<VirtualClock>,
    /// This installation's app at Google and Slack.
    pub(crate) app: OAuthApp,
    pub(crate) plant: Option<Plant>,
}

impl Opening {
    /// A fresh database in memory, and everything as it should be.
    pub(crate) async fn fresh(running: &Running, clock: Arc<VirtualClock>, transport: HttpTransport) -> Result<Self> {
        let store = SqlStore::in_memory().await?;
        Self::over(store, &SealKeys::generate(), &running.gmail_url(), clock, transport)
    }

    /// A database, the key to what is sealed in it, and the address of the simulator.
    pub(crate) fn over(
        store: SqlStore,
        key: &str,
        address: &str,
        clock: Arc<VirtualClock>,
        transport: HttpTransport,
    ) -> Result<Self> {
        Ok(Self {
            store: store.with_clock(clock.clone()),
            keys: Some(SealKeys::parse(key)?),
            bases: bases(address)?,
            transport,
            clock,
            app: OAuthApp { client_id: Some(CLIENT_ID.to_owned()), client_secret: Some(SecretString::from(CLIENT_SECRET)) },
            plant: None,
        })
    }

    /// The product.
    pub(crate) fn handle(&self) -> Yarnnn {
        self.handle_over(self.stores())
    }

    /// Its ports, without limits on calls.
    pub(crate) fn stores(&self) -> Stores {
        let store = match &self.keys {
            Some(keys) => self.store.clone().with_seal(keys.clone()),
            None => self.store.clone(),
        };
        Stores { capacity: Arc::new(FixedCapacity::unlimited()), ..Stores::of(store) }
    }

    /// The product over other ports.
    pub(crate) fn handle_over(&self, stores: Stores) -> Yarnnn {
        let Self { bases, transport, clock, app, .. } = self.clone();
        let settings = OAuthSettings {
            bases: bases.clone(),
            api: Url::parse("https://yarnnn.example").ok(),
            google: app.clone(),
            slack: app.clone(),
            notion: app,
        };
        let oauth = ProviderOAuth::new(settings, transport.clone(), clock.clone());
        let clients: Arc<dyn OpenPlatform> = Arc::new(LivePlatforms::new(transport, bases, clock.clone()).paced(unpaced()));
        let clients = match self.plant {
            Some(plant) => Arc::new(Spoiled::new(clients, plant)),
            None => clients,
        };
        let builder = Yarnnn::builder(stores, Arc::new(ExtractiveModel::new()), Arc::new(HostProcesses::default()));
        builder.live(clients, Arc::new(oauth)).clock(clock).build()
    }
}

impl Installation {
    /// Opens it and connects everything.
    pub(crate) async fn open(sim: &Sim, opening: Opening) -> Result<Self> {
        let installation = Self::found(sim, opening).await?;
        for provider in Provider::ALL {
            installation.connect(provider).await?;
        }
        Ok(installation)
    }

    /// Opens what is there.
    pub(crate) async fn found(sim: &Sim, opening: Opening) -> Result<Self> {
        let yarnnn = opening.handle();
        let user = yarnnn.local_user().await?;
        let tokens = Provider::ALL.map(|it| (it, token(sim, it)));
        Ok(Self { yarnnn, user, sim: sim.clone(), tokens, opening })
    }

    /// Ends it; its database can be copied then.
    pub(crate) async fn close(self) {
        self.opening.store.close().await;
    }

    /// The same database with other settings.
    pub(crate) fn reopen(&mut self, change: impl FnOnce(&mut Opening)) {
        change(&mut self.opening);
        self.yarnnn = self.opening.handle();
    }

    pub(crate) async fn connect(&self, provider: Provider) -> Result<()> {
        let token = self.token(provider).to_owned();
        let connected = self.connections()?.connect(&self.user, provider, token.into()).await;
        connected.map(drop).with_context(|| format!("connecting {provider}"))
    }

    pub(crate) fn connections(&self) -> Result<Connections> {
        self.yarnnn.connections().context("nothing reaches platforms")
    }

    pub(crate) fn platform_sync(&self) -> Result<PlatformSync> {
        self.yarnnn.platform_sync().context("nothing reaches platforms")
    }

    /// The token that a provider was connected with.
    pub(crate) fn token(&self, provider: Provider) -> &str {
        self.tokens.iter().find(|(it, _)| *it == provider).map_or("", |(_, token)| token)
    }

    /// A right is lost.
    pub(crate) fn lose(&self, loss: &Loss) {
        loss.begin(&self.sim);
        match loss {
            Loss::SlackScope => self.sim.tokens().set_scopes(self.token(Provider::Slack), &["channels:read", "users:read"]),
            Loss::GoogleScope => self.sim.tokens().set_scopes(self.token(Provider::Google), &[CALENDAR_SCOPE]),
            Loss::Token(provider) => self.sim.tokens().revoke(self.token(*provider)),
            Loss::Channel(_) | Loss::Calendar(_) | Loss::Page(_) | Loss::NotionReading => {}
        }
    }

    /// It comes back; the person does what has to be done for it.
    ///
    /// What others still keep from being read cannot be connected yet.
    pub(crate) async fn regain(&mut self, loss: &Loss, others: &[Loss]) -> Result<()> {
        loss.end(&self.sim);
        match loss {
            Loss::SlackScope => self.sim.tokens().set_scopes(self.token(Provider::Slack), &SLACK_SCOPES),
            Loss::GoogleScope => self.sim.tokens().set_scopes(self.token(Provider::Google), &[GMAIL_SCOPE, CALENDAR_SCOPE]),
            Loss::Token(provider) => {
                let fresh = token(&self.sim, *provider);
                for (_, token) in self.tokens.iter_mut().filter(|(it, _)| it == provider) {
                    token.clone_from(&fresh);
                }
            }
            Loss::Channel(_) | Loss::Calendar(_) | Loss::Page(_) | Loss::NotionReading => {}
        }
        self.mend(others, matches!(loss, Loss::Token(_))).await
    }

    /// The person connects again what says that it needs that; what something else still keeps from being read cannot be.
    pub(crate) async fn mend(&self, losses: &[Loss], all: bool) -> Result<()> {
        for connection in self.connections()?.list(self.user.id).await? {
            let platforms = connection.provider.platforms();
            let is_kept = losses.iter().any(|it| it.platforms().iter().any(|it| platforms.contains(it)));
            if !is_kept && (all || connection.status != ConnectionStatus::Active) {
                self.connect(connection.provider).await?;
            }
        }
        Ok(())
    }

    /// The person chooses everything that is known and worth reading, but for two labels that would tell nothing new.
    pub(crate) async fn choose_all(&self) -> Result<()> {
        for connection in self.connections()?.list(self.user.id).await? {
            let platforms = connection.provider.platforms().iter();
            let all: Vec<_> = platforms
                .flat_map(|it| smart_defaults(*it, &connection.landscape.resources))
                .filter(|it| !LEFT_OUT.contains(&it.as_str()))
                .collect();
            self.platform_sync()?.choose(&self.user, connection.provider, &all).await?;
        }
        Ok(())
    }

    /// Syncs everything.
    pub(crate) async fn sync(&self, trigger: SyncTrigger) -> Result<Vec<SyncedPlatform>> {
        let mut reports = vec![];
        for provider in Provider::ALL {
            reports.extend(self.sync_one(provider, trigger).await?);
        }
        Ok(reports)
    }

    /// Syncs what one provider yields.
    pub(crate) async fn sync_one(&self, provider: Provider, trigger: SyncTrigger) -> Result<Vec<SyncedPlatform>> {
        let watch = SyncWatch { cancel: CancelToken::default(), progress: None };
        let request = SyncRequest { user: self.user(), provider, platform: None, trigger };
        Ok(self.platform_sync()?.run(&request, &watch).await?)
    }

    /// Whose it is.
    pub(crate) const fn user(&self) -> UserId {
        self.user.id
    }
}

fn token(sim: &Sim, provider: Provider) -> String {
    match provider {
        Provider::Slack => sim.tokens().slack(&SLACK_SCOPES),
        Provider::Google => sim.tokens().google_refresh(&[GMAIL_SCOPE, CALENDAR_SCOPE]),
        Provider::Notion => sim.tokens().notion(),
    }
}

/// As fast as it goes: limits are a matter of other tests. Pages hold so little that small worlds have several.
fn unpaced() -> Pace {
    let free = CapacityLimits::default;
    let (list, history, replies, conversation, users, probe) = (free(), free(), free(), free(), free(), free());
    let slack = SlackLimits { list, history, replies, conversation, users, probe, post: free(), page_size: PAGE_SIZE };
    Pace { slack, gmail: free(), calendar: free(), notion: NotionLimits { requests: free() } }
}

/// Everything of a simulator at this address.
pub(crate) fn bases(address: &str) -> Result<PlatformBases> {
    let all: Url = address.parse()?;
    Ok(PlatformBases {
        slack: format!("{address}/api").parse()?,
        gmail: all.clone(),
        calendar: all.clone(),
        google_oauth: all.clone(),
        notion: all,
        ..PlatformBases::default()
    })
}
