//! The options.

use std::process::ExitCode;

use chrono::{DateTime, Utc};
use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser};
use yarnnn_server::cron::{self, TickMode};
use yarnnn_server::program;

/// One tick: what is due becomes jobs for the workers, what has expired is deleted, and users are told of it.
#[derive(Debug, Parser)]
#[command(name = "yarnnn-unified-scheduler", version)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct Arguments {
    /// Work the jobs here, instead of leaving them to workers.
    #[arg(long)]
    inline: bool,
    /// The instant of the tick (RFC 3339; default: now).
    #[arg(long, value_name = "INSTANT", value_parser = cron::instant)]
    pub(crate) now: Option<DateTime<Utc>>,
    /// Make all ticks from --now to this instant, one after the other.
    #[arg(long, value_name = "INSTANT", value_parser = cron::instant, requires = "now", conflicts_with = "dry_run")]
    pub(crate) until: Option<DateTime<Utc>>,
    /// Say what the tick would fire, and change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Say what became of each report.
    #[arg(long)]
    pub(crate) verbose: bool,
    /// Print one JSON object to standard output and nothing else there.
    #[arg(long)]
    pub(crate) json: bool,
}

impl Arguments {
    /// Who does the work. What is done here ends after the step at hand when the program is told to stop.
    pub(crate) fn mode(&self) -> TickMode {
        if self.inline { TickMode::Inline(cron::stop_token()) } else { TickMode::Queue }
    }
}

/// Reads the command line; on an error or a request for help it has been printed and the exit code is the answer.
pub(crate) fn parse() -> Result<Arguments, ExitCode> {
    Arguments::try_parse().and_then(checked).map_err(|error| {
        let asked = !error.use_stderr();
        // Nobody can be told that there is nobody to tell.
        let _ = error.print();
        if asked { ExitCode::SUCCESS } else { ExitCode::from(program::USAGE) }
    })
}

/// The end of a stretch of ticks does not lie before its beginning.
fn checked(arguments: Arguments) -> Result<Arguments, clap::Error> {
    match (arguments.now, arguments.until) {
        (Some(now), Some(until)) if until < now => {
            Err(Arguments::command()
                .error(ErrorKind::ValueValidation, "--until lies before --now: there is no tick between them"))
        }
        _ => Ok(arguments),
    }
}
