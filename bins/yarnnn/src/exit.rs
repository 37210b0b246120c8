//! Errors by exit code: 1 the work failed, 2 wrong usage, 3 configuration missing or wrong.

use std::process::ExitCode;

use yarnnn::config::ConfigError;
use yarnnn::llm::LlmError;
use yarnnn::platform::PlatformError;
use yarnnn::{ConnectError, Error, StoreError};

use crate::output::Output;

/// The work was started and failed, wholly or in part.
pub(crate) const FAILED: u8 = 1;
/// The command was not understood, or names what is not there.
pub(crate) const USAGE: u8 = 2;
/// A setting is missing or wrong.
pub(crate) const CONFIGURATION: u8 = 3;

/// A command line that cannot be carried out as it stands.
#[derive(Debug)]
pub(crate) struct UsageError(pub(crate) String);

impl std::fmt::Display for UsageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

/// Nothing is connected that the command could work on.
#[derive(Debug)]
pub(crate) struct NotConnected(pub(crate) String);

impl std::fmt::Display for NotConnected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotConnected {}

/// A job that waits for a person, with the class of what it waits for.
#[derive(Debug)]
pub(crate) struct Stopped {
    pub(crate) class: String,
    pub(crate) text: String,
}

impl std::fmt::Display for Stopped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Stopped {}

/// Prints the error and answers its exit code. With `--json` it is an object on standard output.
pub(crate) fn report(error: &anyhow::Error, output: &Output) -> ExitCode {
    let (code, name) = classify(error);
    if output.is_json() {
        output.json(&serde_json::json!({ "error": { "code": name, "message": chain(error) } }));
    } else {
        output.error(&chain(error));
    }
    ExitCode::from(code)
}

/// The command did its work, but what it had to say did not get to standard output.
pub(crate) fn incomplete(output: &Output) -> ExitCode {
    output.error("standard output cannot be written to");
    ExitCode::from(FAILED)
}

/// The error and its causes, each said once: many of ours name their cause already.
fn chain(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !text.contains(&cause) {
            text = if text.is_empty() { cause } else { format!("{text}: {cause}") };
        }
    }
    text
}

fn classify(error: &anyhow::Error) -> (u8, &'static str) {
    if let Some(stopped) = error.downcast_ref::<Stopped>() {
        return match stopped.class.as_str() {
            "configuration" => (CONFIGURATION, "configuration"),
            "over_cap" => (FAILED, "over_cap"),
            "needs_user" => (FAILED, "needs_user"),
            _ => (FAILED, "failed"),
        };
    }
    let of_config = error.is::<ConfigError>() || error.is::<ConnectError>();
    match error.downcast_ref::<Error>() {
        Some(Error::Invalid(_)) => (USAGE, "invalid"),
        Some(Error::NotFound(_)) => (FAILED, "not_found"),
        Some(Error::Busy(_)) => (FAILED, "busy"),
        Some(Error::Cancelled) => (FAILED, "cancelled"),
        Some(
            Error::NeedsOperator { .. }
            | Error::Store(StoreError::Locked { .. })
            | Error::Platform(PlatformError::NeedsOperator { .. })
            | Error::Model(LlmError::NeedsOperator { .. }),
        ) => (CONFIGURATION, "configuration"),
        Some(Error::Model(LlmError::OverCap { .. })) => (FAILED, "over_cap"),
        Some(Error::Model(_)) => (FAILED, "model"),
        Some(Error::Undelivered(_)) => (FAILED, "undelivered"),
        Some(Error::Store(_)) => (FAILED, "store"),
        Some(Error::Platform(PlatformError::NeedsUser { .. })) => (FAILED, "needs_user"),
        Some(Error::Platform(_)) => (FAILED, "platform"),
        None if error.is::<NotConnected>() => (CONFIGURATION, "not_connected"),
        None if of_config => (CONFIGURATION, "configuration"),
        None if error.is::<UsageError>() => (USAGE, "usage"),
        _ => (FAILED, "failed"),
    }
}
