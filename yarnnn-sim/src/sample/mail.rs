//! The owner's mailbox in mbox form ("mboxrd"): a separator line before each mail, and `>` before any line that looks like
//! one.
//!
//! Headers and bodies are built by a library; this module decides their content and their order only.

use std::borrow::Cow;
use std::io;

use mail_builder::MessageBuilder;
use mail_builder::headers::address::Address;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::message_id::MessageId;
use mail_builder::headers::raw::Raw;
use mail_builder::mime::{BodyPart, MimePart};

use super::Sample;
use super::identifier;
use super::model::Mail;
use super::moment::Timeline;
use super::template::{Text, Voice};

/// The mailbox's bytes, oldest mail first.
pub(super) fn render(sample: &Sample, timeline: &Timeline) -> io::Result<Vec<u8>> {
    let mut mails: Vec<&Mail> = sample.mailbox.mails.iter().collect();
    mails.sort_by_key(|it| it.at);
    let mut output = Vec::new();
    for mail in mails {
        let sent = timeline.instant(mail.at).naive_utc();
        let bytes = message(mail, sample, timeline)?;
        append(&mut output, sample.address(&mail.from), &sent.format("%a %b %e %H:%M:%S %Y").to_string(), &bytes);
    }
    Ok(output)
}

/// Appends one mail with its separator line, its lines quoted where they would be taken for another separator.
pub(super) fn append(output: &mut Vec<u8>, sender: &str, sent: &str, message: &[u8]) {
    output.extend_from_slice(format!("From {sender} {sent}\n").as_bytes());
    let message = message.strip_suffix(b"\r\n").unwrap_or(message);
    for line in message.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let unquoted = line.iter().position(|byte| *byte != b'>').and_then(|at| line.get(at..));
        if unquoted.is_some_and(|it| it.starts_with(b"From ")) {
            output.push(b'>');
        }
        output.extend_from_slice(line);
        output.push(b'\n');
    }
    output.push(b'\n');
}

/// A mail as it was sent.
pub(crate) fn message(mail: &Mail, sample: &Sample, timeline: &Timeline) -> io::Result<Vec<u8>> {
    let address = |key: &String| Address::new_address(Some(sample.name(key).to_owned()), sample.address(key).to_owned());
    let list = |keys: &[String]| Address::new_list(keys.iter().map(address).collect());
    let voice = MailVoice { sample };
    let label = if mail.from == sample.cast.owner { "Sent" } else { "Inbox,Opened" };
    let mut builder = MessageBuilder::new()
        .header("X-Gmail-Labels", Raw::new(label))
        .header("Date", Raw::new(timeline.instant(mail.at).to_rfc2822()))
        .from(address(&mail.from))
        .to(list(&mail.to))
        .subject(mail.subject.render(timeline, &voice))
        .message_id(message_id(mail, sample));
    if !mail.cc.is_empty() {
        builder = builder.cc(list(&mail.cc));
    }
    let ancestors = ancestors(mail, sample);
    if let Some(parent) = ancestors.last() {
        builder = builder.in_reply_to(parent.clone()).references(MessageId::new_list(ancestors.iter().cloned()));
    }
    if let Some(list) = &mail.list {
        builder = builder.header("List-Id", Raw::new(format!("<{list}>"))).header("Precedence", Raw::new("bulk"));
    }
    builder.body(body(mail, sample, timeline)).write_to_vec()
}

fn message_id(mail: &Mail, sample: &Sample) -> String {
    identifier::message(&mail.key, sample.address(&mail.from))
}

/// Message-IDs of what a mail answers, the first of the conversation first.
fn ancestors(mail: &Mail, sample: &Sample) -> Vec<String> {
    let parent = |mail: &&Mail| mail.answers.as_deref().and_then(|key| sample.mail(key));
    let mut found: Vec<_> = std::iter::successors(parent(&mail), parent).map(|it| message_id(it, sample)).collect();
    found.reverse();
    found
}

/// The body: one part, alternatives, or parts with an attachment.
fn body(mail: &Mail, sample: &Sample, timeline: &Timeline) -> MimePart<'static> {
    let voice = MailVoice { sample };
    let plain = mail.text.as_ref().map(|text| {
        let quoted = mail.answers.as_deref().filter(|_| mail.quotes).and_then(|key| sample.mail(key));
        let quoted = quoted.map(|it| quotation(it, sample, timeline)).unwrap_or_default();
        MimePart::new("text/plain", lines(text, timeline, &voice) + &quoted)
    });
    let html = mail.html.as_ref().map(|text| MimePart::new("text/html", lines(text, timeline, &HtmlVoice(&voice))));
    let written: Vec<_> = plain.into_iter().chain(html).collect();
    let written = several("alternative", &mail.key, written);
    let attached = mail.attachment.as_ref().map(|it| {
        let content = lines(&it.content, timeline, &voice).into_bytes();
        MimePart::new(it.media_type.clone(), BodyPart::Binary(Cow::Owned(content))).attachment(it.name.clone())
    });
    several("mixed", &mail.key, std::iter::once(written).chain(attached).collect())
}

/// One part as it is, several inside a multipart whose boundary comes from the mail's key.
fn several(kind: &str, key: &str, mut parts: Vec<MimePart<'static>>) -> MimePart<'static> {
    if parts.len() == 1
        && let Some(only) = parts.pop()
    {
        return only;
    }
    let boundary = identifier::grouped(kind, key);
    MimePart::new(ContentType::new(format!("multipart/{kind}")).attribute("boundary", boundary), parts)
}

/// A text with the line ends of mail.
fn lines(text: &Text, timeline: &Timeline, voice: &dyn Voice) -> String {
    let mut text = text.render(timeline, voice);
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text.replace('\n', "\r\n")
}

/// The answered mail as programs quote it.
fn quotation(mail: &Mail, sample: &Sample, timeline: &Timeline) -> String {
    let when = timeline.local(mail.at).format("%a, %-d %b %Y at %H:%M");
    let text = mail.text.as_ref().map(|text| text.render(timeline, &MailVoice { sample })).unwrap_or_default();
    let quoted: String = text.lines().map(|line| format!("> {line}").trim_end().to_owned() + "\r\n").collect();
    format!("\r\nOn {when}, {} <{}> wrote:\r\n{quoted}", sample.name(&mail.from), sample.address(&mail.from))
}

/// Plain text: names are written out.
pub(crate) struct MailVoice<'a> {
    pub(crate) sample: &'a Sample,
}

impl Voice for MailVoice<'_> {
    fn person(&self, key: &str) -> String {
        self.sample.name(key).to_owned()
    }

    fn channel(&self, key: &str) -> String {
        format!("#{key}")
    }

    fn page(&self, key: &str) -> String {
        format!("\"{}\" in Notion", self.sample.page_title(key))
    }

    fn link(&self, url: &str, label: &str) -> String {
        if label == url { url.to_owned() } else { format!("{label} ({url})") }
    }
}

/// Authored HTML; only links differ from plain text.
struct HtmlVoice<'a>(&'a MailVoice<'a>);

impl Voice for HtmlVoice<'_> {
    fn person(&self, key: &str) -> String {
        self.0.person(key)
    }

    fn channel(&self, key: &str) -> String {
        self.0.channel(key)
    }

    fn page(&self, key: &str) -> String {
        self.0.page(key)
    }

    fn link(&self, url: &str, label: &str) -> String {
        format!("<a href=\"{url}\">{label}</a>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_looks_like_a_separator_is_quoted_once_more() {
        let mut output = Vec::new();
        let message = b"Subject: x\r\n\r\nFrom a\r\n>From b\r\n>> From c\r\nFromage\r\n";
        append(&mut output, "ana@shop.example", "Sun Mar  8 12:00:00 2026", message);
        assert_eq!(
            String::from_utf8(output).unwrap(),
            "From ana@shop.example Sun Mar  8 12:00:00 2026\nSubject: x\n\n>From a\n>>From b\n>> From c\nFromage\n\n"
        );
    }
}
