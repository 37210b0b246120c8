//! What foreign text must bear before it is stored.
//!
//! Postgres cannot keep U+0000 in text, and no other control character but line breaks and tabs means anything to a reader: they
//! become U+FFFD, on both databases, so that both hold the same bytes.

use std::borrow::Cow;

use chrono::{DateTime, Datelike as _, Utc};
use serde_json::{Map, Value};

/// Whether a character is replaced.
fn is_unfit(ch: char) -> bool {
    ch.is_control() && !matches!(ch, '\n' | '\r' | '\t')
}

/// The text without control characters.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    if text.contains(is_unfit) { Cow::Owned(text.replace(is_unfit, "\u{fffd}")) } else { Cow::Borrowed(text) }
}

/// The same for a text that is owned already.
pub(crate) fn cleaned(text: String) -> String {
    if text.contains(is_unfit) { text.replace(is_unfit, "\u{fffd}") } else { text }
}

/// At most the first `limit` characters.
pub(crate) fn cut(mut text: String, limit: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(limit) {
        text.truncate(end);
    }
    text
}

/// Cleans every text and key of a JSON value, however deeply nested, without recursion.
pub(crate) fn cleaned_json(mut value: Value) -> Value {
    let mut open = vec![&mut value];
    while let Some(next) = open.pop() {
        match next {
            Value::String(text) => *text = cleaned(std::mem::take(text)),
            Value::Array(items) => open.extend(items),
            Value::Object(map) => {
                if map.keys().any(|key| key.contains(is_unfit)) {
                    *map = std::mem::take(map).into_iter().map(|(key, value)| (cleaned(key), value)).collect::<Map<_, _>>();
                }
                open.extend(map.values_mut());
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    value
}

/// The value with the fields of its objects in order, whatever map the JSON library was built with.
pub(crate) fn sorted_json(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut fields: Vec<_> = map.into_iter().collect();
            fields.sort_by(|left, right| left.0.cmp(&right.0));
            fields.into_iter().map(|(key, value)| (key, sorted_json(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(sorted_json).collect(),
        other => other,
    }
}

/// An instant of a source, if its year has four digits: others would not keep their order as text, and come from broken
/// records only.
pub(crate) fn plausible(instant: DateTime<Utc>) -> Option<DateTime<Utc>> {
    (0..=9999).contains(&instant.year()).then_some(instant)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nul_becomes_the_replacement_character_everywhere() {
        assert_eq!(clean("a\0b"), "a\u{fffd}b");
        assert!(matches!(clean("plain"), Cow::Borrowed("plain")));
        let value = cleaned_json(json!({"k\0": ["x\0", {"y": "\0"}], "n": 1}));
        assert_eq!(value, json!({"k\u{fffd}": ["x\u{fffd}", {"y": "\u{fffd}"}], "n": 1}));
    }

    #[test]
    fn a_cut_counts_characters_not_bytes() {
        assert_eq!(cut("äöü".into(), 2), "äö");
        assert_eq!(cut("äöü".into(), 3), "äöü");
        assert_eq!(cut(String::new(), 0), "");
    }

    #[test]
    fn years_of_more_than_four_digits_are_dropped() {
        assert!(plausible(DateTime::<Utc>::MAX_UTC).is_none() && plausible(DateTime::<Utc>::MIN_UTC).is_none());
        assert!(plausible(DateTime::UNIX_EPOCH).is_some());
    }
}
