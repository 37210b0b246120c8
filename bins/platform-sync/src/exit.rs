//! Exit codes: 0 the tick completed, 1 it could not, 2 wrong usage, 3 a setting is missing or wrong.

use std::process::ExitCode;

use yarnnn::ConnectError;
use yarnnn::config::ConfigError;

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
    let message = chain(error);
    if json {
        crate::summary::json(&serde_json::json!({ "error": { "code": name, "message": message } }));
    } else {
        eprintln!("error: {message}");
    }
    ExitCode::from(code)
}

/// The error and its causes, each said once: many of ours name their cause already.
fn chain(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |text, cause| match text.as_str() {
        "" => cause,
        _ if text.contains(&cause) => text,
        _ => format!("{text}: {cause}"),
    })
}
