//! Small things that providers say, held to a bearable size.

use serde_json::Value;

/// No call has more tokens than this. A larger number is cut, so that sums do not overflow.
const MOST: u64 = 1_000_000_000_000;
/// The longest remark that is kept, in characters.
const LONGEST: usize = 300;
/// The longest part of a page that is kept of a search, in characters.
const LONGEST_SNIPPET: usize = 500;

/// A number of tokens.
pub(crate) fn count(number: Option<u64>) -> u64 {
    number.unwrap_or(0).min(MOST)
}

/// The beginning of a remark.
pub(crate) fn excerpt(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

/// The beginning of what a page says.
pub(crate) fn snippet(text: &str) -> String {
    text.chars().take(LONGEST_SNIPPET).collect()
}

/// The input of a tool as it came in JSON; what is none stays text. Nothing at all is an empty object.
pub(crate) fn tool_input(json: &str) -> Value {
    if json.trim().is_empty() {
        return Value::Object(serde_json::Map::new());
    }
    serde_json::from_str(json).unwrap_or_else(|_| Value::String(json.to_owned()))
}
