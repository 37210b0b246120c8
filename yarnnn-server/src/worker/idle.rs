//! Working until there is nothing left to do.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use yarnnn_core::jobs::{Depth, JobKinds, JobStatus, Jobs, NextDue};
use yarnnn_core::{Error, StoreError};

use super::backoff::Streak;
use super::engine::Drained;
use super::handle::Tally;
use super::housekeeper::{is_waiting, unknown_kinds};
use super::shared::Shared;
use super::{Worker, WorkerConfig};

/// How long a job that is not due yet is waited for.
const LONGEST_WAIT: Duration = Duration::from_mins(1);
/// How often to see whether anything is left.
const LOOK: Duration = Duration::from_millis(200);

/// What was done, and what was left.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdleReport {
    /// Ends that this worker wrote.
    pub tally: Tally,
    /// Whether it was stopped before everything was done.
    pub interrupted: bool,
    /// Jobs that wait and whose kind it does not know, by kind.
    pub unknown_kinds: BTreeMap<String, u64>,
    /// Jobs that are due more than a minute later, or in other lanes.
    pub later: u64,
    /// How it ended.
    pub drained: Drained,
}

/// Works until nothing of its kinds is queued, running or retrying, here or elsewhere; jobs that are due within a minute are
/// waited for. With lanes, only what is queued in them counts, and what this worker runs: it does not wait for jobs that others
/// run, in whatever lane.
///
/// # Errors
/// As [`run`](super::run()), and those of the store when the end cannot be told.
pub async fn run_until_idle(
    jobs: Jobs,
    kinds: JobKinds,
    config: WorkerConfig,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<IdleReport, Error> {
    until_idle(Worker::new(jobs, &kinds, config), shutdown).await
}

pub(super) async fn until_idle(worker: Worker, shutdown: impl Future<Output = ()> + Send) -> Result<IdleReport, Error> {
    let (handle, shared) = (worker.handle(), worker.shared.clone());
    let mut interrupted = false;
    let ended = async {
        tokio::select! {
            () = shutdown => interrupted = true,
            () = idle(&shared) => {}
        }
    };
    let drained = worker.run(ended).await?;
    let depth = shared.jobs.admin.depth().await?;
    let known = handle.kinds();
    let later = depth.iter().filter(|it| is_waiting(it.status) && known.contains(&it.kind)).map(|it| it.count).sum();
    Ok(IdleReport { tally: handle.tally(), interrupted, unknown_kinds: unknown_kinds(&depth, &known), later, drained })
}

async fn idle(shared: &Arc<Shared>) {
    let mut streak = Streak::new("counting what is left");
    loop {
        match is_idle(shared).await {
            Ok(true) => return,
            Ok(false) => {
                streak.ended();
                tokio::time::sleep(LOOK).await;
            }
            Err(error) => tokio::time::sleep(streak.failed(&error, shared.jobs.ids.as_ref())).await,
        }
    }
}

/// A job that ends while the questions are on their way may bring another, which is claimed before it is asked for. So nothing may
/// have been held or claimed meanwhile; and what other workers hand over is asked for twice.
async fn is_idle(shared: &Shared) -> Result<bool, StoreError> {
    let claims = shared.claims();
    if claims.is_under_way() || shared.slots.unsettled() > 0 || is_busy(shared).await? || is_busy(shared).await? {
        return Ok(false);
    }
    Ok(shared.slots.unsettled() == 0 && shared.claims() == claims)
}

/// Whether anything is due soon or, unless only some lanes are meant, runs: the store does not count by lane.
async fn is_busy(shared: &Shared) -> Result<bool, StoreError> {
    let known = shared.groups.names();
    if is_due_soon(shared, &known).await? {
        return Ok(true);
    }
    let runs = |it: &Depth| it.count > 0 && it.status == JobStatus::Running && known.contains(&it.kind);
    Ok(shared.config.lanes.is_none() && shared.jobs.admin.depth().await?.iter().any(runs))
}

async fn is_due_soon(shared: &Shared, known: &[String]) -> Result<bool, StoreError> {
    for alone in [false, true] {
        let due = NextDue { kinds: Some(known.to_vec()), lanes: shared.config.lanes.clone(), alone };
        if shared.jobs.queue.next_due(&due).await?.is_some_and(|it| it <= LONGEST_WAIT) {
            return Ok(true);
        }
    }
    Ok(false)
}
