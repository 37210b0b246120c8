//! What the workspace holds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use yarnnn_core::clock::Clock;

use super::message::Message;
use super::stamp::Stamp;
use crate::sample::identifier;

/// The workspace itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    /// `T…`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The user behind the app's bot.
    pub bot_user_id: String,
    /// Who installed the app.
    pub installer_id: String,
}

#[derive(Debug, Clone)]
pub(super) struct User {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) real_name: String,
    pub(super) display_name: String,
    pub(super) title: String,
    pub(super) email: Option<String>,
    pub(super) zone: Option<String>,
    pub(super) zone_offset: i32,
    pub(super) is_bot: bool,
    pub(super) is_deleted: bool,
}

impl User {
    pub(super) fn new(id: String, name: &str, real_name: &str) -> Self {
        Self {
            id,
            name: name.to_owned(),
            real_name: real_name.to_owned(),
            display_name: real_name.to_owned(),
            title: String::new(),
            email: Some(format!("{name}@sim.example")),
            zone: Some("Etc/UTC".to_owned()),
            zone_offset: 0,
            is_bot: false,
            is_deleted: false,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Public,
    Private,
    Direct,
    Group,
}

impl Kind {
    /// Its name in the parameter `types`.
    pub(super) fn type_name(self) -> &'static str {
        match self {
            Self::Public => "public_channel",
            Self::Private => "private_channel",
            Self::Direct => "im",
            Self::Group => "mpim",
        }
    }

    /// How the names of the scopes that concern it begin.
    pub(super) fn scope(self) -> &'static str {
        match self {
            Self::Public => "channels",
            Self::Private => "groups",
            Self::Direct => "im",
            Self::Group => "mpim",
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Channel {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) created: i64,
    pub(super) creator: String,
    pub(super) topic: String,
    pub(super) purpose: String,
    pub(super) is_archived: bool,
    pub(super) members: BTreeSet<String>,
    /// Messages and replies.
    pub(super) messages: BTreeMap<Stamp, Message>,
    /// The replies of each parent that has any.
    pub(super) threads: BTreeMap<Stamp, BTreeSet<Stamp>>,
}

impl Channel {
    /// The replies of a thread, oldest first.
    pub(super) fn replies(&self, parent: Stamp) -> impl Iterator<Item = &Message> {
        self.threads.get(&parent).into_iter().flatten().filter_map(|it| self.messages.get(it))
    }

    /// Messages and replies up to an instant, newest first.
    pub(super) fn walk_back(&self, latest: Option<Stamp>) -> impl Iterator<Item = &Message> {
        self.messages.range(..=latest.unwrap_or(Stamp(i64::MAX))).rev().map(|(_, it)| it)
    }

    pub(super) fn add(&mut self, message: Message) {
        if let Some(parent) = message.thread {
            self.threads.entry(parent).or_default().insert(message.stamp);
        }
        self.messages.insert(message.stamp, message);
    }

    pub(super) fn remove(&mut self, stamp: Stamp) -> Option<Message> {
        let message = self.messages.remove(&stamp)?;
        if let Some(parent) = message.thread
            && let Some(replies) = self.threads.get_mut(&parent)
        {
            replies.remove(&stamp);
        }
        Some(message)
    }

    /// The first free timestamp at or after an instant.
    pub(super) fn free(&self, at: DateTime<Utc>) -> Stamp {
        let mut stamp = Stamp::of(at);
        while self.messages.contains_key(&stamp) {
            stamp = stamp.next();
        }
        stamp
    }
}

#[derive(Debug)]
pub(super) struct World {
    pub(super) team: Team,
    pub(super) users: BTreeMap<String, User>,
    pub(super) channels: BTreeMap<String, Channel>,
}

impl World {
    /// # Panics
    /// When there is no such channel: the test that names it is wrong.
    pub(super) fn channel(&mut self, id: &str) -> &mut Channel {
        self.channels.get_mut(id).unwrap_or_else(|| panic!("the simulated workspace has no channel {id}"))
    }

    pub(super) fn bot(&self) -> &str {
        &self.team.bot_user_id
    }

    /// Whether the bot may know of the channel at all.
    pub(super) fn is_visible(&self, channel: &Channel) -> bool {
        channel.kind == Kind::Public || channel.members.contains(self.bot())
    }
}

/// A workspace in which one app is installed.
///
/// # Panics
/// Its verbs panic when they name a channel, message or person that is not there: such a test is wrong.
#[derive(Debug)]
pub struct Slack {
    pub(super) clock: Arc<dyn Clock>,
    world: Mutex<World>,
}

impl Slack {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        let bot = User { is_bot: true, email: None, ..User::new(identifier::slack('U', "app"), "yarnnn", "YARNNN") };
        let installer = User::new(identifier::slack('U', "installer"), "installer", "Installer");
        let team = Team {
            id: identifier::slack('T', "simulated"),
            name: "Simulated".to_owned(),
            bot_user_id: bot.id.clone(),
            installer_id: installer.id.clone(),
        };
        let users = [bot, installer].into_iter().map(|it| (it.id.clone(), it)).collect();
        Self { clock, world: Mutex::new(World { team, users, channels: BTreeMap::new() }) }
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which workspace it is.
    pub fn team(&self) -> Team {
        self.world().team.clone()
    }
}
