//! Logs on standard error: what a service does is of interest unless asked otherwise.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// Starts logging by `LOG_LEVEL` (default `info`) and `LOG_FORMAT`.
pub(crate) fn init() {
    let (level, json) = yarnnn::config::logging();
    let filter = level.and_then(|it| EnvFilter::try_new(it).ok()).unwrap_or_else(|| EnvFilter::new("info"));
    let logs =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    // A subscriber is only ever set here.
    let _ = if json { logs.json().try_init() } else { logs.try_init() };
}
