//! The `yarnnn-worker` program: runs background jobs until it is told to stop, and shows its health if it has a port for that.

mod exit;
mod health_port;
mod shutdown;
mod telemetry;

use std::process::ExitCode;

use yarnnn::Config;
use yarnnn_server::health;
use yarnnn_server::worker::{Worker, WorkerConfig};

#[tokio::main]
async fn main() -> ExitCode {
    telemetry::init();
    match work().await {
        // Nothing is left to be written; code that never yields must not keep the process from ending.
        Ok(()) => std::process::exit(0),
        Err(error) => exit::report(&error),
    }
}

async fn work() -> anyhow::Result<()> {
    let shutdown = shutdown::Signals::new()?;
    let config = Config::from_env()?;
    let yarnnn = yarnnn::connect(&config).await?;
    let jobs = yarnnn.jobs().clone();
    let settings = WorkerConfig::new(&config.worker.name, jobs.ids.as_ref()).with_concurrency(config.worker.concurrency);
    let settings = WorkerConfig { lanes: config.worker.lanes, ..settings };
    let worker = Worker::new(jobs.clone(), &yarnnn.job_kinds(), settings);
    if let Some(address) = config.worker.health {
        let listener = health_port::listen(address).await?;
        // Serves until the process ends: while the worker drains, monitors see that it does.
        tokio::spawn(health::serve(listener, jobs, worker.handle(), std::future::pending()));
    }
    worker.run(shutdown.received()).await?;
    Ok(())
}
