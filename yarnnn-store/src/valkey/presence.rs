//! The board: read from the table, which is the truth, and taken down in Valkey as well.

use std::sync::Arc;

use async_trait::async_trait;
use yarnnn_core::StoreError;
use yarnnn_core::jobs::{Presence, WorkerId, WorkerPresence};

use super::Valkey;
use super::client::Link;

/// Unix seconds of the last beat of any worker of a service; written by workers only.
pub(super) fn heartbeat_key(name: &str) -> String {
    format!("worker:heartbeat:{name}")
}

/// What a worker says of itself, as JSON.
pub(super) fn presence_key(worker: &WorkerId) -> String {
    format!("worker:presence:{worker}")
}

/// A board that also takes workers off the one in Valkey.
#[derive(Clone)]
pub struct ValkeyPresence {
    inner: Arc<dyn Presence>,
    valkey: Valkey,
}

impl ValkeyPresence {
    /// Adds the board in Valkey.
    pub fn new(inner: Arc<dyn Presence>, valkey: Valkey) -> Self {
        Self { inner, valkey }
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Presence for ValkeyPresence {
    async fn workers(&self) -> Result<Vec<WorkerPresence>, StoreError> {
        self.inner.workers().await
    }

    async fn leave(&self, worker: &WorkerId) -> Result<(), StoreError> {
        let known = self.inner.workers().await.unwrap_or_default();
        let left = self.inner.leave(worker).await;
        let mut call = redis::pipe();
        call.del(keys_without(worker, &known)).ignore();
        Link::new(self.valkey.client.clone()).best_effort("farewells", &call).await;
        left
    }
}

/// The keys that go with a worker. The service's heartbeat stays while another worker of that name is known: it is theirs too.
fn keys_without(worker: &WorkerId, known: &[WorkerPresence]) -> Vec<String> {
    let name = known.iter().find(|it| it.worker == *worker).map(|it| it.name.as_str());
    let is_last = |name: &&str| !known.iter().any(|it| it.worker != *worker && it.name == *name);
    let heartbeat = name.filter(is_last).map(heartbeat_key);
    std::iter::once(presence_key(worker)).chain(heartbeat).collect()
}

#[cfg(test)]
mod tests {
    use yarnnn_core::pipeline::Holder;

    use super::*;

    fn presence(worker: &str, name: &str) -> WorkerPresence {
        WorkerPresence {
            worker: WorkerId::new(worker),
            name: name.to_owned(),
            process: Holder::new("host/boot/1/1"),
            version: String::new(),
            concurrency: 1,
            running: 0,
            draining: false,
            started_at: chrono::DateTime::UNIX_EPOCH,
            last_claim_at: None,
            beat_at: None,
        }
    }

    #[test]
    fn a_heartbeat_goes_with_the_last_worker_of_its_name() {
        let known = [presence("a", "sync"), presence("b", "sync"), presence("c", "work")];
        assert_eq!(keys_without(&WorkerId::new("a"), &known), ["worker:presence:a"]);
        assert_eq!(keys_without(&WorkerId::new("c"), &known), ["worker:presence:c", "worker:heartbeat:work"]);
        assert_eq!(keys_without(&WorkerId::new("unknown"), &known), ["worker:presence:unknown"]);
    }
}
