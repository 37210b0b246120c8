//! The servers that tests need, together: started, handed over by address, stopped.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::postgres::{self, Cluster, Durability};
use crate::redis::{self, Server};
use crate::{cargo, cli};

/// Running servers; dropping them stops them.
pub(crate) struct Services {
    pub(crate) postgres: Cluster,
    pub(crate) redis: Server,
}

impl Services {
    /// Starts all of them.
    pub(crate) fn start() -> Result<Self> {
        Ok(Self { postgres: Cluster::start(Durability::None)?, redis: Server::start()? })
    }

    /// Tells a command where they are.
    pub(crate) fn hand_to<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env(postgres::URL_VARIABLE, self.postgres.url()).env(redis::URL_VARIABLE, self.redis.url())
    }
}

/// Runs a command with all of them.
pub(crate) fn run(program: &str, arguments: &[String]) -> Result<ExitCode> {
    let services = Services::start()?;
    cli::code_of(services.hand_to(Command::new(program).args(arguments)))
}

/// Builds the chaos harness and the program that it kills as they would be shipped, and lets it break workers on both back-ends.
pub(crate) fn run_chaos(arguments: &[String]) -> Result<ExitCode> {
    cargo::run(cargo::command()?.args([
        "build",
        "--release",
        "--package",
        "yarnnn-chaos",
        "--package",
        "yarnnn-unified-scheduler",
    ]))?;
    let services = Services::start()?;
    let program = cargo::root()?.join("target/release/yarnnn-chaos");
    let mut command = Command::new(program);
    command.args(["run", "--postgres", &services.postgres.url(), "--redis", &services.redis.url()]).args(arguments);
    cli::code_of(&mut command)
}
