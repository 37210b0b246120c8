//! The text of a mail that Gmail has taken apart: which parts are shown, in which character set, and what is attached.
//!
//! Which parts are text, and how the text reads, is decided by the same code as for mail from files.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::{ContentType, Message, MimeHeaders as _};

use super::wire::{Field, Part};
use crate::export::mail::body::{Attachment, Body, Fragment, MAX_ATTACHMENTS, is_shown, joined};
use crate::export::mail::header;

/// Multiparts inside multiparts that are walked.
const MAX_DEPTH: usize = 32;

/// Texts beyond this are listed as attached: nobody wrote them.
const MAX_TEXT: u64 = 8 * 1024 * 1024;

/// Base64 of the alphabet for addresses, with or without its padding.
const CODE: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true),
);

/// A piece of text, which may still have to be fetched.
#[derive(Debug)]
pub(super) struct Leaf {
    is_html: bool,
    charset: Option<String>,
    text: Option<String>,
    /// Where the text is, if it did not come with the mail.
    pub(super) attachment_id: Option<String>,
}

impl Leaf {
    /// Takes the text that was fetched.
    pub(super) fn fill(&mut self, data: &str) -> Result<(), String> {
        self.text = Some(decoded(data, self.charset.as_deref())?);
        self.attachment_id = None;
        Ok(())
    }

    fn is_plain_text(&self) -> bool {
        let says_something = self.text.as_ref().map_or(self.attachment_id.is_some(), |it| !it.trim().is_empty());
        !self.is_html && says_something
    }
}

/// The texts of a mail and what is attached to it.
#[derive(Debug, Default)]
pub(super) struct Outline {
    pub(super) leaves: Vec<Leaf>,
    attachments: Vec<Attachment>,
}

impl Outline {
    /// Walks the parts of a mail.
    pub(super) fn of(mail: &Part) -> Result<Self, String> {
        let mut outline = Self::default();
        outline.leaves = outline.part(mail, 0)?;
        Ok(outline)
    }

    /// The text, once all of it is there.
    pub(super) fn into_body(self) -> Body {
        let fragment = |leaf: Leaf| {
            let text = leaf.text.unwrap_or_default();
            if leaf.is_html { Fragment::Html(text) } else { Fragment::Plain(text) }
        };
        Body { text: joined(self.leaves.into_iter().map(fragment).collect()), attachments: self.attachments }
    }

    fn part(&mut self, part: &Part, depth: usize) -> Result<Vec<Leaf>, String> {
        let raw = header_text(part);
        let message = header::parse(raw.as_bytes());
        let kind = message.content_type().map_or("text", ContentType::ctype).to_ascii_lowercase();
        if kind == "multipart" && depth < MAX_DEPTH {
            return self.multipart(part, depth);
        }
        if kind == "text" && is_shown(&message, depth) && part.body.size <= MAX_TEXT {
            return leaf(part, &message).map(|it| it.into_iter().collect());
        }
        self.attach(part);
        Ok(Vec::new())
    }

    fn multipart(&mut self, part: &Part, depth: usize) -> Result<Vec<Leaf>, String> {
        let mut leaves = Vec::new();
        for inner in &part.parts {
            leaves.extend(self.part(inner, depth + 1)?);
        }
        if part.mime_type.eq_ignore_ascii_case("multipart/alternative") {
            let has_plain = leaves.iter().any(Leaf::is_plain_text);
            leaves.retain(|it| it.is_plain_text() == has_plain);
        }
        Ok(leaves)
    }

    fn attach(&mut self, part: &Part) {
        if self.attachments.len() < MAX_ATTACHMENTS {
            let mime = header::clean(&part.mime_type).to_ascii_lowercase();
            let name = Some(header::clean(&part.filename)).filter(|it| !it.is_empty()).unwrap_or_else(|| mime.clone());
            self.attachments.push(Attachment { name, mime, size: usize::try_from(part.body.size).unwrap_or(usize::MAX) });
        }
    }
}

fn leaf(part: &Part, message: &Message<'_>) -> Result<Option<Leaf>, String> {
    let subtype = message.content_type().and_then(ContentType::subtype).unwrap_or("plain");
    let charset = message.content_type().and_then(|it| it.attribute("charset")).map(str::to_owned);
    let is_html = matches!(subtype.to_ascii_lowercase().as_str(), "html" | "xhtml");
    let mut leaf = Leaf { is_html, charset, text: None, attachment_id: part.body.attachment_id.clone() };
    match &part.body.data {
        Some(data) if !data.is_empty() => leaf.fill(data)?,
        _ if leaf.attachment_id.is_none() => return Ok(None),
        _ => {}
    }
    Ok(Some(leaf))
}

/// The header as it stands in a mail, so that it is read by the parser of mails.
pub(super) fn header_text(part: &Part) -> String {
    let is_type = |it: &Field| it.name.eq_ignore_ascii_case("content-type");
    let mut text = String::new();
    for field in &part.headers {
        let value = field.value.replace(['\r', '\n'], " ");
        let name: String = field.name.chars().filter(|it| it.is_ascii_graphic() && *it != ':').collect();
        if !name.is_empty() {
            text.extend([name.as_str(), ": ", value.trim(), "\r\n"]);
        }
    }
    if !part.headers.iter().any(is_type) && !part.mime_type.is_empty() {
        text.extend(["Content-Type: ", header::clean(&part.mime_type).as_str(), "\r\n"]);
    }
    text.push_str("\r\n");
    text
}

fn decoded(data: &str, charset: Option<&str>) -> Result<String, String> {
    let bytes = CODE.decode(data.trim()).map_err(|error| format!("the text of a part is no base64: {error}"))?;
    Ok(in_charset(bytes, charset))
}

/// Gmail mostly answers in UTF-8 whatever the part says, and sometimes in what the part says.
fn in_charset(bytes: Vec<u8>, charset: Option<&str>) -> String {
    let declared = charset.map(str::to_ascii_lowercase).unwrap_or_default();
    // These hide behind bytes that are ASCII and so are UTF-8 too.
    let hidden = (declared.starts_with("iso-2022") || declared.starts_with("hz")) && bytes.contains(&0x1b)
        || declared.contains("utf-7") && bytes.is_ascii();
    let decoder = || charset_decoder(declared.as_bytes());
    match String::from_utf8(bytes) {
        Ok(text) if hidden => decoder().map_or(text.clone(), |decode| decode(text.as_bytes())),
        Ok(text) => text,
        Err(error) => {
            let bytes = error.into_bytes();
            decoder().map_or_else(|| String::from_utf8_lossy(&bytes).into_owned(), |decode| decode(&bytes))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn body(mail: Value) -> Body {
        Outline::of(&serde_json::from_value(mail).unwrap()).unwrap().into_body()
    }

    fn text(kind: &str, bytes: &[u8]) -> Value {
        let data = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes);
        let mime = kind.split(';').next().unwrap();
        json!({"mimeType": mime, "headers": [{"name": "Content-Type", "value": kind}], "body": {"size": bytes.len(), "data": data}})
    }

    #[test]
    fn plain_text_is_preferred_and_html_is_read_where_it_is_alone() {
        let both = |plain: &str| json!({"mimeType": "multipart/alternative", "parts": [text("text/plain", plain.as_bytes()), text("text/html", b"<p>rich</p>")]});
        assert_eq!(body(both("plain")).text, "plain");
        assert_eq!(body(both(" \n")).text, "rich");
        assert_eq!(body(text("text/html; charset=utf-8", "<p>a</p><p>ä</p>".as_bytes())).text, "a\n\nä");
    }

    #[test]
    fn base64_comes_with_and_without_padding_and_in_any_charset() {
        assert_eq!(body(json!({"mimeType": "text/plain", "body": {"data": "Pz8_Pg=="}})).text, "???>");
        assert_eq!(body(json!({"mimeType": "text/plain", "body": {"data": "Pz8_Pg"}})).text, "???>");
        assert_eq!(body(text("text/plain; charset=iso-8859-1", b"K\xe4se")).text, "Käse");
        assert_eq!(body(text("text/plain; charset=iso-8859-1", "Käse".as_bytes())).text, "Käse");
        assert_eq!(body(text("text/plain; charset=ISO-2022-JP", b"\x1b$BF|K\\\x1b(B")).text, "日本");
        assert_eq!(body(text("text/plain; charset=nonsense", b"K\xe4se")).text, "K\u{fffd}se");
        assert!(Outline::of(&serde_json::from_value(json!({"mimeType": "text/plain", "body": {"data": "!"}})).unwrap()).is_err());
    }

    #[test]
    fn everything_that_is_not_text_is_listed_and_large_texts_are_left_to_be_fetched() {
        let mail = json!({"mimeType": "multipart/mixed", "parts": [
            text("text/plain", b"hello"),
            {"mimeType": "application/pdf", "filename": "plan.pdf", "body": {"attachmentId": "x", "size": 3}},
            {"mimeType": "text/plain", "filename": "notes.txt", "body": {"attachmentId": "y", "size": 9},
             "headers": [{"name": "Content-Disposition", "value": "attachment; filename=notes.txt"}]},
            {"mimeType": "message/rfc822", "filename": "", "body": {"size": 5}, "parts": [text("text/plain", b"inner")]},
            {"mimeType": "text/plain", "filename": "", "body": {"attachmentId": "z", "size": 9}},
            {"mimeType": "text/plain", "filename": "dump.txt", "body": {"attachmentId": "w", "size": 90_000_000}},
        ]});
        let mut outline = Outline::of(&serde_json::from_value(mail).unwrap()).unwrap();
        assert_eq!(outline.leaves.iter().map(|it| it.attachment_id.as_deref()).collect::<Vec<_>>(), [None, Some("z")]);
        outline.leaves[1].fill("d29ybGQ").unwrap();
        let body = outline.into_body();
        let listed: Vec<_> = body.attachments.iter().map(|it| (it.name.as_str(), it.size)).collect();
        assert_eq!(listed, [("plan.pdf", 3), ("notes.txt", 9), ("message/rfc822", 5), ("dump.txt", 90_000_000)]);
        assert_eq!(body.text, "hello\n\nworld");
    }
}
