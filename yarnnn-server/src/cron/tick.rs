//! What the programs that a crontab starts are told: an instant, and to stop.

use chrono::{DateTime, Datelike as _, Utc};
use yarnnn_core::pipeline::{CancelHandle, CancelToken};

/// Reads the instant of a tick, as RFC 3339.
///
/// # Errors
/// Says how to write one.
pub fn instant(text: &str) -> Result<DateTime<Utc>, String> {
    let read = DateTime::parse_from_rfc3339(text).ok().map(|it| it.to_utc());
    let in_reach = |it: &DateTime<Utc>| (1970..=9_000).contains(&it.year());
    read.filter(in_reach).ok_or_else(|| "write an instant such as 2026-11-22T09:00:00Z".to_owned())
}

/// A token that Ctrl-C or SIGTERM cancels: what is at hand is still committed, the next tick goes on.
pub fn stop_token() -> CancelToken {
    let handle = CancelHandle::default();
    let token = handle.token();
    tokio::spawn(async move {
        asked_to_stop().await;
        handle.cancel();
    });
    token
}

async fn asked_to_stop() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    if interrupt.await.is_err() {
        std::future::pending::<()>().await;
    }
}
