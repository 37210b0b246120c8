//! The sample: the authored data, read once, and the verbs on it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::de::DeserializeOwned;

use super::model::{Agenda, Cast, Channel, Mail, Mailbox, Page, Person, Workspace};
use super::moment::Timeline;
use super::{calendar, check, mail, notion, slack};

const CAST: &str = include_str!("data/cast.toml");
const CHANNELS: [(&str, &str); 6] = [
    ("general", include_str!("data/slack/general.toml")),
    ("harbor-launch", include_str!("data/slack/harbor-launch.toml")),
    ("engineering", include_str!("data/slack/engineering.toml")),
    ("customer-feedback", include_str!("data/slack/customer-feedback.toml")),
    ("random", include_str!("data/slack/random.toml")),
    ("direct", include_str!("data/slack/direct.toml")),
];
const MAIL: &str = include_str!("data/mail.toml");
const CALENDAR: &str = include_str!("data/calendar.toml");
const NOTION: &str = include_str!("data/notion.toml");

/// The authored data is wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SampleError {
    #[error("{file}: {source}")]
    Syntax { file: String, source: Box<toml::de::Error> },
    #[error("the story is not consistent:\n{0}")]
    Inconsistent(String),
}

/// A month of a small team, in all four kinds of content.
#[derive(Debug, Clone)]
pub struct Sample {
    pub(crate) cast: Cast,
    pub(crate) channels: Vec<Channel>,
    pub(crate) mailbox: Mailbox,
    pub(crate) agenda: Agenda,
    pub(crate) workspace: Workspace,
}

/// The export files of a sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleFiles {
    /// The Slack export, a zip.
    pub slack: PathBuf,
    /// The owner's mailbox, an mbox.
    pub mail: PathBuf,
    /// The owner's calendar, an iCalendar file.
    pub calendar: PathBuf,
    /// The Notion export, a zip of Markdown and CSV.
    pub notion: PathBuf,
}

impl SampleFiles {
    /// Where the files of a sample written to this directory are.
    pub fn in_directory(directory: &Path) -> Self {
        Self {
            slack: directory.join("slack-export.zip"),
            mail: directory.join("mailbox.mbox"),
            calendar: directory.join("calendar.ics"),
            notion: directory.join("notion-export.zip"),
        }
    }
}

/// How many source records each export holds, as an import counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleCounts {
    /// Slack messages and replies, those of the system included.
    pub slack: usize,
    /// Mails.
    pub mail: usize,
    /// `VEVENT`s; a series is one, and so is a moved instance of it.
    pub calendar: usize,
    /// Notion pages; a database and its rows not included.
    pub pages: usize,
    /// Rows of Notion databases.
    pub rows: usize,
}

impl Sample {
    /// Reads the embedded story.
    ///
    /// # Panics
    /// Never in a build whose tests pass: the data is part of the program.
    pub fn load() -> Self {
        Self::parse().unwrap_or_else(|error| panic!("the embedded sample is valid: {error}"))
    }

    fn parse() -> Result<Self, SampleError> {
        let channels = CHANNELS.iter().map(|(file, text)| read(file, text)).collect::<Result<_, _>>()?;
        let sample = Self {
            cast: read("cast", CAST)?,
            channels,
            mailbox: read("mail", MAIL)?,
            agenda: read("calendar", CALENDAR)?,
            workspace: read("notion", NOTION)?,
        };
        let problems = check::problems(&sample);
        if problems.is_empty() { Ok(sample) } else { Err(SampleError::Inconsistent(problems.join("\n"))) }
    }

    /// The team.
    pub fn people(&self) -> &[Person] {
        &self.cast.people
    }

    /// The person whose mailbox and calendar these are.
    ///
    /// # Panics
    /// Never: a sample without its owner is not loaded.
    pub fn owner(&self) -> &Person {
        self.person(&self.cast.owner).expect("a sample is only loaded with its owner")
    }

    /// The name of the company.
    pub fn company(&self) -> &str {
        &self.cast.company
    }

    /// The zone in which the team's days begin.
    pub fn time_zone(&self) -> Tz {
        self.cast.zone
    }

    /// How many records the exports hold.
    pub fn counts(&self) -> SampleCounts {
        let posts = |channel: &Channel| channel.posts.iter().map(|post| 1 + post.replies.len()).sum::<usize>();
        SampleCounts {
            slack: self.channels.iter().map(posts).sum(),
            mail: self.mailbox.mails.len(),
            calendar: self.agenda.events.iter().map(|event| 1 + usize::from(event.moved.is_some())).sum(),
            pages: self.workspace.pages.len(),
            rows: self.workspace.databases.iter().map(|database| database.rows.len()).sum(),
        }
    }

    /// Writes the four export files into a directory, which is made if it is not there.
    ///
    /// The same clock gives the same bytes.
    pub fn write_exports(&self, now: DateTime<Utc>, directory: &Path) -> io::Result<SampleFiles> {
        let timeline = Timeline::new(now, self.cast.zone);
        fs::create_dir_all(directory)?;
        let files = SampleFiles::in_directory(directory);
        fs::write(&files.slack, slack::render(self, &timeline)?)?;
        fs::write(&files.mail, mail::render(self, &timeline)?)?;
        fs::write(&files.calendar, calendar::render(self, &timeline))?;
        fs::write(&files.notion, notion::render(self, &timeline)?)?;
        Ok(files)
    }

    pub(crate) fn person(&self, key: &str) -> Option<&Person> {
        self.cast.people.iter().find(|it| it.key == key)
    }

    /// Name and address of a member or contact; a program has no address.
    pub(crate) fn identity(&self, key: &str) -> Option<(&str, &str)> {
        let person = self.person(key).map(|it| (it.name.as_str(), it.email.as_str()));
        let contact = || self.cast.contacts.iter().find(|it| it.key == key).map(|it| (it.name.as_str(), it.email.as_str()));
        let bot = || self.cast.bots.iter().find(|it| it.key == key).map(|it| (it.name.as_str(), ""));
        person.or_else(contact).or_else(bot)
    }

    /// The name of a member, contact or program; a key that names nobody stands for itself.
    pub(crate) fn name<'a>(&'a self, key: &'a str) -> &'a str {
        self.identity(key).map_or(key, |(name, _)| name)
    }

    /// The address of a member or contact.
    pub(crate) fn address(&self, key: &str) -> &str {
        self.identity(key).map_or("", |(_, address)| address)
    }

    pub(crate) fn mail(&self, key: &str) -> Option<&Mail> {
        self.mailbox.mails.iter().find(|it| it.key == key)
    }

    pub(crate) fn page(&self, key: &str) -> Option<&Page> {
        self.workspace.pages.iter().find(|it| it.key == key)
    }

    /// The title of a page or database.
    pub(crate) fn page_title<'a>(&'a self, key: &'a str) -> &'a str {
        let database = || self.workspace.databases.iter().find(|it| it.key == key).map(|it| it.title.as_str());
        self.page(key).map(|it| it.title.as_str()).or_else(database).unwrap_or(key)
    }
}

fn read<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, SampleError> {
    toml::from_str(text).map_err(|source| SampleError::Syntax { file: format!("{file}.toml"), source: Box::new(source) })
}
