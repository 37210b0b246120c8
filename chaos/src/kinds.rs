//! The jobs that are run while workers are broken.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::sleep;
use yarnnn::jobs::{
    Admission, Endpoint, Jitter, Job, JobCx, JobKey, JobKinds, JobPolicy, Jobs, KeyHolds, Outcome, PermitRequest, RetryPolicy,
};

use crate::book::Book;
use crate::plant::Plant;

/// What the jobs need.
pub(crate) struct Ground {
    pub(crate) book: Book,
    pub(crate) jobs: Jobs,
    pub(crate) plant: Option<Plant>,
}

/// All kinds.
pub(crate) fn all(ground: Ground) -> JobKinds {
    let ground = Arc::new(ground);
    let kinds = JobKinds::new().with::<Effect>(ground.clone()).with::<Hold>(ground.clone()).with::<Spin>(ground.clone());
    kinds.with::<Crash>(ground.clone()).with::<Call>(ground.clone()).with::<Keyed>(ground)
}

/// Many tries and short waits: what the harness's own database does to a job must not look like a loss.
fn policy() -> JobPolicy {
    JobPolicy {
        max_attempts: 50,
        retry: RetryPolicy::Fixed { seconds: vec![0.1], jitter: Jitter::None },
        max_reschedules: 1_000_000,
        ..JobPolicy::default()
    }
}

fn ended(done: Result<Outcome>) -> Outcome {
    done.unwrap_or_else(|error| Outcome::Backoff { error: format!("{error:#}") })
}

fn done() -> Outcome {
    Outcome::done(Value::Null)
}

impl Ground {
    fn has(&self, plant: Plant) -> bool {
        self.plant == Some(plant)
    }

    /// The effect, if the job still may.
    async fn effect(&self, cx: &JobCx, n: i64) -> Result<Outcome> {
        if cx.check().is_err() && !self.has(Plant::Heedless) {
            self.book.note(cx, n, "stopped").await?;
            return Ok(Outcome::Cancelled);
        }
        let is_keyed = !self.has(Plant::NoLedger) && !self.has(Plant::Heedless);
        if !self.book.effect(cx, n, is_keyed).await? {
            self.book.note(cx, n, "had already").await?;
        }
        Ok(done())
    }
}

/// Takes a while, has one effect, and takes a while to end: a kill may come before, between and after.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Effect {
    pub(crate) n: i64,
    pub(crate) millis: u64,
}

#[async_trait]
impl Job for Effect {
    type Context = Ground;
    const KIND: &'static str = "chaos_effect";

    fn policy() -> JobPolicy {
        policy()
    }

    fn key(&self) -> Option<JobKey> {
        None
    }

    async fn run(self, ground: &Ground, cx: &JobCx) -> Outcome {
        let run = async {
            ground.book.note(cx, self.n, "began").await?;
            sleep(Duration::from_millis(self.millis)).await;
            let outcome = ground.effect(cx, self.n).await?;
            sleep(Duration::from_millis(self.millis / 4)).await;
            Ok(outcome)
        };
        ended(run.await)
    }
}

/// Goes on until it is asked to stop or its time is over; after a death it ends at once.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Hold {
    pub(crate) n: i64,
    pub(crate) millis: u64,
}

#[async_trait]
impl Job for Hold {
    type Context = Ground;
    const KIND: &'static str = "chaos_hold";

    fn policy() -> JobPolicy {
        policy()
    }

    fn key(&self) -> Option<JobKey> {
        None
    }

    async fn run(self, ground: &Ground, cx: &JobCx) -> Outcome {
        let run = async {
            ground.book.note(cx, self.n, "began").await?;
            let millis = if cx.job.crashes > 0 { 0 } else { self.millis };
            let wait = sleep(Duration::from_millis(millis));
            if ground.has(Plant::Heedless) {
                wait.await;
            } else {
                tokio::select! {
                    () = wait => {}
                    () = cx.cancel().cancelled() => {}
                }
            }
            ground.effect(cx, self.n).await
        };
        ended(run.await)
    }
}

/// Keeps its thread busy and never yields.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Spin {
    pub(crate) n: i64,
    pub(crate) millis: u64,
}

#[async_trait]
impl Job for Spin {
    type Context = Ground;
    const KIND: &'static str = "chaos_spin";

    fn policy() -> JobPolicy {
        policy()
    }

    fn key(&self) -> Option<JobKey> {
        None
    }

    async fn run(self, ground: &Ground, cx: &JobCx) -> Outcome {
        let run = async {
            ground.book.note(cx, self.n, "began").await?;
            let until = Instant::now() + Duration::from_millis(self.millis);
            while Instant::now() < until {
                std::hint::spin_loop();
            }
            ground.effect(cx, self.n).await
        };
        ended(run.await)
    }
}

/// Takes its whole process with it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Crash {
    pub(crate) n: i64,
}

#[async_trait]
impl Job for Crash {
    type Context = Ground;
    const KIND: &'static str = "chaos_crash";

    fn policy() -> JobPolicy {
        policy()
    }

    fn key(&self) -> Option<JobKey> {
        None
    }

    async fn run(self, ground: &Ground, cx: &JobCx) -> Outcome {
        _ = ground.book.note(cx, self.n, "began").await;
        sleep(Duration::from_millis(30)).await;
        std::process::abort();
    }
}

/// Calls a provider once, under a permit.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Call {
    pub(crate) n: i64,
}

/// How long a permit for a call lasts.
pub(crate) const PERMIT: Duration = Duration::from_secs(1);

/// The provider that is called.
pub(crate) fn endpoint() -> Endpoint {
    Endpoint { provider: "chaos".to_owned(), endpoint: "call".to_owned() }
}

#[async_trait]
impl Job for Call {
    type Context = Ground;
    const KIND: &'static str = "chaos_call";

    fn policy() -> JobPolicy {
        policy()
    }

    fn key(&self) -> Option<JobKey> {
        None
    }

    async fn run(self, ground: &Ground, cx: &JobCx) -> Outcome {
        ended(self.call(ground, cx).await)
    }
}

impl Call {
    async fn call(self, ground: &Ground, cx: &JobCx) -> Result<Outcome> {
        if ground.has(Plant::NoPermit) && self.n % 5 == 0 {
            ground.book.call("none", ground.jobs.clock.now().timestamp_micros()).await?;
            return Ok(done());
        }
        let request = PermitRequest { endpoint: endpoint(), tokens: 0, worker: cx.lease.worker.clone(), lease: PERMIT };
        let permit = match ground.jobs.capacity.acquire(&request).await? {
            Admission::Granted(permit) => permit,
            Admission::Refused { retry_after } => {
                let at = ground.jobs.clock.now() + retry_after;
                return Ok(Outcome::RetryAt { at, error: "no permit".to_owned() });
            }
            Admission::Impossible { reason } => return Ok(Outcome::failed(reason)),
        };
        // The store's clock says when: its windows are the ones that must not be exceeded.
        ground.book.call(&permit.id.to_string(), (permit.expires_at - PERMIT).timestamp_micros()).await?;
        sleep(Duration::from_millis(150)).await;
        ground.jobs.capacity.release(permit.id, None).await?;
        Ok(done())
    }
}

/// Has a key.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Keyed {
    pub(crate) n: i64,
    /// Part of the payload, so that the same key can be used with another one.
    pub(crate) key: String,
}

#[async_trait]
impl Job for Keyed {
    type Context = Ground;
    const KIND: &'static str = "chaos_keyed";

    fn policy() -> JobPolicy {
        policy()
    }

    fn key(&self) -> Option<JobKey> {
        Some(JobKey { key: self.key.clone(), holds: KeyHolds::Forever })
    }

    async fn run(self, ground: &Ground, cx: &JobCx) -> Outcome {
        ended(ground.effect(cx, self.n).await)
    }
}
