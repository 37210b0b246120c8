//! A report as messages in Slack: requests that are made once, stored, and posted byte for byte.

use serde_json::json;
use yarnnn_core::delivery::{Letter, OutboxFile, SendError};

use super::publish::{EVENT_TYPE, FILE};

/// Characters of one section, at most (the limit of Slack is 3,000), and sections of one message (50).
const SECTION_CHARS: usize = 2_900;
const SECTIONS: usize = 45;

/// The stored bodies of `chat.postMessage`: one, or several for a long report. Each carries its own key.
pub(super) fn compose(letter: &Letter) -> Result<Vec<Vec<OutboxFile>>, SendError> {
    let sections = sections(&letter.chat);
    let parts = sections.chunks(SECTIONS).enumerate().map(|(index, sections)| {
        let blocks =
            sections.iter().map(|it| json!({ "type": "section", "text": { "type": "mrkdwn", "text": it, "verbatim": true } }));
        let body = json!({
            "channel": letter.target,
            "text": plain(&letter.subject),
            "blocks": blocks.collect::<Vec<_>>(),
            "unfurl_links": false,
            "unfurl_media": false,
            "metadata": { "event_type": EVENT_TYPE, "event_payload": { "key": letter.part_key(index) } },
        });
        let content = serde_json::to_string_pretty(&body).map_err(|error| SendError::Refused(format!("{FILE}: {error}")))?;
        Ok(vec![OutboxFile { name: FILE.to_owned(), content }])
    });
    parts.collect()
}

/// What notifications show: Slack escapes three characters in it.
fn plain(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Cuts a text into sections at the ends of lines, and lines that are too long between words.
fn sections(text: &str) -> Vec<String> {
    let mut sections: Vec<String> = Vec::new();
    for piece in text.split('\n').flat_map(pieces) {
        match sections.last_mut() {
            Some(last) if last.chars().count() + 1 + piece.chars().count() <= SECTION_CHARS => {
                last.push('\n');
                last.push_str(piece);
            }
            _ => sections.push(piece.to_owned()),
        }
    }
    for it in &mut sections {
        it.truncate(it.trim_end().len());
    }
    sections.retain(|it| !it.trim().is_empty());
    sections
}

/// A line in pieces that fit into a section.
fn pieces(line: &str) -> Vec<&str> {
    let (mut rest, mut pieces) = (line, Vec::new());
    while let Some((limit, _)) = rest.char_indices().nth(SECTION_CHARS) {
        let (head, _) = rest.split_at(limit);
        // Not inside of an escaped character or a word.
        let cut = head.rfind(' ').filter(|it| *it > 0).unwrap_or_else(|| head.rfind('&').filter(|it| *it > 0).unwrap_or(limit));
        let (piece, after) = rest.split_at(cut);
        pieces.push(piece);
        rest = after.trim_start_matches(' ');
    }
    pieces.push(rest);
    pieces
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;

    fn letter(chat: &str) -> Letter {
        Letter {
            key: "d/v1/slack".into(),
            target: "C024BE91L".into(),
            recipient: String::new(),
            subject: "Weekly <status>".into(),
            date: DateTime::UNIX_EPOCH,
            since: DateTime::UNIX_EPOCH,
            stem: "weekly".into(),
            markdown: String::new(),
            html: String::new(),
            text: String::new(),
            chat: chat.into(),
        }
    }

    #[test]
    fn a_long_report_becomes_several_messages_each_with_its_key() {
        let chat = format!("*Done*\n{}", "- We moved the launch to Thursday because the importer is too slow.\n".repeat(2_500));
        let parts = compose(&letter(&chat)).unwrap();
        let bodies: Vec<serde_json::Value> = parts.iter().map(|it| serde_json::from_str(&it[0].content).unwrap()).collect();
        assert!(bodies.len() > 1, "{}", bodies.len());
        let keys: Vec<_> = bodies.iter().map(|it| it["metadata"]["event_payload"]["key"].as_str().unwrap()).collect();
        assert_eq!(keys[..2], ["d/v1/slack", "d/v1/slack/02"]);
        assert!(bodies.iter().all(|it| it["blocks"].as_array().unwrap().len() <= 50 && it["text"] == "Weekly &lt;status&gt;"));
        // Slack makes no link, mention or channel of plain text.
        assert!(bodies.iter().flat_map(|it| it["blocks"].as_array().unwrap()).all(|it| it["text"]["verbatim"] == true));
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_is_too_long(text in "([a-z&;]{1,40}[ \n]?){0,400}") {
            let sections = sections(&text);
            prop_assert!(sections.iter().all(|it| it.chars().count() <= 3_000));
            let kept: String = sections.concat().split_whitespace().collect();
            let all: String = text.split_whitespace().collect();
            prop_assert_eq!(kept, all);
        }
    }
}
