//! A value that fits a JSON Schema, made from what a text says.

use serde_json::{Map, Value, json};

use super::sentence::sentences;

/// Deeper schemas are answered with null.
const DEEPEST: usize = 16;

/// The plainest value that fits; strings are taken from the text.
pub(super) fn value(schema: &Value, text: &str) -> Value {
    fitting(schema, text, "", 0)
}

fn fitting(schema: &Value, text: &str, name: &str, depth: usize) -> Value {
    if depth > DEEPEST {
        return Value::Null;
    }
    if let Some(fixed) = schema.get("const").or_else(|| schema.get("default")).or_else(|| schema.get("enum")?.get(0)) {
        return fixed.clone();
    }
    if let Some(first) = ["anyOf", "oneOf"].iter().find_map(|it| schema.get(*it)?.get(0)) {
        return fitting(first, text, name, depth + 1);
    }
    match kind(schema) {
        "object" => object(schema, text, depth),
        "array" => array(schema, text, name, depth),
        "integer" | "number" => json!(number(schema)),
        "boolean" => json!(true),
        "null" => Value::Null,
        _ => json!(string(schema, text, name)),
    }
}

fn kind(schema: &Value) -> &str {
    let kind = schema.get("type");
    let first =
        kind.and_then(|it| it.as_str().or_else(|| it.as_array()?.iter().find_map(|it| it.as_str().filter(|it| *it != "null"))));
    first.unwrap_or(if schema.get("properties").is_some() { "object" } else { "string" })
}

/// Only what is required, unless nothing is said to be: then everything.
fn object(schema: &Value, text: &str, depth: usize) -> Value {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return json!({}) };
    let required = schema.get("required").and_then(Value::as_array);
    let is_wanted = |name: &str| required.is_none_or(|it| it.iter().any(|it| it == name));
    let fields = properties.iter().filter(|(name, _)| is_wanted(name));
    fields.map(|(name, schema)| (name.clone(), fitting(schema, text, name, depth + 1))).collect::<Map<_, _>>().into()
}

/// One entry, or as many as there must be. Numbers count from one: a list of numbers is usually a choice among what is shown.
fn array(schema: &Value, text: &str, name: &str, depth: usize) -> Value {
    let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(1).clamp(1, 16);
    let item = schema.get("items").cloned().unwrap_or_default();
    let mut entries = Vec::new();
    for index in 0..least {
        let entry = fitting(&item, text, name, depth + 1);
        entries.push(entry.as_i64().map_or(entry.clone(), |it| json!(it + i64::try_from(index).unwrap_or_default())));
    }
    entries.into()
}

fn number(schema: &Value) -> i64 {
    let least = schema.get("minimum").and_then(Value::as_i64);
    let most = schema.get("maximum").and_then(Value::as_i64).unwrap_or(i64::MAX);
    least.unwrap_or(1).max(1.min(most)).min(most)
}

/// The first sentence, at most as long as it may be. Addresses and dates have a form of their own.
fn string(schema: &Value, text: &str, name: &str) -> String {
    match schema.get("format").and_then(Value::as_str) {
        Some("date") => return "2026-01-01".to_owned(),
        Some("date-time") => return "2026-01-01T00:00:00Z".to_owned(),
        Some("uri") => return "https://web.example/".to_owned(),
        Some("email") => return "someone@sim.example".to_owned(),
        _ => {}
    }
    let most = schema.get("maxLength").and_then(Value::as_u64).unwrap_or(200);
    let text = sentences(text).into_iter().next().unwrap_or(name);
    text.chars().take(usize::try_from(most).unwrap_or(200)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_has_what_is_required_in_the_types_that_are_asked_for() {
        let schema = json!({ "type": "object", "required": ["a", "b", "c", "d"], "additionalProperties": false, "properties": {
            "a": { "type": "string", "maxLength": 5 },
            "b": { "type": "array", "items": { "type": "integer" }, "minItems": 2 },
            "c": { "enum": ["x", "y"] },
            "d": { "type": ["null", "boolean"] },
            "e": { "type": "string" },
        } });
        assert_eq!(value(&schema, "Hello there."), json!({ "a": "Hello", "b": [1, 2], "c": "x", "d": true }));
    }
}
