//! The commands and their options.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::exit::USAGE;

mod reports;

pub(crate) use reports::{Edit, Places, Preview, Schedules, When};

/// Turns your Slack, mail, Notion and calendar into reports in which every sentence traces to its source.
#[derive(Debug, Parser)]
#[command(name = "yarnnn", version, subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// Act as the user with this address (default: the local user).
    #[arg(long, global = true, value_name = "EMAIL")]
    pub(crate) user: Option<String>,
    /// Print one JSON object to standard output and nothing else there.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print without colours.
    #[arg(long, global = true)]
    pub(crate) no_color: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the whole pipeline on a sample team's month, offline, and leave the reports in a folder.
    Demo {
        /// Folder for the sample, the database and the reports.
        #[arg(long, value_name = "DIR", default_value = "yarnnn-demo")]
        out: PathBuf,
    },
    /// Bring export files and folders in: Slack, mbox, .eml, Maildir, .ics, Notion.
    Import(Import),
    /// Connect an account with a token of your own, or remove it with `--remove`.
    Connect(Connect),
    /// Bring everything that is connected up to date, now.
    Sync(Sync),
    /// List the sources of what is connected, and choose which are synced.
    Sources(Sources),
    /// Show your settings, and set the time zone in which your days begin.
    Settings {
        /// IANA name, such as Europe/Berlin.
        #[arg(long, value_name = "ZONE")]
        timezone: Option<String>,
    },
    /// Show which mails you get besides reports, and choose.
    Preferences(Preferences),
    /// Create, list, show, change and pause standing reports; say what you think of them.
    #[command(subcommand)]
    Deliverables(Deliverables),
    /// List when reports run by themselves, and say when a schedule comes.
    #[command(subcommand)]
    Schedules(Schedules),
    /// Say what a run would read, write, cost and send, without doing it.
    Plan {
        /// Id or title.
        deliverable: String,
        /// The instant to plan for (RFC 3339; default: now).
        #[arg(long, value_name = "INSTANT")]
        as_of: Option<String>,
        /// Also print the request as a model would read it.
        #[arg(long)]
        prompt: bool,
    },
    /// Write a report and deliver it, or go on with one that was interrupted.
    Run(Run),
    /// Look for what deserves a report that nobody asked for, and see what came of it.
    #[command(subcommand)]
    Signals(Signals),
    /// Show what model calls cost: by day, model and report, whether they delivered anything or not.
    Costs {
        /// Days, the present one included.
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3_660))]
        days: u32,
        /// Of all users of this installation.
        #[arg(long, conflicts_with = "user")]
        all_users: bool,
    },
    /// Write a version again from what was recorded, without network, and compare every byte.
    Replay(Replay),
    /// List the messages of a version, and decide about those whose arrival nobody could find out.
    #[command(subcommand)]
    Outbox(Outbox),
    /// Check whether the sources of a version still say what it quotes.
    Verify {
        /// Version id.
        version: String,
    },
    /// Find stored items by their words.
    Search(Search),
    /// Run background jobs in the foreground.
    Work(Work),
    /// List, show, retry, cancel and purge background jobs.
    #[command(subcommand)]
    Jobs(Jobs),
    /// Check settings, database, connections, sources and outbox.
    Doctor {
        /// Print a new key for `INTEGRATION_ENCRYPTION_KEY` and nothing else.
        #[arg(long)]
        new_key: bool,
    },
    /// Bring the database schema up to date.
    Migrate,
}

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}

/// Mails besides reports.
#[derive(Debug, Args)]
pub(crate) struct Preferences {
    /// A mail when a report could not be written or delivered.
    #[arg(long, value_name = "on|off")]
    pub(crate) email_failed: Option<Switch>,
    /// A mail when a report has arrived where no mailbox shows it.
    #[arg(long, value_name = "on|off")]
    pub(crate) email_ready: Option<Switch>,
}

/// An import.
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// Files and folders; what they are is decided by their content.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Stretch in which recurring events are expanded, as dates FROM..TO (default: 7 days back to 14 days ahead).
    #[arg(long, value_name = "FROM..TO")]
    pub(crate) window: Option<String>,
    /// Only queue it, for a worker of this host.
    #[arg(long)]
    pub(crate) detach: bool,
}

/// An account at a provider.
#[derive(Debug, Args)]
pub(crate) struct Connect {
    /// slack, notion or google (Gmail and Calendar).
    #[arg(required_unless_present = "remove", conflicts_with = "remove")]
    pub(crate) provider: Option<String>,
    /// Read the token from this variable (default: standard input, or a prompt that does not show it).
    #[arg(long, value_name = "NAME", conflicts_with = "remove")]
    pub(crate) token_env: Option<String>,
    /// Go on although no key opens what is connected: the key is lost, and all of it will be connected again.
    #[arg(long, conflicts_with = "remove")]
    pub(crate) lost_key: bool,
    /// Disconnect this provider; what came from it goes too, except what reports cite.
    #[arg(long, value_name = "PROVIDER")]
    pub(crate) remove: Option<String>,
}

/// A sync.
#[derive(Debug, Args)]
pub(crate) struct Sync {
    /// Only these: slack, gmail, notion, calendar, google (default: everything that is connected).
    #[arg(value_name = "PLATFORM")]
    pub(crate) platforms: Vec<String>,
    /// Only queue it, for a worker.
    #[arg(long)]
    pub(crate) detach: bool,
}

/// Sources of what is connected.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Sources {
    /// Only those of this provider: slack, google or notion.
    pub(crate) provider: Option<String>,
    #[command(subcommand)]
    pub(crate) change: Option<ChangeSources>,
}

/// A choice of sources.
#[derive(Debug, Subcommand)]
pub(crate) enum ChangeSources {
    /// Sync these and no others of their platform, in this order as far as your tier allows.
    Select {
        /// By id or name.
        #[arg(required = true, value_name = "PLATFORM:RESOURCE")]
        sources: Vec<String>,
    },
    /// Never sync this one; what is stored of it stays until it expires.
    Exclude {
        /// By id or name.
        #[arg(value_name = "PLATFORM:RESOURCE")]
        source: String,
    },
    /// Sync it again.
    Include {
        /// By id or name.
        #[arg(value_name = "PLATFORM:RESOURCE")]
        source: String,
    },
    /// Keep what is chosen and fill up to what your tier allows.
    Fill,
}

/// A worker.
#[derive(Debug, Args)]
pub(crate) struct Work {
    /// End when nothing is left to do, instead of waiting for more.
    #[arg(long)]
    pub(crate) until_idle: bool,
    /// Jobs at once (default: `WORKER_CONCURRENCY`, else 50).
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) concurrency: Option<u32>,
    /// Only jobs of this lane; may be repeated (default: all).
    #[arg(long = "lane", value_name = "LANE")]
    pub(crate) lanes: Vec<String>,
}

/// Background jobs.
#[derive(Debug, Subcommand)]
pub(crate) enum Jobs {
    /// List them, newest first.
    List {
        /// queued, running, retrying, succeeded, failed, dead, cancelled or `needs_human`; may be repeated.
        #[arg(long, value_name = "STATUS")]
        status: Vec<String>,
        /// Only this kind.
        #[arg(long)]
        kind: Option<String>,
        /// At most this many.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
    },
    /// Show one and its history.
    Show {
        /// Job id.
        job: String,
    },
    /// Run one again that failed, died or waits; its tries begin at zero, its history stays.
    Retry {
        /// Job id.
        job: String,
    },
    /// Stop one.
    Cancel {
        /// Job id.
        job: String,
    },
    /// Delete jobs that ended before an instant.
    Purge {
        /// RFC 3339, or a date.
        #[arg(long, value_name = "INSTANT")]
        before: String,
        /// Only these (default: succeeded and cancelled); may be repeated.
        #[arg(long, value_name = "STATUS")]
        status: Vec<String>,
    },
}

/// Standing reports.
#[derive(Debug, Subcommand)]
pub(crate) enum Deliverables {
    /// Make one.
    Create(Box<Create>),
    /// List them.
    List,
    /// Show one and its versions.
    Show {
        /// Id or title.
        deliverable: String,
    },
    /// Change one: all of what is given, or nothing. What is not given stays as it is.
    Edit(Box<Edit>),
    /// Pause one: it no longer runs by schedule.
    Pause {
        /// Id or title.
        deliverable: String,
        /// Make it active again.
        #[arg(long)]
        resume: bool,
    },
    /// Let a version pass that is held because too little of it is proven; the next run sends it.
    Approve {
        /// Version id.
        version: String,
    },
    /// End a version that is held, unfinished or cannot be delivered: it is never sent, and stands in the way of no other.
    Reject {
        /// Version id.
        version: String,
    },
    /// Say what you make of a version: the next reports learn from it.
    Feedback(Feedback),
    /// Let a report that a signal made run by schedule from now on.
    Promote(Box<Promote>),
    /// List the reports that are suggested to you.
    Suggested,
    /// Take up a suggestion: its report is active from now on.
    Enable {
        /// Version id of the suggestion.
        version: String,
    },
    /// Drop a suggestion.
    Dismiss {
        /// Version id of the suggestion.
        version: String,
    },
    /// Fetch a delivered version once more, as its reader had it.
    Download {
        /// Version id.
        version: String,
        /// `markdown` or `html` (default: what the deliverable names, or Markdown).
        #[arg(long, value_name = "FORMAT")]
        format: Option<Form>,
        /// Write it to this file, which must not be there yet (default: print it).
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Put one away: it never runs again, and what it wrote stays.
    Archive {
        /// Id or title.
        deliverable: String,
    },
}

/// What a person makes of a version.
#[derive(Debug, Args)]
pub(crate) struct Feedback {
    /// Version id.
    pub(crate) version: String,
    /// The report as you would have it: the delivered Markdown with your changes.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["note", "approve"])]
    pub(crate) edited: Option<PathBuf>,
    /// What you say about it.
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
    /// Take it; one that is held is then sent by the next run.
    #[arg(long)]
    pub(crate) approve: bool,
}

/// A schedule for a report that came up by itself.
#[derive(Debug, Args)]
pub(crate) struct Promote {
    /// Id or title.
    pub(crate) deliverable: String,
    /// `daily`, `weekly`, `biweekly` or `monthly`.
    #[arg(long, value_name = "FREQUENCY")]
    pub(crate) schedule: String,
    /// Local time (default: a minute after 09:00 that is the report's own).
    #[arg(long, value_name = "HH:MM")]
    pub(crate) at: Option<String>,
    /// Weekday (default monday).
    #[arg(long)]
    pub(crate) day: Option<String>,
    /// Time zone by its IANA name (default: yours, see `yarnnn settings`, else UTC).
    #[arg(long, value_name = "ZONE")]
    pub(crate) tz: Option<String>,
}

/// Messages on their way out.
#[derive(Debug, Subcommand)]
pub(crate) enum Outbox {
    /// List the messages of a version.
    List {
        /// Version id.
        version: String,
    },
    /// Say that a held message has arrived.
    Arrived {
        /// Message id.
        message: String,
    },
    /// Say that a held message has not arrived: the next run sends it once more.
    SendAgain {
        /// Message id.
        message: String,
    },
}

/// The form of a report that is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    Markdown,
    Html,
}

/// What a reader gets when nothing is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WhenQuiet {
    Nothing,
    Line,
}

/// A new deliverable.
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// `slack_channel_digest`, `gmail_inbox_brief`, `notion_page_summary`, `weekly_calendar_preview`, `meeting_prep`, `status_report`, `research_brief` or custom.
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) report_type: String,
    /// Title; the subject of its mails.
    #[arg(long)]
    pub(crate) title: String,
    /// What it is about, in your words.
    #[arg(long)]
    pub(crate) description: Option<String>,
    #[command(flatten)]
    pub(crate) places: Places,
    /// Hold a report of which less than this share of its statements is proven, until you approve it.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(crate) min_evidence: Option<u8>,
    /// What you get when nothing is new: `nothing`, or one `line` (written without a model).
    #[arg(long, value_name = "WHAT", default_value = "nothing")]
    pub(crate) when_quiet: WhenQuiet,
    /// Do not tell the writer what you changed in earlier reports, or said about them.
    #[arg(long)]
    pub(crate) no_learning: bool,
    /// Read only this source, by id or name; may be repeated (default: everything the type reads).
    #[arg(long = "source", value_name = "PLATFORM:RESOURCE")]
    pub(crate) sources: Vec<String>,
    #[command(flatten)]
    pub(crate) when: When,
}

/// A run.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Id or title.
    #[arg(required_unless_present = "due", conflicts_with = "due")]
    pub(crate) deliverable: Option<String>,
    /// Run every active deliverable whose time has come; for a crontab.
    #[arg(long, conflicts_with_all = ["key", "force", "as_of"])]
    pub(crate) due: bool,
    /// Make the run idempotent for ever: the same key is the same version.
    #[arg(long)]
    pub(crate) key: Option<String>,
    /// Write a report even when nothing is new.
    #[arg(long)]
    pub(crate) force: bool,
    /// The instant to write for (RFC 3339; default: now).
    #[arg(long, value_name = "INSTANT")]
    pub(crate) as_of: Option<String>,
    /// Only queue it, for a worker.
    #[arg(long)]
    pub(crate) detach: bool,
}

/// Signals.
#[derive(Debug, Subcommand)]
pub(crate) enum Signals {
    /// Look through what is stored, now; reports that follow from it are written too.
    Run {
        /// all, `calendar_only` or `non_calendar`.
        #[arg(long, value_name = "FILTER", default_value = "all")]
        filter: String,
        /// Only say what would be looked at, asked and paid; nothing is asked or stored.
        #[arg(long)]
        dry_run: bool,
    },
    /// List passes, what they did and did not, and why.
    List {
        /// At most this many.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1_000))]
        limit: u32,
    },
    /// Show which kinds of signal you want, and switch them on or off.
    Preferences {
        /// Preparations of meetings.
        #[arg(long, value_name = "ON|OFF")]
        meeting_prep: Option<Switch>,
        /// That somebody has gone silent.
        #[arg(long, value_name = "ON|OFF")]
        silence_alert: Option<Switch>,
        /// That contact with somebody is fading.
        #[arg(long, value_name = "ON|OFF")]
        contact_drift: Option<Switch>,
    },
}

/// A replay.
#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// Version id.
    #[arg(required_unless_present = "capsule", conflicts_with = "capsule")]
    pub(crate) version: Option<String>,
    /// Read the run from this file instead of the database.
    #[arg(long, value_name = "FILE")]
    pub(crate) capsule: Option<PathBuf>,
    /// Also write everything the run was made of to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) save: Option<PathBuf>,
    /// Ask this model, from the first request on that was not made of it, and show how the report changes. Costs money; sends nothing.
    #[arg(long, value_name = "MODEL")]
    pub(crate) model: Option<String>,
    /// Ask with this system prompt.
    #[arg(long, value_name = "FILE")]
    pub(crate) prompt: Option<PathBuf>,
}

/// A search.
#[derive(Debug, Args)]
pub(crate) struct Search {
    /// Words; all must occur.
    #[arg(required = true)]
    pub(crate) query: Vec<String>,
    /// Only this platform: slack, gmail, notion or calendar; may be repeated.
    #[arg(long, value_name = "PLATFORM")]
    pub(crate) platform: Vec<String>,
    /// Only this resource; may be repeated.
    #[arg(long = "source", value_name = "PLATFORM:RESOURCE")]
    pub(crate) sources: Vec<String>,
    /// Only authors whose name contains this.
    #[arg(long)]
    pub(crate) author: Option<String>,
    /// Only from this date on.
    #[arg(long, value_name = "DATE")]
    pub(crate) from: Option<String>,
    /// Only before this date.
    #[arg(long, value_name = "DATE")]
    pub(crate) to: Option<String>,
    /// At most this many.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) limit: u32,
}

/// Reads the command line; on an error or a request for help it has been printed and the exit code is the answer.
pub(crate) fn parse() -> Result<Cli, ExitCode> {
    let error = match Cli::try_parse() {
        Ok(cli) => return Ok(cli),
        Err(error) => error,
    };
    let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    let json = std::env::args_os().any(|it| it == "--json");
    if json && !asked {
        let message = error.render().to_string();
        let said = message.trim_start_matches("error: ").split("\n\n").next().unwrap_or_default();
        let message = said.split_whitespace().collect::<Vec<_>>().join(" ");
        crate::output::Output::new(true, true).json(&serde_json::json!({ "error": { "code": "usage", "message": message } }));
    } else if error.print().is_err() {
        return Err(ExitCode::from(USAGE));
    }
    Err(if asked { ExitCode::SUCCESS } else { ExitCode::from(USAGE) })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn every_command_is_well_formed() {
        super::Cli::command().debug_assert();
    }
}
