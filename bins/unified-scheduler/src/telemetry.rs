//! Logs on standard error: a cron program says what went wrong, and the rest when asked.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// Starts logging by `LOG_LEVEL` (default `warn`) and `LOG_FORMAT`.
pub(crate) fn init() {
    let (level, json) = yarnnn::config::logging();
    let filter = level.and_then(|it| EnvFilter::try_new(it).ok()).unwrap_or_else(|| EnvFilter::new("warn"));
    let logs =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    // A subscriber is only ever set here.
    let _ = if json { logs.json().try_init() } else { logs.try_init() };
}
