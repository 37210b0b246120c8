//! The command line of `cargo xtask`: words in, [`Task`] out, and the exit code of running it.
//!
//! Parsed by hand: four words do not pay for an argument parser that every CI run would compile.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::postgres::{Cluster, Durability, URL_VARIABLE};
use crate::{cargo, check, clients, conformance, services, test};

/// The environment variable in which benchmarks look for `pgbench`.
const PROGRAMS_VARIABLE: &str = "YARNNN_BENCH_POSTGRES_PROGRAMS";

/// What `cargo xtask` alone prints.
pub(crate) const USAGE: &str = "\
cargo xtask test [-- ARGS]        start a private Postgres and Redis, run all tests, then the offline examples;
                                  with ARGS (handed to cargo test) the examples are left out
cargo xtask check [NAME...]       formatting, lints, docs and the rules of this repository; all, or those named
cargo xtask bench [-- ARGS]       run the benchmarks on a durable private Postgres; ARGS go to cargo bench
cargo xtask postgres -- COMMAND   start a private Postgres, run COMMAND with its address in
                                  YARNNN_TEST_POSTGRES_URL, stop it
cargo xtask services -- COMMAND   likewise with a Redis too, its address in YARNNN_TEST_REDIS_URL
cargo xtask chaos [ARGS]          kill, stop and starve real workers on both back-ends and check what must hold;
                                  ARGS are scenarios, --short, --seed N, … (`chaos --help` lists them)
cargo xtask clients [NAME...]     let the providers' own Python clients (slack, google, notion, anthropic, openai) use the simulator;
                                  --optional: no failure where they cannot be installed
cargo xtask conformance [NAME...] show what the clients (slack, gmail, calendar, notion, resend, customsearch) send to mock
                                  servers that are started from the specifications in YARNNN_CONFORMANCE_DIR";

/// One thing to do.
#[derive(Debug, PartialEq)]
pub(crate) enum Task {
    Help,
    Test(Vec<String>),
    Check(Vec<String>),
    Bench(Vec<String>),
    Postgres { program: String, arguments: Vec<String> },
    Services { program: String, arguments: Vec<String> },
    Chaos(Vec<String>),
    Clients(Vec<String>),
    Conformance(Vec<String>),
}

/// Reads the words after `cargo xtask`; the error is the complaint to print above the usage.
pub(crate) fn parse(words: Vec<String>) -> Result<Task, String> {
    let mut words = words.into_iter();
    let Some(task) = words.next() else { return Ok(Task::Help) };
    let rest: Vec<String> = words.collect();
    match task.as_str() {
        "help" | "--help" | "-h" => Ok(Task::Help),
        "test" => after_dashes(rest).map(Task::Test),
        "check" => known_checks(rest).map(Task::Check),
        "bench" => after_dashes(rest).map(Task::Bench),
        "postgres" => command_after_dashes(&task, rest).map(|(program, arguments)| Task::Postgres { program, arguments }),
        "services" => command_after_dashes(&task, rest).map(|(program, arguments)| Task::Services { program, arguments }),
        "chaos" => Ok(Task::Chaos(rest)),
        "clients" => clients::check(&rest).map(|()| Task::Clients(rest)),
        "conformance" => conformance::check(&rest).map(|()| Task::Conformance(rest)),
        other => Err(format!("there is no task `{other}`")),
    }
}

/// Does the task.
pub(crate) fn run(task: Task) -> Result<ExitCode> {
    match task {
        Task::Help => {
            println!("{USAGE}\n\nchecks:\n{}", check::list());
            Ok(ExitCode::SUCCESS)
        }
        Task::Test(arguments) => test::run(&arguments),
        Task::Check(names) => check::run(&names),
        Task::Bench(arguments) => run_benchmarks(&arguments),
        Task::Postgres { program, arguments } => run_with_postgres(&program, &arguments),
        Task::Services { program, arguments } => services::run(&program, &arguments),
        Task::Chaos(arguments) => services::run_chaos(&arguments),
        Task::Clients(arguments) => clients::run(&arguments),
        Task::Conformance(names) => Ok(conformance::run(&names)),
    }
}

/// With a Postgres that is as durable as in production, and the folder of its programs.
fn run_benchmarks(arguments: &[String]) -> Result<ExitCode> {
    let cluster = Cluster::start(Durability::Full)?;
    let mut command = cargo::command()?;
    command.args(["bench", "-p", "yarnnn"]).args(arguments);
    code_of(command.env(URL_VARIABLE, cluster.url()).env(PROGRAMS_VARIABLE, cluster.programs()))
}

fn run_with_postgres(program: &str, arguments: &[String]) -> Result<ExitCode> {
    let cluster = Cluster::start(Durability::None)?;
    code_of(Command::new(program).args(arguments).env(URL_VARIABLE, cluster.url()))
}

/// Runs a command to its end and answers with its own exit code (1 when a signal ended it).
pub(crate) fn code_of(command: &mut Command) -> Result<ExitCode> {
    let status = command.status().with_context(|| format!("cannot start {}", command.get_program().display()))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Ok(ExitCode::from(code))
}

fn after_dashes(words: Vec<String>) -> Result<Vec<String>, String> {
    match words.first().map(String::as_str) {
        None | Some("--") => Ok(words.into_iter().skip(1).collect()),
        Some(word) => Err(format!("`{word}` is not understood; arguments to hand on come after `--`")),
    }
}

fn known_checks(names: Vec<String>) -> Result<Vec<String>, String> {
    match names.iter().find(|name| !check::exists(name)) {
        Some(unknown) => Err(format!("there is no check `{unknown}`; the checks are:\n{}", check::list())),
        None => Ok(names),
    }
}

fn command_after_dashes(task: &str, words: Vec<String>) -> Result<(String, Vec<String>), String> {
    let mut words = after_dashes(words)?.into_iter();
    let program = words.next().ok_or_else(|| format!("`cargo xtask {task} --` needs a command to run"))?;
    Ok((program, words.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Result<Task, String> {
        parse(line.split_whitespace().map(String::from).collect())
    }

    #[test]
    fn no_word_asks_for_the_usage() {
        assert_eq!(words(""), Ok(Task::Help));
    }

    #[test]
    fn arguments_after_the_dashes_are_handed_on() {
        assert_eq!(words("test -- -p yarnnn-store -- --nocapture").unwrap(), {
            Task::Test(["-p", "yarnnn-store", "--", "--nocapture"].map(String::from).to_vec())
        });
        let psql = Task::Postgres { program: "psql".into(), arguments: vec!["-l".into()] };
        assert_eq!(words("postgres -- psql -l"), Ok(psql));
        let cargo = Task::Services { program: "cargo".into(), arguments: vec!["test".into()] };
        assert_eq!(words("services -- cargo test"), Ok(cargo));
        assert_eq!(words("chaos --short crash"), Ok(Task::Chaos(vec!["--short".into(), "crash".into()])));
    }

    #[test]
    fn wrong_usage_is_told_from_failure() {
        assert!(words("deploy").unwrap_err().contains("deploy"));
        assert!(words("test yarnnn-store").unwrap_err().contains("--"));
        assert!(words("postgres").unwrap_err().contains("command"));
        assert!(words("services --").unwrap_err().contains("services"));
        assert!(words("check layers nonsense").unwrap_err().contains("nonsense"));
    }

    #[test]
    fn every_check_can_be_named() {
        assert_eq!(words("check layers links"), Ok(Task::Check(vec!["layers".into(), "links".into()])));
    }
}
