//! The `yarnnn-unified-scheduler` program: one tick of the clock, and exit. A crontab runs it every five minutes.

mod cli;
mod replay;
mod summary;

use std::process::ExitCode;
use std::sync::Arc;

use yarnnn::Config;
use yarnnn_server::cron::{self, ShiftedClock};
use yarnnn_server::program;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match cli::parse() {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    program::start_logs(yarnnn::config::logging(), "warn");
    run(&arguments).await.unwrap_or_else(|error| program::report(error.chain(), yarnnn::is_of_settings, arguments.json).into())
}

async fn run(arguments: &cli::Arguments) -> anyhow::Result<ExitCode> {
    let config = Config::from_env()?;
    let builder = yarnnn::builder(&config).await?;
    let clock = arguments.now.map(|now| Arc::new(ShiftedClock::showing(now)));
    let yarnnn = match &clock {
        Some(clock) => builder.clock(clock.clone()).build(),
        None => builder.build(),
    };
    yarnnn::check_seal_key(&config, &yarnnn).await?;
    let now = arguments.now.unwrap_or_else(|| yarnnn.clock().now());
    match (arguments.until, clock) {
        _ if arguments.dry_run => summary::preview(&yarnnn, now, arguments).await,
        (Some(until), Some(clock)) => replay::run(&yarnnn, &clock, (now, until), arguments).await,
        _ => Ok(summary::print(&cron::unified_scheduler(&yarnnn, now, &arguments.mode()).await?, arguments)),
    }
}
