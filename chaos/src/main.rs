//! Breaks real workers and checks what must hold; the README says what is proved and how.
//!
//! One program in four roles: `run` is the harness, which starts the others as processes of its own. Start at
//! [`scenarios`]; `stage` is where one of them plays, `fleet` its workers, `book` what jobs leave behind.
#![expect(clippy::print_stdout, reason = "it talks to a developer at a terminal")]

mod arena;
mod book;
mod cli;
mod fleet;
mod kinds;
#[path = "../../tests/live/model/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the tests use the rest of it")]
mod model;
mod plant;
mod produce;
mod random;
mod renew;
mod report;
mod run;
mod scenarios;
mod stage;
mod worker;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let done = match cli::Cli::parse().role {
        cli::Role::Run(arguments) => run::run(&arguments),
        cli::Role::Worker(arguments) => worker::run(&arguments),
        cli::Role::Produce(arguments) => produce::run(&arguments),
        cli::Role::Renew(arguments) => renew::run(&arguments),
    };
    done.unwrap_or_else(|error| {
        eprintln!("yarnnn-chaos: {error:#}");
        ExitCode::FAILURE
    })
}
