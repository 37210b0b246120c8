//! The lease keeper, whose beats also reach the board in Valkey.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::watch;
use yarnnn_core::StoreError;
use yarnnn_core::clock::Clock;
use yarnnn_core::id::{JobId, RunToken};
use yarnnn_core::jobs::{LeaseKeeper, OpenLeaseKeeper, PRESENCE_TTL, Renewed, WorkerId, WorkerPresence};

use super::Valkey;
use super::client::Link;
use super::presence::{heartbeat_key, presence_key};

/// Keepers that also beat in Valkey. A server that is gone or slow delays no renewal.
#[derive(Clone)]
pub struct ValkeyKeeper {
    inner: Arc<dyn OpenLeaseKeeper>,
    valkey: Valkey,
}

impl ValkeyKeeper {
    /// Adds the beats in Valkey.
    pub fn new(inner: Arc<dyn OpenLeaseKeeper>, valkey: Valkey) -> Self {
        Self { inner, valkey }
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl OpenLeaseKeeper for ValkeyKeeper {
    async fn open(&self) -> Result<Box<dyn LeaseKeeper>, StoreError> {
        let inner = self.inner.open().await?;
        let (board, news) = watch::channel(None);
        // A connection of its own, on the keeper's runtime; it ends with the keeper.
        tokio::spawn(show(Link::new(self.valkey.client.clone()), news, self.valkey.clock.clone()));
        Ok(Box::new(Keeper { inner, board }))
    }
}

struct Keeper {
    inner: Box<dyn LeaseKeeper>,
    board: watch::Sender<Option<WorkerPresence>>,
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl LeaseKeeper for Keeper {
    async fn renew(&mut self, worker: &WorkerId, leases: &[(JobId, RunToken)]) -> Result<Vec<Renewed>, StoreError> {
        self.inner.renew(worker, leases).await
    }

    async fn beat(&mut self, presence: &WorkerPresence) -> Result<(), StoreError> {
        self.board.send_replace(Some(presence.clone()));
        self.inner.beat(presence).await
    }
}

/// Shows the newest beat; those that came while an older one was on its way are passed over.
async fn show(mut link: Link, mut news: watch::Receiver<Option<WorkerPresence>>, clock: Arc<dyn Clock>) {
    while news.changed().await.is_ok() {
        let newest = news.borrow_and_update().clone();
        if let Some(presence) = newest {
            link.best_effort("beats", &beat(presence, clock.as_ref())).await;
        }
    }
}

fn beat(mut presence: WorkerPresence, clock: &dyn Clock) -> redis::Pipeline {
    let now = clock.now();
    presence.beat_at = Some(now);
    let seconds = PRESENCE_TTL.as_secs();
    let text = serde_json::json!(presence).to_string();
    let mut call = redis::pipe();
    call.set_ex(heartbeat_key(&presence.name), now.timestamp().to_string(), seconds).ignore();
    call.set_ex(presence_key(&presence.worker), text, seconds).ignore();
    call
}
