//! The shape in which the story is authored: people, channels, mails, events, pages and rows.
//!
//! No platform's own field names stand here; renderers map to them.

use std::collections::BTreeMap;

use chrono::NaiveTime;
use chrono_tz::Tz;
use serde::Deserialize;

use super::moment::Moment;
use super::template::Text;

/// A member of the team.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// The name under which the story refers to the person.
    pub key: String,
    /// First and last name.
    pub name: String,
    /// E-mail address.
    pub email: String,
    /// What the person does in the team.
    pub role: String,
}

/// Somebody outside the team.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Contact {
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) email: String,
}

/// A program that posts in channels.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bot {
    pub(crate) key: String,
    pub(crate) name: String,
}

/// Who there is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cast {
    pub(crate) company: String,
    pub(crate) zone: Tz,
    /// Key of the person whose mailbox and calendar these are.
    pub(crate) owner: String,
    #[serde(rename = "person")]
    pub(crate) people: Vec<Person>,
    #[serde(rename = "contact")]
    pub(crate) contacts: Vec<Contact>,
    #[serde(rename = "bot")]
    pub(crate) bots: Vec<Bot>,
}

/// A Slack channel or direct conversation with what was said in it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Channel {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) direct: bool,
    #[serde(default)]
    pub(crate) purpose: String,
    #[serde(default)]
    pub(crate) topic: String,
    pub(crate) members: Vec<String>,
    #[serde(rename = "post")]
    pub(crate) posts: Vec<Post>,
}

/// What a Slack message is besides something said by a person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PostKind {
    #[default]
    Message,
    /// Somebody joined the channel.
    Join,
    /// Somebody set the channel's topic.
    Topic,
    /// A program posted.
    Bot,
    /// A reply that was also sent to the channel.
    Broadcast,
}

/// A Slack message with its replies.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Post {
    pub(crate) at: Moment,
    pub(crate) by: String,
    pub(crate) text: Text,
    #[serde(default)]
    pub(crate) kind: PostKind,
    #[serde(default)]
    pub(crate) reactions: BTreeMap<String, Vec<String>>,
    pub(crate) edited: Option<Moment>,
    pub(crate) file: Option<SharedFile>,
    #[serde(default)]
    pub(crate) replies: Vec<Post>,
}

/// A file that was shared with a message.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SharedFile {
    pub(crate) name: String,
    pub(crate) media_type: String,
    pub(crate) size: u32,
}

/// The owner's mailbox.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mailbox {
    #[serde(rename = "mail")]
    pub(crate) mails: Vec<Mail>,
}

/// A mail. At least one of `text` and `html` is there.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mail {
    pub(crate) key: String,
    pub(crate) at: Moment,
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    #[serde(default)]
    pub(crate) cc: Vec<String>,
    pub(crate) subject: Text,
    /// Key of the mail that this one replies to.
    pub(crate) answers: Option<String>,
    /// Whether the answered mail is quoted below the text.
    #[serde(default)]
    pub(crate) quotes: bool,
    pub(crate) text: Option<Text>,
    pub(crate) html: Option<Text>,
    pub(crate) attachment: Option<Attachment>,
    /// Address of the list, for newsletters.
    pub(crate) list: Option<String>,
}

/// A text file that was attached to a mail.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Attachment {
    pub(crate) name: String,
    pub(crate) media_type: String,
    pub(crate) content: Text,
}

/// The owner's calendar.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Agenda {
    pub(crate) name: String,
    #[serde(rename = "event")]
    pub(crate) events: Vec<Event>,
}

/// An event or a series.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Event {
    pub(crate) key: String,
    pub(crate) title: Text,
    /// Start; the time does not count for an all-day event.
    pub(crate) at: Moment,
    /// End on the same day; none for an all-day event.
    pub(crate) until: Option<NaiveTimeText>,
    pub(crate) organizer: String,
    #[serde(default)]
    pub(crate) attendees: Vec<String>,
    #[serde(default)]
    pub(crate) tentative: Vec<String>,
    #[serde(default)]
    pub(crate) place: String,
    #[serde(default)]
    pub(crate) description: Text,
    /// Repeats every so many weeks on the same weekday.
    pub(crate) every_weeks: Option<u8>,
    /// Days on which the series does not take place.
    #[serde(default)]
    pub(crate) skipped: Vec<i32>,
    /// One instance that was moved.
    pub(crate) moved: Option<Move>,
    #[serde(default)]
    pub(crate) cancelled: bool,
}

/// An instance of a series that takes place at another time.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Move {
    /// The day on which it would have been.
    pub(crate) from: i32,
    pub(crate) at: Moment,
    pub(crate) until: NaiveTimeText,
    pub(crate) description: Text,
}

/// A local time such as `10:30`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct NaiveTimeText(pub(crate) NaiveTime);

impl TryFrom<String> for NaiveTimeText {
    type Error = chrono::ParseError;

    fn try_from(text: String) -> Result<Self, chrono::ParseError> {
        NaiveTime::parse_from_str(&text, "%H:%M").map(Self)
    }
}

/// The Notion workspace.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Workspace {
    #[serde(rename = "page")]
    pub(crate) pages: Vec<Page>,
    #[serde(rename = "database")]
    pub(crate) databases: Vec<Database>,
}

/// A Notion page.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Page {
    pub(crate) key: String,
    pub(crate) title: String,
    /// Key of the page it lies in; none at the top.
    pub(crate) parent: Option<String>,
    pub(crate) edited: Moment,
    /// Markdown.
    pub(crate) body: Text,
}

/// A Notion database.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Database {
    pub(crate) key: String,
    pub(crate) title: String,
    pub(crate) parent: Option<String>,
    #[serde(rename = "row")]
    pub(crate) rows: Vec<Row>,
}

/// A row of the roadmap, which is also a page.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    pub(crate) key: String,
    pub(crate) title: String,
    pub(crate) status: String,
    pub(crate) owner: String,
    pub(crate) priority: String,
    /// Day on which it is due.
    pub(crate) due: i32,
    pub(crate) edited: Moment,
    #[serde(default)]
    pub(crate) body: Text,
}
