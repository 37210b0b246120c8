//! `yarnnn migrate`: the schema up to date, whatever `YARNNN_MIGRATE` says.

use std::process::ExitCode;

use serde_json::json;
use yarnnn::{Config, ConnectError};

use crate::output::Output;

pub(super) async fn execute(output: &Output) -> anyhow::Result<ExitCode> {
    let mut config = Config::from_env()?;
    config.database.migrate = true;
    let store = yarnnn::open_store(&config).await?;
    let url = config.database.display_url();
    let version = store.schema_version().await.map_err(|source| ConnectError::Database { url: url.clone(), source })?;
    if output.is_json() {
        output.json(&json!({ "database": url, "schema_version": version }));
    }
    output.line(&format!("{url} is at schema version {version}"));
    Ok(ExitCode::SUCCESS)
}
