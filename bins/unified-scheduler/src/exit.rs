//! Exit codes: 0 the tick completed, 1 it could not, 2 wrong usage, 3 a setting is missing or wrong.

use std::process::ExitCode;

use yarnnn::ConnectError;
use yarnnn::config::ConfigError;
use yarnnn_server::cron;

/// The tick could not be completed.
pub(crate) const FAILED: u8 = 1;
/// The command line was not understood.
pub(crate) const USAGE: u8 = 2;
/// A setting is missing or wrong.
const CONFIGURATION: u8 = 3;

/// Says what kept the tick from being made, and answers the exit code.
pub(crate) fn report(error: &anyhow::Error, json: bool) -> ExitCode {
    let of_config = error.is::<ConfigError>() || error.is::<ConnectError>();
    let (code, name) = if of_config { (CONFIGURATION, "configuration") } else { (FAILED, "failed") };
    let message = cron::error_text(error.chain());
    if json {
        crate::summary::json(&serde_json::json!({ "error": { "code": name, "message": message } }));
    } else {
        eprintln!("error: {message}");
    }
    ExitCode::from(code)
}
