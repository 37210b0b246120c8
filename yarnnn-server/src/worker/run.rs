//! One worker, from its first beat to its last written end.

use std::fmt;
use std::sync::Arc;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;
use yarnnn_core::Error;
use yarnnn_core::jobs::{JobKinds, Jobs};

use super::WorkerConfig;
use super::alarm::{Alarm, Until};
use super::claimer::claim_all;
use super::engine::{Drained, Engine, KeeperPlace, Patience};
use super::handle::WorkerHandle;
use super::housekeeper::keep_house;
use super::rescuer::rescue_others;
use super::shared::Shared;
use super::slots::Done;
use super::wake::listen;

/// Works until told to stop: claims jobs of these kinds, runs them, takes back what dead workers held. Ends within
/// [`WorkerConfig::drain`] of the shutdown, with nothing lost: what does not end in time is handed back uncharged.
///
/// # Errors
/// When the thread that renews leases cannot be started, and when a part of the worker has failed without which it does not work:
/// it then stops as if told to. Errors of the store are waited out.
pub async fn run(
    jobs: Jobs,
    kinds: JobKinds,
    config: WorkerConfig,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<Drained, Error> {
    Worker::new(jobs, &kinds, config).run(shutdown).await
}

/// A worker that has not begun: what [`run`] runs, for those who also show its health.
pub struct Worker {
    pub(super) shared: Arc<Shared>,
    ends: UnboundedReceiver<Done>,
    place: KeeperPlace,
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Worker").field(self.shared.worker()).finish()
    }
}

impl Worker {
    /// A worker for these kinds.
    pub fn new(jobs: Jobs, kinds: &JobKinds, config: WorkerConfig) -> Self {
        let (shared, ends) = Shared::new(jobs, kinds, config, None);
        Self { shared, ends, place: KeeperPlace::Thread }
    }

    #[cfg(test)]
    pub(super) const fn without_thread(mut self) -> Self {
        self.place = KeeperPlace::Runtime;
        self
    }

    /// A look at it from outside, while it runs and afterwards.
    pub fn handle(&self) -> WorkerHandle {
        WorkerHandle(self.shared.clone())
    }

    /// As [`run`].
    ///
    /// # Errors
    /// As [`run`].
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) -> Result<Drained, Error> {
        let Self { shared, ends, place } = self;
        let engine = Engine::start(&shared, ends, place)?;
        let part = |name| Alarm::of(shared.clone(), name, Until::Stopped);
        let (mut claimer, mut helpers) = (JoinSet::new(), JoinSet::new());
        claimer.spawn(part("claiming").over(claim_all(shared.clone())));
        helpers.spawn(part("listening").over(listen(shared.clone())));
        helpers.spawn(part("rescuing").over(rescue_others(shared.clone())));
        helpers.spawn(part("housekeeping").over(keep_house(shared.clone())));
        tracing::info!(worker = %shared.worker(), concurrency = shared.config.concurrency, "working");
        tokio::select! {
            () = shutdown => {}
            () = shared.broken() => {}
        }
        tracing::info!(running = shared.slots.running(), "stopping");
        let patience = Patience::of(shared.config.drain);
        shared.stop();
        let claim = async {
            claimer.join_next().await;
        };
        let drained = engine.drain(patience, claim).await;
        helpers.abort_all();
        engine.stop(patience.over()).await;
        tracing::info!(drained.finished, drained.handed_back, drained.unwritten, "stopped");
        match shared.broken_part() {
            Some(part) => Err(Error::Failed(format!("the worker had to stop: {part} has ended unexpectedly"))),
            None => Ok(drained),
        }
    }
}
