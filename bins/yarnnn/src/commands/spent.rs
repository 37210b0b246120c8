//! What models used and cost, in the same words and figures wherever a command tells it.

use serde_json::{Map, Value, json};
use yarnnn::llm::{Usage, usd};

/// For programs: tokens, searches and dollars. How calls are named differs with what they were made for.
pub(super) fn describe(usage: &Usage) -> Map<String, Value> {
    let fields = [
        ("input_tokens", json!(usage.all_input_tokens())),
        ("cached_input_tokens", json!(usage.cache_read_tokens)),
        ("output_tokens", json!(usage.output_tokens)),
        ("searches", json!(usage.searches)),
        ("cost_usd", json!(dollars(usage.cost_micro_usd))),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The fields of an object, and what was used beside them.
pub(super) fn beside(mut object: Value, usage: &Usage) -> Value {
    if let Some(fields) = object.as_object_mut() {
        fields.extend(describe(usage));
    }
    object
}

/// `1 call`, `2 calls`.
pub(super) fn calls(count: u32) -> String {
    if count == 1 { "1 call".to_owned() } else { format!("{count} calls") }
}

/// `20545 tokens read, 593 written`: with those that the provider had in its cache.
pub(super) fn tokens(usage: &Usage) -> String {
    format!("{} tokens read, {} written", usage.all_input_tokens(), usage.output_tokens)
}

/// `2 calls of anthropic/claude-sonnet-5-5: 20545 tokens read, 593 written, $0.0339`.
pub(super) fn line(usage: &Usage, model: &str) -> String {
    format!("{} of {model}: {}, {}", calls(usage.calls), tokens(usage), usd(usage.cost_micro_usd))
}

/// Millionths of a US dollar as dollars.
#[expect(clippy::cast_precision_loss, reason = "a price in micro-dollars fits a double exactly up to nine billion dollars")]
pub(super) fn dollars(micro: u64) -> f64 {
    micro as f64 / 1_000_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_run_used_is_one_line() {
        let usage = Usage { calls: 2, input_tokens: 700, output_tokens: 90, cost_micro_usd: 33_950, ..Usage::default() };
        assert_eq!(line(&usage, "a/m"), "2 calls of a/m: 700 tokens read, 90 written, $0.0340");
        let cached = Usage { calls: 1, cache_read_tokens: 300, cost_micro_usd: 1, ..usage };
        let line = line(&cached, "a/m");
        assert_eq!(line, "1 call of a/m: 1000 tokens read, 90 written, <$0.0001");
    }
}
