//! From answers on the wire to the answer of the port.

use serde_json::Value;
use yarnnn_core::llm::{Content, LlmError, ModelRequest, ModelResponse, OpaqueBlock, StopReason, ToolCall, Usage, WebHit};

use super::wire::{CachedWire, ChatUsageWire, ChatWire, ResponseUsageWire, ResponseWire, ToolCallWire};
use super::{PROVIDER, error};
use crate::catalogue::ModelEntry;
use crate::foreign::{count, excerpt, tool_input};
use crate::http::{Refusal, garbled};

/// What a call counts as that the server does not count: the most it can be where it costs something, else a guess.
#[derive(Debug, Clone, Copy)]
pub(super) struct Uncounted(Usage);

impl Uncounted {
    pub(super) fn of(model: &ModelEntry, request: &ModelRequest) -> Self {
        let free = model.price.unwrap_or_default() == yarnnn_core::llm::ModelPrice::default();
        let (input_tokens, output_tokens) = if free {
            (request.token_floor(), 0)
        } else {
            (request.token_ceiling(), u64::from(model.output_bound(request.max_output_tokens)))
        };
        Self(Usage { calls: 1, input_tokens, output_tokens, ..Usage::default() })
    }
}

/// The answer of a chat completion.
pub(super) fn chat(wire: ChatWire, model: &str, uncounted: Uncounted) -> Result<ModelResponse, LlmError> {
    let choice = wire.choices.into_iter().next().ok_or_else(|| garbled(model, "the answer has no choice"))?;
    let mut content = Vec::new();
    content.extend(choice.message.content.filter(|it| !it.is_empty()).map(Content::Text));
    content.extend(choice.message.tool_calls.unwrap_or_default().into_iter().map(tool_call));
    let stop = chat_stop(choice.finish_reason.as_deref(), choice.message.refusal.as_deref(), &content);
    Ok(ModelResponse { content, stop, usage: wire.usage.map_or(uncounted.0, |it| chat_usage(&it)), by: None })
}

fn tool_call(wire: ToolCallWire) -> Content {
    let function = wire.function.unwrap_or_default();
    Content::ToolCall(ToolCall {
        id: wire.id.unwrap_or_default(),
        name: function.name.unwrap_or_default(),
        input: tool_input(&function.arguments.unwrap_or_default()),
    })
}

fn chat_stop(reason: Option<&str>, refusal: Option<&str>, content: &[Content]) -> StopReason {
    if let Some(said) = refusal.filter(|it| !it.is_empty()) {
        return StopReason::Refused { detail: Some(excerpt(said)) };
    }
    match reason {
        // Some servers say `stop` where they mean `tool_calls`.
        Some("stop") if asks_for_tools(content) => StopReason::ToolUse,
        Some("stop") => StopReason::Complete,
        Some("length") => StopReason::OutputLimit,
        Some("tool_calls" | "function_call") => StopReason::ToolUse,
        Some("content_filter") => StopReason::Refused { detail: Some("content_filter".to_owned()) },
        Some(other) => StopReason::Other(excerpt(other)),
        None => StopReason::Other("no reason given".to_owned()),
    }
}

fn asks_for_tools(content: &[Content]) -> bool {
    content.iter().any(|it| matches!(it, Content::ToolCall(_)))
}

fn chat_usage(wire: &ChatUsageWire) -> Usage {
    counted(wire.prompt_tokens, wire.completion_tokens, wire.prompt_tokens_details.as_ref())
}

/// OpenAI counts what was cached into the prompt, and thoughts into what was written.
fn counted(input: Option<u64>, output: Option<u64>, cached: Option<&CachedWire>) -> Usage {
    let read = count(cached.and_then(|it| it.cached_tokens));
    let written = count(cached.and_then(|it| it.cache_write_tokens));
    Usage {
        calls: 1,
        input_tokens: count(input).saturating_sub(read).saturating_sub(written),
        output_tokens: count(output),
        cache_read_tokens: read,
        cache_write_tokens: written,
        ..Usage::default()
    }
}

/// The answer of a response.
pub(super) fn response(wire: ResponseWire, model: &str, uncounted: Uncounted) -> Result<ModelResponse, LlmError> {
    if wire.status == "failed" {
        let said = Refusal { may_be_charged: true, ..Refusal::of(&wire.error.unwrap_or_default()) };
        return Err(said.judged(&error::VENDOR, model));
    }
    let mut usage = wire.usage.as_ref().map_or(uncounted.0, response_usage);
    let searches = wire.output.iter().filter(|it| is_search(it)).count();
    usage.searches = u32::try_from(searches).unwrap_or(u32::MAX);
    let refusal = wire.output.iter().find_map(refusal);
    let hits = hits(&wire.output);
    let content: Vec<Content> = wire.output.into_iter().flat_map(item).chain(hits).collect();
    let reason = wire.incomplete_details.and_then(|it| it.reason);
    let stop = match (wire.status.as_str(), reason.as_deref()) {
        _ if refusal.is_some() => StopReason::Refused { detail: refusal },
        ("completed", _) if asks_for_tools(&content) => StopReason::ToolUse,
        ("completed", _) => StopReason::Complete,
        ("incomplete", Some("max_output_tokens")) => StopReason::OutputLimit,
        ("incomplete", Some("content_filter")) => StopReason::Refused { detail: reason },
        (status, reason) => StopReason::Other(excerpt(reason.unwrap_or(status))),
    };
    Ok(ModelResponse { content, stop, usage, by: None })
}

/// A search of the web; opening a page that was found is none.
fn is_search(item: &Value) -> bool {
    item["type"] == "web_search_call" && item.pointer("/action/type").is_none_or(|it| it == "search")
}

/// The pages that the answer cites. What they say is not told, and the model's own words are not theirs.
fn hits(output: &[Value]) -> Option<Content> {
    let notes = output.iter().flat_map(parts).filter_map(|it| it["annotations"].as_array()).flatten();
    let mut hits: Vec<WebHit> = Vec::new();
    for note in notes.filter(|it| it["type"] == "url_citation") {
        let Some(url) = note["url"].as_str() else { continue };
        if hits.iter().all(|it| it.url != url) {
            let title = excerpt(note["title"].as_str().unwrap_or_default());
            hits.push(WebHit { url: url.to_owned(), title, snippet: String::new() });
        }
    }
    (!hits.is_empty()).then_some(Content::WebHits(hits))
}

/// An item of the output: texts, a tool call, or something to pass on.
fn item(item: Value) -> Vec<Content> {
    let text = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    match item["type"].as_str() {
        Some("message") => texts(&item).map(|it| Content::Text(it.to_owned())).collect(),
        Some("function_call") => {
            vec![Content::ToolCall(ToolCall { id: text("call_id"), name: text("name"), input: tool_input(&text("arguments")) })]
        }
        _ => vec![Content::Opaque(OpaqueBlock { provider: PROVIDER.to_owned(), block: item })],
    }
}

fn parts(item: &Value) -> impl Iterator<Item = &Value> {
    item.get("content").and_then(Value::as_array).into_iter().flatten()
}

fn texts(item: &Value) -> impl Iterator<Item = &str> {
    parts(item).filter(|it| it["type"] == "output_text").filter_map(|it| it["text"].as_str()).filter(|it| !it.is_empty())
}

fn refusal(item: &Value) -> Option<String> {
    parts(item).find(|it| it["type"] == "refusal").map(|it| excerpt(it["refusal"].as_str().unwrap_or_default()))
}

fn response_usage(wire: &ResponseUsageWire) -> Usage {
    counted(wire.input_tokens, wire.output_tokens, wire.input_tokens_details.as_ref())
}
