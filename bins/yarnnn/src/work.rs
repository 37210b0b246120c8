//! Carrying a job through: enqueue it, work it in this process until it has ended, say what came of it.

use std::sync::Arc;

use serde_json::{Value, json};
use yarnnn::Error;
use yarnnn::deliverables::FiredSlot;
use yarnnn::id::JobId;
use yarnnn::jobs::{EnqueueError, Enqueued, Job, JobFilter, JobProgressSink, JobRecord, JobStatus};
use yarnnn::pipeline::CancelToken;
use yarnnn_server::worker::{self, JobWatch, WaitSink, WorkerConfig};

use crate::exit::Stopped;
use crate::output::Output;
use crate::session::Session;

/// What this program is called among the workers.
const SERVICE: &str = "yarnnn";

/// Enqueues a job and works it here until it has ended; follows it when another process has it.
pub(crate) async fn carry_through<J: Job>(
    session: &Session,
    job: &J,
    cancel: CancelToken,
    observe: Option<JobProgressSink>,
    output: &Output,
) -> anyhow::Result<Value> {
    let id = enqueue(session, job).await?;
    result(&until_ended(session, id, cancel, observe, output).await?)
}

/// Works a job that is enqueued already until it has ended.
pub(crate) async fn carry_enqueued(session: &Session, job: JobId, cancel: CancelToken, output: &Output) -> anyhow::Result<Value> {
    result(&until_ended(session, job, cancel, None, output).await?)
}

/// Works the job of a slot that was fired before, here, until it has ended. One that was given up is tried once more: who asks again
/// wants it.
pub(crate) async fn carry_slot(
    session: &Session,
    slot: &FiredSlot,
    cancel: CancelToken,
    observe: Option<JobProgressSink>,
    output: &Output,
) -> anyhow::Result<Value> {
    let id = wake(session, slot).await?;
    result(&until_ended(session, id, cancel, observe, output).await?)
}

/// Has the job of a slot run at once, by whoever takes it; answers its id. One that is no longer there is replaced by another, which the
/// slot has from then on.
pub(crate) async fn wake(session: &Session, slot: &FiredSlot) -> anyhow::Result<JobId> {
    let (jobs, id) = (session.yarnnn.jobs(), slot.job);
    worker::rescue_gone(jobs).await?;
    match jobs.queue.get(id).await.map_err(Error::from)?.map(|it| it.status) {
        None => return Ok(session.yarnnn.deliverables().requeue(slot).await?),
        // What was cancelled since the slot was looked for stays so.
        Some(JobStatus::Succeeded | JobStatus::Running | JobStatus::Cancelled) => {}
        Some(status) if status.is_terminal() => jobs.admin.retry(id, "command").await.map_err(Error::from)?,
        Some(_) => jobs.admin.hurry(id, "command").await.map_err(Error::from)?,
    }
    Ok(id)
}

/// As [`carry_through`]; when a job with other options holds the same key, that one is carried to its end before.
pub(crate) async fn carry_through_next<J: Job>(
    session: &Session,
    job: &J,
    cancel: CancelToken,
    observe: Option<JobProgressSink>,
    output: &Output,
) -> anyhow::Result<Value> {
    while let Some(other) = in_the_way(session, job).await? {
        output.note(&format!("job {other} is under way and goes first"));
        until_ended(session, other, cancel.clone(), observe.clone(), output).await?;
    }
    carry_through(session, job, cancel, observe, output).await
}

/// Enqueues a job, or answers the one that holds its key.
pub(crate) async fn enqueue_or_existing<J: Job>(session: &Session, job: &J) -> anyhow::Result<JobId> {
    match in_the_way(session, job).await? {
        Some(other) => Ok(other),
        None => enqueue(session, job).await,
    }
}

/// The job that holds this one's key with other options.
async fn in_the_way<J: Job>(session: &Session, job: &J) -> anyhow::Result<Option<JobId>> {
    let Some(key) = job.key() else { return Ok(None) };
    let filter = JobFilter {
        statuses: vec![JobStatus::Queued, JobStatus::Running, JobStatus::Retrying],
        kind: Some(J::KIND.to_owned()),
        owner: Some(session.user.id),
        limit: 1_000,
    };
    let jobs = session.yarnnn.jobs();
    let payload = serde_json::to_value(job)?;
    let holds = |it: &JobRecord| it.key.as_deref() == Some(key.key.as_str()) && it.payload != payload;
    let found = jobs.admin.list(&filter).await.map_err(Error::from)?.into_iter().find(holds);
    let Some(found) = found else { return Ok(None) };
    worker::rescue_gone(jobs).await?;
    jobs.admin.hurry(found.id, "command").await.map_err(Error::from)?;
    Ok(Some(found.id))
}

async fn until_ended(
    session: &Session,
    id: JobId,
    cancel: CancelToken,
    observe: Option<JobProgressSink>,
    output: &Output,
) -> anyhow::Result<JobRecord> {
    let jobs = session.yarnnn.jobs();
    let config = WorkerConfig::new(SERVICE, jobs.ids.as_ref());
    let watch = JobWatch { cancel, progress: observe, waiting: Some(waits(output.clone())) };
    Ok(worker::run_job(jobs.clone(), session.yarnnn.job_kinds(), config, id, watch).await?)
}

/// Enqueues a job and leaves it to a worker.
pub(crate) async fn detach<J: Job>(session: &Session, job: &J, output: &Output) -> anyhow::Result<()> {
    let id = enqueue(session, job).await?;
    if output.is_json() {
        output.json(&json!({ "job_id": id, "status": "queued" }));
    } else {
        output.line(&format!("job {id} is queued for a worker (yarnnn work); see yarnnn jobs show {id}"));
    }
    Ok(())
}

/// The job's id. The next try of one that an earlier command left is brought forward: who asks again wants it now.
pub(crate) async fn enqueue<J: Job>(session: &Session, job: &J) -> anyhow::Result<JobId> {
    let jobs = session.yarnnn.jobs();
    let enqueued = jobs.enqueue(Some(session.user.id), job).await.map_err(|error| match error {
        EnqueueError::Conflict { .. } => {
            Error::Busy(format!("another {} with other options is under way (yarnnn jobs list)", J::KIND))
        }
        EnqueueError::Store(error) => error.into(),
        refused => Error::Invalid(refused.to_string()),
    })?;
    if let Enqueued::Existing(id) = enqueued {
        worker::rescue_gone(jobs).await?;
        jobs.admin.hurry(id, "command").await.map_err(Error::from)?;
    }
    Ok(enqueued.id())
}

/// Says why a try failed and when the next one is, so that nobody waits in the dark.
fn waits(output: Output) -> WaitSink {
    Arc::new(move |job: &JobRecord, wait| {
        let error = job.error.as_deref().unwrap_or("the process that had it is gone");
        output.note(&format!("{error}; next try in {} s (Ctrl-C stops)", wait.as_secs()));
    })
}

/// What a job left, or why it left nothing.
fn result(job: &JobRecord) -> anyhow::Result<Value> {
    let error = || job.error.clone().unwrap_or_else(|| "it failed without a reason".to_owned());
    match (job.status, &job.result) {
        (JobStatus::NeedsHuman, Some(report)) if report["error"].is_string() && report.get("status").is_none() => {
            let text = report["error"].as_str().unwrap_or_default().to_owned();
            Err(Stopped { class: report["class"].as_str().unwrap_or_default().to_owned(), text }.into())
        }
        (JobStatus::Succeeded | JobStatus::NeedsHuman | JobStatus::Failed, Some(result)) => Ok(result.clone()),
        (JobStatus::Cancelled, _) => Err(Error::Cancelled.into()),
        (JobStatus::Dead, _) => {
            let why = job.cause.as_deref().unwrap_or("attempts");
            Err(Error::Failed(format!("{} (given up: {why}; yarnnn jobs show {})", error(), job.id)).into())
        }
        _ => Err(Error::Failed(error()).into()),
    }
}
