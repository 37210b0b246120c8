//! A mail's parts as Gmail shows them: a tree with decoded headers and bodies, text always in UTF-8.
//!
//! The headers keep the charset that the sender declared, as Gmail leaves them, although the text no longer has it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use mail_parser::parsers::MessageStream;
use mail_parser::{Message, MessageParser, MessagePart, MimeHeaders as _, PartType};
use yarnnn_core::hash::Sha256;

/// Mails inside mails that are opened; one deeper stays closed.
const MAX_DEPTH: usize = 8;

/// One part of a mail.
#[derive(Debug, Clone, Default)]
pub(super) struct Part {
    /// Empty for the mail itself, then `0`, `1`, `1.0` and so on.
    pub(super) id: String,
    /// Type and subtype in lower case.
    pub(super) media_type: String,
    /// Empty when the part is no file.
    pub(super) file_name: String,
    /// In their order, unfolded and decoded.
    pub(super) headers: Vec<(String, String)>,
    /// The decoded content; empty for a part made of parts.
    pub(super) content: Vec<u8>,
    /// What a multipart or an attached mail is made of.
    pub(super) parts: Vec<Part>,
}

impl Part {
    /// The first header of a name, whatever its case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(it, _)| it.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// This part and all parts in it, outermost first.
    pub(super) fn walk(&self) -> Vec<&Part> {
        let mut found = vec![self];
        found.extend(self.parts.iter().flat_map(Part::walk));
        found
    }

    /// The text a reader sees first: the first plain part, or else the first HTML part without its tags.
    pub(super) fn text(&self) -> String {
        let first = |wanted: &str| self.walk().into_iter().find(|it| it.media_type == wanted && it.file_name.is_empty());
        match (first("text/plain"), first("text/html")) {
            (Some(plain), _) => String::from_utf8_lossy(&plain.content).into_owned(),
            (None, Some(html)) => mail_parser::decoders::html::html_to_text(&String::from_utf8_lossy(&html.content)),
            (None, None) => String::new(),
        }
    }

    /// Whether a file is attached.
    pub(super) fn has_attachment(&self) -> bool {
        self.walk().iter().any(|it| !it.file_name.is_empty())
    }

    /// The identifier under which the content is fetched on its own.
    pub(super) fn attachment_id(&self) -> String {
        let digest = Sha256::of(&self.content).to_string();
        format!("ANGjdJ{}", URL_SAFE_NO_PAD.encode(format!("{}/{digest}", self.id)))
    }
}

/// Takes a mail apart; what is no mail at all is one empty part.
pub(super) fn parse(raw: &[u8]) -> Part {
    let parsed = MessageParser::default().parse(raw);
    let root = parsed.as_ref().and_then(|message| Some(part(message, message.parts.first()?, String::new(), 0)));
    root.unwrap_or_else(|| Part { media_type: "text/plain".to_owned(), ..Part::default() })
}

/// A mail as it is after it was sent: with a `Message-ID` of Gmail's own, and without headers that are nobody's.
pub(super) fn resent(raw: &[u8], id: &str) -> Vec<u8> {
    let text = String::from_utf8_lossy(raw);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let keeps = |line: &&str| !["message-id:", "x-"].iter().any(|it| line.to_lowercase().starts_with(it));
    let head: Vec<&str> = head.split("\r\n").filter(keeps).collect();
    format!("Message-ID: <CA{id}@mail.gmail.com>\r\n{}\r\n\r\n{body}", head.join("\r\n")).into_bytes()
}

/// When a mail arrived as its first `Received` header says, or else when it was written.
pub(super) fn date(raw: &[u8]) -> Option<DateTime<Utc>> {
    let message = MessageParser::default().parse_headers(raw)?;
    let received = message.received().and_then(mail_parser::Received::date);
    let date = received.as_ref().or(message.date()).filter(|it| it.is_valid())?;
    DateTime::from_timestamp(date.to_timestamp(), 0)
}

/// Unfolds a header and decodes its encoded words.
pub(super) fn decoded(raw: &[u8]) -> String {
    let mut ended = raw.to_vec();
    if !ended.ends_with(b"\n") {
        ended.extend_from_slice(b"\r\n");
    }
    let text = MessageStream::new(&ended).parse_unstructured().into_text();
    text.unwrap_or_default().trim().to_owned()
}

fn part(message: &Message<'_>, source: &MessagePart<'_>, id: String, depth: usize) -> Part {
    let (content, parts) = match &source.body {
        PartType::Text(text) | PartType::Html(text) => (text.as_bytes().to_vec(), Vec::new()),
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => (bytes.to_vec(), Vec::new()),
        PartType::Message(inner) => (inner.raw_message().to_vec(), inside(inner, &id, depth)),
        PartType::Multipart(children) => (Vec::new(), several(message, children, &id, depth)),
    };
    let media_type = source.content_type().map(|it| {
        let subtype = it.subtype().unwrap_or("plain");
        format!("{}/{subtype}", it.ctype()).to_lowercase()
    });
    Part {
        id,
        media_type: media_type.unwrap_or_else(|| "text/plain".to_owned()),
        file_name: source.attachment_name().unwrap_or_default().to_owned(),
        headers: headers(message, source),
        content,
        parts,
    }
}

/// The parts of a multipart, numbered below it.
fn several(message: &Message<'_>, children: &[u32], id: &str, depth: usize) -> Vec<Part> {
    let sources = children.iter().filter_map(|child| message.part(*child));
    sources.enumerate().map(|(number, child)| part(message, child, below(id, number), depth)).collect()
}

/// An attached mail, as the only part of the part that holds it.
fn inside(inner: &Message<'_>, id: &str, depth: usize) -> Vec<Part> {
    let root = inner.parts.first().filter(|_| depth < MAX_DEPTH);
    root.map(|root| part(inner, root, below(id, 0), depth + 1)).into_iter().collect()
}

fn below(id: &str, number: usize) -> String {
    if id.is_empty() { number.to_string() } else { format!("{id}.{number}") }
}

fn headers(message: &Message<'_>, source: &MessagePart<'_>) -> Vec<(String, String)> {
    let slice = |from: u32, to: u32| {
        let range = usize::try_from(from).unwrap_or_default()..usize::try_from(to).unwrap_or_default();
        message.raw_message.get(range).unwrap_or_default()
    };
    let each = source.headers.iter().map(|header| {
        let name = slice(header.offset_field, header.offset_start);
        let name = String::from_utf8_lossy(name.strip_suffix(b":").unwrap_or(name)).trim().to_owned();
        (name, decoded(slice(header.offset_start, header.offset_end)))
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NESTED: &[u8] = b"From: =?UTF-8?Q?Lindstr=C3=B6m?= <a@example.com>\r\nSubject: =?ISO-8859-1?Q?Gr=FC=DFe?=\r\n =?UTF-8?B?IHp1IEhhdXNl?=\r\n\
        X-Long: one\r\n two\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n\
        --x\r\nContent-Type: multipart/alternative; boundary=y\r\n\r\n\
        --y\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe\r\n\
        --y\r\nContent-Type: text/html\r\n\r\n<p>hello</p>\r\n--y--\r\n\
        --x\r\nContent-Type: text/csv; name=\"a.csv\"\r\nContent-Disposition: attachment; filename=\"a.csv\"\r\nContent-Transfer-Encoding: base64\r\n\r\nYSxi\r\n\
        --x\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ninner text\r\n--x--\r\n";

    #[test]
    fn parts_are_numbered_and_decoded() {
        let root = parse(NESTED);
        let seen: Vec<_> = root.walk().into_iter().map(|it| (it.id.as_str(), it.media_type.as_str())).collect();
        let expected = [
            ("", "multipart/mixed"),
            ("0", "multipart/alternative"),
            ("0.0", "text/plain"),
            ("0.1", "text/html"),
            ("1", "text/csv"),
            ("2", "message/rfc822"),
            ("2.0", "text/plain"),
        ];
        assert_eq!(seen, expected);
        assert_eq!(root.text().trim(), "Grüße");
        assert_eq!(root.walk()[4].content, b"a,b");
        assert_eq!(root.walk()[4].file_name, "a.csv");
        assert_eq!(root.walk()[6].header("subject"), Some("inner"));
    }

    #[test]
    fn headers_are_unfolded_and_decoded_and_keep_their_names() {
        let root = parse(NESTED);
        assert_eq!(root.header("subject"), Some("Grüße zu Hause"));
        assert_eq!(root.header("FROM"), Some("Lindström <a@example.com>"));
        assert_eq!(root.headers[2], ("X-Long".to_owned(), "one two".to_owned()));
    }

    #[test]
    fn what_is_no_mail_is_one_empty_part() {
        for bytes in [&b""[..], b"\r\n", b"\0\0\0", b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n--x\r\n--x"] {
            let _ = parse(bytes).text();
        }
        assert_eq!(parse(b"").media_type, "text/plain");
    }
}
