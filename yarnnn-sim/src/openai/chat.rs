//! Chat completions.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::check::{self, Fields, Refusal};
use crate::Sim;
use crate::models::{Answered, End, Known, Part, Prompt, Spoken, TokenUse, Written};
use crate::sample::identifier;
use crate::server::{self, Events, pieces};

pub(super) fn answer(sim: &Sim, body: &[u8]) -> Result<Response, Refusal> {
    let (fields, model) = check::read(body)?;
    let prompt = prompt(&fields, &model)?;
    let streams = check::flag(&fields, "stream");
    let read = check::list(&fields, "tools").into_iter().chain(check::list(&fields, "messages")).cloned().collect();
    let usage = check::charge(sim, &model, read)?;
    let answered = sim.models().answer(prompt, usage, check::thought(&model), streams);
    let completion = Completion::of(&model, answered, sim.now().timestamp());
    let with_usage = fields.get("stream_options").and_then(|it| it.get("include_usage")) == Some(&Value::Bool(true));
    Ok(if streams { completion.stream(with_usage) } else { server::json(StatusCode::OK, &completion.json()) })
}

fn prompt(fields: &Fields, model: &Known) -> Result<Prompt, Refusal> {
    if model.strict.0 && fields.get("max_tokens").is_some_and(|it| !it.is_null()) {
        let message =
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
        return Err(Refusal::invalid("max_tokens", message).coded("unsupported_parameter"));
    }
    let name = if fields.contains_key("max_tokens") { "max_tokens" } else { "max_completion_tokens" };
    let messages = check::list(fields, "messages");
    if messages.is_empty() {
        return Err(Refusal::invalid("messages", "Invalid 'messages': empty array. Expected an array with minimum length 1."));
    }
    paired(&messages)?;
    let is_standing = |it: &&Value| matches!(role(it), "system" | "developer");
    let format = fields.get("response_format").and_then(|it| it.get("json_schema")).cloned().unwrap_or_default();
    let no_tools = fields.get("tool_choice").and_then(Value::as_str) == Some("none");
    let tools = check::list(fields, "tools").into_iter().filter_map(|it| check::tool(it.get("function")?));
    Ok(Prompt {
        provider: "openai",
        model: model.id.to_owned(),
        system: messages.iter().copied().filter(is_standing).map(text).collect::<Vec<_>>().join("\n\n"),
        turns: messages.iter().copied().filter(|it| !is_standing(it)).map(spoken).collect(),
        tools: tools.filter(|_| !no_tools).collect(),
        schema: check::schema(&format, "response_format.json_schema")?,
        searches: 0,
        max_tokens: check::most(fields, name, model)?,
    })
}

fn role(message: &Value) -> &str {
    message.get("role").and_then(Value::as_str).unwrap_or_default()
}

/// The text of a message, whether it is one or stands in parts.
fn text(message: &Value) -> String {
    match message.get("content") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => parts.iter().filter_map(|it| it.get("text")?.as_str()).collect::<Vec<_>>().join("\n\n"),
        _ => String::new(),
    }
}

fn calls(message: &Value) -> impl Iterator<Item = &Value> {
    message.get("tool_calls").and_then(Value::as_array).into_iter().flatten()
}

fn spoken(message: &Value) -> Spoken {
    if role(message) == "tool" {
        return Spoken { by_model: false, parts: vec![Part::Result(text(message))] };
    }
    let said = text(message);
    let mut parts: Vec<Part> = (!said.is_empty()).then_some(Part::Text(said)).into_iter().collect();
    parts.extend(calls(message).filter_map(|it| {
        let function = it.get("function")?;
        let arguments = function.get("arguments")?.as_str()?;
        let input = serde_json::from_str(arguments).unwrap_or_else(|_| json!(arguments));
        Some(Part::Call { name: function.get("name")?.as_str()?.to_owned(), input })
    }));
    Spoken { by_model: role(message) == "assistant", parts }
}

/// Every result follows the message that called, and every call has a result.
fn paired(messages: &[&Value]) -> Result<(), Refusal> {
    let mut open: BTreeSet<String> = BTreeSet::new();
    let mut known: BTreeSet<String> = BTreeSet::new();
    for message in messages {
        if role(message) == "tool" {
            let id = message.get("tool_call_id").and_then(Value::as_str).unwrap_or_default();
            if !known.contains(id) {
                let message =
                    "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.";
                return Err(Refusal::invalid("messages", message));
            }
            open.remove(id);
        } else {
            complete(&open)?;
            known = calls(message).filter_map(|it| it.get("id")?.as_str().map(str::to_owned)).collect();
            open.clone_from(&known);
        }
    }
    complete(&open)
}

fn complete(open: &BTreeSet<String>) -> Result<(), Refusal> {
    if open.is_empty() {
        return Ok(());
    }
    let missing = open.iter().cloned().collect::<Vec<_>>().join(", ");
    let message = format!(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following \
         tool_call_ids did not have response messages: {missing}"
    );
    Err(Refusal::invalid("messages", message))
}

/// A completion that is complete.
struct Completion {
    id: String,
    created: i64,
    model: &'static str,
    text: String,
    refusal: Option<String>,
    calls: Vec<(String, String, String)>,
    finish_reason: String,
    usage: TokenUse,
}

impl Completion {
    fn of(model: &Known, answered: Answered, created: i64) -> Self {
        let key = identifier::grouped("completion", &answered.number.to_string()).replace('-', "");
        let mut it = Self {
            id: format!("chatcmpl-{key}"),
            created,
            model: model.id,
            text: answered.turn.said(),
            refusal: None,
            calls: Vec::new(),
            finish_reason: "stop".to_owned(),
            usage: answered.usage,
        };
        for part in answered.turn.parts {
            let (name, arguments) = match part {
                Written::Call { name, input } => (name, input.to_string()),
                Written::BrokenCall { name, input } => (name, input),
                // There is no search of the provider here.
                Written::Text(_) | Written::Search(_) => continue,
            };
            "tool_calls".clone_into(&mut it.finish_reason);
            it.calls.push((format!("call_{}{}", key.get(..20).unwrap_or_default(), it.calls.len()), name, arguments));
        }
        match answered.turn.end {
            End::Refused { explanation, .. } => it.refusal = Some(explanation),
            End::Other(reason) => it.finish_reason = reason,
            End::Complete | End::Paused => {}
        }
        if answered.was_cut {
            "length".clone_into(&mut it.finish_reason);
        }
        it
    }

    fn usage(&self) -> Value {
        let (input, output) = (self.usage.input + self.usage.cache_read, self.usage.output);
        json!({
            "prompt_tokens": input,
            "completion_tokens": output,
            "total_tokens": input + output,
            "prompt_tokens_details": { "cached_tokens": self.usage.cache_read, "audio_tokens": 0 },
            "completion_tokens_details": {
                "reasoning_tokens": self.usage.thinking,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        })
    }

    fn json(&self) -> Value {
        let content = (self.refusal.is_none() && (self.calls.is_empty() || !self.text.is_empty())).then_some(&self.text);
        let mut message = json!({ "role": "assistant", "content": content, "refusal": self.refusal, "annotations": [] });
        if !self.calls.is_empty() {
            let calls = self.calls.iter().map(|(id, name, arguments)| {
                json!({ "id": id, "type": "function", "function": { "name": name, "arguments": arguments } })
            });
            message["tool_calls"] = calls.collect();
        }
        let choice = json!({ "index": 0, "message": message, "logprobs": null, "finish_reason": self.finish_reason });
        json!({
            "id": self.id,
            "object": "chat.completion",
            "created": self.created,
            "model": self.model,
            "choices": [choice],
            "usage": self.usage(),
            "service_tier": "default",
        })
    }

    fn stream(&self, with_usage: bool) -> Response {
        let mut events = Events::default();
        let mut send = |choices: Value, usage: Value| {
            let mut chunk =
                json!({ "id": self.id, "object": "chat.completion.chunk", "created": self.created, "model": self.model });
            chunk["choices"] = choices;
            if with_usage {
                chunk["usage"] = usage;
            }
            events.data(&chunk);
        };
        for delta in self.deltas() {
            send(json!([{ "index": 0, "delta": delta, "logprobs": null, "finish_reason": null }]), Value::Null);
        }
        send(json!([{ "index": 0, "delta": {}, "logprobs": null, "finish_reason": self.finish_reason }]), Value::Null);
        if with_usage {
            send(json!([]), self.usage());
        }
        events.text("[DONE]");
        events.respond()
    }

    fn deltas(&self) -> Vec<Value> {
        let mut deltas = vec![json!({ "role": "assistant", "content": "", "refusal": null })];
        deltas.extend(pieces(&self.text).into_iter().map(|it| json!({ "content": it })));
        deltas.extend(self.refusal.iter().map(|it| json!({ "refusal": it })));
        for (index, (id, name, arguments)) in self.calls.iter().enumerate() {
            let function = json!({ "name": name, "arguments": "" });
            deltas.push(json!({ "tool_calls": [{ "index": index, "id": id, "type": "function", "function": function }] }));
            let more = pieces(arguments).into_iter();
            deltas.extend(more.map(|it| json!({ "tool_calls": [{ "index": index, "function": { "arguments": it } }] })));
        }
        deltas
    }
}
