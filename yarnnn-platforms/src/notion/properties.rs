//! The properties of a row as lines of text before its body.

use serde_json::{Map, Value};

use super::limits::SHOWN_VALUES;
use super::text::{Words, rich};

/// What the properties of a page say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Properties {
    pub(super) title: Words,
    /// A line `Name: value` for each that has a value, in the order of their names.
    pub(super) lines: Words,
    /// Those of which Notion may show a part only.
    pub(super) shortened: Vec<String>,
}

/// Reads the properties of a page. A page outside of a database has a title and nothing else.
pub(super) fn read(properties: &Map<String, Value>) -> Properties {
    let mut read = Properties::default();
    let mut named: Vec<_> = properties.iter().collect();
    // Notion sends them in an order that changes.
    named.sort_unstable_by_key(|(name, _)| *name);
    for (name, property) in named {
        let kind = property.get("type").and_then(Value::as_str).unwrap_or_default();
        let content = property.get(kind).unwrap_or(&Value::Null);
        if kind != "relation" && content.as_array().is_some_and(|it| it.len() >= SHOWN_VALUES) {
            read.shortened.push(name.clone());
        }
        if kind == "title" {
            read.title = rich(content);
        } else if let Some(value) = value(kind, content, property).filter(|it| !it.is_empty()) {
            read.lines.line(&Words::join([&Words::plain(format!("{name}: ")), &value], ""));
        }
    }
    read
}

/// The value in words; none for what is empty, repeats what is known otherwise, or is not known here.
fn value(kind: &str, content: &Value, property: &Value) -> Option<Words> {
    match kind {
        "rich_text" | "title" => Some(rich(content)),
        "people" => Some(people(content)),
        "relation" => relation(content, property),
        "formula" | "rollup" => {
            let kind = content.get("type")?.as_str()?;
            let inner = content.get(kind)?;
            if kind == "array" { Some(array(inner)) } else { value(kind, inner, content) }
        }
        "checkbox" | "boolean" => content.as_bool().map(|it| Words::plain(if it { "Yes" } else { "No" })),
        "number" => Some(content).filter(|it| it.is_number()).map(|it| Words::plain(it.to_string())),
        "select" | "status" => named(content),
        "multi_select" | "files" => Some(list(content, named)),
        "date" => date(content),
        "unique_id" => unique_id(content),
        "url" | "email" | "phone_number" | "string" => content.as_str().map(Words::plain),
        _ => None,
    }
}

fn named(content: &Value) -> Option<Words> {
    Some(Words::plain(content.get("name")?.as_str()?))
}

fn list(content: &Value, read: impl Fn(&Value) -> Option<Words>) -> Words {
    let parts: Vec<Words> = content.as_array().into_iter().flatten().filter_map(read).filter(|it| !it.is_empty()).collect();
    Words::join(&parts, ", ")
}

fn people(content: &Value) -> Words {
    list(content, |person| {
        let id = person.get("id").and_then(Value::as_str).unwrap_or_default();
        let shown = person.get("name").and_then(Value::as_str).filter(|it| !it.is_empty()).unwrap_or(id);
        Some(Words { shown: shown.to_owned(), raw: format!("@user:{id}") })
    })
}

fn relation(content: &Value, property: &Value) -> Option<Words> {
    let count = content.as_array()?.len();
    let more = property.get("has_more").and_then(Value::as_bool) == Some(true);
    let text = match (count, more) {
        (0, _) => return None,
        (count, true) => format!("more than {count} pages"),
        (1, false) => "1 page".to_owned(),
        (count, false) => format!("{count} pages"),
    };
    Some(Words::plain(text))
}

/// The values of a rollup, each with its own type.
fn array(content: &Value) -> Words {
    list(content, |it| {
        let kind = it.get("type")?.as_str()?;
        // One level is what Notion sends; deeper ones are not followed.
        if matches!(kind, "formula" | "rollup") { None } else { value(kind, it.get(kind)?, it) }
    })
}

fn date(content: &Value) -> Option<Words> {
    let start = content.get("start")?.as_str()?;
    let end = content.get("end").and_then(Value::as_str);
    Some(Words::plain(end.map_or_else(|| start.to_owned(), |end| format!("{start} to {end}"))))
}

fn unique_id(content: &Value) -> Option<Words> {
    let number = content.get("number").filter(|it| it.is_number())?;
    let prefix = content.get("prefix").and_then(Value::as_str).filter(|it| !it.is_empty());
    Some(Words::plain(prefix.map_or_else(|| number.to_string(), |prefix| format!("{prefix}-{number}"))))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lines(properties: &Value) -> Properties {
        read(properties.as_object().unwrap())
    }

    #[test]
    fn every_kind_of_value_becomes_a_line() {
        let read = lines(&json!({
            "Task": {"type": "title", "title": [{"plain_text": "Ship it"}]},
            "Note": {"type": "rich_text", "rich_text": [{"plain_text": "soon"}]},
            "Points": {"type": "number", "number": 3.5},
            "Phase": {"type": "select", "select": {"name": "Build"}},
            "Status": {"type": "status", "status": {"name": "Done"}},
            "Tags": {"type": "multi_select", "multi_select": [{"name": "a"}, {"name": "b"}]},
            "Due": {"type": "date", "date": {"start": "2026-03-01", "end": "2026-03-05"}},
            "Owner": {"type": "people", "people": [{"id": "u1", "name": "Ana"}, {"id": "u2"}]},
            "Paid": {"type": "checkbox", "checkbox": false},
            "Link": {"type": "url", "url": "https://example.com"},
            "Mail": {"type": "email", "email": "a@example.com"},
            "Phone": {"type": "phone_number", "phone_number": "+49 30 1"},
            "Files": {"type": "files", "files": [{"name": "plan.pdf", "file": {"url": "https://signed"}}]},
            "Parts": {"type": "relation", "relation": [{"id": "x"}, {"id": "y"}], "has_more": false},
            "Sum": {"type": "formula", "formula": {"type": "number", "number": 7}},
            "Late": {"type": "formula", "formula": {"type": "boolean", "boolean": true}},
            "Names": {"type": "rollup", "rollup": {"type": "array", "function": "show_original",
                "array": [{"type": "title", "title": [{"plain_text": "One"}]}, {"type": "number", "number": 2}]}},
            "Total": {"type": "rollup", "rollup": {"type": "number", "number": 9}},
            "Ticket": {"type": "unique_id", "unique_id": {"prefix": "T", "number": 12}},
            "Empty": {"type": "rich_text", "rich_text": []},
            "None": {"type": "select", "select": null},
            "Later": {"type": "hologram", "hologram": {"x": 1}},
        }));
        assert_eq!(read.title.shown, "Ship it");
        assert_eq!(read.shortened, Vec::<String>::new());
        insta::assert_snapshot!(read.lines.shown);
    }

    #[test]
    fn what_notion_may_have_shortened_is_named() {
        let spans = vec![json!({"plain_text": "x"}); 25];
        assert_eq!(lines(&json!({"Long": {"type": "rich_text", "rich_text": spans}})).shortened, ["Long"]);
        let many = vec![json!({"id": "x"}); 25];
        let read = lines(&json!({"Parts": {"type": "relation", "relation": many, "has_more": true}}));
        assert_eq!((read.lines.shown.as_str(), read.shortened.len()), ("Parts: more than 25 pages", 0));
    }
}
