//! The `yarnnn-worker` program: runs background jobs until it is told to stop, and shows its health if it has a port for that.

mod guard;
mod shutdown;
mod telemetry;

use std::net::{SocketAddr, TcpListener};

use anyhow::Context as _;
use guard::Guard;
use yarnnn::Config;
use yarnnn_server::health;
use yarnnn_server::worker::{Worker, WorkerConfig};

#[tokio::main]
async fn main() {
    telemetry::init();
    let ended = run().await;
    if let Err(error) = &ended {
        tracing::error!("{error:#}");
    }
    // Nothing is left to be written; code that never yields must not keep the process from ending.
    std::process::exit(i32::from(ended.is_err()))
}

async fn run() -> anyhow::Result<()> {
    let guard = Guard::start(WorkerConfig::DRAIN)?;
    let config = Config::from_env()?;
    let yarnnn = yarnnn::connect(&config).await?;
    let jobs = yarnnn.jobs().clone();
    let settings = WorkerConfig::new(&config.worker.name, jobs.ids.as_ref()).with_concurrency(config.worker.concurrency);
    let settings = WorkerConfig { lanes: config.worker.lanes, ..settings };
    let worker = Worker::new(jobs.clone(), &yarnnn.job_kinds(), settings);
    if let Some(address) = config.worker.health {
        let (listener, router) = (listen(address)?, health::router(jobs, worker.handle()));
        // Serves until the process ends: while the worker drains, or is kept busy by its jobs, monitors see that it does.
        guard.runtime().spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            health::serve(listener, router, std::future::pending()).await
        });
    }
    worker.run(guard.stopped()).await?;
    Ok(())
}

fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let what = || format!("the health page cannot be served on {address} (HOST, HEALTH_CHECK_PORT)");
    let listener = TcpListener::bind(address).with_context(what)?;
    listener.set_nonblocking(true).with_context(what)?;
    Ok(listener)
}
