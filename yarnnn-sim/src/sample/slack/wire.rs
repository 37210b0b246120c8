//! The JSON of a Slack export, field for field. No choice of content is made here.

use chrono::{Offset as _, TimeZone as _};
use serde::Serialize;

use super::{Placed, SlackVoice};
use crate::sample::identifier;
use crate::sample::model::{Bot, Channel, Person, Post, PostKind, SharedFile};
use crate::sample::moment::Timeline;
use crate::sample::{Sample, check};

/// The key that all identifiers of the workspace itself come from.
pub(super) const TEAM: &str = "lumenfold";

/// An entry of `users.json`.
#[derive(Debug, Serialize)]
pub(super) struct User {
    id: String,
    team_id: String,
    name: String,
    deleted: bool,
    real_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tz: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tz_offset: Option<i32>,
    profile: Profile,
    is_admin: bool,
    is_bot: bool,
}

#[derive(Debug, Serialize)]
struct Profile {
    title: String,
    real_name: String,
    display_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
}

impl User {
    pub(super) fn of_person(person: &Person, sample: &Sample, timeline: &Timeline) -> Self {
        let offset = sample.cast.zone.offset_from_utc_datetime(&timeline.now().naive_utc());
        let profile = Profile {
            title: person.role.clone(),
            real_name: person.name.clone(),
            display_name: person.name.clone(),
            email: Some(person.email.clone()),
        };
        Self {
            id: identifier::slack('U', &person.key),
            team_id: identifier::slack('T', TEAM),
            name: person.key.clone(),
            deleted: false,
            real_name: person.name.clone(),
            tz: Some(sample.cast.zone.name().to_owned()),
            tz_offset: Some(offset.fix().local_minus_utc()),
            profile,
            is_admin: person.key == sample.cast.owner,
            is_bot: false,
        }
    }

    pub(super) fn of_bot(bot: &Bot) -> Self {
        let profile = Profile { title: String::new(), real_name: bot.name.clone(), display_name: bot.name.clone(), email: None };
        Self {
            id: identifier::slack('U', &bot.key),
            team_id: identifier::slack('T', TEAM),
            name: bot.key.clone(),
            deleted: false,
            real_name: bot.name.clone(),
            tz: None,
            tz_offset: None,
            profile,
            is_admin: false,
            is_bot: true,
        }
    }
}

/// An entry of `channels.json` or, without name and topic, of `dms.json`.
#[derive(Debug, Serialize)]
pub(super) struct ChannelFile {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    created: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    creator: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_archived: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_general: Option<bool>,
    members: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<Described>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose: Option<Described>,
}

#[derive(Debug, Serialize)]
struct Described {
    value: String,
    creator: String,
    last_set: i64,
}

impl ChannelFile {
    pub(super) fn channel(channel: &Channel, timeline: &Timeline) -> Self {
        let created = created(timeline);
        let creator = channel.members.first().map(|key| identifier::slack('U', key)).unwrap_or_default();
        let described = |value: &str| Some(Described { value: value.to_owned(), creator: creator.clone(), last_set: created });
        Self {
            id: identifier::slack('C', &channel.name),
            name: Some(channel.name.clone()),
            created,
            is_archived: Some(false),
            is_general: Some(channel.name == "general"),
            members: members(channel),
            topic: described(&channel.topic),
            purpose: described(&channel.purpose),
            creator: Some(creator),
        }
    }

    pub(super) fn direct(channel: &Channel, timeline: &Timeline) -> Self {
        Self {
            id: identifier::slack('D', &channel.name),
            name: None,
            created: created(timeline),
            creator: None,
            is_archived: None,
            is_general: None,
            members: members(channel),
            topic: None,
            purpose: None,
        }
    }
}

fn members(channel: &Channel) -> Vec<String> {
    channel.members.iter().map(|key| identifier::slack('U', key)).collect()
}

/// All channels are as old as the story.
fn created(timeline: &Timeline) -> i64 {
    timeline.date(*check::PAST.start()).and_time(chrono::NaiveTime::MIN).and_utc().timestamp()
}

/// A message.
#[derive(Debug, Default, Serialize)]
pub(super) struct Message {
    #[serde(skip_serializing_if = "Option::is_none")]
    client_msg_id: Option<String>,
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subtype: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bot_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    text: String,
    ts: String,
    team: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    edited: Option<Mark>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<File>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reactions: Vec<Reaction>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thread_ts: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_user_id: Option<String>,
    #[serde(flatten)]
    thread: Option<Thread>,
}

/// Who did something when.
#[derive(Debug, Serialize)]
struct Mark {
    user: String,
    ts: String,
}

#[derive(Debug, Serialize)]
struct Reaction {
    name: String,
    users: Vec<String>,
    count: usize,
}

#[derive(Debug, Serialize)]
struct File {
    id: String,
    created: i64,
    timestamp: i64,
    name: String,
    title: String,
    mimetype: String,
    filetype: String,
    user: String,
    size: u32,
    mode: &'static str,
    url_private: String,
}

/// What a message with replies says of them.
#[derive(Debug, Serialize)]
struct Thread {
    reply_count: usize,
    reply_users_count: usize,
    latest_reply: String,
    reply_users: Vec<String>,
    replies: Vec<Mark>,
}

impl Message {
    pub(super) fn of(
        placed: &Placed<'_>,
        all: &[Placed<'_>],
        sample: &Sample,
        timeline: &Timeline,
        voice: &SlackVoice<'_>,
    ) -> Self {
        let post = placed.post;
        let thread = thread(post, all);
        let stamp_of = |wanted: &Post| all.iter().find(|it| std::ptr::eq(it.post, wanted)).map(Placed::stamp);
        let message = Self {
            r#type: "message",
            text: post.text.render(timeline, voice),
            ts: placed.stamp(),
            team: identifier::slack('T', TEAM),
            edited: post.edited.map(|at| Mark { user: user(post), ts: format!("{}.000000", timeline.instant(at).timestamp()) }),
            files: post.file.iter().map(|file| shared(file, placed)).collect(),
            reactions: post.reactions.iter().map(|(name, users)| reaction(name, users)).collect(),
            thread_ts: placed.parent.map_or_else(|| thread.is_some().then(|| placed.stamp()), stamp_of),
            // A program's message has no user who could be named here.
            parent_user_id: placed.parent.filter(|parent| parent.kind != PostKind::Bot).map(user),
            thread,
            ..Self::default()
        };
        message.with_kind(placed, sample)
    }

    /// Adds what depends on the kind of the post.
    fn with_kind(mut self, placed: &Placed<'_>, sample: &Sample) -> Self {
        let post = placed.post;
        self.user = Some(user(post));
        match post.kind {
            PostKind::Message => self.client_msg_id = Some(identifier::grouped("slack", &placed.key)),
            PostKind::Broadcast => self.subtype = Some("thread_broadcast"),
            PostKind::Join => {
                self.subtype = Some("channel_join");
                self.text = format!("<@{}> has joined the channel", user(post));
            }
            PostKind::Topic => {
                self.subtype = Some("channel_topic");
                self.topic = Some(std::mem::take(&mut self.text));
                self.text = format!("<@{}> set the channel topic: {}", user(post), self.topic.as_deref().unwrap_or_default());
            }
            PostKind::Bot => {
                self.subtype = Some("bot_message");
                self.user = None;
                self.bot_id = Some(identifier::slack('B', &post.by));
                self.username = Some(sample.name(&post.by).to_owned());
            }
        }
        self
    }
}

fn user(post: &Post) -> String {
    identifier::slack('U', &post.by)
}

fn reaction(name: &str, users: &[String]) -> Reaction {
    let users: Vec<_> = users.iter().map(|key| identifier::slack('U', key)).collect();
    Reaction { name: name.to_owned(), count: users.len(), users }
}

fn shared(file: &SharedFile, placed: &Placed<'_>) -> File {
    let id = identifier::slack('F', &placed.key);
    File {
        created: placed.seconds,
        timestamp: placed.seconds,
        name: file.name.clone(),
        title: file.name.clone(),
        mimetype: file.media_type.clone(),
        filetype: file.name.rsplit_once('.').map_or("text", |(_, extension)| extension).to_owned(),
        user: user(placed.post),
        size: file.size,
        mode: "hosted",
        url_private: format!("https://files.lumenfold.example/{id}/{}", file.name),
        id,
    }
}

fn thread(post: &Post, all: &[Placed<'_>]) -> Option<Thread> {
    let replies: Vec<Mark> = all
        .iter()
        .filter(|it| it.parent.is_some_and(|parent| std::ptr::eq(parent, post)))
        .map(|it| Mark { user: user(it.post), ts: it.stamp() })
        .collect();
    let latest_reply = replies.last()?.ts.clone();
    let mut reply_users: Vec<String> = Vec::new();
    for reply in &replies {
        if !reply_users.contains(&reply.user) {
            reply_users.push(reply.user.clone());
        }
    }
    Some(Thread { reply_count: replies.len(), reply_users_count: reply_users.len(), latest_reply, reply_users, replies })
}
