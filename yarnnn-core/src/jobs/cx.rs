//! What a running job may use besides its own context: its facts, its lease, progress, and the sign to stop.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::{JobProgress, JobRecord, Lease, NewJob};
use crate::clock::Clock;
use crate::error::Error;
use crate::pipeline::{CancelToken, Holder, StageCx};

/// Until when a lease holds, by this process's own monotonic clock: used only to stop earlier than the store would.
#[derive(Debug, Clone)]
pub struct LeaseEnd {
    base: Instant,
    millis: Arc<AtomicU64>,
    /// Whether it may have ended unnoticed: the monotonic clock stands still while the machine sleeps.
    doubted: Arc<AtomicBool>,
}

impl LeaseEnd {
    /// A lease that was claimed or renewed by a call that began at `asked`.
    pub fn starting(asked: Instant, lease: Duration) -> Self {
        let end = Self { base: asked, millis: Arc::default(), doubted: Arc::default() };
        end.renewed(asked, lease);
        end
    }

    /// Holds for as long again.
    pub fn renewed(&self, asked: Instant, lease: Duration) {
        let end = asked.saturating_duration_since(self.base) + lease;
        self.millis.store(u64::try_from(end.as_millis()).unwrap_or(u64::MAX), Ordering::Release);
        self.doubted.store(false, Ordering::Release);
    }

    /// Counts as ended until it is renewed.
    pub fn doubt(&self) {
        self.doubted.store(true, Ordering::Release);
    }

    /// Whether it has ended, or may have.
    pub fn is_over(&self) -> bool {
        self.doubted.load(Ordering::Acquire) || self.has_passed()
    }

    /// Whether it has ended by the clock.
    pub fn has_passed(&self) -> bool {
        self.base.elapsed() >= Duration::from_millis(self.millis.load(Ordering::Acquire))
    }
}

/// Takes progress. Must return at once.
pub type JobProgressSink = Arc<dyn Fn(JobProgress) + Send + Sync>;

/// The context of one run.
#[derive(Clone)]
pub struct JobCx {
    /// The job as claimed.
    pub job: Arc<JobRecord>,
    /// The right to run it.
    pub lease: Arc<Lease>,
    ends: LeaseEnd,
    cancel: CancelToken,
    clock: Arc<dyn Clock>,
    progress: Option<JobProgressSink>,
}

impl fmt::Debug for JobCx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobCx").field("job", &self.job.id).field("worker", &self.lease.worker).finish_non_exhaustive()
    }
}

impl JobCx {
    /// The context of a claimed job.
    pub fn new(job: Arc<JobRecord>, lease: Arc<Lease>, ends: LeaseEnd, cancel: CancelToken, clock: Arc<dyn Clock>) -> Self {
        Self { job, lease, ends, cancel, clock, progress: None }
    }

    /// Reports progress to the sink.
    #[must_use]
    pub fn with_progress(mut self, sink: JobProgressSink) -> Self {
        self.progress = Some(sink);
        self
    }

    /// Fails with [`Error::Cancelled`] when the job should stop: asked to, out of time, or its lease has ended. To be asked
    /// before every effect outside of the store.
    ///
    /// # Errors
    /// Only that.
    pub fn check(&self) -> Result<(), Error> {
        if self.cancel.is_cancelled() || self.ends.is_over() { Err(Error::Cancelled) } else { Ok(()) }
    }

    /// Says when to stop.
    pub const fn cancel(&self) -> &CancelToken {
        &self.cancel
    }

    /// Says how far it came. Best effort: it never fails the job.
    pub fn progress(&self, progress: JobProgress) {
        if let Some(sink) = &self.progress {
            sink(progress);
        }
    }

    /// A context for the stages of a pipeline: they stop with the job, and each of the `total` of them is a step of its progress.
    pub fn stages(&self, total: u32) -> StageCx {
        let this = self.clone();
        let runner = Holder::of_job(self.lease.job, self.lease.token);
        let cx = StageCx::new(self.clock.clone()).with_cancel(self.cancel.clone()).with_runner(runner);
        cx.with_progress(Arc::new(move |it| this.progress(progress_of(it.stage, it.index, total))))
    }

    /// A job that this one causes.
    pub fn child(&self, job: NewJob) -> NewJob {
        job.child_of(&self.job)
    }
}

fn progress_of(stage: &str, done: usize, total: u32) -> JobProgress {
    let index = u32::try_from(done).unwrap_or(u32::MAX);
    let percent = if total == 0 { 0 } else { (u64::from(index) * 100 / u64::from(total)).min(100) };
    JobProgress { step: stage.to_owned(), index, total, percent: u8::try_from(percent).unwrap_or(100), timings: vec![] }
}
