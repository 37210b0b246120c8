//! The composition root: from a configuration to a handle.

use std::path::Path;
use std::sync::Arc;

use yarnnn_core::clock::SystemClock;
use yarnnn_core::id::RandomIds;
use yarnnn_core::llm::{LanguageModel, ModelLedger};
use yarnnn_core::{Error, StoreError, Stores, Yarnnn, YarnnnBuilder};
use yarnnn_llm::{ExtractiveModel, Models, OpenModelError, RecordedModel};
use yarnnn_platforms::export::ExportFiles;
use yarnnn_platforms::http::HttpTransport;
use yarnnn_platforms::oauth::ProviderOAuth;
use yarnnn_platforms::{FolderChannel, LivePlatforms, Pace, ResendChannel};
use yarnnn_store::SqlStore;
#[cfg(feature = "redis")]
use yarnnn_store::Valkey;

use crate::config::{Config, ConfigError, MailConfig, ModelConfig, Writer, env_vars};
use crate::process::HostProcesses;
use crate::research;

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

/// Whether an error says that a setting is missing or wrong, or names what cannot be used: programs tell these from others by their
/// exit code.
pub fn is_of_settings(error: &(dyn std::error::Error + 'static)) -> bool {
    error.is::<ConfigError>() || error.is::<ConnectError>()
}

/// Connects: opens and migrates the database, finds the server that wakes workers, chooses the writer, delivers to the
/// outbox folder, by mail where a mail service is set, and in Slack, Gmail and Notion with what users have connected.
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
    let transport = HttpTransport::new().map_err(|error| ConnectError::Transport { reason: error.to_string() })?;
    let recorded = recorded(&config.model)?;
    check_models(&config.model)?;
    let store = open_store(config).await?;
    let stores = with_hints(Stores::of(store), config).await?;
    let models = models(config, stores.model_ledger.clone())?;
    let model = match recorded {
        Some(model) => model,
        None => writer(config, &models)?,
    };
    let research = research::open(config, &models, &transport)?;
    let fast = config.model.fast_model().map(|it| models.open(it)).transpose();
    let fast = fast.map_err(|error| unopened_as(env_vars::YARNNN_MODEL_FAST, &error))?;
    let builder = Yarnnn::builder(stores, model, Arc::new(HostProcesses::default()));
    let builder = match research {
        Some((model, means)) => builder.research_model(model).research(means),
        None => builder,
    };
    let builder = match fast {
        Some(model) => builder.fast_model(model),
        None => builder,
    };
    let (platforms, oauth) = live(config, &transport);
    let builder = builder.exports(Arc::new(ExportFiles::default())).live(platforms.clone(), oauth);
    Ok(ways_out(builder, config, &transport, platforms))
}

/// The folder; Slack, Gmail and Notion with what users have connected; Resend where it is set up.
fn ways_out(builder: YarnnnBuilder, config: &Config, transport: &HttpTransport, platforms: Arc<LivePlatforms>) -> YarnnnBuilder {
    let folder = Arc::new(FolderChannel::new(&config.outbox.folder));
    let (slack, gmail, notion) = (platforms.clone(), platforms.clone(), platforms);
    let builder = builder
        .channel(folder)
        .mail_as_files(config.outbox.mail_as_files)
        .account_channel(move |access| Arc::new(slack.slack_channel(access)))
        .account_channel(move |access| Arc::new(gmail.gmail_channel(access)))
        .account_channel(move |access| Arc::new(notion.notion_channel(access)));
    match config.outbox.mail.clone() {
        Ok(MailConfig { key, from, base }) => {
            let channel = ResendChannel::new(transport.clone(), base, key, Arc::new(SystemClock));
            builder.channel(Arc::new(channel.sent_from(from)))
        }
        Err(_) => builder,
    }
}

/// Opens a model by its name, with the caps and in the ledger of an installation: to try another one than the one that writes.
///
/// # Errors
/// Names the setting.
pub fn open_model(config: &Config, yarnnn: &Yarnnn, name: &str) -> Result<Arc<dyn LanguageModel>, ConnectError> {
    models(config, yarnnn.ledger().clone())?.open(name).map_err(|error| unopened(&error).into())
}

fn models(config: &Config, ledger: Arc<dyn ModelLedger>) -> Result<Models, ConnectError> {
    let models = Models::new(config.model.models.clone(), ledger, Arc::new(SystemClock), Arc::new(RandomIds));
    models.map_err(|error| ConnectError::Transport { reason: error.to_string() })
}

fn writer(config: &Config, models: &Models) -> Result<Arc<dyn LanguageModel>, ConnectError> {
    let Writer::Named(name) = &config.model.writer else { return Ok(Arc::new(ExtractiveModel::new())) };
    let opened = match &config.model.fallback {
        Some(fallback) => models.open_with_fallback(name, fallback),
        None => models.open(name),
    };
    opened.map_err(|error| unopened(&error).into())
}

/// Fails when the writer, who stands in for it, or who is asked in between could not be opened.
fn check_models(config: &ModelConfig) -> Result<(), ConnectError> {
    let Writer::Named(writer) = &config.writer else { return Ok(()) };
    for name in std::iter::once(writer).chain(&config.fallback) {
        config.models.check(name).map_err(|error| unopened(&error))?;
    }
    if let Some(fast) = config.fast_model() {
        config.models.check(fast).map_err(|error| unopened_as(env_vars::YARNNN_MODEL_FAST, &error))?;
    }
    Ok(())
}

/// An error about a model, with the setting that it is about.
fn unopened(error: &OpenModelError) -> ConfigError {
    unopened_as(env_vars::YARNNN_MODEL_WRITER, error)
}

/// The same, of a model that this setting names.
pub(crate) fn unopened_as(named_by: &'static str, error: &OpenModelError) -> ConfigError {
    let variable = match error {
        OpenModelError::MissingKey { setting, .. } | OpenModelError::Address { setting, .. } => setting,
        OpenModelError::NoPrice { .. } => env_vars::YARNNN_MODELS_FILE,
        _ => named_by,
    };
    let problem = match error {
        OpenModelError::MissingKey { model, .. } => format!("not set, and the model {model} needs it"),
        OpenModelError::Address { problem, .. } => problem.clone(),
        other => other.to_string(),
    };
    ConfigError { variable, problem }
}

/// What reaches live platforms: one pool of connections for clients and authorization servers.
fn live(config: &Config, transport: &HttpTransport) -> (Arc<LivePlatforms>, Arc<ProviderOAuth>) {
    let platforms = LivePlatforms::new(transport.clone(), config.platforms.bases.clone(), Arc::new(SystemClock));
    let pace = Pace { slack: config.platforms.slack_limits(), ..Pace::default() };
    let oauth = ProviderOAuth::new(config.oauth(), transport.clone(), Arc::new(SystemClock));
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

/// Fails when something is connected and none of its credentials can be read: the key is missing, or is that of another
/// installation. Programs that work in the background would otherwise fail connection by connection where nobody looks, and what
/// is connected next would be sealed with a key that opens nothing else.
///
/// # Errors
/// Names the setting, or the database.
pub async fn check_seal_key(config: &Config, yarnnn: &Yarnnn) -> Result<(), ConnectError> {
    let missing = config.need_seal_key().err();
    let Some(connections) = yarnnn.connections() else { return Ok(()) };
    let named = |source| ConnectError::Database { url: config.database.display_url(), source };
    if let Some(missing) = missing {
        let live = connections.live(None, 1).await.map_err(|error| match error {
            Error::Store(error) => named(error),
            other => named(StoreError::Unavailable { source: other.into() }),
        })?;
        return if live.is_empty() { Ok(()) } else { Err(missing.into()) };
    }
    connections.try_keys().await.map_err(|error| match error {
        StoreError::Locked { problem, .. } => {
            let problem =
                format!("none of its keys opens what is connected: {problem}; `yarnnn doctor` looks at each connection");
            ConfigError { variable: env_vars::INTEGRATION_ENCRYPTION_KEY, problem }.into()
        }
        other => named(other),
    })
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

/// The replay of stored exchanges, if that is what writes.
fn recorded(config: &ModelConfig) -> Result<Option<Arc<dyn LanguageModel>>, ConnectError> {
    let Writer::Recorded(path) = &config.writer else { return Ok(None) };
    let unreadable = |problem| ConfigError { variable: env_vars::YARNNN_MODEL_WRITER, problem };
    let model = RecordedModel::load(path).map_err(|error| unreadable(named(path, &error.to_string())))?;
    Ok(Some(Arc::new(model)))
}

/// An error with the file it is about, if it does not name it itself.
fn named(path: &Path, error: &str) -> String {
    let path = path.display().to_string();
    if error.contains(&path) { error.to_owned() } else { format!("{path}: {error}") }
}
