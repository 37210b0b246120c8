//! The `yarnnn-worker` program: runs background jobs until it is told to stop, and shows its health if it has a port for that.

mod shutdown;
mod telemetry;

use std::net::SocketAddr;

use anyhow::Context as _;
use yarnnn::Config;
use yarnnn_server::health;
use yarnnn_server::worker::{Worker, WorkerConfig};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    telemetry::init();
    let shutdown = shutdown::Signals::new()?;
    let config = Config::from_env()?;
    let yarnnn = yarnnn::connect(&config).await?;
    let jobs = yarnnn.jobs().clone();
    let settings = WorkerConfig::new(&config.worker.name, jobs.ids.as_ref()).with_concurrency(config.worker.concurrency);
    let settings = WorkerConfig { lanes: config.worker.lanes, ..settings };
    let worker = Worker::new(jobs.clone(), &yarnnn.job_kinds(), settings);
    if let Some(address) = config.worker.health {
        let listener = listen(address).await?;
        // Serves until the process ends: while the worker drains, monitors see that it does.
        tokio::spawn(health::serve(listener, jobs, worker.handle(), std::future::pending()));
    }
    worker.run(shutdown.received()).await?;
    // Nothing is left to be written; code that never yields must not keep the process from ending.
    std::process::exit(0)
}

async fn listen(address: SocketAddr) -> anyhow::Result<tokio::net::TcpListener> {
    let what = || format!("the health page cannot be served on {address} (HOST, HEALTH_CHECK_PORT)");
    tokio::net::TcpListener::bind(address).await.with_context(what)
}
