//! One mail as one item.
//!
//! The parser accepts nearly anything, so a mail counts as unreadable only if it has neither a header nor a text.

use std::panic::{AssertUnwindSafe, catch_unwind};

use chrono::{DateTime, Utc};
use mail_parser::{HeaderName, Message};
use serde_json::{Map, Value, json};
use yarnnn_core::hash::Sha256;
use yarnnn_core::platform::{Author, ContentType, Item};

use super::body::Body;
use super::{body, date, header};
use crate::export::Limits;

/// What is known about a mail besides its own bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'run> {
    /// The label it lies under.
    pub(super) label: &'run str,
    /// The date of the separator line before it.
    pub(super) separator: Option<DateTime<Utc>>,
}

/// Reads one mail, or says in plain words why it cannot be read.
pub(super) fn read(raw: &[u8], place: Place<'_>, limits: &Limits) -> Result<Item, String> {
    // The parser says that it never panics; one foreign mail that proves it wrong must not end the import of the others.
    let read = catch_unwind(AssertUnwindSafe(|| read_guarded(raw, place, limits)));
    read.unwrap_or_else(|_| Err("the mail parser gave up on it".to_owned()))
}

/// The id of a mail whose beginning is known, for naming what cannot be read.
pub(super) fn id_of(head: &[u8]) -> Option<String> {
    let parsed = catch_unwind(|| header::message_id(&header::parse(head)));
    parsed.ok().flatten()
}

fn read_guarded(raw: &[u8], place: Place<'_>, limits: &Limits) -> Result<Item, String> {
    let message = header::parse(raw);
    let body = body::read(raw, limits.max_depth);
    if message.headers().is_empty() && body.text.is_empty() {
        return Err("it has neither a header nor a text".to_owned());
    }
    Ok(item(raw, &message, &body, place))
}

fn item(raw: &[u8], message: &Message<'_>, body: &Body, place: Place<'_>) -> Item {
    let subject = header::subject(message);
    let item_id = header::message_id(message).unwrap_or_else(|| Sha256::of(raw).to_string());
    let author = header::first_address(message.from()).or_else(|| header::first_address(message.sender()));
    let title = subject.clone().unwrap_or_else(|| "No subject".to_owned());
    Item {
        content_type: ContentType::Email,
        content_hash: revision(subject.as_deref(), body),
        content: content(&title, body),
        author: author.map(|(name, id)| Author { name, id }),
        is_user_authored: false,
        source_timestamp: date::of_message(message, place.separator),
        metadata: metadata(message, &item_id, &title, body, place),
        title: Some(title),
        item_id,
        records: 1,
    }
}

/// The text; a mail without one is known by what it carries, else by its subject.
pub(crate) fn content(title: &str, body: &Body) -> String {
    if !body.text.is_empty() {
        return body.text.clone();
    }
    let names: Vec<&str> = body.attachments.iter().map(|it| it.name.as_str()).collect();
    if names.is_empty() { title.to_owned() } else { names.join("\n") }
}

/// The digest of what a mail says and carries.
pub(crate) fn revision(subject: Option<&str>, body: &Body) -> Sha256 {
    let mut text = format!("{}\n\n{}", subject.unwrap_or_default(), body.text);
    for attachment in &body.attachments {
        text.push('\n');
        text.push_str(&attachment.name);
    }
    Sha256::of(text)
}

fn metadata(message: &Message<'_>, item_id: &str, title: &str, body: &Body, place: Place<'_>) -> Value {
    let in_reply_to = header::ids(message, HeaderName::InReplyTo).into_iter().next();
    let root = header::ids(message, HeaderName::References).into_iter().next();
    let thread_id = root.or_else(|| in_reply_to.clone()).unwrap_or_else(|| item_id.to_owned());
    let from = header::addresses(message.from()).into_iter().next();
    let mut entries = Map::new();
    entries.insert("message_id".into(), json!(item_id));
    entries.insert("subject".into(), json!(title));
    entries.insert("from".into(), json!(from));
    entries.insert("to".into(), json!(header::addresses(message.to())));
    entries.insert("labels".into(), json!([place.label]));
    entries.insert("thread_id".into(), json!(thread_id));
    if let Some(parent) = in_reply_to {
        entries.insert("in_reply_to".into(), json!(parent));
    }
    entries.insert("attachments".into(), json!(body.attachments));
    Value::Object(entries)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PLACE: Place<'static> = Place { label: "inbox", separator: None };

    fn read_text(raw: &str) -> Result<Item, String> {
        read(raw.as_bytes(), PLACE, &Limits::default())
    }

    #[test]
    fn a_reply_keeps_its_thread_and_its_names() {
        let raw = "From: =?utf-8?q?Ana_Lim=C3=A3?= <ana@example.com>\nTo: Bo <bo@example.com>\nSubject: =?utf-8?b?UsOpdW5pb24=?=\n \
            at noon\nMessage-ID: <two@example.com>\nReferences: <zero@example.com> <one@example.com>\nIn-Reply-To: <one@example.com>\n\
            Date: Tue, 3 Mar 2026 09:00:00 +0100\n\nYes, at noon.\n\n> Shall we meet?\n";
        insta::assert_debug_snapshot!(read_text(raw).unwrap());
    }

    #[test]
    fn a_mail_without_text_is_known_by_what_it_has() {
        let item = read_text("Subject: x\nContent-Type: image/png; name=a.png\n\n\u{1}\u{2}").unwrap();
        assert_eq!(item.content, "a.png");
        let item = read_text("Subject: only this\n\n").unwrap();
        assert_eq!((item.content.as_str(), item.title.as_deref()), ("only this", Some("only this")));
        let item = read_text("From: a@example.com\n\nno subject here").unwrap();
        assert_eq!(item.title.as_deref(), Some("No subject"));
        assert_eq!(item.item_id, Sha256::of("From: a@example.com\n\nno subject here").to_string());
    }

    #[test]
    fn nothing_at_all_is_no_mail() {
        assert_eq!(read_text("").unwrap_err(), "it has neither a header nor a text");
        assert_eq!(read_text("\r\n\r\n").unwrap_err(), "it has neither a header nor a text");
        assert_eq!(read_text("just some words").unwrap().content, "just some words");
    }

    #[test]
    fn the_revision_changes_with_subject_text_and_attachments_alone() {
        let one = read_text("Subject: a\nDate: Tue, 3 Mar 2026 09:00:00 +0100\n\ntext").unwrap();
        let other_day = read_text("Subject: a\nDate: Wed, 4 Mar 2026 09:00:00 +0100\n\ntext").unwrap();
        let other_text = read_text("Subject: a\n\ntexts").unwrap();
        assert_eq!(one.content_hash, other_day.content_hash);
        assert_ne!(one.content_hash, other_text.content_hash);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(raw in prop::collection::vec(any::<u8>(), 0..600)) {
            let _ = read(&raw, PLACE, &Limits::default());
        }

        #[test]
        fn arbitrary_mime_never_panics(lines in prop::collection::vec(prop::sample::select(&[
            "Content-Type: multipart/mixed; boundary=b", "Content-Type: multipart/alternative; boundary=\"", "Content-Type: message/rfc822",
            "Content-Type: text/html; charset=utf-7", "Content-Transfer-Encoding: base64", "Content-Transfer-Encoding: quoted-printable",
            "Date: Tue, 99 Xxx 2026 99:99:99 +9999", "Received: from", "Subject: =?x?y?z?=", "From: <<>>,;:", "--b", "--b--", "", "=", "AA=A", "<p><table><td>",
        ][..]), 0..40)) {
            let _ = read(lines.join("\r\n").as_bytes(), PLACE, &Limits::default());
        }
    }
}
