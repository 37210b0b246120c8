//! Slack's JSON as it stands in answers and in export files of ten years, read leniently: what has an unexpected type counts as
//! absent.

use serde::de::Deserializer;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

/// A message, as far as it matters here.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct Message {
    #[serde(deserialize_with = "lenient")]
    pub(crate) ts: Option<Stamp>,
    #[serde(deserialize_with = "lenient")]
    pub(crate) thread_ts: Option<Stamp>,
    #[serde(deserialize_with = "lenient")]
    pub(crate) subtype: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) text: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) user: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) bot_id: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) username: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) user_profile: Profile,
    #[serde(deserialize_with = "lenient")]
    pub(crate) bot_profile: Profile,
    #[serde(deserialize_with = "lenient")]
    pub(crate) comment: Comment,
    #[serde(deserialize_with = "lenient")]
    pub(crate) blocks: Vec<Value>,
    #[serde(deserialize_with = "lenient_list")]
    pub(crate) attachments: Vec<Attachment>,
    #[serde(deserialize_with = "lenient_list")]
    pub(crate) files: Vec<File>,
    /// The single file of exports up to 2018.
    #[serde(deserialize_with = "lenient")]
    pub(crate) file: Option<File>,
    #[serde(deserialize_with = "lenient_list")]
    pub(crate) reactions: Vec<Reaction>,
    #[serde(deserialize_with = "lenient")]
    pub(crate) reply_count: u64,
    /// When the newest reply of the thread was written, on its first message.
    #[serde(deserialize_with = "lenient")]
    pub(crate) latest_reply: Option<Stamp>,
    #[serde(deserialize_with = "lenient")]
    pub(crate) edited: Option<Edited>,
}

/// Slack's time and identity of a message: seconds with six decimals, usually as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stamp(pub(crate) String);

/// The names of a person or bot.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct Profile {
    #[serde(deserialize_with = "lenient")]
    pub(crate) display_name: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) real_name: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) name: String,
}

/// A comment on a file, in exports up to 2018.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct Comment {
    #[serde(deserialize_with = "lenient")]
    pub(crate) user: String,
}

/// An unfurled link or a message of an app.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct Attachment {
    #[serde(deserialize_with = "lenient")]
    pub(crate) fallback: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) pretext: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) title: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) text: String,
}

/// A shared file.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct File {
    #[serde(deserialize_with = "lenient")]
    pub(crate) name: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) title: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) mimetype: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) size: Option<u64>,
}

/// One emoji and who chose it.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct Reaction {
    #[serde(deserialize_with = "lenient")]
    pub(crate) name: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) count: Option<u64>,
    #[serde(deserialize_with = "lenient")]
    pub(crate) users: Vec<Value>,
}

/// By whom and when a message was changed.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Edited {
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) user: String,
    pub(crate) ts: Stamp,
}

/// A person: an entry of `users.json`, or the answer of `users.info`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct User {
    pub(crate) id: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) team_id: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) name: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) real_name: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) profile: Profile,
}

/// An entry of `channels.json`, `groups.json`, `dms.json` or `mpims.json`, or of what `conversations.list` answers.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Conversation {
    pub(crate) id: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) name: String,
    #[serde(deserialize_with = "lenient_list")]
    pub(crate) members: Vec<String>,
    #[serde(deserialize_with = "lenient")]
    pub(crate) is_private: bool,
    #[serde(deserialize_with = "lenient")]
    pub(crate) is_member: bool,
    #[serde(deserialize_with = "lenient")]
    pub(crate) num_members: Option<u64>,
    #[serde(deserialize_with = "lenient")]
    pub(crate) topic: Note,
    #[serde(deserialize_with = "lenient")]
    pub(crate) purpose: Note,
}

/// A channel's topic or purpose.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Note {
    #[serde(deserialize_with = "lenient")]
    pub(crate) value: String,
}

/// The answer of `auth.test`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AuthTest {
    /// None where an app is installed for a whole organisation.
    #[serde(deserialize_with = "lenient")]
    pub(super) team_id: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) team: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) enterprise_id: String,
    /// The app's own user there, when the token is a bot's.
    #[serde(deserialize_with = "lenient")]
    pub(super) user_id: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) bot_id: String,
}

/// A message in a channel's history, as far as it says whose delivery it is.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Tagged {
    #[serde(deserialize_with = "lenient")]
    pub(super) ts: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) user: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) bot_id: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) metadata: Tag,
}

/// What an app writes into a message for programs.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Tag {
    #[serde(deserialize_with = "lenient")]
    pub(super) event_type: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) event_payload: TagPayload,
}

/// The payload of our own tag.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TagPayload {
    #[serde(deserialize_with = "lenient")]
    pub(super) key: String,
}

/// The request that is a message, as far as it is checked before it is sent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Posting {
    #[serde(deserialize_with = "lenient")]
    pub(super) channel: String,
    pub(super) token: Option<Value>,
    pub(super) thread_ts: Option<Value>,
    #[serde(deserialize_with = "lenient")]
    pub(super) metadata: Tag,
}

/// The answer of `conversations.history` and `conversations.replies`.
#[derive(Debug, Deserialize)]
pub(super) struct MessagesAnswer {
    pub(super) messages: Vec<Value>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) has_more: bool,
    /// Whether the plan hides older messages.
    #[serde(default, deserialize_with = "lenient")]
    pub(super) is_limited: bool,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) response_metadata: Metadata,
}

/// The answer of `conversations.list`.
#[derive(Debug, Deserialize)]
pub(super) struct Conversations {
    pub(super) channels: Vec<Value>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) response_metadata: Metadata,
}

/// The answer of `users.info`.
#[derive(Debug, Deserialize)]
pub(super) struct UserAnswer {
    pub(super) user: User,
}

/// The answer of `conversations.info`.
#[derive(Debug, Deserialize)]
pub(super) struct ConversationAnswer {
    pub(super) channel: Conversation,
}

/// Where a list goes on.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Metadata {
    #[serde(deserialize_with = "lenient")]
    next_cursor: String,
}

impl Metadata {
    /// Where the list goes on. An empty text is Slack's end.
    pub(super) fn next(&self) -> Option<&str> {
        Some(self.next_cursor.as_str()).filter(|it| !it.is_empty())
    }
}

impl Profile {
    /// The name to show.
    pub(crate) fn shown(&self) -> Option<String> {
        first_name([&self.display_name, &self.real_name, &self.name])
    }
}

impl User {
    /// The name to show.
    pub(crate) fn shown(&self) -> Option<String> {
        first_name([&self.profile.display_name, &self.profile.real_name, &self.real_name, &self.name])
    }
}

fn first_name<const COUNT: usize>(names: [&String; COUNT]) -> Option<String> {
    names.into_iter().map(|name| name.trim()).find(|name| !name.is_empty()).map(str::to_owned)
}

impl<'de> Deserialize<'de> for Stamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match Value::deserialize(deserializer)? {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        };
        if text.is_empty() { Err(serde::de::Error::custom("no time")) } else { Ok(Self(text)) }
    }
}

fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(deserializer)?).unwrap_or_default())
}

/// A list whose unexpected elements are left out one by one.
fn lenient_list<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let elements: Vec<Value> = lenient(deserializer)?;
    Ok(elements.into_iter().filter_map(|element| serde_json::from_value(element).ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_an_unexpected_type_is_absent() {
        let raw = r#"{"ts": 12.5, "text": null, "user": 7, "reactions": [{"name": "tada", "count": 2}, "x"], "files": {}, "edited": {}, "text": "b"}"#;
        let message: Message = serde_json::from_value(serde_json::from_str(raw).unwrap()).unwrap();
        assert_eq!(message.ts, Some(Stamp("12.5".into())));
        assert_eq!((message.text.as_str(), message.user.as_str(), message.files.len()), ("b", "", 0));
        assert_eq!((message.reactions.len(), message.edited.is_none()), (1, true));
    }
}
