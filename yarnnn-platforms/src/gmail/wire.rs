//! Gmail's answers. Fields that are absent or null count as empty; fields that are not needed are not read.

use serde::Deserialize;
use serde_json::Value;

use crate::google::{Elements, digits, or_default};

/// `users.getProfile`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Profile {
    pub(super) email_address: String,
    #[serde(default, deserialize_with = "digits")]
    pub(super) history_id: Option<u64>,
}

/// `labels.list`.
#[derive(Debug, Deserialize)]
pub(super) struct Labels {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) labels: Elements,
}

/// A label.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Label {
    pub(super) id: String,
    pub(super) name: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    #[serde(rename = "messageListVisibility")]
    pub(super) in_message_list: Option<String>,
    #[serde(rename = "labelListVisibility")]
    pub(super) in_label_list: Option<String>,
    /// Only `labels.get` has it.
    pub(super) messages_total: Option<u64>,
}

/// `messages.list`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listed {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) messages: Elements,
    pub(super) next_page_token: Option<String>,
}

/// A mail of which only the id is known, or what a record of the history says of it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Stub {
    pub(super) id: String,
    /// None when it is not said, which is not the same as no label.
    pub(super) label_ids: Option<Vec<String>>,
}

/// `history.list`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HistoryPage {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) history: Elements,
    pub(super) next_page_token: Option<String>,
    #[serde(default, deserialize_with = "digits")]
    pub(super) history_id: Option<u64>,
}

/// What happened at one point of the history.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Record {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) messages_added: Vec<Change>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) messages_deleted: Vec<Change>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) labels_added: Vec<Change>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) labels_removed: Vec<Change>,
}

/// What happened to one mail.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Change {
    pub(super) message: Stub,
    /// The labels that came or went.
    #[serde(default, deserialize_with = "or_default")]
    pub(super) label_ids: Vec<String>,
}

/// `messages.get`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) thread_id: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) label_ids: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) snippet: String,
    /// When Gmail took it in, in milliseconds.
    #[serde(default, deserialize_with = "digits")]
    pub(super) internal_date: Option<i64>,
    /// Read by itself: a mail whose parts are broken is one broken mail.
    #[serde(default)]
    pub(super) payload: Value,
}

/// A part of a mail, and the mail itself.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Part {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) mime_type: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) filename: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) headers: Vec<Field>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) body: PartBody,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) parts: Vec<Part>,
}

/// A header field.
#[derive(Debug, Deserialize)]
pub(super) struct Field {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) name: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) value: String,
}

/// The content of a part, or of an attachment.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PartBody {
    pub(super) attachment_id: Option<String>,
    pub(super) data: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) size: u64,
}
