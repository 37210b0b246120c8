//! Starting a claimed job, and catching every way in which its code can end.

use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;

use tokio::time::Instant;
use tracing::Instrument as _;
use yarnnn_core::id::RunToken;
use yarnnn_core::jobs::{Claimed, JobCx, JobKind, LeaseEnd, Outcome};

use super::held::Hold;
use super::progress;
use super::shared::Shared;
use super::slots::Done;

/// Starts a job that a call claimed that began at `asked`.
pub(super) fn start(shared: &Arc<Shared>, claimed: Claimed, asked: Instant, alone: bool) {
    let (lease, job) = (Arc::new(claimed.lease), Arc::new(claimed.job));
    let ends = LeaseEnd::starting(asked, shared.config.lease);
    let known = shared.groups.kind(&job.kind);
    let (group, weight) = known.as_ref().map_or((usize::MAX, 0), |(it, _)| (it.index, it.weight));
    let cancel = shared.slots.take(Hold { lease: lease.clone(), ends: ends.clone(), group, weight, alone });
    let end = End { shared: shared.clone(), token: lease.token, is_over: false };
    let Some((_, kind)) = known.filter(|_| !shared.is_stopping() && !ends.is_over()) else {
        // Claimed while the worker was told to stop, or so slowly that the lease is over: nothing has run, nothing is lost.
        return end.with(Outcome::HandedBack);
    };
    let span = tracing::info_span!("job", id = %job.id, kind = job.kind, correlation = job.correlation);
    let sink = progress::sink(shared, lease.clone());
    let cx = JobCx::new(job, lease.clone(), ends, cancel, shared.jobs.clock.clone()).with_progress(sink);
    let task = tokio::spawn(work(kind, cx, end).instrument(span));
    shared.slots.started(lease.token, task.abort_handle());
}

async fn work(kind: Arc<dyn JobKind>, cx: JobCx, end: End) {
    let payload = cx.job.payload.clone();
    let outcome = {
        let mut running = kind.run(payload, &cx);
        poll_fn(|it| match catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(it))) {
            Ok(Poll::Ready(outcome)) => Poll::Ready(outcome),
            Ok(Poll::Pending) => Poll::Pending,
            Err(panic) => Poll::Ready(Outcome::Backoff { error: format!("it panicked: {}", message(panic.as_ref())) }),
        })
        .await
    };
    end.with(outcome);
}

/// What `panic!` was given.
fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a message")
}

/// Sees to it that the end of a job's code is noticed, also when it is ended by force.
struct End {
    shared: Arc<Shared>,
    token: RunToken,
    is_over: bool,
}

impl End {
    fn with(mut self, outcome: Outcome) {
        self.is_over = true;
        self.tell(Some(outcome));
    }

    fn tell(&self, outcome: Option<Outcome>) {
        if let Some(done) = self.shared.slots.ended(self.token, outcome) {
            log(&done);
            self.shared.write(done);
        }
    }
}

impl Drop for End {
    fn drop(&mut self) {
        if !self.is_over {
            // Given back uncharged, code that panics whenever it is dropped would be run again and again.
            let panicked = || Outcome::Backoff { error: "it panicked while it was dropped".to_owned() };
            self.tell(std::thread::panicking().then(panicked));
        }
    }
}

fn log(done: &Done) {
    let job = done.lease.job;
    match &done.outcome {
        Outcome::Failed { error, .. } | Outcome::Backoff { error } => {
            tracing::warn!(%job, attempt = done.lease.attempt, error = yarnnn_core::jobs::payload::scrub(error), "the job failed");
        }
        Outcome::NeedsUser { .. } | Outcome::NeedsOperator { .. } => tracing::warn!(%job, "the job waits for a person"),
        _ => tracing::debug!(%job, "the job ended"),
    }
}
