//! From an answer on the wire to the answer of the port.

use serde_json::Value;
use yarnnn_core::llm::{Content, ModelResponse, OpaqueBlock, StopReason, ToolCall, Usage};

use super::PROVIDER;
use super::wire::{MessageWire, StopDetailsWire, UsageWire};
use crate::foreign::{count, excerpt};

/// The answer.
pub(super) fn answer(message: MessageWire) -> ModelResponse {
    let stop = stop(message.stop_reason.as_deref(), message.stop_details.as_ref());
    ModelResponse { content: message.content.into_iter().filter_map(content).collect(), stop, usage: usage(&message.usage) }
}

/// A block: text, a tool call, or something to pass on.
pub(super) fn content(block: Value) -> Option<Content> {
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
