//! A mailbox of about a given size, written mail by mail.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use chrono::DateTime;
use mail_builder::MessageBuilder;
use mail_builder::headers::address::Address;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::message_id::MessageId;
use mail_builder::headers::raw::Raw;
use mail_builder::mime::{BodyPart, MimePart};

use super::random::Random;
use super::{BEGIN, Generated, writing};
use crate::sample::mail::append;

/// How many recent mails may still be answered, which bounds the memory.
const RECENT: usize = 64;

/// Writes a mailbox that ends with the mail that reaches the target size.
///
/// The mails form conversations of plain text, HTML, alternatives and attachments, with names and subjects outside ASCII.
pub fn mbox(path: &Path, bytes_target: u64, seed: u64) -> io::Result<Generated> {
    let mut output = BufWriter::new(File::create(path)?);
    let mut generator = Generator { random: Random::new(seed), recent: Vec::new(), time: BEGIN, count: 0 };
    let mut buffer = Vec::new();
    let mut bytes: u64 = 0;
    while bytes < bytes_target {
        buffer.clear();
        generator.write(&mut buffer)?;
        output.write_all(&buffer)?;
        bytes = bytes.saturating_add(u64::try_from(buffer.len()).unwrap_or(u64::MAX));
    }
    output.flush()?;
    Ok(Generated { records: generator.count, bytes })
}

/// A mail that may be answered.
#[derive(Debug, Clone)]
struct Recent {
    subject: String,
    ids: Vec<String>,
}

struct Generator {
    random: Random,
    recent: Vec<Recent>,
    time: i64,
    count: u64,
}

impl Generator {
    /// Appends one mail.
    fn write(&mut self, buffer: &mut Vec<u8>) -> io::Result<()> {
        self.time = self.time.saturating_add(i64::from(60 + self.random.below(1_800)));
        let sent = DateTime::from_timestamp(self.time, 0).unwrap_or_default();
        let (name, address) = writing::person(&mut self.random);
        let (other, other_address) = writing::person(&mut self.random);
        let conversation = self.conversation();
        let (id, earlier) = conversation.ids.split_last().map(|(id, rest)| (id.clone(), rest)).unwrap_or_default();
        let mut builder = MessageBuilder::new()
            .header("Date", Raw::new(sent.to_rfc2822()))
            .from(Address::new_address(Some(name), address.clone()))
            .to(Address::new_address(Some(other), other_address))
            .subject(conversation.subject.clone())
            .message_id(id);
        if let Some(parent) = earlier.last() {
            builder = builder.in_reply_to(parent.clone()).references(MessageId::new_list(earlier.iter().cloned()));
        }
        let message = builder.body(self.body()).write_to_vec()?;
        append(buffer, &address, &sent.format("%a %b %e %H:%M:%S %Y").to_string(), &message);
        Ok(())
    }

    /// The conversation this mail belongs to, with the mail's own id as the last one.
    fn conversation(&mut self) -> Recent {
        self.count = self.count.saturating_add(1);
        let id = format!("{:016x}.{}@example.com", self.random.number(), self.count);
        let answered = if self.random.percent(55) { self.random.pick(&self.recent).cloned() } else { None };
        let mut conversation = match answered {
            Some(found) if found.subject.starts_with("Re: ") => found,
            Some(found) => Recent { subject: format!("Re: {}", found.subject), ..found },
            None => Recent { subject: format!("About {}", writing::topic(&mut self.random)), ids: Vec::new() },
        };
        // References keep the first and the latest ids, as mail programs shorten them.
        if conversation.ids.len() > 12 {
            conversation.ids.drain(1..4);
        }
        conversation.ids.push(id);
        if self.recent.len() == RECENT {
            self.recent.remove(0);
        }
        self.recent.push(conversation.clone());
        conversation
    }

    fn body(&mut self) -> MimePart<'static> {
        let paragraphs: Vec<_> = (0..=self.random.below(5)).map(|_| writing::paragraph(&mut self.random)).collect();
        let mut text = paragraphs.join("\r\n\r\n") + "\r\n";
        if self.random.percent(3) {
            text.push_str("From now on the numbers are in the table.\r\n");
        }
        let html = paragraphs.iter().map(|it| format!("<p>{it}</p>\r\n")).collect::<Vec<_>>().concat();
        match self.random.below(100) {
            0..70 => MimePart::new("text/plain", text),
            70..88 => self.several("alternative", vec![MimePart::new("text/plain", text), MimePart::new("text/html", html)]),
            88..93 => MimePart::new("text/html", html),
            _ => {
                let count = 20 + self.random.below(80);
                let rows = (0..count).map(|row| format!("{row},{}\n", self.random.below(9_999))).collect::<Vec<_>>().concat();
                let table = MimePart::new("text/csv", BodyPart::Binary(rows.into_bytes().into())).attachment("numbers.csv");
                self.several("mixed", vec![MimePart::new("text/plain", text), table])
            }
        }
    }

    fn several(&mut self, kind: &str, parts: Vec<MimePart<'static>>) -> MimePart<'static> {
        let boundary = format!("part-{:016x}", self.random.number());
        MimePart::new(ContentType::new(format!("multipart/{kind}")).attribute("boundary", boundary), parts)
    }
}
