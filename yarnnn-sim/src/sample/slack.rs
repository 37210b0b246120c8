//! The Slack export: `channels.json`, `dms.json`, `users.json` and one folder per channel with a file per day.
//!
//! Field names and layout are those of a workspace's own export; rich-text blocks, which repeat the text, are left out.

mod wire;

use std::collections::BTreeMap;
use std::io;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

use self::wire::{ChannelFile, Message, User};
use super::Sample;
use super::archive::Archive;
use super::identifier;
use super::model::{Channel, Post};
use super::moment::Timeline;
use super::template::Voice;

/// The zip's bytes.
pub(super) fn render(sample: &Sample, timeline: &Timeline) -> io::Result<Vec<u8>> {
    let mut archive = Archive::in_memory();
    let now = timeline.now().naive_utc();
    let users: Vec<User> = users(sample, timeline).collect();
    let described = |direct: bool| sample.channels.iter().filter(move |it| it.direct == direct);
    let channels: Vec<_> = described(false).map(|it| ChannelFile::channel(it, timeline)).collect();
    let direct: Vec<_> = described(true).map(|it| ChannelFile::direct(it, timeline)).collect();
    archive.add("channels.json", now, &json(&channels)?)?;
    archive.add("dms.json", now, &json(&direct)?)?;
    archive.add("users.json", now, &json(&users)?)?;
    for channel in &sample.channels {
        let folder = if channel.direct { identifier::slack('D', &channel.name) } else { channel.name.clone() };
        for (day, messages) in by_day(sample, channel, timeline) {
            archive.add(&format!("{folder}/{day}.json"), now, &json(&messages)?)?;
        }
    }
    Ok(archive.finish()?.into_inner())
}

/// The same records as values, for a workspace that answers calls.
pub(crate) struct Records {
    pub(crate) team: String,
    /// The user id of the story's owner.
    pub(crate) owner: String,
    pub(crate) users: Vec<Value>,
    /// Each channel or direct conversation with its messages.
    pub(crate) channels: Vec<(Value, Vec<Value>)>,
}

/// What the export of this moment holds.
pub(crate) fn records(sample: &Sample, now: DateTime<Utc>) -> Records {
    let timeline = Timeline::new(now, sample.cast.zone);
    let channels = sample.channels.iter().map(|channel| {
        let described = if channel.direct { ChannelFile::direct } else { ChannelFile::channel };
        let messages = by_day(sample, channel, &timeline).into_values().flatten().map(value).collect();
        (value(described(channel, &timeline)), messages)
    });
    Records {
        team: identifier::slack('T', wire::TEAM),
        owner: identifier::slack('U', &sample.cast.owner),
        users: users(sample, &timeline).map(value).collect(),
        channels: channels.collect(),
    }
}

/// Records have texts as keys and nothing that JSON cannot say.
fn value<T: Serialize>(record: T) -> Value {
    serde_json::to_value(record).unwrap_or_default()
}

fn users(sample: &Sample, timeline: &Timeline) -> impl Iterator<Item = User> {
    let people = sample.people().iter().map(|it| User::of_person(it, sample, timeline));
    people.chain(sample.cast.bots.iter().map(User::of_bot))
}

fn json<T: Serialize>(value: &T) -> io::Result<Vec<u8>> {
    Ok(serde_json::to_vec_pretty(value)?)
}

/// A post with its place in the channel.
pub(super) struct Placed<'a> {
    pub(super) key: String,
    pub(super) post: &'a Post,
    pub(super) parent: Option<&'a Post>,
    pub(super) seconds: i64,
}

impl Placed<'_> {
    /// The identifying timestamp: seconds and six digits.
    pub(super) fn stamp(&self) -> String {
        format!("{}.{:06}", self.seconds, identifier::fraction(&self.key))
    }
}

/// Posts and replies of a channel in the order of time, each in a second of its own.
pub(super) fn placed<'a>(channel: &'a Channel, timeline: &Timeline) -> Vec<Placed<'a>> {
    let mut all = Vec::new();
    for (index, post) in channel.posts.iter().enumerate() {
        let key = format!("{}/{index}", channel.name);
        all.push(Placed { key: key.clone(), post, parent: None, seconds: 0 });
        let replies = post.replies.iter().enumerate();
        all.extend(replies.map(|(at, reply)| Placed { key: format!("{key}/{at}"), post: reply, parent: Some(post), seconds: 0 }));
    }
    all.sort_by_key(|it| it.post.at);
    let mut last = i64::MIN;
    for placed in &mut all {
        let within_minute = i64::from(identifier::fraction(&placed.key) % 40);
        placed.seconds = (timeline.instant(placed.post.at).timestamp() + within_minute).max(last.saturating_add(1));
        last = placed.seconds;
    }
    all
}

/// The channel's messages by day of the month, in UTC as Slack files them.
fn by_day(sample: &Sample, channel: &Channel, timeline: &Timeline) -> BTreeMap<String, Vec<Message>> {
    let voice = SlackVoice { sample };
    let placed = placed(channel, timeline);
    let mut days: BTreeMap<String, Vec<Message>> = BTreeMap::new();
    for each in &placed {
        let day = chrono::DateTime::from_timestamp(each.seconds, 0).unwrap_or_default().format("%Y-%m-%d").to_string();
        days.entry(day).or_default().push(Message::of(each, &placed, sample, timeline, &voice));
    }
    days
}

/// Slack's markup: three characters are escaped, mentions and links stand in angle brackets.
pub(super) struct SlackVoice<'a> {
    sample: &'a Sample,
}

impl Voice for SlackVoice<'_> {
    fn words(&self, words: &str) -> String {
        words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
    }

    fn person(&self, key: &str) -> String {
        if self.sample.person(key).is_some() {
            format!("<@{}>", identifier::slack('U', key))
        } else {
            self.words(self.sample.name(key))
        }
    }

    fn channel(&self, key: &str) -> String {
        format!("<#{}|{key}>", identifier::slack('C', key))
    }

    fn page(&self, key: &str) -> String {
        let title = self.sample.page_title(key);
        let slug: String = title.chars().map(|it| if it.is_ascii_alphanumeric() { it } else { '-' }).collect();
        format!("<https://notes.lumenfold.example/{slug}-{}|{}>", identifier::notion(key), self.words(title))
    }

    fn link(&self, url: &str, label: &str) -> String {
        format!("<{}|{}>", self.words(url), self.words(label))
    }
}
