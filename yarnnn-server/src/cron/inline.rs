//! The phase that works here what a tick enqueued, for installations without workers.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures::StreamExt as _;
use serde::Serialize;
use yarnnn_core::deliverables::{RunDeliverable, SendNotice};
use yarnnn_core::id::JobId;
use yarnnn_core::jobs::{Job as _, JobFilter, JobRecord, JobStatus};
use yarnnn_core::pipeline::{CancelHandle, CancelToken};
use yarnnn_core::scheduler::{Counters, Gate, Phase, PhaseCx};
use yarnnn_core::signals::SignalProcessing;
use yarnnn_core::{Error, Yarnnn};

use crate::worker::{JobWatch, WorkerConfig, rescue_gone, run_job};

/// What this program is called among the workers.
const SERVICE: &str = "yarnnn-unified-scheduler";
/// Jobs that are worked at once.
const AT_ONCE: usize = 4;
/// Jobs of a kind that are looked at, at once: the newest of them, of which the oldest are worked first.
const PAGE: u32 = 10_000;
/// What ticks enqueue.
const KINDS: [&str; 3] = [SignalProcessing::KIND, RunDeliverable::KIND, SendNotice::KIND];

/// A job that was worked here.
#[derive(Debug, Clone, Serialize)]
pub struct WorkedJob {
    /// Which.
    pub job: JobId,
    /// Its kind.
    pub kind: String,
    /// Where it stands.
    pub status: JobStatus,
    /// Why it does not stand well.
    pub error: Option<String>,
}

/// Works what waits and is due, with what earlier ticks left.
pub(super) struct WorkHere {
    yarnnn: Yarnnn,
    worked: Mutex<Vec<WorkedJob>>,
}

impl WorkHere {
    pub(super) const NAME: &'static str = "work";

    pub(super) const fn new(yarnnn: Yarnnn) -> Self {
        Self { yarnnn, worked: Mutex::new(vec![]) }
    }

    /// What was worked.
    pub(super) fn worked(&self) -> Vec<WorkedJob> {
        self.worked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn waiting(&self, tried: &HashSet<JobId>) -> Result<Vec<(JobId, String)>, Error> {
        let mut waiting = Vec::new();
        for kind in KINDS {
            let statuses = vec![JobStatus::Queued, JobStatus::Retrying];
            let filter = JobFilter { statuses, kind: Some(kind.to_owned()), owner: None, limit: PAGE };
            let found = self.yarnnn.jobs().admin.list(&filter).await?;
            waiting.extend(found.into_iter().rev().map(|it| (it.id, it.kind)).filter(|(it, _)| !tried.contains(it)));
        }
        Ok(waiting)
    }

    /// Works a job until it has ended, or must wait: that is left to a later tick.
    async fn work(&self, (job, kind): (JobId, String), stop: &CancelToken) -> Option<WorkedJob> {
        let jobs = self.yarnnn.jobs();
        let enough = Arc::new(CancelHandle::default());
        let (cancel, waits) = (enough.token(), enough.clone());
        let watch = JobWatch { cancel, waiting: Some(Arc::new(move |_, _| waits.cancel())), ..JobWatch::default() };
        let config = WorkerConfig::new(SERVICE, jobs.ids.as_ref());
        let mut run = Box::pin(run_job(jobs.clone(), self.yarnnn.job_kinds(), config, job, watch));
        let ended = tokio::select! {
            ended = &mut run => ended,
            () = stop.cancelled() => {
                enough.cancel();
                run.await
            }
        };
        match ended {
            Ok(record) => Some(worked(&record)),
            Err(Error::Cancelled) => None,
            Err(error) => Some(WorkedJob { job, kind, status: JobStatus::Retrying, error: Some(error.to_string()) }),
        }
    }
}

fn worked(record: &JobRecord) -> WorkedJob {
    WorkedJob { job: record.id, kind: record.kind.clone(), status: record.status, error: record.error.clone() }
}

#[async_trait]
impl Phase for WorkHere {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn gate(&self) -> Gate {
        Gate::EachTick
    }

    async fn run(&self, cx: &PhaseCx) -> Result<Counters, Error> {
        rescue_gone(self.yarnnn.jobs()).await?;
        let (mut tried, mut counters) = (HashSet::new(), Counters::default());
        loop {
            cx.check()?;
            let waiting = self.waiting(&tried).await?;
            if waiting.is_empty() {
                return Ok(counters);
            }
            tried.extend(waiting.iter().map(|(job, _)| *job));
            let runs = waiting.into_iter().map(|it| self.work(it, &cx.cancel));
            let ended: Vec<_> = futures::stream::iter(runs).buffer_unordered(AT_ONCE).collect().await;
            let left = ended.iter().filter(|it| it.is_none()).count();
            let ended: Vec<_> = ended.into_iter().flatten().collect();
            counters.add("ended", ended.len() as u64);
            counters.add("left", left as u64);
            self.worked.lock().unwrap_or_else(PoisonError::into_inner).extend(ended);
        }
    }
}
