//! Mails, threads, labels and history as Gmail writes them.
//!
//! Numbers of 64 bits are text; what is empty is left away.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::mailbox::{Happened, Label, Mail, Mailbox, Record};
use super::mime::Part;

/// A body larger than this is fetched on its own, as every file is.
pub(super) const LARGEST_INLINE: usize = 64 * 1024;

/// How much of a mail is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Format {
    Minimal,
    Full,
    Raw,
    /// Only these headers; all when none is named.
    Metadata(Vec<String>),
}

/// Only the identifiers, as in lists.
pub(super) fn reference(mail: &Mail) -> Value {
    json!({ "id": mail.id, "threadId": mail.thread })
}

/// Identifiers and labels, as a change answers.
pub(super) fn labelled(mail: &Mail) -> Value {
    json!({ "id": mail.id, "threadId": mail.thread, "labelIds": mail.labels })
}

pub(super) fn mail(mail: &Mail, format: &Format) -> Value {
    let mut value = json!({
        "id": mail.id,
        "threadId": mail.thread,
        "labelIds": mail.labels,
        "snippet": mail.snippet(),
        "sizeEstimate": mail.raw.len(),
        "historyId": mail.history.to_string(),
        "internalDate": mail.received.timestamp_millis().to_string(),
    });
    let content = match format {
        Format::Minimal => None,
        Format::Raw => Some(("raw", Value::from(URL_SAFE_NO_PAD.encode(&mail.raw)))),
        Format::Full => Some(("payload", part(&mail.root))),
        Format::Metadata(names) => Some(("payload", metadata(&mail.root, names))),
    };
    if let (Some(fields), Some((key, content))) = (value.as_object_mut(), content) {
        fields.insert(key.to_owned(), content);
    }
    value
}

fn header_list<'a>(headers: impl Iterator<Item = &'a (String, String)>) -> Value {
    headers.map(|(name, value)| json!({ "name": name, "value": value })).collect()
}

fn part(part: &Part) -> Value {
    let mut body = json!({ "size": part.content.len() });
    if let Some(fields) = body.as_object_mut().filter(|_| !part.content.is_empty()) {
        if part.file_name.is_empty() && part.content.len() <= LARGEST_INLINE && part.parts.is_empty() {
            fields.insert("data".to_owned(), Value::from(URL_SAFE_NO_PAD.encode(&part.content)));
        } else {
            fields.insert("attachmentId".to_owned(), Value::from(part.attachment_id()));
        }
    }
    let mut value = json!({
        "partId": part.id,
        "mimeType": part.media_type,
        "filename": part.file_name,
        "headers": header_list(part.headers.iter()),
        "body": body,
    });
    if let Some(fields) = value.as_object_mut().filter(|_| !part.parts.is_empty()) {
        fields.insert("parts".to_owned(), part.parts.iter().map(self::part).collect());
    }
    value
}

fn metadata(root: &Part, names: &[String]) -> Value {
    let wanted = |name: &str| names.is_empty() || names.iter().any(|it| it.eq_ignore_ascii_case(name));
    json!({ "mimeType": root.media_type, "headers": header_list(root.headers.iter().filter(|(name, _)| wanted(name))) })
}

/// A part's content on its own.
pub(super) fn attachment(part: &Part) -> Value {
    json!({ "size": part.content.len(), "data": URL_SAFE_NO_PAD.encode(&part.content) })
}

/// A label in the list, or with its counts.
pub(super) fn label(label: &Label, counted: Option<&Mailbox>) -> Value {
    let mut fields = Map::new();
    fields.insert("id".to_owned(), label.id.clone().into());
    fields.insert("name".to_owned(), label.name.clone().into());
    if !label.is_system {
        fields.insert("messageListVisibility".to_owned(), "show".into());
        fields.insert("labelListVisibility".to_owned(), "labelShow".into());
    }
    fields.insert("type".to_owned(), if label.is_system { "system" } else { "user" }.into());
    if let Some(mailbox) = counted {
        let held: Vec<&Mail> = mailbox.mails.values().filter(|it| it.labels.contains(&label.id)).collect();
        let unread: Vec<&Mail> = held.iter().copied().filter(|it| it.labels.contains("UNREAD")).collect();
        fields.insert("messagesTotal".to_owned(), held.len().into());
        fields.insert("messagesUnread".to_owned(), unread.len().into());
        fields.insert("threadsTotal".to_owned(), threads(&held).into());
        fields.insert("threadsUnread".to_owned(), threads(&unread).into());
    }
    Value::Object(fields)
}

/// In how many conversations mails are.
pub(super) fn threads(mails: &[&Mail]) -> usize {
    mails.iter().map(|it| it.thread.as_str()).collect::<std::collections::BTreeSet<_>>().len()
}

/// An entry of the history.
pub(super) fn record(record: &Record) -> Value {
    let reference = json!({ "id": record.mail, "threadId": record.thread });
    let message = json!({ "id": record.mail, "threadId": record.thread, "labelIds": record.labels });
    let (key, change) = match &record.happened {
        Happened::Added => ("messagesAdded", json!({ "message": message })),
        Happened::Deleted => ("messagesDeleted", json!({ "message": message })),
        Happened::LabelsAdded(labels) => ("labelsAdded", json!({ "message": message, "labelIds": labels })),
        Happened::LabelsRemoved(labels) => ("labelsRemoved", json!({ "message": message, "labelIds": labels })),
    };
    json!({ "id": record.number.to_string(), "messages": [reference], key: [change] })
}
