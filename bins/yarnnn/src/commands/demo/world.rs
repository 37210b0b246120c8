//! The demo's world: the sample team's platforms on this machine, as they were when the demo was first run in its folder.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use chrono::{DateTime, SubsecRound as _, Utc};
use secrecy::SecretString;
use yarnnn::clock::{Clock, SystemClock};
use yarnnn::config::{Config, DatabaseConfig, ModelConfig, Writer};
use yarnnn::connections::{OAuth as _, Provider};
use yarnnn::models::ModelsConfig;
use yarnnn::platforms::http::HttpTransport;
use yarnnn::platforms::oauth::{OAuthApp, ProviderOAuth};
use yarnnn::platforms::{LivePlatforms, Pace, PlatformBases};
use yarnnn::store::SealKeys;
use yarnnn_server::cron::ShiftedClock;
use yarnnn_sim::{CLIENT_ID, CLIENT_SECRET, Running, Sim, VirtualClock};

use super::model::{MODEL, Simulated};
use crate::session::Session;

/// Nobody's limits have to be spared here.
const TIMES_AS_FAST: u32 = 10_000;

/// The sample team's platforms; they end with this value.
pub(super) struct World {
    sim: Sim,
    running: Running,
    oauth: Arc<ProviderOAuth>,
    config: Config,
    transport: HttpTransport,
    clock: Arc<ShiftedClock>,
    /// Whether the writer is the user's own, by the environment, and not the simulated one.
    pub(super) has_own_writer: bool,
    /// When the demo was first run in its folder: all its dates are offsets from it.
    pub(super) began: DateTime<Utc>,
}

impl World {
    /// Opens it. A folder that has a world already gets the same one, so that a second demo finds nothing new.
    pub(super) async fn open(folder: &Path) -> anyhow::Result<Self> {
        let began = began(&folder.join("demo.clock"))?;
        // The platforms stand still; what reads them goes on.
        let sim = Sim::sample(Arc::new(VirtualClock::at(began)));
        let clock = Arc::new(ShiftedClock::showing(began));
        let running = sim.start().await.context("no port of this machine can be had for the sample's platforms")?;
        let own = ModelConfig::chosen_in_env()?;
        let has_own_writer = own.is_some();
        let model = own.map_or_else(|| simulated(&sim, &running), Ok)?;
        let config = Config { model, ..config(folder, &running)? };
        let transport = HttpTransport::new().context("the sample's platforms cannot be reached")?;
        let oauth = Arc::new(ProviderOAuth::new(config.oauth(), transport.clone(), clock.clone()));
        Ok(Self { sim, running, oauth, config, transport, clock, has_own_writer, began })
    }

    /// A handle on the demo's database that reaches these platforms.
    pub(super) async fn session(&self) -> anyhow::Result<Session> {
        let bases = self.config.platforms.bases.clone();
        let platforms = LivePlatforms::new(self.transport.clone(), bases, self.clock.clone());
        let platforms = Arc::new(platforms.paced(Pace::default().scaled(TIMES_AS_FAST)));
        let builder = yarnnn::builder(&self.config).await?.live(platforms, self.oauth.clone()).clock(self.clock.clone());
        let builder = if self.has_own_writer { builder } else { builder.wrap_model(|it| Arc::new(Simulated(it))) };
        let yarnnn = builder.build();
        let user = yarnnn.local_user().await?;
        Ok(Session { config: self.config.clone(), yarnnn, user })
    }

    /// A token as the sample's owner would paste it.
    pub(super) fn token(&self, provider: Provider) -> SecretString {
        let scopes = self.oauth.required_scopes(provider);
        let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
        let tokens = self.sim.tokens();
        match provider {
            Provider::Slack => tokens.slack(&scopes),
            Provider::Notion => tokens.notion(),
            Provider::Google => tokens.google_refresh(&scopes),
        }
        .into()
    }

    /// Requests that were answered.
    pub(super) fn requests(&self) -> usize {
        self.sim.journal().count()
    }

    /// Who writes, in the words of the setting.
    pub(super) fn writer(&self) -> String {
        match &self.config.model.writer {
            Writer::Named(name) => name.clone(),
            Writer::Recorded(path) => format!("recorded/{}", path.display()),
        }
    }

    /// Ends it.
    pub(super) async fn close(self) -> anyhow::Result<()> {
        self.running.stop().await.context("the sample's platforms did not end well")
    }
}

/// The simulated provider of models, asked as the real one is: over HTTP, with a key.
fn simulated(sim: &Sim, running: &Running) -> anyhow::Result<ModelConfig> {
    let models = ModelsConfig {
        anthropic_key: Some(sim.tokens().key(yarnnn_sim::Provider::Anthropic).into()),
        anthropic_base: Some(running.anthropic_url().parse()?),
        ..ModelsConfig::default()
    };
    Ok(ModelConfig { writer: Writer::Named(MODEL.to_owned()), models, ..ModelConfig::extractive() })
}

/// When the demo was first run in its folder: read, or now and written down.
fn began(file: &Path) -> anyhow::Result<DateTime<Utc>> {
    if let Ok(text) = std::fs::read_to_string(file) {
        let instant = DateTime::parse_from_rfc3339(text.trim());
        return Ok(instant.with_context(|| format!("{} is no instant; remove the demo's folder", file.display()))?.to_utc());
    }
    let now = SystemClock.now().trunc_subsecs(0);
    let unfinished = file.with_extension("partial");
    let written = std::fs::write(&unfinished, now.to_rfc3339()).and_then(|()| std::fs::rename(&unfinished, file));
    written.with_context(|| format!("cannot write {}", file.display()))?;
    Ok(now)
}

/// Database and outbox under the demo's folder, the sample's platforms, and a key that is thrown away, whatever the environment
/// says.
fn config(folder: &Path, running: &Running) -> anyhow::Result<Config> {
    let mut config = Config { database: DatabaseConfig::sqlite(&folder.join("demo.db")), ..Config::in_folder(folder) };
    config.platforms.bases = PlatformBases {
        slack: running.slack_url().parse()?,
        gmail: running.gmail_url().parse()?,
        calendar: running.calendar_url().parse()?,
        google_oauth: running.oauth_url().parse()?,
        notion: running.notion_url().parse()?,
        ..PlatformBases::default()
    };
    config.secrets.google =
        OAuthApp { client_id: Some(CLIENT_ID.to_owned()), client_secret: Some(CLIENT_SECRET.to_owned().into()) };
    config.secrets.seal_keys = Some(SealKeys::parse(&SealKeys::generate())?);
    Ok(config)
}
