//! Bugs to plant, one for each scenario: what sees nothing when one is there proves nothing when none is.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use clap::ValueEnum;
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use yarnnn::StoreError;
use yarnnn::id::{JobId, RunToken};
use yarnnn::jobs::{
    Claim, Claimed, EnqueueError, Enqueued, JobProgress, JobQueue, JobRecord, Jobs, Lease, LeaseKeeper, NewJob, NextDue,
    OpenLeaseKeeper, Outcome, Renewed, Rescued, WorkerId, WorkerPresence, Written,
};

/// A bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Plant {
    /// Effects without their keys.
    NoLedger,
    /// Jobs that do not ask whether they still may.
    Heedless,
    /// Leases renewed from the runtime of the jobs.
    SharedKeeper,
    /// Nobody tries what is in quarantine.
    NoQuarantine,
    /// Each producer makes up a key.
    KeyEach,
    /// One call in five without a permit.
    NoPermit,
    /// One owner may take every slot.
    NoOwnerLimit,
    /// Dead workers are looked for once a minute.
    SlowRescue,
    /// Cursors move past pages that were not stored.
    CursorAhead,
    /// Everybody who needs a token buys one.
    EagerRefresh,
    /// Every fifth slot is forgotten, and its schedule does not move on.
    SlotsForgotten,
}

impl Plant {
    /// The name on the command line.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|it| it.get_name().to_owned()).unwrap_or_default()
    }

    /// The ports with the bug in them.
    pub(crate) fn spoil(self, jobs: Jobs) -> Jobs {
        match self {
            Self::SharedKeeper => {
                Jobs { keeper: Arc::new(SharedKeeper { inner: jobs.keeper, runtime: Handle::current() }), ..jobs }
            }
            Self::NoQuarantine => Jobs { queue: Arc::new(NoQuarantine(jobs.queue)), ..jobs },
            Self::SlowRescue => Jobs { queue: Arc::new(SlowRescue(jobs.queue)), ..jobs },
            _ => jobs,
        }
    }
}

struct SharedKeeper {
    inner: Arc<dyn OpenLeaseKeeper>,
    runtime: Handle,
}

#[async_trait]
impl OpenLeaseKeeper for SharedKeeper {
    async fn open(&self) -> Result<Box<dyn LeaseKeeper>, StoreError> {
        let inner = Arc::new(Mutex::new(self.inner.open().await?));
        Ok(Box::new(OnRuntime { inner, runtime: self.runtime.clone() }))
    }
}

struct OnRuntime {
    inner: Arc<Mutex<Box<dyn LeaseKeeper>>>,
    runtime: Handle,
}

fn ended<T>(_: T) -> StoreError {
    StoreError::Unavailable { source: "the runtime has ended".into() }
}

#[async_trait]
impl LeaseKeeper for OnRuntime {
    async fn renew(&mut self, worker: &WorkerId, leases: &[(JobId, RunToken)]) -> Result<Vec<Renewed>, StoreError> {
        let (inner, worker, leases) = (self.inner.clone(), worker.clone(), leases.to_vec());
        let work = async move { inner.lock().await.renew(&worker, &leases).await };
        self.runtime.spawn(work).await.map_err(ended)?
    }

    async fn beat(&mut self, presence: &WorkerPresence) -> Result<(), StoreError> {
        let (inner, presence) = (self.inner.clone(), presence.clone());
        let work = async move { inner.lock().await.beat(&presence).await };
        self.runtime.spawn(work).await.map_err(ended)?
    }
}

/// A queue that is asked through another one, but for what the bug is about.
macro_rules! pass_through {
    ($bug:ident { $($own:tt)* }) => {
        struct $bug(Arc<dyn JobQueue>);

        #[async_trait]
        impl JobQueue for $bug {
            $($own)*

            async fn enqueue(&self, jobs: Vec<NewJob>) -> Result<Vec<Enqueued>, EnqueueError> {
                self.0.enqueue(jobs).await
            }

            async fn finish(&self, done: Vec<(Lease, Outcome)>) -> Result<Vec<Written>, StoreError> {
                self.0.finish(done).await
            }

            async fn progress(&self, lease: &Lease, progress: JobProgress) -> Result<Written, StoreError> {
                self.0.progress(lease, progress).await
            }

            async fn get(&self, job: JobId) -> Result<Option<JobRecord>, StoreError> {
                self.0.get(job).await
            }
        }
    };
}

pass_through!(NoQuarantine {
    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>, StoreError> {
        if claim.alone { Ok(vec![]) } else { self.0.claim(claim).await }
    }

    async fn rescue(&self, gone: &[WorkerId]) -> Result<Vec<Rescued>, StoreError> {
        self.0.rescue(gone).await
    }

    async fn next_due(&self, due: &NextDue) -> Result<Option<Duration>, StoreError> {
        if due.alone { Ok(None) } else { self.0.next_due(due).await }
    }
});

pass_through!(SlowRescue {
    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>, StoreError> {
        self.0.claim(claim).await
    }

    async fn rescue(&self, gone: &[WorkerId]) -> Result<Vec<Rescued>, StoreError> {
        tokio::time::sleep(Duration::from_mins(1)).await;
        self.0.rescue(gone).await
    }

    async fn next_due(&self, due: &NextDue) -> Result<Option<Duration>, StoreError> {
        self.0.next_due(due).await
    }
});
