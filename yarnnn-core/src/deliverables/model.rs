//! A deliverable: what to read, how to write it, where to send it.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::kinds::{Kind, UnknownType};
use crate::accounts::Email;
use crate::delivery::{ChannelKind, DownloadFormat};
use crate::error::Error;
use crate::id::{DeliverableId, UserId};
use crate::platform::ResourceId;
use crate::scheduler::Schedule;

/// A report type as the user named it, and the active type it resolves to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportType {
    given: String,
    kind: Kind,
}

impl ReportType {
    /// Takes one of the eight active types or one of their aliases.
    ///
    /// # Errors
    /// [`UnknownType`] names the types there are.
    pub fn parse(given: &str) -> Result<Self, UnknownType> {
        let kind = Kind::resolve(given).ok_or_else(|| UnknownType(given.to_owned()))?;
        Ok(Self { given: given.to_owned(), kind })
    }

    /// Reads a stored type; an unknown one behaves as `custom` (dossier §6.1).
    pub fn stored(given: String) -> Self {
        let kind = Kind::resolve(&given).unwrap_or(Kind::Custom);
        Self { given, kind }
    }

    /// The name as given; stored as it is.
    pub fn as_str(&self) -> &str {
        &self.given
    }

    /// The active type.
    pub const fn kind(&self) -> Kind {
        self.kind
    }
}

/// A resource that a deliverable reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceRef {
    /// The resource in its normal form.
    pub resource: ResourceId,
    /// Its name when it was chosen.
    pub resource_name: String,
}

/// Where versions go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Destination {
    /// Files in a folder; none for the program's outbox folder.
    Folder {
        /// The folder.
        path: Option<String>,
    },
    /// A mail to this address. Without a mail service it is left as a file in the program's outbox folder.
    Email {
        /// The recipient.
        address: Email,
    },
    /// Messages in a channel of the user's Slack.
    Slack {
        /// The channel, by id or by name.
        channel: String,
    },
    /// A draft in the user's own Gmail: nothing is sent until the user sends it.
    #[serde(rename = "gmail")]
    GmailDraft {
        /// Whom the draft is addressed to.
        address: Email,
    },
    /// A page below a page of the user's Notion.
    Notion {
        /// The id of the page above it.
        page: String,
    },
    /// Kept with the version until somebody fetches it.
    Download {
        /// In which form it is fetched unless another one is asked for.
        format: DownloadFormat,
    },
}

impl Destination {
    /// The channel that serves it.
    pub const fn channel(&self) -> ChannelKind {
        match self {
            Self::Folder { .. } => ChannelKind::Folder,
            Self::Email { .. } => ChannelKind::Email,
            Self::Slack { .. } => ChannelKind::Slack,
            Self::GmailDraft { .. } => ChannelKind::Gmail,
            Self::Notion { .. } => ChannelKind::Notion,
            Self::Download { .. } => ChannelKind::Download,
        }
    }

    /// Where to, in the channel's own terms; empty for the channel's default.
    pub fn target(&self) -> &str {
        match self {
            Self::Folder { path } => path.as_deref().unwrap_or_default(),
            Self::Email { address } | Self::GmailDraft { address } => address.as_str(),
            Self::Slack { channel } => channel,
            Self::Notion { page } => page,
            Self::Download { .. } => "",
        }
    }
}

/// What a reader wants of a report besides its type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReportOptions {
    /// Of a hundred statements so many must be proven; with fewer the report waits for a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_evidence_percent: Option<u8>,
    /// Whether the reader is told, in one line and without a model, that nothing is new.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub says_when_quiet: bool,
    /// Whether the writer is told what its reader changed in earlier reports, or said about them.
    #[serde(skip_serializing_if = "Clone::clone")]
    pub learns_from_edits: bool,
    /// Whether its owner gave it its title, or confirmed the one that a model gave it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub titled_by_owner: bool,
}

impl Default for ReportOptions {
    fn default() -> Self {
        Self { min_evidence_percent: None, says_when_quiet: false, learns_from_edits: true, titled_by_owner: false }
    }
}

/// Whether a deliverable may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeliverableStatus {
    /// It may.
    Active,
    /// Not by schedule; by hand it still may.
    Paused,
    /// It is kept for its versions only.
    Archived,
}

impl DeliverableStatus {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Archived => "archived",
        }
    }

    /// Reads the stored name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Active, Self::Paused, Self::Archived].into_iter().find(|it| it.as_str() == text)
    }
}

/// How a deliverable was born. It never changes (dossier §1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliverableOrigin {
    /// The user made it.
    #[default]
    UserConfigured,
    /// It was suggested from what the user talks about.
    AnalystSuggested,
    /// Something in the user's content called for it.
    SignalEmergent,
}

impl DeliverableOrigin {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UserConfigured => "user_configured",
            Self::AnalystSuggested => "analyst_suggested",
            Self::SignalEmergent => "signal_emergent",
        }
    }

    /// Reads the stored name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::UserConfigured, Self::AnalystSuggested, Self::SignalEmergent].into_iter().find(|it| it.as_str() == text)
    }
}

/// What sets a deliverable going by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TriggerType {
    /// The clock, by its schedule.
    Schedule,
    /// Something that happens on a platform.
    Event,
    /// Nothing: it runs when somebody asks for it.
    Manual,
}

impl TriggerType {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Event => "event",
            Self::Manual => "manual",
        }
    }

    /// Reads the stored name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Schedule, Self::Event, Self::Manual].into_iter().find(|it| it.as_str() == text)
    }
}

/// A deliverable to be stored.
#[derive(Debug, Clone)]
pub struct NewDeliverable {
    /// Id.
    pub id: DeliverableId,
    /// Owner.
    pub user: UserId,
    /// Title; the subject of its mails.
    pub title: String,
    /// What it is about, in the user's words.
    pub description: Option<String>,
    /// Type.
    pub report_type: ReportType,
    /// What it reads; empty for everything the type can use.
    pub sources: Vec<SourceRef>,
    /// Where it goes: at least one, and each channel once.
    pub destinations: Vec<Destination>,
    /// What else its reader wants.
    pub options: ReportOptions,
    /// How it was born.
    pub origin: DeliverableOrigin,
    /// What sets it going.
    pub trigger: TriggerType,
    /// When it runs.
    pub schedule: Option<Schedule>,
    /// Its first run by schedule.
    pub next_run_at: Option<DateTime<Utc>>,
    /// So many active ones its owner may have with it; none for any number.
    pub slots: Option<u32>,
    /// Now.
    pub at: DateTime<Utc>,
}

/// A deliverable as stored.
#[derive(Debug, Clone)]
pub struct Deliverable {
    /// Id.
    pub id: DeliverableId,
    /// Owner.
    pub user: UserId,
    /// Title.
    pub title: String,
    /// What it is about.
    pub description: Option<String>,
    /// Type.
    pub report_type: ReportType,
    /// What it reads.
    pub sources: Vec<SourceRef>,
    /// Where it goes: at least one, and each channel once.
    pub destinations: Vec<Destination>,
    /// What else its reader wants.
    pub options: ReportOptions,
    /// How it was born.
    pub origin: DeliverableOrigin,
    /// What sets it going.
    pub trigger: TriggerType,
    /// When it runs.
    pub schedule: Option<Schedule>,
    /// Whether it may run.
    pub status: DeliverableStatus,
    /// Its next run by schedule.
    pub next_run_at: Option<DateTime<Utc>>,
    /// Its last finished run.
    pub last_run_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed, or ran.
    pub updated_at: DateTime<Utc>,
}

/// What a deliverable is changed to.
#[derive(Debug, Clone)]
pub struct DeliverableUpdate {
    /// Which.
    pub id: DeliverableId,
    /// Owner.
    pub user: UserId,
    /// `updated_at` of the one that was changed; another one since then is in the way.
    pub seen: DateTime<Utc>,
    /// Title.
    pub title: String,
    /// What it is about.
    pub description: Option<String>,
    /// What it reads.
    pub sources: Vec<SourceRef>,
    /// Where it goes: at least one, and each channel once.
    pub destinations: Vec<Destination>,
    /// What else its reader wants.
    pub options: ReportOptions,
    /// Another schedule. None leaves schedule and next run alone, whatever has moved that meanwhile.
    pub schedule: Option<ScheduleUpdate>,
    /// Now; later than `seen`, so that the next one sees this change.
    pub at: DateTime<Utc>,
}

/// Another schedule, or none any more.
#[derive(Debug, Clone)]
pub struct ScheduleUpdate {
    /// What sets it going.
    pub trigger: TriggerType,
    /// When it runs.
    pub schedule: Option<Schedule>,
    /// Its next run by schedule.
    pub next_run_at: Option<DateTime<Utc>>,
    /// So many active ones its owner may have with it; none for any number.
    pub slots: Option<u32>,
}

/// Makes a paused deliverable active again.
#[derive(Debug, Clone, Copy)]
pub struct ResumeDeliverable {
    /// Which.
    pub id: DeliverableId,
    /// Owner.
    pub user: UserId,
    /// So many active ones its owner may have with it; none for any number.
    pub slots: Option<u32>,
    /// Now.
    pub at: DateTime<Utc>,
}

impl Deliverable {
    /// Whether a signal called for it.
    pub const fn is_signal_born(&self) -> bool {
        matches!(self.origin, DeliverableOrigin::SignalEmergent)
    }

    /// Whether a model gave it its title and description, from synced content: they are data then, for every prompt.
    pub const fn is_model_made(&self) -> bool {
        matches!(self.origin, DeliverableOrigin::SignalEmergent | DeliverableOrigin::AnalystSuggested)
    }

    /// What it is called where its readers are others, if that is not its title: a model that saw everything its owner has made that,
    /// and the owner has never said that it may go out. A suggestion was seen by its owner before it runs.
    pub(super) fn name_for_others(&self) -> Option<String> {
        (self.is_signal_born() && !self.options.titled_by_owner).then(|| self.report_type.kind().label().to_owned())
    }

    /// Refuses one that was put away: it never runs, sends or changes again.
    ///
    /// # Errors
    /// `Invalid`.
    pub(super) fn refuse_archived(&self) -> Result<(), Error> {
        if self.status == DeliverableStatus::Archived {
            return Err(Error::Invalid(format!("\"{}\" is archived", self.title)));
        }
        Ok(())
    }

    /// Whether it counts against the tier's limit: it is active, and either its owner made it or it runs by itself. What a signal
    /// called for runs once and takes no slot, unless it was made a standing report.
    pub fn takes_slot(&self) -> bool {
        self.status == DeliverableStatus::Active && !self.runs_once()
    }

    /// Whether a signal made it for one run.
    pub(super) fn runs_once(&self) -> bool {
        self.is_signal_born() && self.trigger == TriggerType::Manual
    }

    /// The zone in which its days are counted: that of its schedule, else the owner's, as its run found it, else UTC.
    pub fn timezone(&self, owners: Option<Tz>) -> Tz {
        self.schedule.as_ref().map(|it| it.timezone).or(owners).unwrap_or(Tz::UTC)
    }
}
