//! One step of a pipeline, and the context that runs it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tracing::Instrument as _;

use super::CancelToken;
use crate::clock::Clock;
use crate::error::Error;

/// One step of a pipeline: a small struct with its dependencies as fields.
///
/// Input and output are distinct types, so the compiler keeps the order. A stage changes nothing but what it returns,
/// unless it is the one whose name says so (`deliver`).
#[async_trait]
pub trait Stage<I: Send + 'static>: Send + Sync {
    /// What the step makes.
    type Output: Send + 'static;

    /// Its name, a verb: shown in spans, timings and progress.
    fn name(&self) -> &'static str;

    /// Does the step.
    async fn run(&self, cx: &StageCx, input: I) -> Result<Self::Output, Error>;
}

/// How far a run has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The stage.
    pub stage: &'static str,
    /// What is done so far, in the stage's own units.
    pub done: u64,
    /// Out of how many, where known.
    pub total: Option<u64>,
}

/// Takes progress. Must return at once.
pub type ProgressSink = Arc<dyn Fn(Progress) + Send + Sync>;

/// How long a stage took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageTiming {
    /// The stage.
    pub stage: &'static str,
    /// By the bound clock.
    pub took: Duration,
}

/// What a stage may use besides its own fields: time, progress, cancellation.
#[derive(Clone)]
pub struct StageCx {
    clock: Arc<dyn Clock>,
    progress: Option<ProgressSink>,
    cancel: CancelToken,
    timings: Arc<Mutex<Vec<StageTiming>>>,
}

impl StageCx {
    /// A context that reports to nobody and is never cancelled.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, progress: None, cancel: CancelToken::default(), timings: Arc::default() }
    }

    /// Reports progress to the sink.
    #[must_use]
    pub fn with_progress(mut self, sink: ProgressSink) -> Self {
        self.progress = Some(sink);
        self
    }

    /// Stops between stages, and where a stage looks, when the token is cancelled.
    #[must_use]
    pub fn with_cancel(mut self, token: CancelToken) -> Self {
        self.cancel = token;
        self
    }

    /// Runs a stage in a span of its own, with its timing taken.
    ///
    /// # Errors
    /// The stage's error, or [`Error::Cancelled`] when the run was asked to stop before it began.
    pub async fn run<I, S>(&self, stage: &S, input: I) -> Result<S::Output, Error>
    where
        I: Send + 'static,
        S: Stage<I> + ?Sized,
    {
        self.check()?;
        let name = stage.name();
        let started = self.clock.now();
        let result = stage.run(self, input).instrument(tracing::info_span!("stage", name)).await;
        let took = (self.clock.now() - started).to_std().unwrap_or_default();
        tracing::debug!(stage = name, ?took, ok = result.is_ok(), "stage ended");
        self.timings.lock().unwrap_or_else(PoisonError::into_inner).push(StageTiming { stage: name, took });
        result
    }

    /// Reports progress.
    pub fn progress(&self, progress: Progress) {
        if let Some(sink) = &self.progress {
            sink(progress);
        }
    }

    /// Fails with [`Error::Cancelled`] when the run was asked to stop.
    ///
    /// # Errors
    /// Only that.
    pub fn check(&self) -> Result<(), Error> {
        if self.cancel.is_cancelled() { Err(Error::Cancelled) } else { Ok(()) }
    }

    /// The stages that ran so far, in order.
    pub fn timings(&self) -> Vec<StageTiming> {
        self.timings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for StageCx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StageCx").field("timings", &self.timings()).finish_non_exhaustive()
    }
}
