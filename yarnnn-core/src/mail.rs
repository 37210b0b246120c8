//! A report as a mail: the exact bytes of an `.eml` file.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use mail_builder::MessageBuilder;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::raw::Raw;
use mail_builder::mime::{BodyPart, MimePart};

use crate::error::Error;
use crate::hash::Sha256;

/// What a mail is made of.
#[derive(Debug, Clone, Copy)]
pub struct MailParts<'a> {
    /// Who sends it, with the name that clients show; none for a draft, which is its owner's.
    pub from: Option<(&'a str, &'a str)>,
    /// Who gets it.
    pub to: &'a str,
    /// Its subject.
    pub subject: &'a str,
    /// Its date.
    pub date: DateTime<Utc>,
    /// The key of the message: makes `Message-ID` and boundary, so that the same message always has the same bytes.
    pub key: &'a str,
    /// The body for clients that show text.
    pub text: &'a str,
    /// The body for clients that show HTML.
    pub html: &'a str,
}

/// The header by which a draft is found again where the mailbox gives its mails ids of its own.
pub const MARK: &str = "X-YARNNN-Report";

/// The `Message-ID` of the mail with this key, without its brackets.
pub fn message_id(key: &str) -> String {
    format!("{}@reports.yarnnn.local", mark(key))
}

/// What stands in the header [`MARK`] of a draft with this key.
pub fn mark(key: &str) -> String {
    let digest = Sha256::of(key).to_string();
    digest.get(..32).unwrap_or_default().to_owned()
}

/// Writes a mail with both bodies (`multipart/alternative`).
///
/// # Errors
/// When it cannot be written as text, which no input is known to cause.
pub fn compose(parts: MailParts<'_>) -> Result<String, Error> {
    let digest = Sha256::of(parts.key).to_string();
    let boundary = digest.get(32..).unwrap_or_default();
    let body = MimePart::new(
        ContentType::new("multipart/alternative").attribute("boundary", Cow::from(boundary)),
        BodyPart::Multipart(vec![MimePart::new("text/plain", parts.text), MimePart::new("text/html", parts.html)]),
    );
    let mail = MessageBuilder::new().message_id(message_id(parts.key));
    // Headers stand in the order in which they are given: mails that were sent before are made again to the byte.
    let mail = match parts.from {
        Some(from) => mail.from(from),
        None => mail.header(MARK, Raw::new(mark(parts.key))),
    };
    let mail = mail.to(parts.to).subject(parts.subject).date(parts.date.timestamp()).body(body);
    mail.write_to_string().map_err(|error| Error::Failed(format!("the mail cannot be written: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail() -> String {
        let parts = MailParts {
            from: Some(("YARNNN", "reports@yarnnn.local")),
            to: "ana@example.com",
            subject: "Wöchentlicher Stand\r\nBcc: mallory@example.com",
            date: DateTime::UNIX_EPOCH,
            key: "d/1/folder",
            text: "Hello\n",
            html: "<p>Hello</p>",
        };
        compose(parts).unwrap()
    }

    #[test]
    fn the_same_message_has_the_same_bytes() {
        assert_eq!(mail(), mail());
    }

    #[test]
    fn a_draft_has_no_sender_and_is_marked() {
        let parts = MailParts {
            from: None,
            to: "ana@example.com",
            subject: "Stand",
            date: DateTime::UNIX_EPOCH,
            key: "d/1/gmail",
            text: "",
            html: "",
        };
        let draft = compose(parts).unwrap();
        assert!(!draft.lines().any(|line| line.starts_with("From:")));
        assert!(
            draft.contains(&format!("{MARK}: {}", mark("d/1/gmail")))
                && draft.contains(&format!("<{}>", message_id("d/1/gmail")))
        );
    }

    #[test]
    fn a_subject_cannot_add_a_header() {
        assert!(!mail().lines().any(|line| line.starts_with("Bcc:")));
    }
}
