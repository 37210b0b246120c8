//! What a platform shows: accounts, resources and items.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::ResourceId;
use crate::hash::Sha256;

/// One of the four platforms. `google` is a provider, not a platform: it yields `gmail` and `calendar`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// Channels, groups and direct messages.
    Slack,
    /// Mail, by label or mailbox.
    Gmail,
    /// Pages and databases.
    Notion,
    /// Calendars.
    Calendar,
}

impl Platform {
    /// All platforms, in the order in which reports list them.
    pub const ALL: [Self; 4] = [Self::Slack, Self::Gmail, Self::Notion, Self::Calendar];

    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::Gmail => "gmail",
            Self::Notion => "notion",
            Self::Calendar => "calendar",
        }
    }

    /// How long live content is kept when nothing retains it (brief, F1 "Storage").
    pub const fn time_to_live(self) -> TimeDelta {
        match self {
            Self::Slack => TimeDelta::days(14),
            Self::Gmail => TimeDelta::days(30),
            Self::Notion => TimeDelta::days(90),
            Self::Calendar => TimeDelta::days(2),
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names none of the four platforms.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a platform; the platforms are slack, gmail, notion and calendar")]
pub struct UnknownPlatform(pub String);

impl FromStr for Platform {
    type Err = UnknownPlatform;
    fn from_str(text: &str) -> Result<Self, UnknownPlatform> {
        Self::ALL.into_iter().find(|it| it.as_str() == text).ok_or_else(|| UnknownPlatform(text.to_owned()))
    }
}

/// What answered, and as whom: the proof behind an empty result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The account, workspace or export that answered.
    pub account_id: String,
    /// Its name for people.
    pub account_name: Option<String>,
    /// The scopes that were granted; empty for files.
    pub scopes: Vec<String>,
}

/// The kind of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResourceKind {
    /// A Slack channel, group or direct message.
    Channel,
    /// A mail label or mailbox.
    Label,
    /// A Notion page.
    Page,
    /// A Notion database.
    Database,
    /// A calendar.
    Calendar,
}

impl ResourceKind {
    /// Whose kind it is.
    pub const fn platform(self) -> Platform {
        match self {
            Self::Channel => Platform::Slack,
            Self::Label => Platform::Gmail,
            Self::Page | Self::Database => Platform::Notion,
            Self::Calendar => Platform::Calendar,
        }
    }
}

/// A unit of sync, of limits and of deliverable sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Its normal form.
    pub id: ResourceId,
    /// Its name for people (`#general`, `INBOX`, a page title, a calendar's name).
    pub name: String,
    /// What it is.
    pub kind: ResourceKind,
    /// What the provider says of it, as a JSON object with the brief's keys (`num_members`, `last_edited`, …).
    pub metadata: serde_json::Value,
}

impl Resource {
    /// A resource of which nothing else is known.
    pub fn new(id: ResourceId, name: impl Into<String>, kind: ResourceKind) -> Self {
        Self { id, name: name.into(), kind, metadata: serde_json::json!({}) }
    }
}

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContentType {
    /// A Slack message.
    Message,
    /// A Slack reply inside a thread.
    ThreadReply,
    /// A mail.
    Email,
    /// A Notion page or database row.
    Page,
    /// A calendar event or one instance of a recurring one.
    Event,
}

impl ContentType {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::ThreadReply => "thread_reply",
            Self::Email => "email",
            Self::Page => "page",
            Self::Event => "event",
        }
    }

    /// Reads the stored name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Message, Self::ThreadReply, Self::Email, Self::Page, Self::Event].into_iter().find(|it| it.as_str() == text)
    }
}

/// Who wrote an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// The name to show.
    pub name: String,
    /// The provider's id, where there is one.
    pub id: Option<String>,
}

/// One message, mail, page or event as the platform has it now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// The provider's id inside the resource (Slack `ts`, mail id, page id, event id).
    pub item_id: String,
    /// What it is.
    pub content_type: ContentType,
    /// The revision: digest of the provider's raw full text, before mentions are resolved. A renamed user is no edit.
    pub content_hash: Sha256,
    /// The readable full text. Storage cuts it at 10 000 characters.
    pub content: String,
    /// Subject, page title or event title.
    pub title: Option<String>,
    /// Who wrote it.
    pub author: Option<Author>,
    /// Whether the account's owner wrote it.
    pub is_user_authored: bool,
    /// When it was written or last edited; the start of an event.
    pub source_timestamp: Option<DateTime<Utc>>,
    /// What else the provider says, as a JSON object with the brief's keys.
    pub metadata: serde_json::Value,
    /// How many source records this item stands for: 1, or 0 for a further instance of a recurring event.
    pub records: u32,
}

/// Why a record was left out on purpose: the provider's own word where there is one (`channel_join`), else ours (`empty`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reason(Cow<'static, str>);

impl Reason {
    /// A reason known at compile time.
    pub const fn fixed(word: &'static str) -> Self {
        Self(Cow::Borrowed(word))
    }

    /// A reason in the provider's word.
    pub fn provider(word: impl Into<String>) -> Self {
        Self(Cow::Owned(word.into()))
    }

    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A record that is there but could not be read; reported by name, and the rest goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantined {
    /// Where it is: file, entry, line or id, as a person would look for it.
    pub item: String,
    /// Why it could not be read.
    pub reason: String,
}

macro_rules! opaque_text {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps the client's own text.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The client's own text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    )+};
}

opaque_text! {
    /// Where the next page starts; only the client that made it can read it. Kept beyond a run only where the page says for how
    /// long it is good.
    PageToken,
    /// Where the next sync starts; kept in the registry between runs.
    Cursor,
}
