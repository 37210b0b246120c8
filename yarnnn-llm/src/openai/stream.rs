//! Putting answers together that come in pieces, in both ways to ask.

use yarnnn_core::llm::{LlmError, ModelResponse};

use super::answer::{self, Uncounted};
use super::error;
use super::wire::{ChatMessageWire, ChatUsageWire, ChatWire, ChoiceWire, ResponseEventWire, ToolCallWire};
use crate::http::{Assemble, Refusal, Step, garbled};
use crate::sse::SseEvent;

/// More tool calls than any answer has.
const MOST_CALLS: usize = 1_000;

/// A chat completion so far.
#[derive(Debug)]
pub(super) struct ChatAssembler {
    model: String,
    uncounted: Uncounted,
    begun: bool,
    text: String,
    refusal: String,
    calls: Vec<(usize, ToolCallWire)>,
    finish_reason: Option<String>,
    usage: Option<ChatUsageWire>,
}

impl ChatAssembler {
    pub(super) fn new(model: String, uncounted: Uncounted) -> Self {
        let (text, refusal) = (String::new(), String::new());
        Self { model, uncounted, begun: false, text, refusal, calls: vec![], finish_reason: None, usage: None }
    }

    fn add(&mut self, choice: ChoiceWire) -> Result<Step, LlmError> {
        self.finish_reason = choice.finish_reason.or(self.finish_reason.take());
        self.refusal.push_str(&choice.message.refusal.unwrap_or_default());
        for piece in choice.message.tool_calls.unwrap_or_default() {
            self.add_call(piece)?;
        }
        let text = choice.message.content.unwrap_or_default();
        self.text.push_str(&text);
        Ok(if text.is_empty() { Step::Nothing } else { Step::Text(text) })
    }

    /// Adds a piece of a call. Without a number it begins a new one if it has a name, and goes on with the last one otherwise.
    fn add_call(&mut self, piece: ToolCallWire) -> Result<(), LlmError> {
        let names = piece.function.as_ref().is_some_and(|it| it.name.is_some());
        let last = self.calls.last().map(|it| it.0);
        let index = piece.index.or(if names { None } else { last }).unwrap_or(self.calls.len());
        let Some((_, call)) = self.calls.iter_mut().find(|it| it.0 == index) else {
            if self.calls.len() >= MOST_CALLS {
                return Err(garbled(&self.model, "the answer asks for too many tools"));
            }
            self.calls.push((index, piece));
            return Ok(());
        };
        let (function, more) = (call.function.get_or_insert_default(), piece.function.unwrap_or_default());
        call.id = call.id.take().or(piece.id);
        function.name = function.name.take().or(more.name);
        let so_far = function.arguments.get_or_insert_default();
        so_far.push_str(&more.arguments.unwrap_or_default());
        Ok(())
    }

    fn end(&mut self) -> Result<ModelResponse, LlmError> {
        let calls = std::mem::take(&mut self.calls);
        let message = ChatMessageWire {
            content: Some(std::mem::take(&mut self.text)),
            refusal: Some(std::mem::take(&mut self.refusal)),
            tool_calls: Some(calls.into_iter().map(|it| it.1).collect()),
        };
        let choice = ChoiceWire { message, finish_reason: self.finish_reason.take() };
        let whole = ChatWire { choices: vec![choice], usage: self.usage.take(), error: None };
        answer::chat(whole, &self.model, self.uncounted)
    }
}

impl Assemble for ChatAssembler {
    fn model(&self) -> &str {
        &self.model
    }

    fn take(&mut self, event: &SseEvent) -> Result<Step, LlmError> {
        if event.data.trim() == "[DONE]" {
            return if self.begun {
                Ok(Step::Done(Box::new(self.end()?), None))
            } else {
                Err(garbled(&self.model, "the answer is empty"))
            };
        }
        let piece: ChatWire = serde_json::from_str(&event.data)
            .map_err(|_| garbled(&self.model, "an event of the answer is no JSON of its kind"))?;
        if let Some(error) = piece.error.filter(|it| !it.is_null()) {
            let said = Refusal { may_be_charged: self.begun, ..Refusal::of(&error) };
            return Err(said.judged(&error::VENDOR, &self.model));
        }
        self.usage = piece.usage.or(self.usage.take());
        self.begun |= !piece.choices.is_empty();
        piece.choices.into_iter().next().map_or(Ok(Step::Nothing), |choice| self.add(choice))
    }
}

/// A response so far. Its last event holds all of it.
#[derive(Debug)]
pub(super) struct ResponseAssembler {
    model: String,
    uncounted: Uncounted,
    begun: bool,
    told: String,
}

impl ResponseAssembler {
    pub(super) fn new(model: String, uncounted: Uncounted) -> Self {
        Self { model, uncounted, begun: false, told: String::new() }
    }
}

impl Assemble for ResponseAssembler {
    fn model(&self) -> &str {
        &self.model
    }

    fn take(&mut self, event: &SseEvent) -> Result<Step, LlmError> {
        let event: ResponseEventWire = serde_json::from_str(&event.data)
            .map_err(|_| garbled(&self.model, "an event of the answer is no JSON of its kind"))?;
        match event {
            ResponseEventWire::Begun => self.begun = true,
            ResponseEventWire::Text { delta } if !delta.is_empty() => {
                self.told.push_str(&delta);
                return Ok(Step::Text(delta));
            }
            ResponseEventWire::Ended { response } => {
                let whole = answer::response(response, &self.model, self.uncounted)?;
                let rest = whole.text().strip_prefix(&self.told).map(str::to_owned);
                return Ok(Step::Done(Box::new(whole), rest));
            }
            ResponseEventWire::Error(error) => {
                let said = Refusal { may_be_charged: self.begun, ..Refusal::of(&error) };
                return Err(said.judged(&error::VENDOR, &self.model));
            }
            ResponseEventWire::Text { .. } | ResponseEventWire::Other => {}
        }
        Ok(Step::Nothing)
    }
}
