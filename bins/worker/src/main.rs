//! The `yarnnn-worker` program: runs background jobs until it is told to stop, and shows its health if it has a port for that.

mod guard;
mod health_port;
mod shutdown;

use yarnnn::Config;
use yarnnn_server::worker::{Worker, WorkerConfig};
use yarnnn_server::{health, program};

#[tokio::main]
async fn main() {
    program::start_logs(yarnnn::config::logging(), "info");
    let code =
        work().await.map_or_else(|error| program::report(error.chain(), yarnnn::is_of_settings, false), |()| program::DONE);
    // Nothing is left to be written; code that never yields must not keep the process from ending.
    std::process::exit(code.into())
}

async fn work() -> anyhow::Result<()> {
    let guard = guard::Guard::start(WorkerConfig::DRAIN)?;
    let config = Config::from_env()?;
    let yarnnn = yarnnn::connect(&config).await?;
    yarnnn::check_seal_key(&config, &yarnnn).await?;
    let jobs = yarnnn.jobs().clone();
    let settings = WorkerConfig::new(config.worker.name, jobs.ids.as_ref()).with_concurrency(config.worker.concurrency);
    let settings = WorkerConfig { lanes: config.worker.lanes, ..settings };
    let worker = Worker::new(jobs.clone(), &yarnnn.job_kinds(), settings);
    if let Some(address) = config.worker.health {
        let (listener, router) = (health_port::listen(address)?, health::router(jobs, worker.handle()));
        // Serves until the process ends: while the worker drains, or is kept busy by its jobs, monitors see that it does.
        guard
            .runtime()
            .spawn(async { health::serve(tokio::net::TcpListener::from_std(listener)?, router, std::future::pending()).await });
    }
    worker.run(guard.stopped()).await?;
    Ok(())
}
