//! Listening for wake-ups. Without them the worker polls.

use std::sync::Arc;
use std::time::Duration;

use yarnnn_core::StoreError;

use super::shared::Shared;

/// Between two tries to hear something.
const DEAF: Duration = Duration::from_secs(5);

/// Passes wake-ups on until the worker stops.
pub(super) async fn listen(shared: Arc<Shared>) {
    while !shared.is_stopping() {
        tokio::select! {
            () = shared.stopped() => return,
            Err(error) = hear(&shared) => tracing::debug!(%error, "no wake-ups; polling"),
        }
        shared.sleep(DEAF).await;
    }
}

async fn hear(shared: &Shared) -> Result<(), StoreError> {
    let mut listener = shared.jobs.wake_ups.listen().await?;
    loop {
        // First, because nothing was heard before.
        shared.wake.notify_one();
        listener.woken().await?;
    }
}
