//! From an answer on the wire to the answer of the port.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use yarnnn_core::llm::{Content, ModelResponse, OpaqueBlock, StopReason, ToolCall, Usage, WebHit};

use super::PROVIDER;
use super::wire::{MessageWire, StopDetailsWire, UsageWire};
use crate::foreign::{count, excerpt, snippet};

/// The answer.
pub(super) fn answer(message: MessageWire) -> ModelResponse {
    let stop = stop(message.stop_reason.as_deref(), message.stop_details.as_ref());
    ModelResponse { content: contents(message.content), stop, usage: usage(&message.usage), by: None }
}

/// The parts of a turn. Behind the answer of a search stands what it found.
pub(super) fn contents(blocks: Vec<Value>) -> Vec<Content> {
    let quotes = quotes(&blocks);
    let mut known = BTreeSet::new();
    let mut parts = Vec::new();
    for block in blocks {
        let hits = hits(&block, &quotes, &mut known);
        parts.extend(content(block));
        parts.extend(hits);
    }
    parts
}

/// What the model quotes of each address: the answers of searches themselves are encrypted.
fn quotes(blocks: &[Value]) -> BTreeMap<String, String> {
    let mut quotes = BTreeMap::new();
    for citation in blocks.iter().filter_map(|it| it.get("citations")?.as_array()).flatten() {
        if let (Some(url), Some(quote)) = (citation["url"].as_str(), citation["cited_text"].as_str()) {
            quotes.entry(url.to_owned()).or_insert_with(|| snippet(quote));
        }
    }
    quotes
}

/// What a search found that no search of the turn found before. One that failed has no results, and is no reason to fail.
fn hits(block: &Value, quotes: &BTreeMap<String, String>, known: &mut BTreeSet<String>) -> Option<Content> {
    let content = block.get("content").filter(|_| block["type"] == "web_search_tool_result")?;
    if let Some(code) = content.get("error_code").and_then(Value::as_str) {
        tracing::warn!(code = excerpt(code), "the provider did not search the web");
    }
    let hits = content.as_array()?.iter().filter_map(|it| {
        let url = it["url"].as_str().filter(|it| known.insert((*it).to_owned()))?.to_owned();
        let snippet = quotes.get(&url).cloned().unwrap_or_default();
        Some(WebHit { title: excerpt(it["title"].as_str().unwrap_or_default()), url, snippet })
    });
    let hits: Vec<WebHit> = hits.collect();
    (!hits.is_empty()).then_some(Content::WebHits(hits))
}

/// A block: text, a tool call, or something to pass on.
fn content(block: Value) -> Option<Content> {
    let text = |name: &str| block.get(name).and_then(Value::as_str).map(str::to_owned);
    match block.get("type").and_then(Value::as_str) {
        // The provider refuses empty texts when they come back.
        Some("text") => text("text").filter(|it| !it.is_empty()).map(Content::Text),
        Some("tool_use") => Some(Content::ToolCall(ToolCall {
            id: text("id").unwrap_or_default(),
            name: text("name").unwrap_or_default(),
            input: block.get("input").cloned().unwrap_or_default(),
        })),
        _ => Some(Content::Opaque(OpaqueBlock { provider: PROVIDER.to_owned(), block })),
    }
}

/// Why it ended.
pub(super) fn stop(reason: Option<&str>, details: Option<&StopDetailsWire>) -> StopReason {
    match reason {
        Some("end_turn" | "stop_sequence") => StopReason::Complete,
        Some("max_tokens") => StopReason::OutputLimit,
        Some("tool_use") => StopReason::ToolUse,
        Some("pause_turn") => StopReason::Paused,
        Some("model_context_window_exceeded") => StopReason::ContextFull,
        Some("refusal") => {
            let said = details.and_then(|it| it.explanation.as_deref().or(it.category.as_deref()));
            StopReason::Refused { detail: said.map(excerpt) }
        }
        Some(other) => StopReason::Other(excerpt(other)),
        None => StopReason::Other("no reason given".to_owned()),
    }
}

/// What it used.
pub(super) fn usage(wire: &UsageWire) -> Usage {
    let searches = wire.server_tool_use.as_ref().and_then(|it| it.web_search_requests);
    Usage {
        calls: 1,
        input_tokens: count(wire.input_tokens),
        output_tokens: count(wire.output_tokens),
        cache_read_tokens: count(wire.cache_read_input_tokens),
        cache_write_tokens: count(wire.cache_creation_input_tokens),
        searches: u32::try_from(count(searches)).unwrap_or(u32::MAX),
        cost_micro_usd: 0,
    }
}
