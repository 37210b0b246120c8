//! A mail and a label as the store keeps them.

use std::panic::{AssertUnwindSafe, catch_unwind};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use yarnnn_core::platform::{Author, ContentType, InvalidResourceId, Item, Platform, Resource, ResourceId, ResourceKind};

use super::body::{Outline, header_text};
use super::wire::{Label, Message, Part};
use crate::export::mail::{body::Body, date, header, html, message};

/// Whose mail it is, and under which label it is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) label: &'a str,
    pub(super) account: &'a str,
}

/// A label as a resource.
pub(super) fn resource(label: Label) -> Result<Resource, InvalidResourceId> {
    let id = ResourceId::new(Platform::Gmail, &label.id)?;
    let name = label.name.map(|it| header::clean(&it)).filter(|it| !it.is_empty()).unwrap_or(label.id);
    let metadata = json!({
        "type": label.kind,
        "messageListVisibility": label.in_message_list,
        "labelListVisibility": label.in_label_list,
        "platform": "gmail",
    });
    Ok(Resource { metadata, ..Resource::new(id, name, ResourceKind::Label) })
}

/// Why a mail does not belong to a label, in Gmail's word; none if it does.
pub(super) fn stranger(labels: &[String], label: &str) -> Option<&'static str> {
    let has = |word: &str| labels.iter().any(|it| it == word);
    let hidden = [("DRAFT", "draft"), ("SPAM", "spam"), ("TRASH", "trash")];
    if !has(label) {
        return Some("label_removed");
    }
    hidden.into_iter().find(|(word, _)| *word != label && has(word)).map(|(_, reason)| reason)
}

/// When Gmail took it in.
pub(super) fn received(mail: &Message) -> Option<DateTime<Utc>> {
    mail.internal_date.and_then(DateTime::from_timestamp_millis)
}

/// The parts of a mail, or why they cannot be read.
pub(super) fn outline(payload: Value) -> Result<(Part, Outline), String> {
    let part: Part = serde_json::from_value(payload).map_err(|error| format!("its parts cannot be read: {error}"))?;
    // The parser of headers says that it never panics; one mail that proves it wrong must not keep the others away.
    let outline = catch_unwind(AssertUnwindSafe(|| Outline::of(&part)));
    Ok((part, outline.unwrap_or_else(|_| Err("the mail parser gave up on it".to_owned()))?))
}

/// The mail with its text.
pub(super) fn item(mail: &Message, part: &Part, body: &Body, place: Place<'_>) -> Result<Item, String> {
    catch_unwind(AssertUnwindSafe(|| read(mail, part, body, place))).map_err(|_| "the mail parser gave up on it".to_owned())
}

fn read(mail: &Message, part: &Part, body: &Body, place: Place<'_>) -> Item {
    let raw = header_text(part);
    let fields = header::parse(raw.as_bytes());
    let subject = header::subject(&fields);
    let title = subject.clone().unwrap_or_else(|| "No subject".to_owned());
    let author = header::first_address(fields.from()).or_else(|| header::first_address(fields.sender()));
    let address = author.as_ref().and_then(|(_, address)| address.as_deref());
    let from_account = address.is_some_and(|it| it.eq_ignore_ascii_case(place.account));
    let received = received(mail);
    let written = date::of_message(&fields, received);
    Item {
        item_id: mail.id.clone(),
        content_type: ContentType::Email,
        content_hash: message::revision(subject.as_deref(), body),
        content: content(mail, &title, body),
        is_user_authored: from_account || mail.label_ids.iter().any(|it| it == "SENT"),
        // Nothing is written after it came: then the sender's clock is wrong, and Gmail's is not.
        source_timestamp: written.map(|it| received.map_or(it, |received| it.min(received))),
        metadata: json!({
            "message_id": mail.id,
            "subject": title,
            "from": header::addresses(fields.from()).first(),
            "to": header::addresses(fields.to()),
            "label_id": place.label,
            "labels": mail.label_ids,
            "thread_id": mail.thread_id,
            "attachments": body.attachments,
        }),
        author: author.map(|(name, id)| Author { name, id }),
        title: Some(title),
        records: 1,
    }
}

/// The text; without one Gmail's own excerpt, else what any mail without text is known by.
fn content(mail: &Message, title: &str, body: &Body) -> String {
    let snippet = if body.text.is_empty() { html::to_text(&mail.snippet).trim().to_owned() } else { String::new() };
    if snippet.is_empty() { message::content(title, body) } else { snippet }
}
