//! Samples of the real service with every optional field: each is read, and each message is an item or left out by type.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::slack::map::{Record, record};
use crate::slack::markup::Names;
use crate::slack::wire::{AuthTest, ConversationAnswer, Conversations, Message, MessagesAnswer, UserAnswer};

struct Nobody;

impl Names for Nobody {
    fn person(&self, _: &str) -> Option<&str> {
        None
    }

    fn conversation(&self, _: &str) -> Option<&str> {
        None
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/slack")
}

fn sample(name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder().join(name)).unwrap()).unwrap()
}

fn read<T: serde::de::DeserializeOwned>(name: &str) -> T {
    serde_json::from_value(sample(name)).unwrap()
}

/// What becomes of a message whose anonymised time and text are filled in.
fn outcome(mut message: Value) -> String {
    message["ts"] = json!("1772300000.000100");
    message["text"] = json!("text");
    let message: Message = serde_json::from_value(message).unwrap();
    match record(&message, &Nobody) {
        Record::Kept(item) => item.content_type.as_str().to_owned(),
        Record::Filtered(reason) => format!("left out: {reason}"),
        Record::Gone(_, reason) => format!("gone: {reason}"),
        Record::Broken(reason) => panic!("{reason}"),
    }
}

#[test]
fn answers_with_every_field_are_read() {
    let history: MessagesAnswer = read("conversations.history.json");
    let replies: MessagesAnswer = read("conversations.replies.json");
    for message in history.messages.into_iter().chain(replies.messages) {
        assert!(["message", "thread_reply"].contains(&outcome(message).as_str()));
    }
    let list: Conversations = read("conversations.list.json");
    assert_eq!((list.channels.len(), list.response_metadata.next()), (1, None));
    let account: AuthTest = read("auth.test.json");
    assert_eq!(account.team_id, "T00000000");
    assert_eq!(read::<ConversationAnswer>("conversations.info.json").channel.id, "C00000000");
    assert_eq!(read::<UserAnswer>("users.info.json").user.id, "U00000000");
}

#[test]
fn messages_of_every_type_are_kept_or_left_out_by_type() {
    let files = std::fs::read_dir(folder().join("events")).unwrap();
    let mut names: Vec<String> = files.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let outcomes: Vec<String> = names
        .iter()
        .map(|name| {
            let event = sample(&format!("events/{name}"))["event"].take();
            // These two stand around the message that they tell of.
            let message = event.get("message").or_else(|| event.get("previous_message")).unwrap_or(&event).clone();
            let kind = name.trim_start_matches("Message").trim_end_matches("Payload.json");
            format!("{} {}", if kind.is_empty() { "Plain" } else { kind }, outcome(message))
        })
        .collect();
    assert_eq!(
        outcomes,
        [
            "Bot left out: bot_message",
            "Changed message",
            "ChannelArchive left out: channel_archive",
            "ChannelJoin left out: channel_join",
            "ChannelLeave left out: channel_leave",
            "ChannelName left out: channel_name",
            "ChannelPostingPermissions left out: channel_posting_permissions",
            "ChannelPurpose left out: channel_purpose",
            "ChannelTopic left out: channel_topic",
            "ChannelUnarchive left out: channel_unarchive",
            "Deleted message",
            "EkmAccessDenied left out: ekm_access_denied",
            "FileShare message",
            "GroupTopic left out: group_topic",
            "Me message",
            "Plain message",
            "Replied message",
            "ThreadBroadcast message"
        ]
    );
}
