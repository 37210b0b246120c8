//! Repository tasks behind `cargo xtask`: what needs more than one command and must be the same by hand and in CI.
//!
//! Start at [`cli`]. Nothing here is shipped, and no library crate may depend on it.
#![expect(clippy::print_stdout, reason = "these tasks talk to a developer at a terminal")]

mod apt;
mod cargo;
mod check;
mod cli;
mod clients;
mod conformance;
mod postgres;
mod redis;
mod services;
mod summary;
mod supervisor;
mod test;

use std::process::ExitCode;

fn main() -> ExitCode {
    let task = match cli::parse(std::env::args().skip(1).collect()) {
        Ok(task) => task,
        Err(complaint) => {
            eprintln!("{complaint}\n\n{}", cli::USAGE);
            return ExitCode::from(2);
        }
    };
    cli::run(task).unwrap_or_else(|error| {
        eprintln!("xtask: {error:#}");
        ExitCode::FAILURE
    })
}
