//! From the parsed command line to the command.

use std::process::ExitCode;

use super::{
    connect, costs, deliverables, demo, doctor, import, jobs, migrate, outbox, plan, preferences, replay, run, schedules, search,
    settings, signals, sources, sync, verify, work,
};
use crate::cli::{Cli, Command};
use crate::output::Output;
use crate::session::parse_email;

/// Runs the command and answers its exit code. Every command reads its arguments before it connects, so that a refused one
/// leaves nothing behind.
pub(crate) async fn dispatch(cli: Cli, output: &Output) -> anyhow::Result<ExitCode> {
    let user = cli.user.as_deref().map(parse_email).transpose()?;
    match cli.command {
        Command::Demo { out } => demo::execute(&out, output).await,
        Command::Migrate => migrate::execute(output).await,
        Command::Doctor { new_key: true } => Ok(doctor::new_key(output)),
        Command::Doctor { new_key: false } => doctor::execute(user, output).await,
        Command::Connect(arguments) => connect::execute(user, arguments, output).await,
        Command::Sync(arguments) => sync::execute(user, arguments, output).await,
        Command::Sources(arguments) => Box::pin(sources::execute(user, arguments, output)).await,
        Command::Settings { timezone } => settings::execute(user, timezone.as_deref(), output).await,
        Command::Preferences(arguments) => preferences::execute(user, &arguments, output).await,
        Command::Import(arguments) => import::execute(user, arguments, output).await,
        Command::Work(arguments) => work::execute(arguments, output).await,
        Command::Jobs(command) => jobs::execute(user, command, output).await,
        Command::Deliverables(command) => deliverables::execute(user, command, output).await,
        Command::Schedules(command) => schedules::execute(user, command, output).await,
        Command::Plan { deliverable, as_of, prompt } => plan::execute(user, &deliverable, as_of.as_deref(), prompt, output).await,
        Command::Run(arguments) => run::execute(user, arguments, output).await,
        Command::Signals(command) => Box::pin(signals::execute(user, command, output)).await,
        Command::Costs { days, all_users } => costs::execute(user, days, all_users, output).await,
        Command::Replay(arguments) => replay::execute(user, arguments, output).await,
        Command::Outbox(command) => outbox::execute(user, command, output).await,
        Command::Verify { version } => verify::execute(user, &version, output).await,
        Command::Search(arguments) => search::execute(user, arguments, output).await,
    }
}
