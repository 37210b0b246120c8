//! The messages of a request: whose turn it is, that calls and results belong together, and that thoughts are as they were.

use std::collections::BTreeSet;

use serde_json::Value;

use super::request::{Fields, Refusal, blocks};
use crate::Sim;
use crate::models::{Known, Part, Spoken};

const CHANGED: &str = "`thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified. These blocks must \
                       remain as they were in the original response.";

pub(super) fn read(sim: &Sim, fields: &Fields, model: &Known) -> Result<Vec<Spoken>, Refusal> {
    let messages = fields.get("messages").and_then(Value::as_array).filter(|it| !it.is_empty());
    let messages = messages.ok_or_else(|| Refusal::invalid("messages: at least one message is required"))?;
    let mut turns: Vec<Spoken> = Vec::new();
    let mut before: Vec<Value> = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        let content = blocks(message.get("content"));
        let by_model = match message.get("role").and_then(Value::as_str) {
            Some("user") => false,
            Some("assistant") => true,
            _ => return Err(Refusal::invalid(format!("messages.{index}.role: Input should be 'user' or 'assistant'"))),
        };
        if content.is_empty() && !(by_model && index + 1 == messages.len()) {
            return Err(Refusal::invalid(format!("messages.{index}: all messages must have non-empty content")));
        }
        each(index, &content)?;
        if by_model {
            thoughts(sim, index, &content)?;
        } else {
            results(index, &content, &before)?;
        }
        turns.push(Spoken { by_model, parts: content.iter().filter_map(part).collect() });
        before = if by_model { content } else { Vec::new() };
    }
    let uses_tools = |it: &Part| matches!(it, Part::Call { .. });
    let has_tools = fields.get("tools").and_then(Value::as_array).is_some_and(|it| !it.is_empty());
    if !has_tools && turns.iter().flat_map(|it| &it.parts).any(uses_tools) {
        let message = "Requests which have `tool_use` or `tool_result` blocks in messages must define tools.";
        return Err(Refusal::invalid(message));
    }
    last(sim, messages.len(), &before, model)?;
    Ok(turns)
}

/// What every block has to be.
fn each(index: usize, content: &[Value]) -> Result<(), Refusal> {
    for (place, block) in content.iter().enumerate() {
        let kind = block.get("type").and_then(Value::as_str).unwrap_or_default();
        if kind.is_empty() {
            return Err(Refusal::invalid(format!("messages.{index}.content.{place}.type: Field required")));
        }
        let is_blank = block.get("text").and_then(Value::as_str).is_some_and(|it| it.trim().is_empty());
        if kind == "text" && is_blank {
            return Err(Refusal::invalid("messages: text content blocks must be non-empty"));
        }
        if kind == "tool_use" && !block.get("input").is_some_and(Value::is_object) {
            let message = format!("messages.{index}.content.{place}.tool_use.input: Input should be a valid dictionary");
            return Err(Refusal::invalid(message));
        }
    }
    Ok(())
}

fn ids<'a>(content: &'a [Value], kind: &str, key: &str) -> BTreeSet<&'a str> {
    let wanted = content.iter().filter(|it| it.get("type").and_then(Value::as_str) == Some(kind));
    wanted.filter_map(|it| it.get(key)?.as_str()).collect()
}

/// Every result answers a call of the turn before, and every call of it is answered.
fn results(index: usize, content: &[Value], before: &[Value]) -> Result<(), Refusal> {
    let (called, answered) = (ids(before, "tool_use", "id"), ids(content, "tool_result", "tool_use_id"));
    if let Some(place) =
        content.iter().position(|it| it.get("tool_use_id").and_then(Value::as_str).is_some_and(|it| !called.contains(it)))
    {
        let id = content.get(place).and_then(|it| it.get("tool_use_id")?.as_str()).unwrap_or_default();
        let message = format!(
            "messages.{index}.content.{place}: unexpected `tool_use_id` found in `tool_result` blocks: {id}. Each `tool_result` \
             block must have a corresponding `tool_use` block in the previous message."
        );
        return Err(Refusal::invalid(message));
    }
    let open: Vec<_> = called.difference(&answered).copied().collect();
    if open.is_empty() { Ok(()) } else { Err(unanswered(index.saturating_sub(1), &open)) }
}

fn unanswered(index: usize, open: &[&str]) -> Refusal {
    Refusal::invalid(format!(
        "messages.{index}: `tool_use` ids were found without `tool_result` blocks immediately after: {}. Each `tool_use` block must \
         have a corresponding `tool_result` block in the next message.",
        open.join(", ")
    ))
}

/// Thoughts bear a signature of ours, and those that went out with calls come back with them, word for word.
fn thoughts(sim: &Sim, index: usize, content: &[Value]) -> Result<(), Refusal> {
    let is_thought = |it: &&Value| it.get("type").and_then(Value::as_str) == Some("thinking");
    for (place, block) in content.iter().enumerate().filter(|(_, it)| is_thought(it)) {
        let text = block.get("thinking").and_then(Value::as_str).unwrap_or_default();
        match block.get("signature").and_then(Value::as_str).and_then(|it| sim.models().signed(it)) {
            None => {
                let message = format!("messages.{index}.content.{place}: Invalid `signature` in `thinking` block");
                return Err(Refusal::invalid(message));
            }
            Some(signed) if signed != text => {
                return Err(Refusal::invalid(format!("messages.{index}.content.{place}: {CHANGED}")));
            }
            Some(_) => {}
        }
    }
    let issued = ids(content, "tool_use", "id").into_iter().find_map(|it| sim.models().thoughts_of(it));
    let sent: Vec<_> = content.iter().filter(is_thought).cloned().collect();
    match issued {
        Some(issued) if issued != sent => Err(Refusal::invalid(format!("messages.{index}.content.0: {CHANGED}"))),
        _ => Ok(()),
    }
}

/// The last turn is the user's, unless the model's paused.
fn last(sim: &Sim, count: usize, content: &[Value], model: &Known) -> Result<(), Refusal> {
    if content.is_empty() {
        return Ok(());
    }
    let open: Vec<_> = ids(content, "tool_use", "id").into_iter().collect();
    if !open.is_empty() {
        return Err(unanswered(count - 1, &open));
    }
    let goes_on = ids(content, "server_tool_use", "id").iter().any(|it| sim.models().has_paused(it));
    if model.strict.1 && !goes_on {
        let message = "This model does not support assistant message prefill. The conversation must end with a user message.";
        return Err(Refusal::invalid(message));
    }
    Ok(())
}

fn part(block: &Value) -> Option<Part> {
    let text = |name: &str| block.get(name).and_then(Value::as_str).map(str::to_owned);
    match block.get("type")?.as_str()? {
        "text" => Some(Part::Text(text("text")?)),
        "tool_use" => Some(Part::Call { name: text("name")?, input: block.get("input")?.clone() }),
        "tool_result" => {
            let parts: Vec<_> =
                blocks(block.get("content")).iter().filter_map(|it| it.get("text")?.as_str().map(str::to_owned)).collect();
            Some(Part::Result(parts.join("\n")))
        }
        "web_search_tool_result" => Some(Part::Result(block.get("content")?.to_string())),
        _ => None,
    }
}
