//! From the parsed command line to the command.

use std::process::ExitCode;

use super::{deliverables, demo, doctor, import, migrate, plan, run, search, verify};
use crate::cli::{Cli, Command};
use crate::output::Output;
use crate::session::Session;

/// Runs the command and answers its exit code.
pub(crate) async fn run(cli: Cli, output: &Output) -> anyhow::Result<ExitCode> {
    let user = cli.user.as_deref();
    match cli.command {
        Command::Demo { out } => demo::run(&out, output).await,
        Command::Migrate => migrate::run(output).await,
        Command::Doctor => doctor::run(user, output).await,
        Command::Import { paths, window } => import::run(user, &paths, window.as_deref(), output).await,
        Command::Deliverables(command) => deliverables::run(&Session::open(user).await?, command, output).await,
        Command::Plan { deliverable, as_of, prompt } => {
            plan::run(&Session::open(user).await?, &deliverable, as_of.as_deref(), prompt, output).await
        }
        Command::Run(arguments) => run::run(&Session::open(user).await?, arguments, output).await,
        Command::Verify { version } => verify::run(&Session::open(user).await?, &version, output).await,
        Command::Search(arguments) => search::run(&Session::open(user).await?, arguments, output).await,
    }
}
