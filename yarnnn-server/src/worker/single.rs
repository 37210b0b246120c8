//! Working one job in this process until it has ended: what a command does with the job that it has just enqueued.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::{Instant, sleep_until, timeout};
use yarnnn_core::id::JobId;
use yarnnn_core::jobs::{Claim, JobKinds, JobProgress, JobProgressSink, JobRecord, JobStatus, Jobs};
use yarnnn_core::pipeline::CancelToken;
use yarnnn_core::{Error, StoreError};

use super::WorkerConfig;
use super::backoff::Streak;
use super::engine::{Engine, KeeperPlace, Patience};
use super::rescuer::gone;
use super::shared::{Shared, Watched};
use super::start::start;

/// How often to look at a job that another worker runs.
const FOLLOW: Duration = Duration::from_millis(250);
/// After how many looks its worker is looked after as well.
const LOOKS: u32 = 4;
/// How long the store may take to answer for the job.
const ANSWER: Duration = Duration::from_secs(5);
/// The longest that a job which is not due is left without a look.
const LONGEST_NAP: Duration = Duration::from_secs(1);

/// Works this job until it has ended, and answers it. A job that another live worker runs is followed; one whose worker is gone
/// is taken back; one that is not due is waited for. Cancelling asks the job to stop: it may still end by itself, else it is
/// handed back uncharged.
///
/// # Errors
/// [`Error::NotFound`] without such a job, [`Error::Invalid`] for a kind that is not among the known, [`Error::Cancelled`] if
/// it was cancelled before the job had ended, and those of the store.
pub async fn run_job(jobs: Jobs, kinds: JobKinds, config: WorkerConfig, job: JobId, watch: JobWatch) -> Result<JobRecord, Error> {
    one_job(jobs, &kinds, config, Request { job, watch }, KeeperPlace::Thread).await
}

/// Told of a job that waits for its next try, and for how long it does.
pub type WaitSink = Arc<dyn Fn(&JobRecord, Duration) + Send + Sync>;

/// Watches a job and can stop it. What is told must return at once.
#[derive(Clone, Default)]
pub struct JobWatch {
    /// Asks the job to stop.
    pub cancel: CancelToken,
    /// Told how far it is.
    pub progress: Option<JobProgressSink>,
    /// Told once for each time that it waits.
    pub waiting: Option<WaitSink>,
}

impl fmt::Debug for JobWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobWatch").field("cancel", &self.cancel).finish_non_exhaustive()
    }
}

/// Takes back the jobs of workers of this host whose process is gone; answers how many.
///
/// # Errors
/// Those of the store.
pub async fn rescue_gone(jobs: &Jobs) -> Result<usize, Error> {
    let workers = jobs.presence.workers().await?;
    let gone: Vec<_> = workers.into_iter().filter(|it| jobs.liveness.is_gone(&it.process)).map(|it| it.worker).collect();
    if gone.is_empty() {
        return Ok(0);
    }
    Ok(jobs.queue.rescue(&gone).await?.len())
}

/// Which job, for whom.
pub(super) struct Request {
    pub(super) job: JobId,
    pub(super) watch: JobWatch,
}

pub(super) async fn one_job(
    jobs: Jobs,
    kinds: &JobKinds,
    config: WorkerConfig,
    request: Request,
    place: KeeperPlace,
) -> Result<JobRecord, Error> {
    let (shared, ends) = Shared::new(jobs, kinds, config, Some(Watched(request.watch.progress.clone())));
    let engine = Engine::start(&shared, ends, place)?;
    let single = Single { shared: shared.clone(), engine, request, patience: OnceLock::new() };
    let ended = tokio::select! {
        ended = single.until_ended() => ended,
        () = shared.broken() => Err(Error::Failed("a part of the worker has ended unexpectedly".to_owned())),
    };
    shared.stop();
    single.drain().await;
    let until = single.patience().over();
    single.engine.stop(until).await;
    ended
}

/// What was seen of the job so far.
#[derive(Default)]
struct Seen {
    progress: Option<JobProgress>,
    waits_for: Option<DateTime<Utc>>,
    looks: u32,
}

enum Look {
    Ended(Box<JobRecord>),
    /// After so long.
    Again(Duration),
}

struct Single {
    shared: Arc<Shared>,
    engine: Engine,
    request: Request,
    /// How long stopping may take in all, from the first time that it was asked for.
    patience: OnceLock<Patience>,
}

impl Single {
    fn patience(&self) -> Patience {
        *self.patience.get_or_init(|| Patience::asking_now(self.shared.config.drain))
    }

    async fn drain(&self) {
        self.engine.drain(self.patience(), std::future::ready(())).await;
    }

    async fn until_ended(&self) -> Result<JobRecord, Error> {
        let (mut streak, mut seen) = (Streak::new("asking for the job"), Seen::default());
        loop {
            let look = tokio::select! {
                look = self.look(&mut seen) => look,
                () = self.overdue() => Err(Error::Cancelled),
            };
            let nap = match look {
                Ok(Look::Ended(record)) => return Ok(*record),
                Ok(Look::Again(nap)) => {
                    streak.ended();
                    nap
                }
                Err(_) if self.is_cancelled() => return Err(Error::Cancelled),
                Err(Error::Store(error)) if error.is_transient() => streak.failed(&error, self.shared.jobs.ids.as_ref()),
                Err(error) => return Err(error),
            };
            tokio::select! {
                () = self.request.watch.cancel.cancelled() => {}
                () = tokio::time::sleep(nap) => {}
            }
        }
    }

    /// Returns when it was asked to stop and has had its time: whatever hangs is not waited for.
    async fn overdue(&self) {
        self.request.watch.cancel.cancelled().await;
        sleep_until(self.patience().over()).await;
    }

    fn is_cancelled(&self) -> bool {
        self.request.watch.cancel.is_cancelled()
    }

    /// Looks how the job stands and does what that calls for.
    async fn look(&self, seen: &mut Seen) -> Result<Look, Error> {
        let record = self.record().await?;
        if record.status.is_terminal() {
            return Ok(Look::Ended(Box::new(record)));
        }
        if self.is_cancelled() {
            return Err(Error::Cancelled);
        }
        if record.status == JobStatus::Running {
            self.follow(&record, seen).await?;
            return Ok(Look::Again(FOLLOW));
        }
        if self.work(&record).await? {
            return Ok(Look::Again(Duration::ZERO));
        }
        let wait = (record.run_at - self.shared.jobs.clock.now()).to_std().unwrap_or_default();
        if seen.waits_for != Some(record.run_at) && wait > LONGEST_NAP {
            seen.waits_for = Some(record.run_at);
            self.request.watch.waiting.iter().for_each(|told| told(&record, wait));
        }
        Ok(Look::Again(wait.clamp(FOLLOW / 5, LONGEST_NAP)))
    }

    async fn record(&self) -> Result<JobRecord, Error> {
        let id = self.request.job;
        let asked = timeout(ANSWER, self.shared.jobs.queue.get(id)).await;
        let late = |_| StoreError::Unavailable { source: "it did not answer in time".into() };
        let record = asked.map_err(late)??.ok_or_else(|| Error::NotFound(format!("the job {id}")))?;
        if !record.status.is_terminal() && self.shared.groups.kind(&record.kind).is_none() {
            return Err(Error::Invalid(format!("the job {id} is of kind {:?}, which this program does not know", record.kind)));
        }
        Ok(record)
    }

    /// Claims the job and runs it once; whether it could.
    async fn work(&self, record: &JobRecord) -> Result<bool, Error> {
        self.until_kept().await;
        let (config, asked) = (&self.shared.config, Instant::now());
        let only = Claim { only: Some(record.id), ..Claim::any(config.id.clone(), 1, config.lease) };
        let claimed = self.shared.claim(only).await?;
        let count = claimed.len();
        for it in claimed {
            start(&self.shared, it, asked, false);
        }
        if count > 0 {
            self.until_written().await;
        }
        Ok(count > 0)
    }

    /// Without renewals the job would only be lost.
    async fn until_kept(&self) {
        while !self.shared.is_kept() && !self.request.watch.cancel.is_cancelled() {
            tokio::select! {
                () = self.shared.beaten.notified() => {}
                () = self.request.watch.cancel.cancelled() => {}
            }
        }
    }

    async fn until_written(&self) {
        let far = Instant::now() + Duration::from_hours(24 * 365);
        tokio::select! {
            _ = self.engine.settled(far) => {}
            () = self.request.watch.cancel.cancelled() => {
                // The step at hand may be long, and is still committed if it ends in time.
                self.drain().await;
            }
        }
    }

    /// Another worker has it: shows how far it is, and takes it back if that worker is dead. Whether its lease has ended is for
    /// the store to say: clocks differ.
    async fn follow(&self, record: &JobRecord, seen: &mut Seen) -> Result<(), Error> {
        if let (Some(observe), Some(progress)) = (&self.request.watch.progress, &record.progress)
            && seen.progress.as_ref() != Some(progress)
        {
            observe(progress.clone());
            seen.progress = Some(progress.clone());
        }
        self.shared.slept();
        if !self.shared.is_steady() {
            return Ok(());
        }
        seen.looks += 1;
        if seen.looks % LOOKS == 1 {
            let gone = gone(&self.shared).await?.into_iter().filter(|it| Some(it) == record.worker.as_ref());
            self.shared.jobs.queue.rescue(&gone.collect::<Vec<_>>()).await?;
        }
        Ok(())
    }
}
