//! The harness: which scenarios, on which back-ends, and what came of them.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::arena::Backend;
use crate::book;
use crate::cli::RunArguments;
use crate::report::Report;
use crate::scenarios::Scenario;
use crate::stage::{Options, Stage};

use clap::ValueEnum as _;

/// Runs what was asked for; fails if anything did not hold.
pub(crate) fn run(arguments: &RunArguments) -> Result<ExitCode> {
    let seed = arguments.seed.unwrap_or_else(|| book::now().unsigned_abs());
    println!("seed {seed} (repeat with --seed {seed})");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let begin = Instant::now();
    let held = runtime.block_on(play_all(arguments, &options(arguments, seed)));
    println!("{} in {:.0} s", if held { "PASS" } else { "FAIL" }, begin.elapsed().as_secs_f32());
    Ok(if held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn options(arguments: &RunArguments, seed: u64) -> Options {
    let (lease, beat) = if arguments.default_lease { (15_000, 5_000) } else { (1_000, 250) };
    Options {
        lease: Duration::from_millis(lease),
        beat: Duration::from_millis(beat),
        seconds: arguments.seconds.unwrap_or(if arguments.short { 5 } else { 120 }),
        is_short: arguments.short,
        seed,
        redis: arguments.redis.clone(),
        plant: None,
    }
}

/// In the short version the back-ends take turns side by side, and what mostly waits beside both.
async fn play_all(arguments: &RunArguments, options: &Options) -> bool {
    let chosen: Vec<Scenario> =
        if arguments.scenarios.is_empty() { Scenario::value_variants().to_vec() } else { arguments.scenarios.clone() };
    let postgres = arguments.postgres.clone().map(Backend::Postgres);
    let sqlite = (!arguments.postgres_only).then_some(Backend::Sqlite);
    if !options.is_short {
        let mut held = true;
        for backend in postgres.into_iter().chain(sqlite) {
            held &= play_each(&chosen, Some(backend), options, arguments.planted).await;
        }
        return held;
    }
    let (waiting, others): (Vec<_>, Vec<_>) = chosen.into_iter().partition(|it| *it == Scenario::Crash);
    let each = |scenarios, backend| play_each(scenarios, backend, options, arguments.planted);
    let (a, b, c, d) = tokio::join!(
        each(&others, postgres.clone()),
        each(&others, sqlite.clone()),
        each(&waiting, postgres),
        each(&waiting, sqlite)
    );
    a && b && c && d
}

async fn play_each(scenarios: &[Scenario], backend: Option<Backend>, options: &Options, planted: bool) -> bool {
    let mut held = true;
    for (scenario, backend) in scenarios.iter().filter_map(|it| Some((*it, backend.clone()?))) {
        let plant = planted.then(|| scenario.plant());
        let options = Options { plant, ..options.clone() };
        let may_repeat = options.is_short && !planted && scenario.is_bound_by_time();
        let mut holds = show(scenario, backend.clone(), options.clone()).await;
        if !holds && may_repeat {
            println!("      again: what has a time limit may fail once on a machine that is busy with something else");
            holds = show(scenario, backend, options).await;
        }
        held &= holds;
    }
    held
}

/// Plays one and says what came of it; with a bug planted, success is that it was seen.
async fn show(scenario: Scenario, backend: Backend, options: Options) -> bool {
    let (begin, name, planted) = (Instant::now(), backend.name(), options.plant);
    let played = play(scenario, backend, options).await;
    let report = played.unwrap_or_else(|error| {
        let mut report = Report::default();
        report.must(false, format!("{error:#}"));
        report
    });
    let held = report.passed() == planted.is_none();
    let verdict = if held { "PASS" } else { "FAIL" };
    let bug = planted.map(|it| format!(" with {}", it.name())).unwrap_or_default();
    println!("{verdict}  {} on {name}{bug} ({:.1} s): {report}", scenario.name(), begin.elapsed().as_secs_f32());
    held
}

async fn play(scenario: Scenario, backend: Backend, options: Options) -> Result<Report> {
    let is_planted = options.plant.is_some();
    let stage = Stage::set(backend, options).await?;
    let played = scenario.play(&stage).await;
    let failed = !played.as_ref().is_ok_and(Report::passed);
    stage.strike(failed && !is_planted).await?;
    played
}
