//! A report as a mail: the exact bytes of an `.eml` file.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use mail_builder::MessageBuilder;
use mail_builder::headers::content_type::ContentType;
use mail_builder::mime::{BodyPart, MimePart};

use crate::error::Error;
use crate::hash::Sha256;

/// What a mail is made of.
#[derive(Debug, Clone, Copy)]
pub struct MailParts<'a> {
    /// Who sends it, with the name that clients show.
    pub from: (&'a str, &'a str),
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

/// Writes a mail with both bodies (`multipart/alternative`).
///
/// # Errors
/// When it cannot be written as text, which no input is known to cause.
pub fn compose(parts: MailParts<'_>) -> Result<String, Error> {
    let digest = Sha256::of(parts.key).to_string();
    let (id, boundary) = (digest.get(..32).unwrap_or_default(), digest.get(32..).unwrap_or_default());
    let body = MimePart::new(
        ContentType::new("multipart/alternative").attribute("boundary", Cow::from(boundary)),
        BodyPart::Multipart(vec![MimePart::new("text/plain", parts.text), MimePart::new("text/html", parts.html)]),
    );
    let mail = MessageBuilder::new()
        .message_id(format!("{id}@reports.yarnnn.local"))
        .from(parts.from)
        .to(parts.to)
        .subject(parts.subject)
        .date(parts.date.timestamp())
        .body(body);
    mail.write_to_string().map_err(|error| Error::Failed(format!("the mail cannot be written: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail() -> String {
        let parts = MailParts {
            from: ("YARNNN", "reports@yarnnn.local"),
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
    fn a_subject_cannot_add_a_header() {
        assert!(!mail().lines().any(|line| line.starts_with("Bcc:")));
    }
}
