//! Being told to stop: the page at hand is still committed, the next tick goes on.

use yarnnn::pipeline::{CancelHandle, CancelToken};

/// A token that Ctrl-C or SIGTERM cancels.
pub(crate) fn token() -> CancelToken {
    let handle = CancelHandle::default();
    let token = handle.token();
    tokio::spawn(async move {
        asked().await;
        handle.cancel();
    });
    token
}

async fn asked() {
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
