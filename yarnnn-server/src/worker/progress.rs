//! Progress of running jobs: only the newest is stored, at most a few times a second, and a failure is nobody's concern.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use yarnnn_core::id::RunToken;
use yarnnn_core::jobs::{JobProgress, JobProgressSink, Lease, Written};

use super::limits::Stop;
use super::shared::Shared;

/// Between two rounds of writing, so that a job with many short steps does not keep the store busy.
const PAUSE: Duration = Duration::from_millis(200);

type Newest = HashMap<RunToken, (Arc<Lease>, JobProgress)>;

/// Progress that is not stored yet.
#[derive(Default)]
pub(super) struct Progress {
    newest: Mutex<Newest>,
    reported: Notify,
}

impl Progress {
    fn report(&self, lease: &Arc<Lease>, progress: JobProgress) {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        newest.insert(lease.token, (lease.clone(), progress));
        drop(newest);
        self.reported.notify_one();
    }

    fn take(&self) -> Newest {
        std::mem::take(&mut *self.newest.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Where a job reports to.
pub(super) fn sink(shared: &Arc<Shared>, lease: Arc<Lease>) -> JobProgressSink {
    let shared = shared.clone();
    Arc::new(move |progress| {
        if let Some(observe) = &shared.observe {
            observe(progress.clone());
        }
        shared.progress.report(&lease, progress);
    })
}

/// Stores progress for as long as it is run.
pub(super) async fn store_progress(shared: Arc<Shared>) {
    loop {
        shared.progress.reported.notified().await;
        for (token, (lease, progress)) in shared.progress.take() {
            if shared.slots.is_lost(token) {
                continue;
            }
            match shared.jobs.queue.progress(&lease, progress).await {
                Ok(Written::Done) => {}
                // The job may just have ended, in which case there is nothing left to stop.
                Ok(Written::LeaseLost) => shared.slots.stop(token, Stop::Lost),
                Err(error) => tracing::debug!(job = %lease.job, %error, "progress was not stored"),
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}
