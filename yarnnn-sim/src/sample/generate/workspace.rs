//! A Slack export of a given number of messages, written day by day.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use chrono::DateTime;
use serde::Serialize;

use super::random::Random;
use super::{BEGIN, Generated, writing};
use crate::sample::archive::Archive;
use crate::sample::identifier;

/// Messages of one channel in one day, which bounds the memory.
const PER_DAY: u64 = 200;

/// Writes a Slack export with so many messages (replies included), spread evenly over at least one channel.
pub fn slack_export(path: &Path, messages: u64, channels: u32, seed: u64) -> io::Result<Generated> {
    let channels = u64::from(channels.max(1));
    let mut archive = Archive::new(BufWriter::new(File::create(path)?));
    let begin = DateTime::from_timestamp(BEGIN, 0).unwrap_or_default().naive_utc();
    let names: Vec<String> = (0..channels).map(|index| format!("channel-{index}")).collect();
    let described: Vec<_> = names.iter().map(|name| Channel::named(name)).collect();
    archive.add("channels.json", begin, &serde_json::to_vec(&described)?)?;
    let users: Vec<_> = writing::people().map(|(name, short)| User::named(name, short)).collect();
    archive.add("users.json", begin, &serde_json::to_vec(&users)?)?;
    let mut random = Random::new(seed);
    for (index, name) in (0..channels).zip(&names) {
        let mut left = messages / channels + u64::from(index < messages % channels);
        let mut midnight = BEGIN - BEGIN.rem_euclid(86_400);
        while left > 0 {
            let count = left.min(PER_DAY);
            let day = DateTime::from_timestamp(midnight, 0).unwrap_or_default().naive_utc();
            let content = serde_json::to_vec(&day_of_messages(&mut random, midnight, count))?;
            archive.add(&format!("{name}/{}.json", day.format("%Y-%m-%d")), day, &content)?;
            midnight = midnight.saturating_add(86_400);
            left -= count;
        }
    }
    let mut file = archive.finish()?;
    file.flush()?;
    Ok(Generated { records: messages, bytes: file.get_ref().metadata()?.len() })
}

#[derive(Serialize)]
struct Channel {
    id: String,
    name: String,
    created: i64,
    is_archived: bool,
    members: Vec<String>,
}

impl Channel {
    fn named(name: &str) -> Self {
        let members = writing::people().map(|(_, short)| identifier::slack('U', short)).collect();
        Self { id: identifier::slack('C', name), name: name.to_owned(), created: BEGIN, is_archived: false, members }
    }
}

#[derive(Serialize)]
struct User {
    id: String,
    name: String,
    real_name: String,
    deleted: bool,
    profile: Profile,
}

#[derive(Serialize)]
struct Profile {
    real_name: String,
    display_name: String,
    email: String,
}

impl User {
    fn named(name: &str, short: &str) -> Self {
        let profile =
            Profile { real_name: name.to_owned(), display_name: short.to_owned(), email: format!("{short}@example.com") };
        Self { id: identifier::slack('U', short), name: short.to_owned(), real_name: name.to_owned(), deleted: false, profile }
    }
}

#[derive(Serialize)]
struct Message {
    r#type: &'static str,
    user: String,
    text: String,
    ts: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    thread_ts: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_user_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_count: Option<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    replies: Vec<Reply>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reactions: Vec<Reaction>,
}

#[derive(Serialize)]
struct Reply {
    user: String,
    ts: String,
}

#[derive(Serialize)]
struct Reaction {
    name: &'static str,
    users: Vec<String>,
    count: usize,
}

/// The messages of one day; about a third answer an earlier message of the day.
fn day_of_messages(random: &mut Random, midnight: i64, count: u64) -> Vec<Message> {
    let mut messages: Vec<Message> = Vec::new();
    let mut second = midnight.saturating_add(8 * 3_600);
    for _ in 0..count {
        second = second.saturating_add(i64::from(1 + random.below(180)));
        let mut message = message(random, second);
        if random.percent(35) {
            answer(random, &mut messages, &mut message);
        }
        messages.push(message);
    }
    messages
}

fn message(random: &mut Random, second: i64) -> Message {
    let user = user(random);
    let mut text = writing::paragraph(random);
    if random.percent(15) {
        text = format!("<@{}> {text}", self::user(random));
    }
    let reactions =
        if random.percent(10) { vec![Reaction { name: "+1", users: vec![self::user(random)], count: 1 }] } else { Vec::new() };
    let ts = format!("{second}.{:06}", random.below(1_000_000));
    Message {
        r#type: "message",
        user,
        text,
        ts,
        thread_ts: None,
        parent_user_id: None,
        reply_count: None,
        replies: Vec::new(),
        reactions,
    }
}

/// Makes the message a reply to one of the day's messages that is no reply itself, if there is one.
fn answer(random: &mut Random, earlier: &mut [Message], message: &mut Message) {
    let mut open: Vec<&mut Message> = earlier.iter_mut().filter(|it| it.parent_user_id.is_none()).collect();
    let bound = u32::try_from(open.len()).unwrap_or(u32::MAX);
    let chosen = usize::try_from(random.below(bound)).unwrap_or_default();
    let Some(parent) = open.get_mut(chosen) else { return };
    parent.thread_ts = Some(parent.ts.clone());
    parent.replies.push(Reply { user: message.user.clone(), ts: message.ts.clone() });
    parent.reply_count = Some(parent.replies.len());
    message.thread_ts = Some(parent.ts.clone());
    message.parent_user_id = Some(parent.user.clone());
}

fn user(random: &mut Random) -> String {
    let (_, address) = writing::person(random);
    identifier::slack('U', address.split('@').next().unwrap_or_default())
}
