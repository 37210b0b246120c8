//! Where a scenario plays: a fresh database, the harness's own handle on it, and how long and how hard.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::time::{Instant, sleep};
use yarnnn::Config;
use yarnnn::config::{DatabaseConfig, RedisConfig};
use yarnnn::id::{RandomIds, UserId};
use yarnnn::jobs::{EnqueueError, Job, Jobs, new_job};

use crate::arena::{Arena, Backend};
use crate::book::Book;
use crate::fleet::{Fleet, Spec};
use crate::plant::Plant;
use crate::random::Random;

/// Workers at the most, over all fleets of a scenario.
const ROLES: u32 = 40;

/// Jobs of one enqueue.
const BATCH: usize = 500;

/// How long and how hard.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) lease: Duration,
    pub(crate) beat: Duration,
    /// How long to go on killing.
    pub(crate) seconds: u64,
    pub(crate) is_short: bool,
    pub(crate) seed: u64,
    pub(crate) redis: Option<String>,
    /// The bug to be seen.
    pub(crate) plant: Option<Plant>,
}

impl Options {
    /// One figure or the other, by the version.
    pub(crate) fn of<T>(&self, full: T, short: T) -> T {
        if self.is_short { short } else { full }
    }
}

/// Where a scenario plays.
pub(crate) struct Stage {
    pub(crate) arena: Arc<Arena>,
    pub(crate) book: Book,
    pub(crate) jobs: Jobs,
    pub(crate) options: Options,
    _outbox: tempfile::TempDir,
}

impl Stage {
    /// Makes the database and the tables.
    pub(crate) async fn set(backend: Backend, options: Options) -> Result<Self> {
        let arena = Arena::make(backend, ROLES).await?;
        let outbox = tempfile::tempdir()?;
        let redis = options.redis.as_deref().map(RedisConfig::new).transpose()?;
        let config = Config { database: DatabaseConfig::new(arena.url())?, redis, ..Config::in_folder(outbox.path()) };
        let yarnnn = yarnnn::connect(&config).await?;
        let book = Book::open(&arena.url())?;
        book.make().await?;
        Ok(Self { arena: Arc::new(arena), book, jobs: yarnnn.jobs().clone(), options, _outbox: outbox })
    }

    /// Takes everything down.
    pub(crate) async fn strike(self, keep_log: bool) -> Result<()> {
        self.book.close().await;
        drop(self.jobs);
        Arc::into_inner(self.arena).context("a fleet is still there")?.close(keep_log).await
    }

    /// The processes of a back-end: a dozen (half in the short version), or four on one file.
    pub(crate) fn workers(&self) -> u32 {
        match self.arena.backend {
            Backend::Sqlite => 4,
            Backend::Postgres(_) => self.options.of(12, 6),
        }
    }

    /// How the workers of a plain fleet work.
    pub(crate) fn spec(&self) -> Spec {
        Spec {
            workers: self.workers(),
            concurrency: 8,
            threads: 2,
            lane: "default",
            lease: self.options.lease,
            beat: self.options.beat,
            hosts: None,
            first_role: 0,
            plant: self.options.plant,
            redis: self.options.redis.clone(),
        }
    }

    /// Starts workers.
    pub(crate) fn fleet(&self, spec: Spec) -> Result<Fleet> {
        Fleet::start(self.arena.clone(), self.book.clone(), spec)
    }

    /// Chance, of this scenario's own.
    pub(crate) const fn random(&self) -> Random {
        Random::new(self.options.seed)
    }

    /// Enqueues jobs in batches, patiently.
    pub(crate) async fn enqueue<J: Job>(&self, owner: Option<UserId>, lane: &str, jobs: &[J]) -> Result<()> {
        for batch in jobs.chunks(BATCH) {
            let mut new = Vec::with_capacity(batch.len());
            for job in batch {
                new.push(new_job(&RandomIds, owner, job)?);
            }
            for job in &mut new {
                lane.clone_into(&mut job.lane);
            }
            let end = Instant::now() + Duration::from_mins(1);
            loop {
                match self.jobs.queue.enqueue(new.clone()).await {
                    Err(EnqueueError::Store(error)) if error.is_transient() && Instant::now() < end => {
                        sleep(Duration::from_millis(50)).await;
                    }
                    answer => break answer.map(drop)?,
                }
            }
        }
        Ok(())
    }

    /// Waits until a query answers this number; says how long that took.
    pub(crate) async fn until(&self, patience: Duration, query: &str, wanted: i64) -> Result<Duration> {
        let begin = Instant::now();
        loop {
            let found = self.book.number(query).await?;
            if found == wanted {
                return Ok(begin.elapsed());
            }
            if begin.elapsed() > patience {
                bail!("after {} s `{query}` answered {found} instead of {wanted}", patience.as_secs());
            }
            sleep(Duration::from_millis(50)).await;
        }
    }
}
