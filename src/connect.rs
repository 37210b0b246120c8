//! The composition root: from a configuration to a handle.

use std::path::Path;
use std::sync::Arc;

use yarnnn_core::clock::SystemClock;
use yarnnn_core::llm::LanguageModel;
use yarnnn_core::{Error, StoreError, Stores, Yarnnn, YarnnnBuilder};
use yarnnn_llm::{ExtractiveModel, RecordedModel};
use yarnnn_platforms::export::ExportFiles;
use yarnnn_platforms::http::HttpTransport;
use yarnnn_platforms::oauth::ProviderOAuth;
use yarnnn_platforms::{FolderChannel, LivePlatforms, Pace, ResendChannel};
use yarnnn_store::SqlStore;
#[cfg(feature = "redis")]
use yarnnn_store::Valkey;

use crate::config::{Config, ConfigError, MailConfig, ModelConfig, env_vars};
use crate::process::HostProcesses;

/// What can keep a program from connecting.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// A setting is missing or wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database cannot be used.
    #[error("the database {url} cannot be used: {source}")]
    Database {
        /// Its URL, without the password.
        url: String,
        /// Why.
        source: StoreError,
    },
    /// The library that encrypts connections to providers cannot be set up.
    #[error("providers cannot be reached from here: {reason}")]
    Transport {
        /// Why.
        reason: String,
    },
    /// The server of `REDIS_URL` cannot be used, and was not said to be optional.
    #[error("REDIS_URL: {url} cannot be used, and REDIS_OPTIONAL is not `true`: {reason}")]
    Redis {
        /// Its URL, without the password.
        url: String,
        /// Why.
        reason: String,
    },
}

/// Connects: opens and migrates the database, finds the server that wakes workers, chooses the writer, delivers to the
/// outbox folder, by mail where a mail service is set, and in Slack with what users have connected.
///
/// # Errors
/// [`ConnectError`] names the setting or the database.
pub async fn connect(config: &Config) -> Result<Yarnnn, ConnectError> {
    Ok(builder(config).await?.build())
}

/// As [`connect`], but lets the program add channels and stages, or replace clock, ids and model, before it builds.
///
/// # Errors
/// As [`connect`].
pub async fn builder(config: &Config) -> Result<YarnnnBuilder, ConnectError> {
    // Settings first: a wrong one leaves no database behind.
    let model = writer(&config.model)?;
    let store = open_store(config).await?;
    let channel = Arc::new(FolderChannel::new(&config.outbox.folder));
    let stores = with_hints(Stores::of(store), config).await?;
    let transport = HttpTransport::new().map_err(|error| ConnectError::Transport { reason: error.to_string() })?;
    let mut builder = Yarnnn::builder(stores, model, Arc::new(HostProcesses::default())).channel(channel);
    if let Ok(MailConfig { key, base, .. }) = config.outbox.mail.clone() {
        builder = builder.channel(Arc::new(ResendChannel::new(transport.clone(), base, key, Arc::new(SystemClock))));
    }
    let (platforms, oauth) = live(config, transport);
    let slack = platforms.clone();
    let builder = builder.account_channel(move |access| Arc::new(slack.slack_channel(access)));
    Ok(builder.exports(Arc::new(ExportFiles::default())).live(platforms, oauth))
}

/// What reaches live platforms: one pool of connections for clients and authorization servers.
fn live(config: &Config, transport: HttpTransport) -> (Arc<LivePlatforms>, Arc<ProviderOAuth>) {
    let platforms = LivePlatforms::new(transport.clone(), config.platforms.bases.clone(), Arc::new(SystemClock));
    let pace = Pace { slack: config.platforms.slack_limits(), ..Pace::default() };
    let oauth = ProviderOAuth::new(config.oauth(), transport, Arc::new(SystemClock));
    (Arc::new(platforms.paced(pace)), Arc::new(oauth))
}

/// Opens the database of a configuration, migrated unless the configuration forbids it.
///
/// # Errors
/// Names the database.
pub async fn open_store(config: &Config) -> Result<SqlStore, ConnectError> {
    let named = |source| ConnectError::Database { url: config.database.display_url(), source };
    let store = SqlStore::connect(config.database.url()).await.map_err(named)?;
    let store = match &config.secrets.seal_keys {
        Some(keys) => store.with_seal(keys.clone()),
        None => store,
    };
    if config.database.migrate {
        store.migrate().await.map_err(named)?;
    } else if store.schema_version().await.map_err(named)? != store.latest_schema_version() {
        let problem = format!("{} needs to be migrated; run `yarnnn migrate`, or unset it", config.database.display_url());
        return Err(ConfigError { variable: env_vars::YARNNN_MIGRATE, problem }.into());
    }
    Ok(store)
}

/// Fails when something is connected and its credentials cannot be read: for programs that work in the background, and would
/// otherwise fail connection by connection where nobody looks.
///
/// # Errors
/// Names the setting, or the database.
pub async fn check_seal_key(config: &Config, yarnnn: &Yarnnn) -> Result<(), ConnectError> {
    let Some(missing) = config.need_seal_key().err() else { return Ok(()) };
    let Some(connections) = yarnnn.connections() else { return Ok(()) };
    let named = |source| ConnectError::Database { url: config.database.display_url(), source };
    let live = connections.live(None, 1).await.map_err(|error| match error {
        Error::Store(error) => named(error),
        other => named(StoreError::Unavailable { source: other.into() }),
    })?;
    if live.is_empty() { Ok(()) } else { Err(missing.into()) }
}

/// The ports with the hints of the server of `REDIS_URL` on top. Without it they mean the same, only workers learn later of jobs.
#[cfg(feature = "redis")]
async fn with_hints(stores: Stores, config: &Config) -> Result<Stores, ConnectError> {
    let Some(redis) = &config.redis else { return Ok(stores) };
    match Valkey::connect(redis.url(), Arc::new(SystemClock)).await {
        Ok(valkey) => Ok(valkey.over(stores)),
        Err(error) if redis.is_optional => {
            tracing::warn!(%error, "{} cannot be used; going on without it", redis.display_url());
            Ok(stores)
        }
        Err(error) => Err(ConnectError::Redis { url: redis.display_url(), reason: error.to_string() }),
    }
}

#[cfg(not(feature = "redis"))]
async fn with_hints(stores: Stores, _config: &Config) -> Result<Stores, ConnectError> {
    Ok(stores)
}

fn writer(config: &ModelConfig) -> Result<Arc<dyn LanguageModel>, ConnectError> {
    match config {
        ModelConfig::Extractive => Ok(Arc::new(ExtractiveModel::new())),
        ModelConfig::Recorded(path) => {
            let unreadable = |problem| ConfigError { variable: env_vars::YARNNN_MODEL_WRITER, problem };
            let model = RecordedModel::load(path).map_err(|error| unreadable(named(path, &error.to_string())))?;
            Ok(Arc::new(model))
        }
    }
}

/// An error with the file it is about, if it does not name it itself.
fn named(path: &Path, error: &str) -> String {
    let path = path.display().to_string();
    if error.contains(&path) { error.to_owned() } else { format!("{path}: {error}") }
}
