//! Messages on their way out.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::id::{MessageId, UserId, VersionId};
use crate::jobs::NewJob;

/// How a message leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ChannelKind {
    /// As files in a folder.
    Folder,
    /// As a mail through a mail service.
    Email,
    /// As messages in a Slack channel.
    Slack,
    /// As a draft in the user's own Gmail.
    Gmail,
    /// As a page in the user's Notion.
    Notion,
    /// Nowhere: it is stored, and fetched by whoever may read it.
    Download,
}

impl ChannelKind {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Folder => "folder",
            Self::Email => "email",
            Self::Slack => "slack",
            Self::Gmail => "gmail",
            Self::Notion => "notion",
            Self::Download => "download",
        }
    }

    /// Reads the stored name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Folder, Self::Email, Self::Slack, Self::Gmail, Self::Notion, Self::Download]
            .into_iter()
            .find(|it| it.as_str() == text)
    }
}

/// A report to be sent, in all the forms that channels need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The key of its first message; further ones get `/02`, `/03`, … behind it.
    pub key: String,
    /// Where to, in the channel's own terms; empty for the channel's default.
    pub target: String,
    /// Who reads it: the address of a mail, also when it is left as a file; empty where there is none.
    pub recipient: String,
    /// Its subject.
    pub subject: String,
    /// Its date, which may lie in the past or ahead.
    pub date: DateTime<Utc>,
    /// Nothing of it was sent before this: where whoever looks for it begins.
    pub since: DateTime<Utc>,
    /// A file name without ending: readable, and never that of another version.
    pub stem: String,
    /// The report as Markdown.
    pub markdown: String,
    /// As a page.
    pub html: String,
    /// As plain text.
    pub text: String,
    /// As chat text in Slack's `mrkdwn`, with `&`, `<` and `>` escaped: no part of it is a link or a mention.
    pub chat: String,
}

impl Letter {
    /// The key of a part, counted from 0.
    pub fn part_key(&self, index: usize) -> String {
        if index == 0 { self.key.clone() } else { format!("{}/{:02}", self.key, index + 1) }
    }
}

/// One file of a message: its exact bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxFile {
    /// File name without a folder.
    pub name: String,
    /// Content; all our formats are text.
    pub content: String,
}

/// A message to be queued. Its key is made here, once, with the intent to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// Id of the row.
    pub id: MessageId,
    /// `deliverable/slot/channel`: a second message with the same key is not queued.
    pub key: String,
    /// How it leaves.
    pub channel: ChannelKind,
    /// Where to, in the channel's own terms; empty for the channel's default.
    pub target: String,
    /// The exact bytes.
    pub files: Vec<OutboxFile>,
}

/// A notice to be queued by itself.
#[derive(Debug, Clone)]
pub struct NewNotice {
    /// Owner; also who gets it.
    pub user: UserId,
    /// The version that it is about; none for a run that ended before it had one.
    pub version: Option<VersionId>,
    /// Its exact bytes.
    pub message: NewMessage,
    /// What sends it.
    pub job: NewJob,
    /// Now.
    pub at: DateTime<Utc>,
}

/// How far a message has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum MessageState {
    /// Not tried yet.
    Pending,
    /// Being sent, or the sender died while sending.
    Sending,
    /// Arrived.
    Sent,
    /// Refused: nothing of it can be seen. May be tried again with the same bytes.
    Failed,
    /// Whether it arrived is not known. The channel is asked before it is sent again.
    Unknown,
    /// Whether it arrived cannot be found out: a person decides.
    Held,
}

impl MessageState {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Held => "held",
        }
    }

    /// Reads the stored name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Pending, Self::Sending, Self::Sent, Self::Failed, Self::Unknown, Self::Held]
            .into_iter()
            .find(|it| it.as_str() == text)
    }
}

/// A message as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxMessage {
    /// Id of the row.
    pub id: MessageId,
    /// Whose report it carries.
    pub user: UserId,
    /// The version it carries, or tells of; none for a notice of a run that had none.
    pub version: Option<VersionId>,
    /// `deliverable/slot/channel`.
    pub key: String,
    /// How it leaves.
    pub channel: ChannelKind,
    /// Where to; empty for the channel's default.
    pub target: String,
    /// The exact bytes.
    pub files: Vec<OutboxFile>,
    /// How far it has come.
    pub state: MessageState,
    /// How often sending was begun.
    pub attempts: u32,
    /// When sending was begun first: until when providers remember its key is counted from here.
    pub first_attempt_at: Option<DateTime<Utc>>,
    /// What the channel calls it: for the folder the paths, one a line.
    pub external_id: Option<String>,
    /// Why it failed last.
    pub error: Option<String>,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// It arrived; the channel calls it so.
    Sent {
        /// The channel's name for it.
        external_id: String,
    },
    /// Nothing of it arrived.
    Failed {
        /// Why.
        error: String,
    },
    /// Whether it arrived is not known.
    Unknown {
        /// What happened.
        error: String,
    },
    /// Whether it arrived cannot be found out.
    Held {
        /// What happened, and what a person can do.
        error: String,
    },
}

/// What a person decides about a message that is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldDecision {
    /// It arrived.
    Arrived,
    /// It did not: it is to be sent once more.
    SendAgain,
}
