//! From the parsed command line to the command.

use std::process::ExitCode;

use super::{deliverables, demo, doctor, import, migrate, plan, run, search, verify};
use crate::cli::{Cli, Command, Deliverables};
use crate::output::Output;
use crate::session::Session;

/// Runs the command and answers its exit code.
pub(crate) async fn dispatch(cli: Cli, output: &Output) -> anyhow::Result<ExitCode> {
    let user = cli.user.as_deref();
    match cli.command {
        Command::Demo { out } => demo::execute(&out, output).await,
        Command::Migrate => migrate::execute(output).await,
        Command::Doctor => doctor::execute(user, output).await,
        Command::Import { paths, window } => import::execute(user, &paths, window.as_deref(), output).await,
        Command::Deliverables(command @ Deliverables::Create(_)) => {
            deliverables::execute(&Session::open_or_make(user).await?, command, output).await
        }
        Command::Deliverables(command) => deliverables::execute(&Session::open(user).await?, command, output).await,
        Command::Plan { deliverable, as_of, prompt } => {
            plan::execute(&Session::open(user).await?, &deliverable, as_of.as_deref(), prompt, output).await
        }
        Command::Run(arguments) => run::execute(&Session::open(user).await?, arguments, output).await,
        Command::Verify { version } => verify::execute(&Session::open(user).await?, &version, output).await,
        Command::Search(arguments) => search::execute(&Session::open(user).await?, arguments, output).await,
    }
}
