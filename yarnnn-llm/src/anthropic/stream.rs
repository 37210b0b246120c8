//! Putting an answer together that comes in pieces.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use yarnnn_core::llm::{LlmError, ModelResponse};

use super::answer::{contents, stop, usage};
use super::error;
use super::wire::{EventWire, MessageWire, UsageWire};
use crate::foreign::tool_input;
use crate::http::{Assemble, Refusal, Step, garbled};
use crate::sse::SseEvent;

/// More blocks than any answer has.
const MOST_BLOCKS: usize = 10_000;

/// An answer so far.
#[derive(Debug)]
pub(super) struct Assembler {
    model: String,
    message: Option<MessageWire>,
    blocks: BTreeMap<usize, Block>,
}

#[derive(Debug)]
struct Block {
    value: Value,
    /// The input of a tool, which comes as pieces of JSON.
    input: Option<String>,
}

impl Assembler {
    pub(super) fn new(model: String) -> Self {
        Self { model, message: None, blocks: BTreeMap::new() }
    }

    fn begin(&mut self, index: usize, value: Value) -> Result<Step, LlmError> {
        if self.blocks.len() >= MOST_BLOCKS {
            return Err(garbled(&self.model, "the answer has too many blocks"));
        }
        let text = value.get("text").and_then(Value::as_str).unwrap_or_default().to_owned();
        let is_text = value["type"] == "text" && !text.is_empty();
        self.blocks.insert(index, Block { value, input: None });
        Ok(if is_text { Step::Text(text) } else { Step::Nothing })
    }

    /// Adds a piece to a block. Pieces of unknown kinds, and those of blocks that never began, say nothing.
    fn grow(&mut self, index: usize, mut delta: Value) -> Step {
        let Some(block) = self.blocks.get_mut(&index) else { return Step::Nothing };
        let text = |name: &str| delta.get(name).and_then(Value::as_str).unwrap_or_default();
        match delta["type"].as_str().unwrap_or_default() {
            "text_delta" if block.value["type"] == "text" => {
                let text = text("text").to_owned();
                append(&mut block.value, "text", &text);
                return if text.is_empty() { Step::Nothing } else { Step::Text(text) };
            }
            "thinking_delta" => append(&mut block.value, "thinking", text("thinking")),
            "signature_delta" => put(&mut block.value, "signature", json!(text("signature"))),
            "input_json_delta" => block.input.get_or_insert_default().push_str(text("partial_json")),
            "citations_delta" => push(&mut block.value, "citations", delta["citation"].take()),
            "compaction_delta" => {
                for name in ["content", "encrypted_content"] {
                    if let Some(value) = delta.get_mut(name) {
                        put(&mut block.value, name, value.take());
                    }
                }
            }
            _ => {}
        }
        Step::Nothing
    }

    fn end(&mut self) -> Option<ModelResponse> {
        let message = self.message.take()?;
        let blocks = std::mem::take(&mut self.blocks).into_values();
        Some(ModelResponse {
            content: contents(blocks.map(Block::whole).collect()),
            stop: stop(message.stop_reason.as_deref(), message.stop_details.as_ref()),
            usage: usage(&message.usage),
            by: None,
        })
    }
}

impl Block {
    fn whole(mut self) -> Value {
        if let Some(input) = self.input.filter(|it| !it.is_empty()) {
            put(&mut self.value, "input", tool_input(&input));
        }
        self.value
    }
}

impl Assemble for Assembler {
    fn model(&self) -> &str {
        &self.model
    }

    fn take(&mut self, event: &SseEvent) -> Result<Step, LlmError> {
        let event: EventWire = serde_json::from_str(&event.data)
            .map_err(|_| garbled(&self.model, "an event of the answer is no JSON of its kind"))?;
        match (event, &mut self.message) {
            (EventWire::MessageStart { message }, None) => self.message = Some(message),
            (EventWire::Error { error }, message) => {
                let may_be_charged = message.is_some();
                let refusal = Refusal { may_be_charged, ..Refusal::of(&error) };
                return Err(refusal.judged(&error::VENDOR, &self.model));
            }
            (EventWire::ContentBlockStart { index, content_block }, Some(_)) => return self.begin(index, content_block),
            (EventWire::ContentBlockDelta { index, delta }, Some(_)) => return Ok(self.grow(index, delta)),
            (EventWire::MessageDelta { delta, usage }, Some(message)) => {
                message.stop_reason = delta.stop_reason.or(message.stop_reason.take());
                message.stop_details = delta.stop_details.or(message.stop_details.take());
                overlay(&mut message.usage, usage.unwrap_or_default());
            }
            (EventWire::MessageStop, Some(_)) => {
                return Ok(self.end().map_or(Step::Nothing, |it| Step::Done(Box::new(it), None)));
            }
            _ => {}
        }
        Ok(Step::Nothing)
    }
}

/// The numbers of the end are totals; those that are left out stay.
fn overlay(usage: &mut UsageWire, end: UsageWire) {
    usage.input_tokens = end.input_tokens.or(usage.input_tokens);
    usage.output_tokens = end.output_tokens.or(usage.output_tokens);
    usage.cache_read_input_tokens = end.cache_read_input_tokens.or(usage.cache_read_input_tokens);
    usage.cache_creation_input_tokens = end.cache_creation_input_tokens.or(usage.cache_creation_input_tokens);
    usage.server_tool_use = end.server_tool_use.or(usage.server_tool_use.take());
}

fn put(block: &mut Value, name: &str, value: Value) {
    if let Some(object) = block.as_object_mut() {
        object.insert(name.to_owned(), value);
    }
}

fn append(block: &mut Value, name: &str, more: &str) {
    match block.get_mut(name) {
        Some(Value::String(text)) => text.push_str(more),
        _ => put(block, name, json!(more)),
    }
}

fn push(block: &mut Value, name: &str, item: Value) {
    match block.get_mut(name) {
        Some(Value::Array(items)) => items.push(item),
        _ => put(block, name, json!([item])),
    }
}
