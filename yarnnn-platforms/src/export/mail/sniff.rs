//! Tells mail from other text by its first bytes, never by a file's name.
//!
//! It does not parse: a file that is recognised here may still hold mails that cannot be read.

use super::date;

/// How mail lies in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailFormat {
    /// Any number of mails, each after a line that starts with `From `.
    Mbox,
    /// One mail.
    Message,
}

/// Lines of a header block that are looked at.
const MAX_LINES: usize = 60;

/// Fields that hardly any other kind of file starts with.
const TELLING: [&str; 12] = [
    "received",
    "return-path",
    "delivered-to",
    "message-id",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "subject",
    "x-mailer",
    "in-reply-to",
    "dkim-signature",
    "references",
];

/// Fields that make a mail in the company of another one.
const COMMON: [&str; 10] = ["from", "to", "cc", "bcc", "date", "reply-to", "sender", "content-disposition", "status", "lines"];

/// Which mail format the first bytes of a file show, if any. A few kilobytes are enough.
pub fn sniff(head: &[u8]) -> Option<MailFormat> {
    let head = skip_blank(head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head));
    if head.contains(&0) {
        return None;
    }
    let mut lines = head.split(|byte| *byte == b'\n');
    let first = lines.next()?;
    if is_separator(first, lines.next().unwrap_or_default()) {
        return Some(MailFormat::Mbox);
    }
    is_header_block(head).then_some(MailFormat::Message)
}

/// Whether a line that follows a blank line starts a mail: it is dated, or a header follows, as in `From me Mon Jan …`. A sentence
/// that happens to begin with `From ` is neither.
pub(super) fn is_separator(line: &[u8], next: &[u8]) -> bool {
    line.starts_with(b"From ") && (date::of_separator(line).is_some() || field_name(next).is_some())
}

fn skip_blank(head: &[u8]) -> &[u8] {
    let blank = head.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    // A first line that is indented would be half eaten; such a line is no header in any case.
    head.get(blank..).unwrap_or_default()
}

/// The field name of a header line: printable characters without blanks, before a colon.
fn field_name(line: &[u8]) -> Option<String> {
    let colon = line.iter().take(78).position(|byte| *byte == b':')?;
    let name = line.get(..colon)?.trim_ascii_end();
    let valid = !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    valid.then(|| String::from_utf8_lossy(name).to_ascii_lowercase())
}

/// Counts known fields against lines that can be no header, up to the first blank line.
fn is_header_block(head: &[u8]) -> bool {
    let (mut telling, mut common, mut other, mut odd) = (0_u32, 0_u32, 0_u32, 0_u32);
    for line in head.split(|byte| *byte == b'\n').take(MAX_LINES) {
        if line.trim_ascii().is_empty() {
            break;
        }
        match field_name(line) {
            _ if line.starts_with(b" ") || line.starts_with(b"\t") => {}
            Some(name) if is_telling(&name) => telling += 1,
            Some(name) if COMMON.contains(&name.as_str()) => common += 1,
            Some(_) => other += 1,
            None => odd += 1,
        }
    }
    let known = telling + common;
    known > 0 && odd <= known && (telling > 0 || common > 1) && other <= known * 4 + 2
}

fn is_telling(name: &str) -> bool {
    TELLING.contains(&name) || ["list-", "resent-", "arc-", "x-original-", "x-spam-"].iter().any(|it| name.starts_with(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_is_recognised_by_its_content() {
        let cases: [(&str, MailFormat); 8] = [
            ("From ana@example.com Tue Mar  3 09:00:00 2026\nSubject: x\n\nhello\n", MailFormat::Mbox),
            ("From ana@example.com\nReceived: from a\n\nhello\n", MailFormat::Mbox),
            ("\n\nFrom - Tue Mar 03 09:00:00 2026\r\nSubject: x\r\n\r\nhello\r\n", MailFormat::Mbox),
            ("Subject: only this\n\nhello\n", MailFormat::Message),
            ("\u{feff}From: a@example.com\nTo: b@example.com\n\nhello\n", MailFormat::Message),
            ("\r\nReturn-Path: <a@example.com>\r\nDate: Tue, 3 Mar 2026 09:00:00 +0100\r\n\r\n", MailFormat::Message),
            ("X-Odd: 1\nX-Odder: 2\nMime-Version : 1.0\nContent-Type: text/plain;\n charset=utf-8\n\nhello", MailFormat::Message),
            ("From: a@example.com\nbroken line\nSubject: x\n\nhello", MailFormat::Message),
        ];
        for (text, expected) in cases {
            assert_eq!(sniff(text.as_bytes()), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn other_text_is_not_mail() {
        let cases = [
            "",
            "\n\n",
            "From my point of view this is prose.\nIt goes on.\n",
            "# Subject\n\nFrom: nobody\n",
            "[package]\nname = \"x\"\n",
            "{\"from\": \"a\", \"to\": \"b\"}",
            "from,to,subject\na,b,c\n",
            "import mail\n\ndef main():\n    pass\n",
            "use std::io;\nfn main() {}\n",
            "name: build\non: push\njobs:\n  test:\n    steps: []\n",
            "---\ntitle: A page\ndate: 2026-03-03\n---\nText\n",
            "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\n",
            "PK\u{3}\u{4}\0\0",
            "Note: buy milk\nDate: tomorrow\n",
        ];
        for text in cases {
            assert_eq!(sniff(text.as_bytes()), None, "{text:?}");
        }
    }
}
