//! From one message, of an answer or of a day file, to what it is: an item, something left out on purpose, or a broken record.

use serde_json::{Map, Value, json};
use yarnnn_core::hash::Sha256;
use yarnnn_core::platform::{Author, ContentType, Item, Reason};

use super::markup::{Names, readable};
use super::rich_text;
use super::stamp::Ts;
use super::wire::{File, Message, Reaction, Stamp};

/// What a record turned out to be.
#[derive(Debug)]
pub(crate) enum Record {
    Kept(Box<Item>),
    Filtered(Reason),
    /// A message that was deleted and left its place: the id and the provider's word.
    Gone(String, Reason),
    /// Why it cannot be read.
    Broken(String),
}

/// Messages by which Slack reports on a channel and which nobody wrote, or whose text it may not show.
const SYSTEM_SUBTYPES: [&str; 30] = [
    "bot_add",
    "bot_disable",
    "bot_enable",
    "bot_message",
    "bot_remove",
    "channel_archive",
    "channel_convert_to_private",
    "channel_convert_to_public",
    "channel_join",
    "channel_leave",
    "channel_name",
    "channel_posting_permissions",
    "channel_purpose",
    "channel_rename",
    "channel_topic",
    "channel_unarchive",
    "ekm_access_denied",
    "group_archive",
    "group_join",
    "group_leave",
    "group_name",
    "group_posting_permissions",
    "group_purpose",
    "group_rename",
    "group_topic",
    "group_unarchive",
    "joiner_notification",
    "joiner_notification_for_inviter",
    "pinned_item",
    "unpinned_item",
];

const EMPTY: Reason = Reason::fixed("empty");

/// Decides what a message is.
pub(crate) fn record(message: &Message, names: &dyn Names) -> Record {
    let Some(Stamp(ts)) = message.ts.clone() else {
        return Record::Broken("it has no ts, by which Slack tells messages apart".into());
    };
    match message.subtype.as_str() {
        "tombstone" => Record::Gone(ts, Reason::fixed("tombstone")),
        subtype if SYSTEM_SUBTYPES.contains(&subtype) => Record::Filtered(Reason::provider(subtype)),
        _ => match text(message, names) {
            Some(text) => Record::Kept(Box::new(item(ts, message, text, names))),
            None => Record::Filtered(EMPTY),
        },
    }
}

/// The provider's raw text, from which the revision is made, and what a person reads.
struct Text {
    revision: Sha256,
    content: String,
}

/// The first of these that says something: the text, the blocks, the attachments, the files' names.
fn text(message: &Message, names: &dyn Names) -> Option<Text> {
    let marked = |raw: &str| Text { revision: Sha256::of(raw), content: readable(raw, names).trim().to_owned() };
    if !message.text.trim().is_empty() {
        return Some(marked(&message.text));
    }
    let derived = [rich_text::blocks(&message.blocks), rich_text::attachments(&message.attachments)];
    if let Some(raw) = derived.iter().find(|raw| !raw.is_empty()) {
        return Some(marked(raw));
    }
    let files: Vec<&str> = files(message).filter_map(file_name).collect();
    let content = files.join("\n");
    (!content.is_empty()).then(|| Text { revision: Sha256::of(&content), content })
}

fn item(ts: String, message: &Message, text: Text, names: &dyn Names) -> Item {
    let is_reply = message.thread_ts.as_ref().is_some_and(|thread| thread.0 != ts);
    Item {
        content_type: if is_reply { ContentType::ThreadReply } else { ContentType::Message },
        content_hash: text.revision,
        content: text.content,
        title: None,
        author: author(message, names),
        is_user_authored: false,
        source_timestamp: ts.parse::<Ts>().ok().and_then(Ts::instant),
        metadata: metadata(&ts, message),
        item_id: ts,
        records: 1,
    }
}

fn author(message: &Message, names: &dyn Names) -> Option<Author> {
    let ids = [&message.user, &message.comment.user, &message.bot_id];
    let id = ids.into_iter().find(|id| !id.is_empty()).cloned();
    let listed = id.as_deref().and_then(|id| names.person(id)).map(str::to_owned);
    let username = Some(readable(&message.username, names)).filter(|name| !name.trim().is_empty());
    let name = listed
        .or_else(|| message.user_profile.shown())
        .or_else(|| message.bot_profile.shown())
        .or_else(|| username.map(|name| name.trim().trim_start_matches('@').to_owned()))
        .or_else(|| id.clone())?;
    Some(Author { name, id })
}

fn metadata(ts: &str, message: &Message) -> Value {
    let files: Vec<Value> = files(message).map(file_metadata).collect();
    let reactions: Vec<Value> = message.reactions.iter().filter(|it| !it.name.is_empty()).map(reaction_metadata).collect();
    let mut metadata = Map::new();
    let mut put = |key: &str, value: Value| metadata.insert(key.to_owned(), value);
    put("ts", json!(ts));
    if !message.user.is_empty() {
        put("user", json!(message.user));
    }
    if let Some(Stamp(thread)) = &message.thread_ts {
        put("thread_ts", json!(thread));
    }
    if !reactions.is_empty() {
        put("reactions", Value::Array(reactions));
    }
    if message.reply_count > 0 {
        put("reply_count", json!(message.reply_count));
    }
    if !files.is_empty() {
        put("files", Value::Array(files));
    }
    if let Some(edited) = &message.edited {
        put("edited", json!({"user": edited.user, "ts": edited.ts.0}));
    }
    Value::Object(metadata)
}

fn reaction_metadata(reaction: &Reaction) -> Value {
    let count = reaction.count.unwrap_or_else(|| u64::try_from(reaction.users.len()).unwrap_or(u64::MAX));
    json!({"name": reaction.name, "count": count})
}

fn file_metadata(file: &File) -> Value {
    let mut metadata = Map::new();
    let texts = [("name", file_name(file).unwrap_or_default()), ("mimetype", &file.mimetype)];
    for (key, text) in texts.into_iter().filter(|(_, text)| !text.is_empty()) {
        metadata.insert(key.to_owned(), json!(text));
    }
    if let Some(size) = file.size {
        metadata.insert("size".to_owned(), json!(size));
    }
    Value::Object(metadata)
}

fn files(message: &Message) -> impl Iterator<Item = &File> {
    let old = message.file.as_ref().filter(|_| message.files.is_empty());
    message.files.iter().chain(old)
}

fn file_name(file: &File) -> Option<&str> {
    [&file.name, &file.title].into_iter().map(|name| name.trim()).find(|name| !name.is_empty())
}
