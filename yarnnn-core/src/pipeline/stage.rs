//! One step of a pipeline, and the context that runs it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tracing::Instrument as _;

use super::{CancelToken, Holder};
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
    /// The stage that begins.
    pub stage: &'static str,
    /// How many were run before it.
    pub index: usize,
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
    runner: Option<Holder>,
    timings: Arc<Mutex<Vec<StageTiming>>>,
}

impl StageCx {
    /// A context that reports to nobody and is never cancelled.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, progress: None, cancel: CancelToken::default(), runner: None, timings: Arc::default() }
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

    /// Works on behalf of this runner instead of the process: a job, whose later claim goes on with what its earlier one held.
    #[must_use]
    pub fn with_runner(mut self, runner: Holder) -> Self {
        self.runner = Some(runner);
        self
    }

    /// On whose behalf, if not the process's own.
    pub const fn runner(&self) -> Option<&Holder> {
        self.runner.as_ref()
    }

    /// Runs a stage in a span of its own, with its timing taken and its begin reported.
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
        if let Some(sink) = &self.progress {
            sink(Progress { stage: name, index: self.timings().len() });
        }
        let started = self.clock.now();
        let result = stage.run(self, input).instrument(tracing::info_span!("stage", name)).await;
        let took = (self.clock.now() - started).to_std().unwrap_or_default();
        tracing::debug!(stage = name, ?took, ok = result.is_ok(), "stage ended");
        self.timings.lock().unwrap_or_else(PoisonError::into_inner).push(StageTiming { stage: name, took });
        result
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::pipeline::CancelHandle;

    struct Double;

    #[async_trait]
    impl Stage<u32> for Double {
        type Output = u32;
        fn name(&self) -> &'static str {
            "double"
        }
        async fn run(&self, _cx: &StageCx, input: u32) -> Result<u32, Error> {
            Ok(input * 2)
        }
    }

    #[tokio::test]
    async fn stages_are_timed_reported_and_not_begun_once_cancelled() {
        let (seen, cancel) = (Arc::new(Mutex::new(Vec::new())), CancelHandle::default());
        let sink = {
            let seen = seen.clone();
            Arc::new(move |it: Progress| seen.lock().unwrap().push((it.stage, it.index)))
        };
        let cx = StageCx::new(Arc::new(SystemClock)).with_progress(sink).with_cancel(cancel.token());
        assert_eq!(cx.run(&Double, 2).await.unwrap(), 4);
        assert_eq!(cx.run(&Double, 4).await.unwrap(), 8);
        cancel.cancel();
        assert!(matches!(cx.run(&Double, 8).await, Err(Error::Cancelled)));
        assert_eq!(*seen.lock().unwrap(), [("double", 0), ("double", 1)]);
        assert_eq!(cx.timings().len(), 2);
    }
}
