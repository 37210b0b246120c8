//! The composition root: from a configuration to a handle.

use std::path::Path;
use std::sync::Arc;

use yarnnn_core::llm::LanguageModel;
use yarnnn_core::{StoreError, Stores, Yarnnn, YarnnnBuilder};
use yarnnn_llm::{ExtractiveModel, RecordedModel};
use yarnnn_platforms::FolderChannel;
use yarnnn_platforms::export::ExportFiles;
use yarnnn_store::SqlStore;

use crate::config::{Config, ConfigError, ModelConfig, env_vars};
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
}

/// Connects: opens and migrates the database, chooses the writer, delivers to the outbox folder.
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
    let builder = Yarnnn::builder(Stores::of(store), model, Arc::new(HostProcesses::default()));
    Ok(builder.channel(channel).exports(Arc::new(ExportFiles::default())))
}

/// Opens the database of a configuration, migrated unless the configuration forbids it.
///
/// # Errors
/// Names the database.
pub async fn open_store(config: &Config) -> Result<SqlStore, ConnectError> {
    let named = |source| ConnectError::Database { url: config.database.display_url(), source };
    let store = SqlStore::connect(config.database.url()).await.map_err(named)?;
    if config.database.migrate {
        store.migrate().await.map_err(named)?;
    } else if store.schema_version().await.map_err(named)? != store.latest_schema_version() {
        let problem = format!("{} needs to be migrated; run `yarnnn migrate`, or unset it", config.database.display_url());
        return Err(ConfigError { variable: env_vars::YARNNN_MIGRATE, problem }.into());
    }
    Ok(store)
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
