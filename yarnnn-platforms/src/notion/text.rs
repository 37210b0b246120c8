//! Blocks and rich text as plain text (dossier §4.10).

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Text in two forms: as a reader sees it, and as it is written. A renamed person or page changes only the first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Words {
    pub(super) shown: String,
    pub(super) raw: String,
}

impl Words {
    pub(super) fn plain(text: impl Into<String>) -> Self {
        let shown = text.into();
        Self { raw: shown.clone(), shown }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.shown.trim().is_empty()
    }

    pub(super) fn push(&mut self, text: &str) {
        self.shown.push_str(text);
        self.raw.push_str(text);
    }

    pub(super) fn append(&mut self, other: &Self) {
        self.shown.push_str(&other.shown);
        self.raw.push_str(&other.raw);
    }

    /// On a line of its own; nothing for nothing.
    pub(super) fn line(&mut self, other: &Self) {
        if other.is_empty() {
            return;
        }
        if !self.raw.is_empty() {
            self.push("\n");
        }
        self.append(other);
    }

    pub(super) fn join<'a>(parts: impl IntoIterator<Item = &'a Self>, between: &str) -> Self {
        let mut joined = Self::default();
        for (index, part) in parts.into_iter().enumerate() {
            if index > 0 {
                joined.push(between);
            }
            joined.append(part);
        }
        joined
    }
}

/// What a block says by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// Words.
    Words(Words),
    /// Nothing: it holds other blocks, or shows what is no text.
    Nothing,
    /// It is of a type that is not known here, perhaps with words.
    Unknown(Words),
}

/// The text of one block, without what lies in it.
pub(super) fn block(kind: &str, content: &Value) -> Said {
    let at = |key: &str| content.get(key).unwrap_or(&Value::Null);
    let own = || rich(at("rich_text"));
    let plain = |key: &str| Words::plain(at(key).as_str().unwrap_or_default());
    let captioned = |otherwise: Words| Some(rich(at("caption"))).filter(|it| !it.is_empty()).unwrap_or(otherwise);
    match kind {
        "paragraph" | "heading_1" | "heading_2" | "heading_3" | "heading_4" | "bulleted_list_item" | "numbered_list_item"
        | "toggle" | "quote" | "callout" | "template" => Said::Words(own()),
        "to_do" => {
            let mark = if at("checked").as_bool() == Some(true) { "[x] " } else { "[ ] " };
            Said::Words(Words::join([&Words::plain(mark), &own()], ""))
        }
        "code" => {
            let mut words = own();
            words.line(&rich(at("caption")));
            Said::Words(words)
        }
        "table_row" => Said::Words(cells(at("cells"))),
        "bookmark" | "embed" | "link_preview" => Said::Words(captioned(plain("url"))),
        "equation" => Said::Words(plain("expression")),
        "divider" => Said::Words(Words::plain("---")),
        "file" | "pdf" => Said::Words(captioned(plain("name"))),
        // Addresses of pictures expire: they would make a new revision of an old page.
        "image" | "video" | "audio" => Said::Words(captioned(Words::default())),
        "meeting_notes" | "transcription" => Said::Words(rich(at("title"))),
        "child_page" | "child_database" | "column_list" | "column" | "synced_block" | "table" | "tab" | "table_of_contents"
        | "breadcrumb" | "link_to_page" => Said::Nothing,
        _ => Said::Unknown(own()),
    }
}

fn cells(cells: &Value) -> Words {
    let cells: Vec<Words> = cells.as_array().into_iter().flatten().map(rich).collect();
    Words::join(&cells, " | ")
}

/// Rich text as plain text.
pub(super) fn rich(text: &Value) -> Words {
    let mut words = Words::default();
    for span in text.as_array().into_iter().flatten() {
        let said =
            span.get("plain_text").or_else(|| span.pointer("/text/content")).or_else(|| span.pointer("/equation/expression"));
        let shown = said.and_then(Value::as_str).unwrap_or_default();
        words.shown.push_str(shown);
        words.raw.push_str(&mentioned(span).unwrap_or_else(|| shown.to_owned()));
    }
    words
}

/// Whom or what a span mentions, by an id that no renaming changes.
fn mentioned(span: &Value) -> Option<String> {
    let mention = span.get("mention")?;
    let kind = mention.get("type")?.as_str()?;
    let id = mention.get(kind)?.get("id")?.as_str()?;
    Some(format!("@{kind}:{id}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_renamed_person_is_no_new_revision() {
        let written = |name: &str| {
            json!([{"plain_text": "Ask "}, {"plain_text": format!("@{name}"), "type": "mention",
                "mention": {"type": "user", "user": {"object": "user", "id": "u1"}}}])
        };
        let (before, after) = (rich(&written("Ana")), rich(&written("Ana Lima")));
        assert_eq!((before.shown.as_str(), after.shown.as_str()), ("Ask @Ana", "Ask @Ana Lima"));
        assert_eq!((before.raw.as_str(), before.raw == after.raw), ("Ask @user:u1", true));
    }

    #[test]
    fn wrong_types_are_nothing_to_read_and_no_panic() {
        for content in [json!(null), json!(7), json!({"rich_text": 7}), json!({"rich_text": [7, {"plain_text": 7}]})] {
            assert_eq!(block("paragraph", &content), Said::Words(Words::default()), "{content}");
            assert_eq!(block("table_row", &content), Said::Words(Words::default()), "{content}");
        }
    }
}
