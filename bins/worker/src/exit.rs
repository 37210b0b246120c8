//! Exit codes: 1 the worker failed, 3 a setting is missing or wrong. What restarts the program need not guess which.

use yarnnn::ConnectError;
use yarnnn::config::ConfigError;

/// It was told to stop, and did.
pub(crate) const DONE: i32 = 0;
/// The worker could not go on.
const FAILED: i32 = 1;
/// A setting is missing or wrong, or names what cannot be used.
const CONFIGURATION: i32 = 3;

/// Says what stopped the program, and answers its exit code.
pub(crate) fn report(error: &anyhow::Error) -> i32 {
    eprintln!("error: {}", chain(error));
    let of_config = error.is::<ConfigError>() || error.is::<ConnectError>();
    if of_config { CONFIGURATION } else { FAILED }
}

/// The error and its causes, each said once: many of ours name their cause already.
fn chain(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |text, cause| match text.as_str() {
        "" => cause,
        _ if text.contains(&cause) => text,
        _ => format!("{text}: {cause}"),
    })
}
