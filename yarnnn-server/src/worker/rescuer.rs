//! Taking back what dead workers held: at once when their process is gone from this host, else when their leases have ended.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::time::Instant;
use yarnnn_core::StoreError;
use yarnnn_core::jobs::WorkerId;

use super::backoff::{Streak, jittered};
use super::shared::Shared;

/// Rescues until the worker stops.
pub(super) async fn rescue_others(shared: Arc<Shared>) {
    let mut streak = Streak::new("looking for dead workers");
    let mut rescuer = Rescuer { buried: HashSet::new(), sweep_at: Instant::now() };
    while !shared.is_stopping() {
        let pause = match rescuer.round(&shared).await {
            Ok(()) => {
                streak.ended();
                jittered(shared.config.rescue_every, shared.jobs.ids.as_ref())
            }
            Err(error) => streak.failed(&error, shared.jobs.ids.as_ref()),
        };
        shared.sleep(pause).await;
    }
}

struct Rescuer {
    /// Those whose jobs were taken back once.
    buried: HashSet<WorkerId>,
    sweep_at: Instant,
}

impl Rescuer {
    async fn round(&mut self, shared: &Shared) -> Result<(), StoreError> {
        shared.slept();
        if !shared.is_steady() {
            return Ok(());
        }
        let gone = gone(shared).await?;
        let now = Instant::now();
        if gone.is_empty() && now < self.sweep_at {
            return Ok(());
        }
        let rescued = shared.jobs.queue.rescue(&gone).await?;
        // Leases end within seconds of each other: a small part of a lease is soon enough for those.
        self.sweep_at = now + jittered(shared.config.rescue_every.max(shared.config.lease / 8), shared.jobs.ids.as_ref());
        for it in &rescued {
            tracing::warn!(job = %it.job, worker = %it.worker, crashes = it.crashes, status = %it.status, "rescued a job");
        }
        if !rescued.is_empty() {
            shared.wake.notify_one();
        }
        self.bury(shared, gone).await
    }

    /// A claim that was under way when its process died may still take effect, so a worker is looked after twice.
    async fn bury(&mut self, shared: &Shared, gone: Vec<WorkerId>) -> Result<(), StoreError> {
        for worker in gone {
            if self.buried.remove(&worker) {
                shared.jobs.presence.leave(&worker).await?;
            } else {
                self.buried.insert(worker);
            }
        }
        Ok(())
    }
}

/// Workers whose process certainly no longer runs.
pub(super) async fn gone(shared: &Shared) -> Result<Vec<WorkerId>, StoreError> {
    let workers = shared.jobs.presence.workers().await?;
    let gone = workers.into_iter().filter(|it| it.worker != *shared.worker() && shared.jobs.liveness.is_gone(&it.process));
    Ok(gone.map(|it| it.worker).collect())
}
