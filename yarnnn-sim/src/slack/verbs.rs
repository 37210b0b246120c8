//! The verbs with which a test changes the workspace.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::message::{BROADCAST, Edited, Held, Message, Posted, Reaction};
use super::stamp::Stamp;
use super::world::{Channel, Kind, Slack, User};
use crate::sample::identifier;

/// People.
impl Slack {
    /// Adds a member and returns the id. The mail address is made from the name.
    pub fn add_user(&self, name: &str, real_name: &str) -> String {
        let id = identifier::slack('U', name);
        self.world().users.insert(id.clone(), User::new(id.clone(), name, real_name));
        id
    }

    /// Changes what a person is called.
    pub fn rename_user(&self, user: &str, real_name: &str) {
        self.change_user(user, |it| {
            real_name.clone_into(&mut it.real_name);
            real_name.clone_into(&mut it.display_name);
        });
    }

    /// Deactivates a member; what the person wrote stays.
    pub fn remove_user(&self, user: &str) {
        self.change_user(user, |it| it.is_deleted = true);
    }

    fn change_user(&self, user: &str, change: impl FnOnce(&mut User)) {
        let mut world = self.world();
        change(world.users.get_mut(user).unwrap_or_else(|| panic!("the simulated workspace has no user {user}")));
    }
}

/// Channels.
impl Slack {
    /// Adds a channel and returns its id. The bot is in it only when it is among the members or joins later.
    pub fn add_channel(&self, name: &str, is_private: bool, members: &[&str]) -> String {
        let id = identifier::slack('C', name);
        let kind = if is_private { Kind::Private } else { Kind::Public };
        self.insert_channel(id, name, kind, members)
    }

    /// Adds a direct conversation between two or more people and returns its id.
    pub fn add_direct(&self, members: &[&str]) -> String {
        let key = members.join("-");
        let kind = if members.len() > 2 { Kind::Group } else { Kind::Direct };
        let id = identifier::slack(if kind == Kind::Group { 'G' } else { 'D' }, &key);
        self.insert_channel(id, &format!("mpdm-{key}-1").to_lowercase(), kind, members)
    }

    pub(super) fn insert_channel(&self, id: String, name: &str, kind: Kind, members: &[&str]) -> String {
        let created = self.clock.now().timestamp();
        let mut world = self.world();
        let channel = Channel {
            id: id.clone(),
            name: name.to_owned(),
            kind,
            created,
            creator: members.first().map_or_else(|| world.team.installer_id.clone(), |&it| it.to_owned()),
            topic: String::new(),
            purpose: String::new(),
            is_archived: false,
            members: members.iter().map(|&it| it.to_owned()).collect(),
            messages: BTreeMap::new(),
            threads: BTreeMap::new(),
        };
        world.channels.insert(id.clone(), channel);
        id
    }

    /// The channels in which the bot is, by id, with their names.
    pub fn joined(&self) -> BTreeMap<String, String> {
        let world = self.world();
        let joined = world.channels.values().filter(|it| it.members.contains(world.bot()));
        joined.map(|it| (it.id.clone(), it.name.clone())).collect()
    }

    /// The bot is invited. No message says so; see [`system_message`](Self::system_message).
    pub fn bot_joins(&self, channel: &str) {
        let mut world = self.world();
        let bot = world.team.bot_user_id.clone();
        world.channel(channel).members.insert(bot);
    }

    /// The bot is removed.
    pub fn bot_leaves(&self, channel: &str) {
        let mut world = self.world();
        let bot = world.team.bot_user_id.clone();
        world.channel(channel).members.remove(&bot);
    }

    /// Gives a channel another name; the id stays.
    pub fn rename_channel(&self, channel: &str, name: &str) {
        name.clone_into(&mut self.world().channel(channel).name);
    }

    /// Archives a channel. It can still be read.
    pub fn archive(&self, channel: &str) {
        self.world().channel(channel).is_archived = true;
    }

    /// Makes an archived channel a living one again.
    pub fn unarchive(&self, channel: &str) {
        self.world().channel(channel).is_archived = false;
    }

    /// Deletes a channel with all that was said in it.
    pub fn remove_channel(&self, channel: &str) {
        self.world().channels.remove(channel);
    }
}

/// Messages. Each verb that writes returns the timestamp.
impl Slack {
    /// Somebody writes now.
    pub fn post(&self, channel: &str, user: &str, text: &str) -> String {
        self.post_at(channel, user, text, self.clock.now())
    }

    /// Somebody wrote at an instant.
    pub fn post_at(&self, channel: &str, user: &str, text: &str, at: DateTime<Utc>) -> String {
        self.insert(channel, at, |stamp| Message::new(stamp, user, text))
    }

    /// Somebody shared a file at an instant and wrote nothing.
    pub fn share_at(&self, channel: &str, user: &str, file: &str, at: DateTime<Utc>) -> String {
        self.insert(channel, at, |stamp| {
            let mut message = Message::new(stamp, user, "");
            let shared =
                json!({ "id": identifier::slack('F', file), "name": file, "title": file, "mimetype": "application/pdf" });
            message.more.insert("files".to_owned(), json!([shared]));
            message
        })
    }

    /// Somebody replies now in the thread of a message.
    pub fn reply(&self, channel: &str, thread_ts: &str, user: &str, text: &str) -> String {
        self.reply_at(channel, thread_ts, user, text, self.clock.now())
    }

    /// Somebody replied at an instant.
    pub fn reply_at(&self, channel: &str, thread_ts: &str, user: &str, text: &str, at: DateTime<Utc>) -> String {
        let thread = self.parent(channel, thread_ts);
        self.insert(channel, at, |stamp| Message { thread: Some(thread), ..Message::new(stamp, user, text) })
    }

    /// Somebody replies and sends the reply to the channel as well.
    pub fn broadcast_reply(&self, channel: &str, thread_ts: &str, user: &str, text: &str) -> String {
        let thread = self.parent(channel, thread_ts);
        self.insert(channel, self.clock.now(), |stamp| Message {
            thread: Some(thread),
            subtype: Some(BROADCAST.to_owned()),
            ..Message::new(stamp, user, text)
        })
    }

    /// Something that nobody said: `channel_join`, `channel_topic` and so on.
    pub fn system_message(&self, channel: &str, user: &str, subtype: &str, text: &str) -> String {
        self.insert(channel, self.clock.now(), |stamp| Message {
            subtype: Some(subtype.to_owned()),
            ..Message::new(stamp, user, text)
        })
    }

    /// An integration posts under a name of its own.
    pub fn bot_message(&self, channel: &str, name: &str, text: &str) -> String {
        self.insert(channel, self.clock.now(), |stamp| {
            let mut message = Message::new(stamp, "", text);
            message.user = None;
            message.subtype = Some("bot_message".to_owned());
            message.more.insert("bot_id".to_owned(), Value::from(identifier::slack('B', name)));
            message.more.insert("username".to_owned(), Value::from(name));
            message
        })
    }

    /// The author changes the text now.
    pub fn edit(&self, channel: &str, ts: &str, text: &str) {
        let now = Stamp::of(self.clock.now());
        self.change(channel, ts, |message| {
            text.clone_into(&mut message.text);
            message.edited = Some(Edited { user: message.user.clone().unwrap_or_default(), stamp: now });
        });
    }

    /// Deletes a message or reply. Of a parent with replies a tombstone stays until its last reply is deleted.
    pub fn delete(&self, channel: &str, ts: &str) {
        let stamp = stamp(ts);
        let mut world = self.world();
        let channel = world.channel(channel);
        if channel.replies(stamp).next().is_some() {
            find(channel, stamp).bury();
            return;
        }
        let Some(parent) = find(channel, stamp).thread else {
            channel.remove(stamp);
            return;
        };
        channel.remove(stamp);
        let bare = channel.replies(parent).next().is_none();
        if bare && channel.messages.get(&parent).is_some_and(Message::is_tombstone) {
            channel.remove(parent);
        }
    }

    /// Somebody reacts with an emoji.
    pub fn react(&self, channel: &str, ts: &str, user: &str, name: &str) {
        self.change(channel, ts, |message| match message.reactions.iter_mut().find(|it| it.name == name) {
            Some(reaction) if reaction.users.iter().any(|it| it == user) => {}
            Some(reaction) => reaction.users.push(user.to_owned()),
            None => message.reactions.push(Reaction { name: name.to_owned(), users: vec![user.to_owned()] }),
        });
    }

    /// What a client that misses nothing holds of a channel: every message and reply, oldest first, without tombstones.
    pub fn snapshot(&self, channel: &str) -> Vec<Held> {
        let mut world = self.world();
        world.channel(channel).messages.values().filter(|it| !it.is_tombstone()).map(Message::held).collect()
    }

    /// What the app posted in a channel, oldest first.
    pub fn posted(&self, channel: &str) -> Vec<Posted> {
        let mut world = self.world();
        let channel = world.channel(channel);
        channel.messages.values().filter(|it| it.more.contains_key("app_id")).map(Message::posted).collect()
    }

    pub(super) fn insert(&self, channel: &str, at: DateTime<Utc>, message: impl FnOnce(Stamp) -> Message) -> String {
        let mut world = self.world();
        let channel = world.channel(channel);
        let stamp = channel.free(at);
        channel.add(message(stamp));
        stamp.to_string()
    }

    fn change(&self, channel: &str, ts: &str, change: impl FnOnce(&mut Message)) {
        change(find(self.world().channel(channel), stamp(ts)));
    }

    /// The parent of the thread in which a message stands; the message itself when it begins one.
    fn parent(&self, channel: &str, ts: &str) -> Stamp {
        let mut world = self.world();
        let message = find(world.channel(channel), stamp(ts));
        message.thread.unwrap_or(message.stamp)
    }
}

fn stamp(ts: &str) -> Stamp {
    ts.parse().unwrap_or_else(|_| panic!("{ts:?} is not a Slack timestamp"))
}

fn find(channel: &mut Channel, stamp: Stamp) -> &mut Message {
    channel.messages.get_mut(&stamp).unwrap_or_else(|| panic!("there is no message {stamp}"))
}
