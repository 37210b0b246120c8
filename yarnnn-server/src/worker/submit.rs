//! Handing a job over: to a worker if one lives, else as its kind wants it.

use yarnnn_core::Error;
use yarnnn_core::id::{JobId, UserId};
use yarnnn_core::jobs::{EnqueueError, Job, JobKinds, JobRecord, Jobs, WithoutWorker};

use super::WorkerConfig;
use super::single::{JobWatch, run_job};

/// What became of a job that was handed over.
#[derive(Debug, Clone, PartialEq)]
pub enum Submitted {
    /// It is stored, for a worker to take.
    Queued(JobId),
    /// It was run here, to its end.
    RanHere {
        /// The job as it ended.
        job: Box<JobRecord>,
        /// Why here.
        reason: String,
    },
}

/// Enqueues a job. While no worker lives it waits, is run in this process, or is refused, as its kind says
/// ([`Job::WITHOUT_WORKER`]); also a job that is run here is a row first and keeps all rules.
///
/// # Errors
/// [`Error::Failed`] when its kind needs a worker and none lives, [`Error::Busy`] when its key stands for other work,
/// [`Error::Invalid`] when it breaks a rule, and those of the store and of [`run_job`].
pub async fn submit<J: Job>(
    jobs: &Jobs,
    kinds: &JobKinds,
    config: WorkerConfig,
    owner: Option<UserId>,
    job: &J,
    watch: JobWatch,
) -> Result<Submitted, Error> {
    let lives = has_worker(jobs).await?;
    if !lives && J::WITHOUT_WORKER == WithoutWorker::Refuse {
        return Err(Error::Failed(format!("no worker lives, and a job of kind {} needs one; nothing was stored", J::KIND)));
    }
    let id = jobs.enqueue(owner, job).await.map_err(as_error)?.id();
    if lives || J::WITHOUT_WORKER == WithoutWorker::Wait {
        return Ok(Submitted::Queued(id));
    }
    let record = run_job(jobs.clone(), kinds.clone(), config, id, watch).await?;
    Ok(Submitted::RanHere { job: Box::new(record), reason: "no worker lives".to_owned() })
}

/// Whether a worker is on the board that takes jobs and is not known to be gone. How long ago it beat is for the store to judge:
/// clocks differ.
pub(crate) async fn has_worker(jobs: &Jobs) -> Result<bool, Error> {
    let workers = jobs.presence.workers().await?;
    Ok(workers.iter().any(|it| it.concurrency > 0 && !it.draining && !jobs.liveness.is_gone(&it.process)))
}

fn as_error(error: EnqueueError) -> Error {
    match error {
        EnqueueError::Store(error) => error.into(),
        EnqueueError::Conflict { .. } => Error::Busy(error.to_string()),
        refused => Error::Invalid(refused.to_string()),
    }
}
