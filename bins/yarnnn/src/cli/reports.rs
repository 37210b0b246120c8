//! Options that say where a report goes and when it runs, and the commands that have them.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Form, Switch, WhenQuiet};

/// A change of a deliverable.
#[derive(Debug, Args)]
pub(crate) struct Edit {
    /// Id or title.
    pub(crate) deliverable: String,
    /// Title; the subject of its mails.
    #[arg(long)]
    pub(crate) title: Option<String>,
    /// What it is about, in your words; empty for nothing in particular.
    #[arg(long)]
    pub(crate) description: Option<String>,
    #[command(flatten)]
    pub(crate) places: Places,
    /// Hold a report of which less than this share of its statements is proven, until you approve it.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(crate) min_evidence: Option<u8>,
    /// What you get when nothing is new: `nothing`, or one `line` (written without a model).
    #[arg(long, value_name = "WHAT")]
    pub(crate) when_quiet: Option<WhenQuiet>,
    /// Whether the writer is told what you changed in earlier reports, or said about them.
    #[arg(long, value_name = "WHETHER")]
    pub(crate) learning: Option<Switch>,
    /// Read only this source from now on, by id or name; may be repeated.
    #[arg(long = "source", value_name = "PLATFORM:RESOURCE")]
    pub(crate) sources: Vec<String>,
    #[command(flatten)]
    pub(crate) when: When,
    /// No longer run it by schedule.
    #[arg(long, conflicts_with_all = ["schedule", "at", "day", "tz", "cron"])]
    pub(crate) no_schedule: bool,
}

/// Where a report goes.
#[derive(Debug, Args)]
pub(crate) struct Places {
    /// Mail it to this person; without a mail service the mail is left as a file in the outbox folder.
    #[arg(long, value_name = "ADDR")]
    pub(crate) email: Option<String>,
    /// Post it in this channel of your Slack, by id or name.
    #[arg(long, value_name = "CHANNEL")]
    pub(crate) slack: Option<String>,
    /// Leave it as a draft to this person in your own Gmail; you send it, or do not.
    #[arg(long, value_name = "ADDR")]
    pub(crate) gmail_draft: Option<String>,
    /// Make a page of it below this page of your Notion, by id or link.
    #[arg(long, value_name = "PAGE")]
    pub(crate) notion: Option<String>,
    /// Keep it to be fetched with `deliverables download`, as `markdown` or `html`.
    #[arg(long, value_name = "FORMAT", num_args = 0..=1, default_missing_value = "markdown")]
    pub(crate) download: Option<Form>,
    /// Leave it in this folder. It goes to each destination that is named (default: the outbox folder).
    #[arg(long, value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
}

/// When a report runs by itself.
#[derive(Debug, Args)]
pub(crate) struct When {
    /// `daily`, `weekly`, `biweekly`, `monthly`, or `custom` with `--cron`.
    #[arg(long, value_name = "FREQUENCY")]
    pub(crate) schedule: Option<String>,
    /// Local time (default: a minute after 09:00 that is the report's own).
    #[arg(long, value_name = "HH:MM")]
    pub(crate) at: Option<String>,
    /// Weekday (default monday).
    #[arg(long)]
    pub(crate) day: Option<String>,
    /// Time zone by its IANA name (default: yours, see `yarnnn settings`, else UTC).
    #[arg(long, value_name = "ZONE")]
    pub(crate) tz: Option<String>,
    /// Five fields in local time: minute, hour, day of the month, month, weekday; for example "0 9 * * mon-fri".
    #[arg(long, value_name = "LINE")]
    pub(crate) cron: Option<String>,
}

/// Schedules of reports.
#[derive(Debug, Subcommand)]
pub(crate) enum Schedules {
    /// List the reports that run by themselves, and when.
    List,
    /// Say when the next runs of a report, or of a schedule, would be. Nothing is made or changed.
    Preview(Preview),
}

/// A look ahead.
#[derive(Debug, Args)]
pub(crate) struct Preview {
    /// Id or title; with a schedule, what it would be after that change.
    #[arg(required_unless_present_any = ["schedule", "cron"])]
    pub(crate) deliverable: Option<String>,
    #[command(flatten)]
    pub(crate) when: When,
    /// How many runs.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) count: u32,
    /// Runs after this instant (RFC 3339, or a date; default: now).
    #[arg(long, value_name = "INSTANT")]
    pub(crate) from: Option<String>,
}
