//! The `yarnnn-platform-sync` program: one tick of the clock for live platforms, and exit. A crontab runs it every five minutes.

mod cli;
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
    tick(&arguments).await.unwrap_or_else(|error| program::report(error.chain(), yarnnn::is_of_settings, arguments.json).into())
}

async fn tick(arguments: &cli::Arguments) -> anyhow::Result<ExitCode> {
    let config = Config::from_env()?;
    let builder = yarnnn::builder(&config).await?;
    let yarnnn = match arguments.now {
        Some(now) => builder.clock(Arc::new(ShiftedClock::showing(now))).build(),
        None => builder.build(),
    };
    yarnnn::check_seal_key(&config, &yarnnn).await?;
    let now = arguments.now.unwrap_or_else(|| yarnnn.clock().now());
    let tick = cron::platform_sync(&yarnnn, now, &arguments.mode()).await?;
    Ok(summary::print(&tick, arguments))
}
