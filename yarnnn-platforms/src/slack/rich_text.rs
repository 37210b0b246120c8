//! The text of messages that have none of their own: from rich text blocks, other blocks and attachments.
//!
//! The result is Slack's raw markup, so that mentions are resolved in one place and the revision is made from raw text.

use serde_json::Value;

use super::wire::Attachment;

/// Blocks nest lists in lists; deeper ones are not Slack's.
const MAX_DEPTH: usize = 16;

/// The text of all blocks, a line per section.
pub(crate) fn blocks(blocks: &[Value]) -> String {
    let mut output = String::new();
    for block in blocks {
        element(block, MAX_DEPTH, &mut output);
        end_line(&mut output);
    }
    output.trim().to_owned()
}

/// Title and text of all attachments, or what is shown where these cannot be.
pub(crate) fn attachments(attachments: &[Attachment]) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for it in attachments {
        let parts = [&it.pretext, &it.title, &it.text].map(|part| part.trim());
        let mut parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.dedup();
        if parts.is_empty() {
            parts.push(it.fallback.trim());
        }
        lines.extend(parts.into_iter().filter(|part| !part.is_empty()));
    }
    lines.join("\n")
}

fn element(value: &Value, depth: usize, output: &mut String) {
    let Some(depth) = depth.checked_sub(1) else { return };
    match text_of(value, "type") {
        "mrkdwn" => output.push_str(text_of(value, "text")),
        "text" | "plain_text" => escape(text_of(value, "text"), output),
        "user" => reference("@", text_of(value, "user_id"), output),
        "channel" => reference("#", text_of(value, "channel_id"), output),
        "usergroup" => reference("!subteam^", text_of(value, "usergroup_id"), output),
        "broadcast" => reference("!", text_of(value, "range"), output),
        "emoji" => surround(":", text_of(value, "name"), output),
        "date" => output.push_str(text_of(value, "fallback")),
        "link" => link(value, output),
        "rich_text_section" | "rich_text_preformatted" | "rich_text_quote" => {
            children(value, "elements", depth, output);
            end_line(output);
        }
        "rich_text_list" => list(value, depth, output),
        _ => {
            // Sections, headers, contexts and whatever comes: their own text, then what they hold.
            if let Some(text) = value.get("text").filter(|text| text.is_object()) {
                element(text, depth, output);
                end_line(output);
            }
            children(value, "elements", depth, output);
            children(value, "fields", depth, output);
        }
    }
}

fn children(value: &Value, key: &str, depth: usize, output: &mut String) {
    for child in value.get(key).and_then(Value::as_array).into_iter().flatten() {
        element(child, depth, output);
    }
}

fn list(value: &Value, depth: usize, output: &mut String) {
    let ordered = text_of(value, "style") == "ordered";
    for (index, child) in value.get("elements").and_then(Value::as_array).into_iter().flatten().enumerate() {
        if ordered {
            output.push_str(&index.saturating_add(1).to_string());
            output.push_str(". ");
        } else {
            output.push_str("• ");
        }
        element(child, depth, output);
        end_line(output);
    }
}

fn link(value: &Value, output: &mut String) {
    let (url, label) = (text_of(value, "url"), text_of(value, "text"));
    output.push('<');
    escape(url, output);
    if !label.is_empty() {
        output.push('|');
        escape(label, output);
    }
    output.push('>');
}

fn reference(kind: &str, id: &str, output: &mut String) {
    if !id.is_empty() {
        output.extend(["<", kind, id, ">"]);
    }
}

fn surround(mark: &str, name: &str, output: &mut String) {
    if !name.is_empty() {
        output.extend([mark, name, mark]);
    }
}

fn text_of<'value>(value: &'value Value, key: &str) -> &'value str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn end_line(output: &mut String) {
    if !output.is_empty() && !output.ends_with('\n') {
        output.push('\n');
    }
}

fn escape(text: &str, output: &mut String) {
    output.push_str(&text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rich_text_becomes_raw_markup() {
        let list = json!({"type": "rich_text_list", "style": "ordered", "elements": [
            {"type": "rich_text_section", "elements": [{"type": "text", "text": "one"}]},
            {"type": "rich_text_section", "elements": [{"type": "text", "text": "two"}]},
        ]});
        let section = json!({"type": "rich_text_section", "elements": [
            {"type": "text", "text": "a < b "},
            {"type": "user", "user_id": "U1"},
            {"type": "link", "url": "https://x.org", "text": "plan"},
            {"type": "emoji", "name": "tada"},
            {"type": "broadcast", "range": "here"},
            {"type": "channel", "channel_id": "C1"},
        ]});
        let rich = json!({"type": "rich_text", "elements": [section, list]});
        let header = json!({"type": "header", "text": {"type": "plain_text", "text": "Build & ship"}});
        assert_eq!(
            blocks(&[header, rich, json!({"type": "divider"}), json!(7)]),
            "Build &amp; ship\na &lt; b <@U1><https://x.org|plan>:tada:<!here><#C1>\n1. one\n2. two"
        );
    }

    #[test]
    fn endless_nesting_is_cut() {
        let mut block = json!({"type": "text", "text": "deep"});
        for _ in 0..100 {
            block = json!({"type": "x", "elements": [block]});
        }
        assert_eq!(blocks(&[block]), "");
    }

    #[test]
    fn attachments_show_title_and_text_before_the_fallback() {
        let parsed = |value| serde_json::from_value::<Attachment>(value).unwrap();
        let full = parsed(json!({"fallback": "f", "title": "Incident 7", "text": "resolved"}));
        let bare = parsed(json!({"fallback": "only this", "title": null}));
        assert_eq!(attachments(&[full, bare, Attachment::default()]), "Incident 7\nresolved\nonly this");
    }
}
