//! The role that is broken: one real worker of the product, with the jobs of the harness.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use tokio::io::AsyncReadExt as _;
use tokio::runtime;
use yarnnn::id::RandomIds;
use yarnnn::jobs::WorkerId;
use yarnnn::pipeline::{Holder, Liveness};
use yarnnn::{Config, HostProcesses};
use yarnnn_server::worker::{self, WorkerConfig};

use crate::book::Book;
use crate::cli::WorkerArguments;
use crate::kinds::{self, Ground};
use crate::plant::Plant;

/// Works until standard input ends, which it does when the harness goes, in whatever way.
pub(crate) fn run(arguments: &WorkerArguments) -> Result<ExitCode> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).init();
    let runtime = runtime::Builder::new_multi_thread().worker_threads(arguments.threads).enable_all().build()?;
    runtime.block_on(work(arguments))?;
    Ok(ExitCode::SUCCESS)
}

async fn work(arguments: &WorkerArguments) -> Result<()> {
    let config = Config::from_env()?;
    let yarnnn = yarnnn::connect(&config).await?;
    let book = Book::open(config.database.url())?;
    let mut jobs = yarnnn.jobs().clone();
    if let Some(host) = &arguments.host {
        jobs.liveness = Arc::new(Elsewhere::new(host));
    }
    if let Some(plant) = arguments.plant {
        jobs = plant.spoil(jobs);
    }
    let kinds = kinds::all(Ground { book, jobs: jobs.clone(), plant: arguments.plant });
    worker::run(jobs, kinds, worker_config(arguments), input_ends()).await?;
    Ok(())
}

fn worker_config(arguments: &WorkerArguments) -> WorkerConfig {
    let config = WorkerConfig::new("chaos", &RandomIds).with_concurrency(arguments.concurrency);
    WorkerConfig {
        id: WorkerId::new(&arguments.id),
        lanes: Some(vec![arguments.lane.clone()]),
        lease: arguments.lease,
        beat: arguments.beat,
        owner_limit: config.owner_limit.filter(|_| arguments.plant != Some(Plant::NoOwnerLimit)),
        ..config
    }
}

async fn input_ends() {
    let mut rest = Vec::new();
    _ = tokio::io::stdin().read_to_end(&mut rest).await;
}

/// The processes of this host, as another one would see its own: nothing is known of those elsewhere.
#[derive(Debug)]
struct Elsewhere {
    host: String,
    inner: HostProcesses,
}

impl Elsewhere {
    fn new(host: &str) -> Self {
        Self { host: format!("{host}:"), inner: HostProcesses::default() }
    }
}

impl Liveness for Elsewhere {
    fn me(&self) -> Holder {
        Holder::new(format!("{}{}", self.host, self.inner.me().as_str()))
    }

    fn is_gone(&self, other: &Holder) -> bool {
        other.as_str().strip_prefix(&self.host).is_some_and(|it| self.inner.is_gone(&Holder::new(it)))
    }
}
