//! Calendar's answers. Fields that are absent or null count as empty; fields that are not needed are not read.

use serde::Deserialize;

use crate::google::{Elements, or_default};

/// `calendars.get`.
#[derive(Debug, Deserialize)]
pub(super) struct Calendar {
    pub(super) id: String,
    pub(super) summary: Option<String>,
}

/// `calendarList.list`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CalendarList {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) items: Elements,
    pub(super) next_page_token: Option<String>,
}

/// A calendar in a person's list.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) summary: Option<String>,
    /// The name that the person gave it.
    pub(super) summary_override: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) primary: bool,
    pub(super) access_role: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) deleted: bool,
}

/// `events.list`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Events {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) items: Elements,
    pub(super) next_page_token: Option<String>,
    pub(super) next_sync_token: Option<String>,
}

/// An event, or one instance of a recurring one. What is cancelled may have little more than its id.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event {
    pub(super) id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) status: String,
    #[serde(default, deserialize_with = "or_default")]
    #[serde(rename = "eventType")]
    pub(super) kind: String,
    pub(super) summary: Option<String>,
    pub(super) description: Option<String>,
    pub(super) location: Option<String>,
    pub(super) html_link: Option<String>,
    pub(super) updated: Option<String>,
    pub(super) start: Option<When>,
    pub(super) end: Option<When>,
    pub(super) recurring_event_id: Option<String>,
    pub(super) organizer: Option<Somebody>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) attendees: Vec<Somebody>,
}

/// A time, or a whole day.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct When {
    pub(super) date: Option<String>,
    pub(super) date_time: Option<String>,
    pub(super) time_zone: Option<String>,
}

/// Who invites or is invited.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Somebody {
    pub(super) display_name: Option<String>,
    pub(super) email: Option<String>,
    /// Whether it is the account's owner.
    #[serde(default, rename = "self", deserialize_with = "or_default")]
    pub(super) is_self: bool,
}
