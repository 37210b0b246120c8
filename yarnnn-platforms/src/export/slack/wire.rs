//! Slack's JSON as it stands in export files of ten years, read leniently: what has an unexpected type counts as absent.
//!
//! It deliberately keeps every array element apart, so that a broken one never takes its neighbours with it.

use std::ops::ControlFlow;

use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use serde_json::value::RawValue;

/// A message, as far as it matters here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Message {
    #[serde(deserialize_with = "lenient")]
    pub(super) ts: Option<Stamp>,
    #[serde(deserialize_with = "lenient")]
    pub(super) thread_ts: Option<Stamp>,
    #[serde(deserialize_with = "lenient")]
    pub(super) subtype: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) text: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) user: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) bot_id: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) username: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) user_profile: Profile,
    #[serde(deserialize_with = "lenient")]
    pub(super) bot_profile: Profile,
    #[serde(deserialize_with = "lenient")]
    pub(super) comment: Comment,
    #[serde(deserialize_with = "lenient")]
    pub(super) blocks: Vec<Value>,
    #[serde(deserialize_with = "lenient_list")]
    pub(super) attachments: Vec<Attachment>,
    #[serde(deserialize_with = "lenient_list")]
    pub(super) files: Vec<File>,
    /// The single file of exports up to 2018.
    #[serde(deserialize_with = "lenient")]
    pub(super) file: Option<File>,
    #[serde(deserialize_with = "lenient_list")]
    pub(super) reactions: Vec<Reaction>,
    #[serde(deserialize_with = "lenient")]
    pub(super) reply_count: u64,
    #[serde(deserialize_with = "lenient")]
    pub(super) edited: Option<Edited>,
}

/// Slack's time and identity of a message: seconds with six decimals, usually as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp(pub(super) String);

/// The names of a person or bot.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Profile {
    #[serde(deserialize_with = "lenient")]
    pub(super) display_name: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) real_name: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) name: String,
}

/// A comment on a file, in exports up to 2018.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Comment {
    #[serde(deserialize_with = "lenient")]
    pub(super) user: String,
}

/// An unfurled link or a message of an app.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Attachment {
    #[serde(deserialize_with = "lenient")]
    pub(super) fallback: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) pretext: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) title: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) text: String,
}

/// A shared file.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct File {
    #[serde(deserialize_with = "lenient")]
    pub(super) name: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) title: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) mimetype: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) size: Option<u64>,
}

/// One emoji and who chose it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Reaction {
    #[serde(deserialize_with = "lenient")]
    pub(super) name: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) count: Option<u64>,
    #[serde(deserialize_with = "lenient")]
    pub(super) users: Vec<Value>,
}

/// By whom and when a message was changed.
#[derive(Debug, Deserialize)]
pub(super) struct Edited {
    #[serde(default, deserialize_with = "lenient")]
    pub(super) user: String,
    pub(super) ts: Stamp,
}

/// An entry of `users.json`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct User {
    pub(super) id: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) team_id: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) name: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) real_name: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) profile: Profile,
}

/// An entry of `channels.json`, `groups.json`, `dms.json` or `mpims.json`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Conversation {
    pub(super) id: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) name: String,
    #[serde(deserialize_with = "lenient_list")]
    pub(super) members: Vec<String>,
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

/// Reads one element on its own.
pub(super) fn parse<T: DeserializeOwned>(element: &RawValue) -> Result<T, serde_json::Error> {
    // By way of a value, in which a key that stands twice counts once.
    serde_json::from_value(serde_json::from_str::<Value>(element.get())?)
}

/// Shows each element of a JSON array to `visit` until that breaks off. Nothing but the element at hand is kept.
pub(super) fn each_element<'text>(
    text: &'text str,
    visit: impl FnMut(usize, &'text RawValue) -> ControlFlow<()>,
) -> Result<(), serde_json::Error> {
    let mut stopped = false;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let walked = Walk { visit, stopped: &mut stopped }.deserialize(&mut deserializer).and_then(|()| deserializer.end());
    // Having stopped early is no error, although the parser sees elements that nobody took.
    if stopped { Ok(()) } else { walked }
}

struct Walk<'flag, Visit> {
    visit: Visit,
    stopped: &'flag mut bool,
}

impl<'text, Visit: FnMut(usize, &'text RawValue) -> ControlFlow<()>> DeserializeSeed<'text> for Walk<'_, Visit> {
    type Value = ();
    fn deserialize<D: Deserializer<'text>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'text, Visit: FnMut(usize, &'text RawValue) -> ControlFlow<()>> Visitor<'text> for Walk<'_, Visit> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a JSON array")
    }

    fn visit_seq<A: SeqAccess<'text>>(mut self, mut elements: A) -> Result<(), A::Error> {
        let mut index = 0_usize;
        while let Some(element) = elements.next_element()? {
            if (self.visit)(index, element).is_break() {
                *self.stopped = true;
                return Ok(());
            }
            index = index.saturating_add(1);
        }
        Ok(())
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

    fn elements(text: &str) -> (Vec<&str>, bool) {
        let mut seen = Vec::new();
        let outcome = each_element(text, |_, element| {
            seen.push(element.get());
            ControlFlow::Continue(())
        });
        (seen, outcome.is_ok())
    }

    #[test]
    fn elements_before_a_break_are_seen() {
        assert_eq!(elements(r#"[1, {"a": 2}]"#), (vec!["1", r#"{"a": 2}"#], true));
        assert_eq!(elements("[1, 2"), (vec!["1", "2"], false));
        assert_eq!(elements("[1] x"), (vec!["1"], false));
        assert_eq!(elements(r#"{"a": 1}"#), (vec![], false));
        assert_eq!(elements(""), (vec![], false));
    }

    #[test]
    fn stopping_early_is_no_error() {
        let outcome =
            each_element("[1, 2, 3", |index, _| if index == 1 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) });
        assert!(outcome.is_ok());
    }

    #[test]
    fn what_has_an_unexpected_type_is_absent() {
        let raw = r#"{"ts": 12.5, "text": null, "user": 7, "reactions": [{"name": "tada", "count": 2}, "x"], "files": {}, "edited": {}, "text": "b"}"#;
        let message: Message = serde_json::from_str::<Box<RawValue>>(raw).map(|raw| parse(&raw)).unwrap().unwrap();
        assert_eq!(message.ts, Some(Stamp("12.5".into())));
        assert_eq!((message.text.as_str(), message.user.as_str(), message.files.len()), ("b", "", 0));
        assert_eq!((message.reactions.len(), message.edited.is_none()), (1, true));
    }
}
