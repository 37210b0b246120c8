//! The options.

use std::process::ExitCode;

use chrono::{DateTime, Utc};
use clap::Parser;
use yarnnn_server::cron::{self, TickMode};
use yarnnn_server::program;

/// One tick: every connection whose turn it is becomes a job for the workers.
#[derive(Debug, Parser)]
#[command(name = "yarnnn-platform-sync", version)]
pub(crate) struct Arguments {
    /// Sync here, instead of leaving it to workers.
    #[arg(long)]
    inline: bool,
    /// The instant of the tick (RFC 3339; default: now).
    #[arg(long, value_name = "INSTANT", value_parser = cron::instant)]
    pub(crate) now: Option<DateTime<Utc>>,
    /// Print one JSON object to standard output and nothing else there.
    #[arg(long)]
    pub(crate) json: bool,
}

impl Arguments {
    /// Who does the work. Syncing here ends after the page at hand when the program is told to stop.
    pub(crate) fn mode(&self) -> TickMode {
        if self.inline { TickMode::Inline(cron::stop_token()) } else { TickMode::Queue }
    }

    /// Whether it is done here.
    pub(crate) const fn is_inline(&self) -> bool {
        self.inline
    }
}

/// Reads the command line; on an error or a request for help it has been printed and the exit code is the answer.
pub(crate) fn parse() -> Result<Arguments, ExitCode> {
    Arguments::try_parse().map_err(|error| {
        let asked = !error.use_stderr();
        // Nobody can be told that there is nobody to tell.
        let _ = error.print();
        if asked { ExitCode::SUCCESS } else { ExitCode::from(program::USAGE) }
    })
}
