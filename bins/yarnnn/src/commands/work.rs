//! `yarnnn work`: a worker in the foreground.

use std::process::ExitCode;

use serde_json::json;
use yarnnn::Config;
use yarnnn_server::worker::{self, WorkerConfig};

use crate::cli::Work;
use crate::exit::FAILED;
use crate::output::{Output, Tone};
use crate::session::stop_signal;

pub(super) async fn execute(arguments: Work, output: &Output) -> anyhow::Result<ExitCode> {
    let config = Config::from_env()?;
    let yarnnn = yarnnn::connect(&config).await?;
    yarnnn::check_seal_key(&config, &yarnnn).await?;
    let (jobs, kinds) = (yarnnn.jobs().clone(), yarnnn.job_kinds());
    let worker = worker_config(&config, &arguments, jobs.ids.as_ref());
    output.note(&format!("worker {}: {} jobs at once; Ctrl-C stops", worker.id, worker.concurrency));
    if !arguments.until_idle {
        let drained = worker::run(jobs, kinds, worker, stop_signal()).await?;
        output.note(&format!("stopped: {} jobs finished, {} handed back", drained.finished, drained.handed_back));
        return Ok(ExitCode::SUCCESS);
    }
    let report = worker::run_until_idle(jobs, kinds, worker, stop_signal()).await?;
    let tally = report.tally;
    let unwell = tally.failed + tally.needs_human;
    let failed = unwell > 0;
    if output.is_json() {
        output.json(&json!({
            "succeeded": tally.succeeded, "failed": unwell, "later": report.later,
            "unknown_kinds": report.unknown_kinds, "interrupted": report.interrupted,
        }));
        return Ok(code(failed || report.interrupted));
    }
    let text = format!("{} jobs succeeded, {} did not; {} wait for later", tally.succeeded, unwell, report.later);
    output.line(&output.tone(&text, if failed { Tone::Bad } else { Tone::Good }));
    for (kind, count) in &report.unknown_kinds {
        output.line(&output.tone(&format!("{count} jobs of kind {kind} wait for a program that knows it"), Tone::Warning));
    }
    Ok(code(failed || report.interrupted))
}

fn code(failed: bool) -> ExitCode {
    if failed { ExitCode::from(FAILED) } else { ExitCode::SUCCESS }
}

fn worker_config(config: &Config, arguments: &Work, ids: &dyn yarnnn::id::IdGen) -> WorkerConfig {
    let worker =
        WorkerConfig::new(&config.worker.name, ids).with_concurrency(arguments.concurrency.unwrap_or(config.worker.concurrency));
    let lanes = if arguments.lanes.is_empty() { config.worker.lanes.clone() } else { Some(arguments.lanes.clone()) };
    WorkerConfig { lanes, ..worker }
}
