//! The body of a mail: its text, and what is attached.
//!
//! Multiparts are walked here, to a bounded depth and number, and only their leaves are given to the parser: however deep a mail is
//! nested, nothing recurses further than the limit. Mails attached to a mail are attachments; their text is not the mail's.

use mail_parser::{ContentType, Message, MessageParser, MimeHeaders};

use super::{header, html};

/// Parts of one mail that are looked at; what follows is not even an attachment a person would open.
const MAX_PARTS: usize = 1_000;

/// Attachments that are listed by name.
pub(crate) const MAX_ATTACHMENTS: usize = 100;

/// What a mail says and carries.
#[derive(Debug, Default)]
pub(crate) struct Body {
    /// The readable text; empty if there is none.
    pub(crate) text: String,
    /// What is attached, at most [`MAX_ATTACHMENTS`].
    pub(crate) attachments: Vec<Attachment>,
}

/// One attached file.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Attachment {
    /// Its file name, else its type.
    pub(crate) name: String,
    /// Its media type.
    pub(crate) mime: String,
    /// Its size in bytes after decoding.
    pub(crate) size: usize,
}

/// Reads the body of a whole mail.
pub(super) fn read(raw: &[u8], max_depth: usize) -> Body {
    let mut walk = Walk { parts: 0, max_depth, attachments: Vec::new() };
    let fragments = walk.part(raw, 0, false);
    Body { text: joined(fragments), attachments: walk.attachments }
}

/// The pieces that say something as one readable text.
pub(crate) fn joined(fragments: Vec<Fragment>) -> String {
    let texts = fragments.into_iter().map(Fragment::into_text).filter(|it| !it.trim().is_empty());
    tidy(&texts.collect::<Vec<_>>().join("\n\n"))
}

/// A piece of text in the form the sender chose.
pub(crate) enum Fragment {
    Plain(String),
    Html(String),
}

impl Fragment {
    fn into_text(self) -> String {
        match self {
            Self::Plain(text) => text,
            Self::Html(page) => html::to_text(&page),
        }
    }

    pub(crate) fn is_plain_text(&self) -> bool {
        matches!(self, Self::Plain(text) if !text.trim().is_empty())
    }
}

struct Walk {
    parts: usize,
    max_depth: usize,
    attachments: Vec<Attachment>,
}

impl Walk {
    /// The text of one part and of what is in it; everything else is noted as attached.
    fn part(&mut self, raw: &[u8], depth: usize, in_digest: bool) -> Vec<Fragment> {
        self.parts += 1;
        if self.parts > MAX_PARTS {
            return Vec::new();
        }
        let message = header::parse(raw);
        let content_type = message.content_type();
        match content_type.map_or("text", ContentType::ctype) {
            "multipart" => self.multipart(raw, &message, depth),
            "message" => self.attached(raw, &message),
            _ if in_digest && content_type.is_none() => self.attached(raw, &message),
            _ if message.headers().is_empty() => vec![Fragment::Plain(lossy(raw))],
            "text" if is_shown(&message, depth) => leaf_text(raw),
            _ => self.attached(raw, &message),
        }
    }

    fn multipart(&mut self, raw: &[u8], message: &Message<'_>, depth: usize) -> Vec<Fragment> {
        if depth >= self.max_depth {
            return self.attached(raw, message);
        }
        let body = body_of(raw, message);
        let content_type = message.content_type();
        let parts = content_type.and_then(|it| it.attribute("boundary")).map(|it| split(body, it.trim_end())).unwrap_or_default();
        if parts.is_empty() {
            return vec![Fragment::Plain(lossy(body))];
        }
        let subtype = content_type.and_then(ContentType::subtype).unwrap_or_default();
        let mut fragments = Vec::new();
        for part in parts {
            fragments.extend(self.part(part, depth + 1, subtype == "digest"));
        }
        if subtype == "alternative" {
            let has_plain = fragments.iter().any(Fragment::is_plain_text);
            fragments.retain(|it| it.is_plain_text() == has_plain);
        }
        fragments
    }

    fn attached(&mut self, raw: &[u8], message: &Message<'_>) -> Vec<Fragment> {
        if self.attachments.len() < MAX_ATTACHMENTS {
            self.attachments.push(attachment(raw, message));
        }
        Vec::new()
    }
}

/// Whether a text part belongs to the text of the mail. A mail that is nothing but one text shows it whatever it is called.
pub(crate) fn is_shown(message: &Message<'_>, depth: usize) -> bool {
    let subtype = message.content_type().and_then(ContentType::subtype).unwrap_or("plain");
    let attached = message.content_disposition().is_some_and(ContentType::is_attachment);
    let readable = matches!(subtype, "plain" | "html" | "xhtml" | "enriched" | "richtext" | "markdown" | "x-markdown" | "flowed");
    !attached && (readable || depth == 0)
}

/// The decoded text of a part without parts.
fn leaf_text(raw: &[u8]) -> Vec<Fragment> {
    let parsed = MessageParser::default().parse(raw);
    let Some(part) = parsed.as_ref().and_then(|it| it.parts.first()) else {
        return Vec::new();
    };
    let text = part.text_contents().map_or_else(|| lossy(part.contents()), str::to_owned);
    let is_html = part.content_type().and_then(ContentType::subtype).is_some_and(|it| it == "html" || it == "xhtml");
    vec![if is_html { Fragment::Html(text) } else { Fragment::Plain(text) }]
}

fn attachment(raw: &[u8], message: &Message<'_>) -> Attachment {
    let mime = message.content_type().map_or_else(
        || "message/rfc822".to_owned(),
        |it| format!("{}/{}", it.ctype(), it.subtype().unwrap_or("plain")).to_ascii_lowercase(),
    );
    let is_container = mime.starts_with("message/") || mime.starts_with("multipart/");
    let size = if is_container { body_of(raw, message).len() } else { decoded_size(raw) };
    let name = message.attachment_name().map(header::clean).filter(|it| !it.is_empty());
    let name = name.or_else(|| (mime == "message/rfc822").then(|| inner_subject(raw, message)).flatten());
    let mime = header::clean(&mime);
    Attachment { name: name.unwrap_or_else(|| mime.clone()), mime, size }
}

fn decoded_size(raw: &[u8]) -> usize {
    MessageParser::default().parse(raw).and_then(|it| it.parts.first().map(|part| part.contents().len())).unwrap_or_default()
}

/// The subject of a mail that is attached, which is how a person would name it.
fn inner_subject(raw: &[u8], message: &Message<'_>) -> Option<String> {
    header::subject(&header::parse(body_of(raw, message)))
}

/// What follows the first blank line after the header.
fn body_of<'raw>(raw: &'raw [u8], message: &Message<'_>) -> &'raw [u8] {
    let end = message.headers().last().map_or(0, mail_parser::Header::offset_end);
    let after = usize::try_from(end).ok().and_then(|end| raw.get(end..)).unwrap_or_default();
    let mut offset = 0_usize;
    for line in after.split_inclusive(|byte| *byte == b'\n') {
        offset += line.len();
        if line.trim_ascii().is_empty() {
            return after.get(offset..).unwrap_or_default();
        }
    }
    &[]
}

/// The parts between the delimiter lines; the last one may lack its end.
fn split<'raw>(body: &'raw [u8], boundary: &str) -> Vec<&'raw [u8]> {
    let (mut parts, mut start, mut offset) = (Vec::new(), None, 0_usize);
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let next = offset + line.len();
        if let Some(is_last) = delimiter(line, boundary) {
            parts.extend(start.and_then(|start| body.get(start..offset)).map(without_last_line_end));
            start = (!is_last).then_some(next);
            if is_last || parts.len() > MAX_PARTS {
                break;
            }
        }
        offset = next;
    }
    parts.extend(start.and_then(|start| body.get(start..)).filter(|it| !it.is_empty()));
    parts
}

/// Whether a line separates parts, and whether it is the last one.
fn delimiter(line: &[u8], boundary: &str) -> Option<bool> {
    let rest = line.strip_prefix(b"--")?.strip_prefix(boundary.as_bytes())?.trim_ascii_end();
    match rest {
        b"" => Some(false),
        b"--" => Some(true),
        _ => None,
    }
}

fn without_last_line_end(part: &[u8]) -> &[u8] {
    let part = part.strip_suffix(b"\n").unwrap_or(part);
    part.strip_suffix(b"\r").unwrap_or(part)
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Unix line ends, no control characters, no blanks at line ends, at most one blank line in a row.
fn tidy(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len());
    let mut blank = 0_u32;
    for line in text.replace("\r\n", "\n").replace('\r', "\n").lines() {
        let line: String = line.chars().filter(|it| *it == '\t' || !it.is_control()).collect();
        let line = line.trim_end();
        blank = if line.is_empty() { blank + 1 } else { 0 };
        if blank < 2 {
            tidied.push_str(line);
            tidied.push('\n');
        }
    }
    tidied.trim_matches('\n').to_owned()
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn text(raw: &str) -> String {
        read(raw.as_bytes(), 32).text
    }

    #[test]
    fn plain_text_is_preferred_and_html_is_read_where_it_is_alone() {
        let both = "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\nplain words\n--b\n\
            Content-Type: text/html\n\n<p>rich words</p>\n--b--\n";
        assert_eq!(text(both), "plain words");
        let html_only = both.replace("plain words", " ");
        assert_eq!(text(&html_only), "rich words");
        assert_eq!(text("Content-Type: text/html\n\n<p>alone</p>"), "alone");
    }

    #[test]
    fn charsets_and_encodings_are_decoded() {
        assert_eq!(
            text("Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nK=E4se"),
            "Käse"
        );
        assert_eq!(text("Content-Type: text/plain; charset=shift_jis\nContent-Transfer-Encoding: base64\n\nk/qWew==\n"), "日本");
        assert_eq!(text("Content-Type: text/plain; charset=iso-2022-jp\n\n\u{1b}$BF|K\\\u{1b}(B\n"), "日本");
        assert_eq!(
            text("Content-Type: text/plain; charset=ks_c_5601-1987\nContent-Transfer-Encoding: base64\n\nx9GxuQ==\n"),
            "한국"
        );
    }

    #[test]
    fn everything_that_is_not_text_is_listed() {
        let raw = "Content-Type: multipart/mixed; boundary=\"b b\"\n\npreamble\n--b b\n\nhello\n\n--b b\nContent-Type: application/pdf; \
            name=plan.pdf\nContent-Transfer-Encoding: base64\n\nAAAA\n--b b\nContent-Type: text/plain\nContent-Disposition: attachment; \
            filename=notes.txt\n\nnot shown\n--b b\nContent-Type: message/rfc822\n\nSubject: inner\n\ninner text\n--b b--\nepilogue\n";
        let body = read(raw.as_bytes(), 32);
        assert_eq!(body.text, "hello");
        let listed: Vec<_> = body.attachments.iter().map(|it| (it.name.as_str(), it.mime.as_str(), it.size)).collect();
        assert_eq!(listed, [("plan.pdf", "application/pdf", 3), ("notes.txt", "text/plain", 9), ("inner", "message/rfc822", 26)]);
    }

    #[test]
    fn broken_multiparts_keep_their_text() {
        assert_eq!(text("Content-Type: multipart/mixed\n\nno boundary at all"), "no boundary at all");
        assert_eq!(text("Content-Type: multipart/mixed; boundary=b\n\nthe boundary never comes"), "the boundary never comes");
        assert_eq!(text("Content-Type: multipart/mixed; boundary=b\n\n--b\n\nno end"), "no end");
    }

    #[test]
    fn nesting_without_end_does_not_overflow() {
        let mut multiparts = String::from("Subject: deep\n");
        for level in 0..10_000 {
            write!(multiparts, "Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n").unwrap();
        }
        let body = read(multiparts.as_bytes(), 32);
        assert_eq!((body.text.as_str(), body.attachments.len()), ("", 1));
        let mails = "Content-Type: message/rfc822\n\n".repeat(10_000);
        assert_eq!(read(mails.as_bytes(), 32).attachments.len(), 1);
        let same = format!(
            "Content-Type: multipart/digest; boundary=b\n\n{}",
            "--b\n\nContent-Type: multipart/digest; boundary=b\n\n".repeat(10_000)
        );
        assert!(read(same.as_bytes(), 32).attachments.len() <= MAX_ATTACHMENTS);
    }

    #[test]
    fn text_is_tidied() {
        assert_eq!(tidy("a \r\n\r\n\r\n\u{0}b\u{7}\tc\r"), "a\n\nb\tc");
    }
}
