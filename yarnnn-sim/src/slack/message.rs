//! A message as the workspace keeps it. What follows from other messages (counts of replies) is not kept.

use serde_json::{Map, Value};

use super::stamp::Stamp;

pub(super) const BROADCAST: &str = "thread_broadcast";
pub(super) const TOMBSTONE: &str = "tombstone";

#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) stamp: Stamp,
    pub(super) text: String,
    pub(super) user: Option<String>,
    pub(super) subtype: Option<String>,
    /// The thread's parent, for a reply.
    pub(super) thread: Option<Stamp>,
    pub(super) edited: Option<Edited>,
    pub(super) reactions: Vec<Reaction>,
    /// Only shown to those who ask for it.
    pub(super) metadata: Option<Value>,
    /// Other fields, as they are written (`bot_id`, `files`, …).
    pub(super) more: Map<String, Value>,
}

#[derive(Debug, Clone)]
pub(super) struct Edited {
    pub(super) user: String,
    pub(super) stamp: Stamp,
}

#[derive(Debug, Clone)]
pub(super) struct Reaction {
    pub(super) name: String,
    pub(super) users: Vec<String>,
}

impl Message {
    pub(super) fn new(stamp: Stamp, user: &str, text: &str) -> Self {
        Self {
            stamp,
            text: text.to_owned(),
            user: Some(user.to_owned()),
            subtype: None,
            thread: None,
            edited: None,
            reactions: Vec::new(),
            metadata: None,
            more: Map::new(),
        }
    }

    /// Reads a record of an export.
    pub(super) fn of_export(record: &Value) -> Option<Self> {
        const KEPT: [&str; 6] = ["client_msg_id", "bot_id", "username", "topic", "files", "blocks"];
        let text = |name: &str| record.get(name).and_then(Value::as_str).map(str::to_owned);
        let stamp: Stamp = text("ts")?.parse().ok()?;
        let edited = record.get("edited").and_then(|it| {
            let user = it.get("user")?.as_str()?.to_owned();
            Some(Edited { user, stamp: it.get("ts")?.as_str()?.parse().ok()? })
        });
        let more = KEPT.iter().filter_map(|&key| Some((key.to_owned(), record.get(key)?.clone())));
        Some(Self {
            stamp,
            text: text("text").unwrap_or_default(),
            user: text("user"),
            subtype: text("subtype"),
            thread: text("thread_ts").and_then(|it| it.parse().ok()).filter(|it| *it != stamp),
            edited,
            reactions: record.get("reactions").and_then(Value::as_array).into_iter().flatten().filter_map(reaction).collect(),
            metadata: None,
            more: more.collect(),
        })
    }

    /// Whether it stands in the channel itself.
    pub(super) fn in_channel(&self) -> bool {
        self.thread.is_none() || self.subtype.as_deref() == Some(BROADCAST)
    }

    pub(super) fn is_tombstone(&self) -> bool {
        self.subtype.as_deref() == Some(TOMBSTONE)
    }

    /// Leaves only the place where a deleted parent was.
    pub(super) fn bury(&mut self) {
        *self = Self::new(self.stamp, "USLACKBOT", "This message was deleted.");
        self.subtype = Some(TOMBSTONE.to_owned());
        self.more.insert("hidden".to_owned(), Value::Bool(true));
    }

    pub(super) fn posted(&self) -> Posted {
        Posted {
            ts: self.stamp.to_string(),
            thread_ts: self.thread.map(|it| it.to_string()),
            text: self.text.clone(),
            blocks: self.more.get("blocks").cloned(),
            metadata: self.metadata.clone(),
        }
    }

    pub(super) fn held(&self) -> Held {
        Held {
            ts: self.stamp.to_string(),
            thread_ts: self.thread.map(|it| it.to_string()),
            text: self.text.clone(),
            user: self.user.clone(),
            subtype: self.subtype.clone(),
            is_edited: self.edited.is_some(),
        }
    }
}

fn reaction(record: &Value) -> Option<Reaction> {
    let users = record.get("users")?.as_array()?.iter().filter_map(|it| it.as_str().map(str::to_owned)).collect();
    Some(Reaction { name: record.get("name")?.as_str()?.to_owned(), users })
}

/// A message that the app posted.
#[derive(Debug, Clone, PartialEq)]
pub struct Posted {
    /// Its timestamp.
    pub ts: String,
    /// The thread in which it stands.
    pub thread_ts: Option<String>,
    /// Its text.
    pub text: String,
    /// Its blocks, if it has any.
    pub blocks: Option<Value>,
    /// Its metadata, if it has any.
    pub metadata: Option<Value>,
}

/// A message or reply that a client which misses nothing holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its timestamp, which identifies it in its channel.
    pub ts: String,
    /// The thread's parent, for a reply.
    pub thread_ts: Option<String>,
    /// The text as it is now.
    pub text: String,
    /// Who wrote it.
    pub user: Option<String>,
    /// Slack's word for what is not said by a person (`channel_join`), and `thread_broadcast`.
    pub subtype: Option<String>,
    /// Whether it was edited.
    pub is_edited: bool,
}
