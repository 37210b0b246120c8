//! A stored item as material: what a model is told of it besides its text.

use crate::llm::Material;
use crate::platform::ContentType;
use crate::sync::StoredItem;

/// The mark of what asks something that nobody has answered.
pub(crate) const UNANSWERED: &str = "unanswered";

/// An item as material under this reference, with its whole text.
pub fn material_of(reference: impl Into<String>, item: &StoredItem) -> Material {
    Material {
        reference: reference.into(),
        content: Some(item.id),
        platform: item.resource.platform().as_str().to_owned(),
        place: item.resource_name.clone(),
        author: item.author.as_ref().map(|it| it.name.clone()),
        time: item.source_timestamp,
        title: item.title.clone(),
        thread: thread_of(item),
        marks: marks_of(item),
        text: item.content.clone(),
    }
}

/// What an item belongs to: the parent message, the mail conversation, the database, the recurring event.
pub(crate) fn thread_of(item: &StoredItem) -> Option<String> {
    let text = |key: &str| item.metadata.get(key).and_then(|it| it.as_str()).map(str::to_owned);
    match item.content_type {
        ContentType::ThreadReply => text("thread_ts"),
        ContentType::Message => (count(item, "reply_count") > 0).then(|| item.item_id.clone()),
        ContentType::Email => text("thread_id"),
        ContentType::Page => text("parent_database"),
        ContentType::Event => Some(item.item_id.split('/').next().unwrap_or_default().to_owned()),
    }
}

/// Marks computed from metadata (dossier §6.6).
pub(crate) fn marks_of(item: &StoredItem) -> Vec<String> {
    let replies = count(item, "reply_count");
    let reactions: u64 =
        item.metadata.get("reactions").and_then(|it| it.as_array()).map_or(0, |it| {
            it.iter().map(|reaction| reaction.get("count").and_then(serde_json::Value::as_u64).unwrap_or(1)).sum()
        });
    let asks = item.content_type == ContentType::Message && item.content.trim_end().ends_with('?');
    let candidates = [
        (replies > 5, "hot"),
        (replies > 0, "threaded"),
        (reactions > 1, "reacted"),
        (asks && replies == 0, UNANSWERED),
        (item.metadata.get("edited").is_some(), "edited"),
    ];
    candidates.into_iter().filter(|(holds, _)| *holds).map(|(_, mark)| mark.to_owned()).collect()
}

fn count(item: &StoredItem, key: &str) -> u64 {
    item.metadata.get(key).and_then(serde_json::Value::as_u64).unwrap_or_default()
}
