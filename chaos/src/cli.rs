//! The command line of the roles.

use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::plant::Plant;
use crate::scenarios::Scenario;

/// Breaks workers of the job system and what syncs live platforms, and checks what must hold.
#[derive(Debug, Parser)]
#[command(name = "yarnnn-chaos")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) role: Role,
}

/// What this process is.
#[derive(Debug, Subcommand)]
pub(crate) enum Role {
    /// Run scenarios; all of them unless some are named.
    Run(RunArguments),
    /// One worker on the database of the environment; ends with its standard input.
    #[command(hide = true)]
    Worker(WorkerArguments),
    /// Producers that all enqueue under one key when a line comes in.
    #[command(hide = true)]
    Produce(ProduceArguments),
    /// Calls Slack once for each instant that comes in, with the token that is good then.
    #[command(hide = true)]
    Renew(RenewArguments),
}

/// How to run scenarios.
#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct RunArguments {
    /// Which; all when none is named.
    #[arg(value_enum)]
    pub(crate) scenarios: Vec<Scenario>,
    /// A Postgres on which databases and roles may be made; without it only `SQLite` is tried.
    #[arg(long)]
    pub(crate) postgres: Option<String>,
    /// A Redis that wakes the workers.
    #[arg(long)]
    pub(crate) redis: Option<String>,
    /// A version for CI: at most a minute in all.
    #[arg(long)]
    pub(crate) short: bool,
    /// How long to go on killing; default 120, or 5 in the short version.
    #[arg(long)]
    pub(crate) seconds: Option<u64>,
    /// Repeats the choices of an earlier run.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Leases of 15 s and beats of 5 s, as installations have them; for `takeover`.
    #[arg(long)]
    pub(crate) default_lease: bool,
    /// Leave `SQLite` out.
    #[arg(long)]
    pub(crate) postgres_only: bool,
    /// Plant the bug that each scenario is for, and succeed only if every one of them sees it.
    #[arg(long)]
    pub(crate) planted: bool,
}

/// How to work.
#[derive(Debug, Clone, Args)]
pub(crate) struct WorkerArguments {
    #[arg(long)]
    pub(crate) id: String,
    #[arg(long, value_parser = millis)]
    pub(crate) lease: Duration,
    #[arg(long, value_parser = millis)]
    pub(crate) beat: Duration,
    #[arg(long)]
    pub(crate) concurrency: u32,
    #[arg(long)]
    pub(crate) threads: usize,
    #[arg(long)]
    pub(crate) lane: String,
    /// Pretends to be another host.
    #[arg(long)]
    pub(crate) host: Option<String>,
    #[arg(long, value_enum)]
    pub(crate) plant: Option<Plant>,
}

/// What to enqueue.
#[derive(Debug, Clone, Args)]
pub(crate) struct ProduceArguments {
    #[arg(long)]
    pub(crate) key: String,
    #[arg(long)]
    pub(crate) producers: u32,
    #[arg(long, value_enum)]
    pub(crate) plant: Option<Plant>,
}

/// How to call.
#[derive(Debug, Clone, Args)]
pub(crate) struct RenewArguments {
    #[arg(long, value_enum)]
    pub(crate) plant: Option<Plant>,
}

fn millis(text: &str) -> Result<Duration, std::num::ParseIntError> {
    text.parse().map(Duration::from_millis)
}
