//! Taking back what dead workers held: at once when their process is gone from this host, else when their leases have ended.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use yarnnn_core::StoreError;
use yarnnn_core::jobs::WorkerId;

use super::backoff::{Streak, jittered};
use super::shared::Shared;

/// How late a claim of a process that is gone may still take effect.
const LATE: Duration = Duration::from_secs(10);

/// Rescues until the worker stops.
pub(super) async fn rescue_others(shared: Arc<Shared>) {
    let mut streak = Streak::new("looking for dead workers");
    let mut rescuer = Rescuer { buried: HashMap::new(), sweep_at: Instant::now() };
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
    /// Those whose jobs were taken back, and until when to look after them again: a claim that was under way when their process
    /// died may still take effect.
    buried: HashMap<WorkerId, Instant>,
    sweep_at: Instant,
}

impl Rescuer {
    async fn round(&mut self, shared: &Shared) -> Result<(), StoreError> {
        shared.slept();
        if !shared.is_steady() {
            return Ok(());
        }
        let now = Instant::now();
        self.buried.retain(|_, until| now < *until);
        let gone: Vec<WorkerId> = gone(shared).await?.into_iter().filter(|it| !self.buried.contains_key(it)).collect();
        if gone.is_empty() && now < self.sweep_at {
            return Ok(());
        }
        let all: Vec<WorkerId> = self.buried.keys().chain(&gone).cloned().collect();
        let rescued = shared.jobs.queue.rescue(&all).await?;
        // Leases end within seconds of each other: a small part of a lease is soon enough for those.
        self.sweep_at = now + jittered(shared.config.rescue_every.max(shared.config.lease / 8), shared.jobs.ids.as_ref());
        for it in &rescued {
            tracing::warn!(job = %it.job, worker = %it.worker, crashes = it.crashes, status = %it.status, "rescued a job");
        }
        if !rescued.is_empty() {
            shared.wake.notify_one();
        }
        self.buried.extend(gone.iter().map(|it| (it.clone(), now + LATE)));
        for worker in gone {
            shared.jobs.presence.leave(&worker).await?;
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
