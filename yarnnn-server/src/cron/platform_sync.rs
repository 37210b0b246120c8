//! One tick of the clock for live platforms: every connection whose turn it is becomes a job, once.

use chrono::{DateTime, Utc};
use futures::StreamExt as _;
use serde::Serialize;
use yarnnn_core::connections::Provider;
use yarnnn_core::id::{JobId, UserId};
use yarnnn_core::jobs::{EnqueueError, Enqueued, JobRecord};
use yarnnn_core::pipeline::CancelToken;
use yarnnn_core::platform_sync::{SyncConnection, SyncRequest, SyncedPlatform};
use yarnnn_core::{Error, Yarnnn};

use crate::worker::{JobWatch, WorkerConfig, has_worker, run_job};

/// What this program is called among the workers.
const SERVICE: &str = "yarnnn-platform-sync";
/// Connections that are synced at once when no worker does it.
const AT_ONCE: usize = 4;

/// Who does the work.
#[derive(Debug, Clone)]
pub enum TickMode {
    /// Workers.
    Queue,
    /// This process, until all of it is done or it is told to stop.
    Inline(CancelToken),
}

/// What a tick did.
#[derive(Debug, Default, Serialize)]
pub struct PlatformSyncTick {
    /// As of when.
    pub at: DateTime<Utc>,
    /// Live connections that were looked at.
    pub checked: u32,
    /// Those whose turn it was.
    pub due: usize,
    /// Jobs that were made.
    pub enqueued: usize,
    /// Jobs that were there already.
    pub existing: usize,
    /// What was run here.
    pub ran: Vec<RanSync>,
    /// What could not be looked at, enqueued or run, by name. The rest went on.
    pub problems: Vec<String>,
    /// Whether jobs wait although nobody takes any.
    pub unattended: bool,
}

/// A sync that was run here.
#[derive(Debug, Serialize)]
pub struct RanSync {
    /// Whose.
    pub user_id: UserId,
    /// Which connection.
    pub provider: Provider,
    /// What became of it.
    pub platforms: Vec<SyncedPlatform>,
    /// Why there is nothing to tell.
    pub error: Option<String>,
}

impl RanSync {
    /// Whether everything of it was read, or had been before its turn came.
    pub fn is_ok(&self) -> bool {
        self.error.is_none() && self.platforms.iter().all(|it| it.outcome.is_ok())
    }
}

impl PlatformSyncTick {
    /// Connections that were brought up to date here.
    pub fn synced(&self) -> usize {
        self.ran.iter().filter(|it| it.is_ok()).count()
    }
}

/// Enqueues a sync for every connection that is due at `now`, and runs them if there is nobody else to. However many ticks
/// overlap, a connection is synced once at a time.
///
/// # Errors
/// Those of the store. What befalls one user or platform is in the answer.
pub async fn platform_sync(yarnnn: &Yarnnn, now: DateTime<Utc>, mode: &TickMode) -> Result<PlatformSyncTick, Error> {
    let unreachable = || Error::Failed("this program cannot reach live platforms".to_owned());
    let report = yarnnn.platform_sync().ok_or_else(unreachable)?.tick(now).await?;
    let mut tick = PlatformSyncTick {
        at: now,
        checked: report.checked,
        due: report.due.len(),
        problems: report.problems,
        ..Default::default()
    };
    let mut jobs = Vec::new();
    for request in report.due {
        match yarnnn.jobs().enqueue(Some(request.user), &SyncConnection(request.clone())).await {
            Ok(Enqueued::New(id)) => {
                tick.enqueued += 1;
                jobs.push((request, id));
            }
            Ok(Enqueued::Existing(id)) => {
                tick.existing += 1;
                jobs.push((request, id));
            }
            // One that a person asked for is under way.
            Err(EnqueueError::Conflict { .. }) => tick.existing += 1,
            Err(EnqueueError::Store(error)) if error.is_transient() => return Err(error.into()),
            Err(error) => tick.problems.push(format!("{} of user {}: {error}", request.provider, request.user)),
        }
    }
    match mode {
        TickMode::Queue => tick.unattended = tick.due > 0 && !has_worker(yarnnn.jobs()).await?,
        TickMode::Inline(cancel) => {
            let runs = jobs.into_iter().map(|(request, job)| run(yarnnn, request, job, cancel));
            tick.ran = futures::stream::iter(runs).buffer_unordered(AT_ONCE).collect().await;
            if cancel.is_cancelled() {
                tick.problems.push("it was told to stop; what is not done is done by the next tick".to_owned());
            }
        }
    }
    Ok(tick)
}

async fn run(yarnnn: &Yarnnn, request: SyncRequest, job: JobId, cancel: &CancelToken) -> RanSync {
    let jobs = yarnnn.jobs();
    let config = WorkerConfig::new(SERVICE, jobs.ids.as_ref());
    let watch = JobWatch { cancel: cancel.clone(), ..JobWatch::default() };
    let ended = run_job(jobs.clone(), yarnnn.job_kinds(), config, job, watch).await;
    let SyncRequest { user, provider, .. } = request;
    let read = ended.map_err(|error| error.to_string()).and_then(|record| result(&record));
    match read {
        Ok(platforms) => RanSync { user_id: user, provider, platforms, error: None },
        Err(error) => {
            tracing::warn!(%user, %provider, error, "a sync did not end well");
            RanSync { user_id: user, provider, platforms: vec![], error: Some(error) }
        }
    }
}

fn result(record: &JobRecord) -> Result<Vec<SyncedPlatform>, String> {
    let why = || record.error.clone().unwrap_or_else(|| format!("the job is {}", record.status));
    let found = record.result.clone().filter(serde_json::Value::is_array).ok_or_else(why)?;
    serde_json::from_value(found).map_err(|error| format!("the result of the sync cannot be read: {error}"))
}
