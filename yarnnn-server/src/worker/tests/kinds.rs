//! Kinds of jobs that do what a test says, and a worker that runs them.

use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use yarnnn_core::Error;
use yarnnn_core::jobs::{Job, JobCx, JobKey, JobKinds, JobPolicy, Outcome};

use super::board::Board;
use crate::worker::{Drained, Worker, WorkerConfig, WorkerHandle};

type Running = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// What the jobs of a test do.
pub(super) struct Script(Box<dyn Fn(u32, JobCx) -> Running + Send + Sync>);

macro_rules! kinds {
    ($($name:ident = $kind:literal, weight $weight:literal, concurrency $concurrency:expr;)+) => {$(
        #[derive(Serialize, Deserialize)]
        pub(super) struct $name {
            n: u32,
        }

        #[async_trait]
        impl Job for $name {
            type Context = Script;
            const KIND: &'static str = $kind;
            const WEIGHT: u32 = $weight;
            const CONCURRENCY: Option<u32> = $concurrency;

            fn policy() -> JobPolicy {
                JobPolicy::default()
            }

            fn key(&self) -> Option<JobKey> {
                None
            }

            async fn run(self, context: &Script, cx: &JobCx) -> Outcome {
                (context.0)(self.n, cx.clone()).await
            }
        }
    )+};
}

kinds! {
    Plain = "plain", weight 1, concurrency None;
    Heavy = "heavy", weight 3, concurrency None;
    Whale = "whale", weight 1_000, concurrency None;
    Lone = "lone", weight 1, concurrency Some(1);
}

/// Kinds that all do this.
pub(super) fn kinds<F>(script: impl Fn(u32, JobCx) -> F + Send + Sync + 'static) -> JobKinds
where
    F: Future<Output = Outcome> + Send + 'static,
{
    let script = Arc::new(Script(Box::new(move |n, cx| Box::pin(script(n, cx)))));
    JobKinds::new().with::<Plain>(script.clone()).with::<Heavy>(script.clone()).with::<Whale>(script.clone()).with::<Lone>(script)
}

/// Jobs that are done at once.
pub(super) fn at_once() -> JobKinds {
    kinds(|n, _| async move { Outcome::done(json!(n)) })
}

/// Jobs that take this long, and stop for nothing.
pub(super) fn lasting(time: Duration) -> JobKinds {
    kinds(move |_, _| async move {
        tokio::time::sleep(time).await;
        Outcome::done(json!(null))
    })
}

/// Counts what runs at once, by weight.
#[derive(Clone, Default)]
pub(super) struct Gauge {
    now: Arc<AtomicU32>,
    most: Arc<AtomicU32>,
}

impl Gauge {
    pub(super) async fn during(self, weight: u32, time: Duration) -> Outcome {
        let now = self.now.fetch_add(weight, Ordering::SeqCst) + weight;
        self.most.fetch_max(now, Ordering::SeqCst);
        tokio::time::sleep(time).await;
        self.now.fetch_sub(weight, Ordering::SeqCst);
        Outcome::done(json!(null))
    }

    pub(super) fn most(&self) -> u32 {
        self.most.load(Ordering::SeqCst)
    }
}

/// A worker that runs until told to stop.
pub(super) struct Started {
    pub(super) handle: WorkerHandle,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<Drained, Error>>,
}

impl Started {
    pub(super) fn start(board: &Arc<Board>, kinds: &JobKinds, config: WorkerConfig) -> Self {
        let worker = Worker::new(board.jobs(), kinds, config).without_thread();
        let (handle, (stop, stopped)) = (worker.handle(), oneshot::channel());
        let task = tokio::spawn(worker.run(async move { drop(stopped.await) }));
        Self { handle, stop, task }
    }

    /// How it ends without being told to.
    pub(super) async fn ended(self) -> Result<Drained, Error> {
        let Self { stop: _stop, task, .. } = self;
        task.await.unwrap()
    }

    pub(super) async fn stop(self) -> Drained {
        drop(self.stop);
        self.task.await.unwrap().unwrap()
    }
}

/// What happened, in order.
#[derive(Clone, Default)]
pub(super) struct Story(Arc<Mutex<Vec<String>>>);

impl Story {
    pub(super) fn tell(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}
