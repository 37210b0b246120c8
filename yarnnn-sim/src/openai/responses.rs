//! Responses.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::check::{self, Fields, Refusal, THOUGHT};
use crate::Sim;
use crate::models::{Answered, End, Known, Part, Prompt, Spoken, TokenUse, Written};
use crate::sample::identifier;
use crate::server::{self, Events, pieces};

pub(super) fn answer(sim: &Sim, body: &[u8]) -> Result<Response, Refusal> {
    let (fields, model) = check::read(body)?;
    let input = input(&fields);
    conversation(sim, &input)?;
    let prompt = prompt(&fields, &input, &model)?;
    let streams = check::flag(&fields, "stream");
    let mut read: Vec<Value> = check::list(&fields, "tools").into_iter().cloned().collect();
    read.extend(fields.get("instructions").cloned());
    read.extend(input);
    let usage = check::charge(sim, &model, read)?;
    let answered = sim.models().answer(prompt, usage, check::thought(&model), streams);
    let written = Completed::of(sim, &model, answered);
    Ok(if streams { written.stream(&fields) } else { server::json(StatusCode::OK, &written.json(&fields)) })
}

/// The items of the input; a text is one message.
fn input(fields: &Fields) -> Vec<Value> {
    match fields.get("input") {
        Some(Value::String(text)) => vec![json!({ "type": "message", "role": "user", "content": text })],
        Some(Value::Array(items)) => items.clone(),
        _ => Vec::new(),
    }
}

fn field<'a>(item: &'a Value, name: &str) -> &'a str {
    item.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn kind(item: &Value) -> &str {
    let kind = field(item, "type");
    if kind.is_empty() { "message" } else { kind }
}

/// Results answer calls, calls are answered, and sealed thoughts are ours.
fn conversation(sim: &Sim, input: &[Value]) -> Result<(), Refusal> {
    if input.is_empty() {
        return Err(Refusal::invalid("input", "Missing required parameter: 'input'.").coded("missing_required_parameter"));
    }
    let ids = |wanted: &str| -> BTreeSet<&str> {
        input.iter().filter(|it| kind(it) == wanted).map(|it| field(it, "call_id")).collect()
    };
    let (called, answered) = (ids("function_call"), ids("function_call_output"));
    if let Some(id) = answered.difference(&called).next() {
        return Err(Refusal::invalid("input", format!("No tool call found for function call output with call_id {id}.")));
    }
    if let Some(id) = called.difference(&answered).next() {
        return Err(Refusal::invalid("input", format!("No tool output found for function call {id}.")));
    }
    for item in input.iter().filter(|it| kind(it) == "reasoning") {
        let sealed = field(item, "encrypted_content");
        if !sealed.is_empty() && sim.models().signed(sealed).is_none() {
            let message = format!("The encrypted content for item {} could not be verified.", field(item, "id"));
            return Err(Refusal::invalid("input", message).coded("invalid_encrypted_content"));
        }
    }
    let sent: Vec<&str> = input.iter().map(|it| field(it, "id")).collect();
    for item in input.iter().filter(|it| kind(it) == "function_call" && !field(it, "id").is_empty()) {
        let thoughts = sim.models().thoughts_of(field(item, "call_id")).unwrap_or_default();
        if let Some(missing) = thoughts.iter().map(|it| field(it, "id")).find(|it| !sent.contains(it)) {
            let id = field(item, "id");
            let message =
                format!("Item '{id}' of type 'function_call' was provided without its required 'reasoning' item: '{missing}'.");
            return Err(Refusal::invalid("input", message));
        }
    }
    Ok(())
}

fn prompt(fields: &Fields, input: &[Value], model: &Known) -> Result<Prompt, Refusal> {
    let is_standing = |it: &&Value| kind(it) == "message" && matches!(field(it, "role"), "system" | "developer");
    let mut standing: Vec<String> = fields.get("instructions").and_then(Value::as_str).map(str::to_owned).into_iter().collect();
    standing.extend(input.iter().filter(is_standing).map(text));
    let format = fields.get("text").and_then(|it| it.get("format")).cloned().unwrap_or_default();
    let no_tools = fields.get("tool_choice").and_then(Value::as_str) == Some("none");
    let tools: Vec<&Value> = check::list(fields, "tools").into_iter().filter(|_| !no_tools).collect();
    let searches = tools.iter().any(|it| field(it, "type").starts_with("web_search"));
    Ok(Prompt {
        provider: "openai",
        model: model.id.to_owned(),
        system: standing.join("\n\n"),
        turns: input.iter().filter(|it| !is_standing(it)).filter_map(spoken).collect(),
        tools: tools.into_iter().filter(|it| field(it, "type") == "function").filter_map(check::tool).collect(),
        schema: check::schema(&format, "text.format")?,
        searches: if searches { 5 } else { 0 },
        max_tokens: check::most(fields, "max_output_tokens", model)?,
    })
}

fn text(item: &Value) -> String {
    match item.get("content") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => parts.iter().filter_map(|it| it.get("text")?.as_str()).collect::<Vec<_>>().join("\n\n"),
        _ => String::new(),
    }
}

fn spoken(item: &Value) -> Option<Spoken> {
    let (by_model, part) = match kind(item) {
        "message" => (field(item, "role") == "assistant", Part::Text(text(item))),
        "function_call" => {
            let arguments = field(item, "arguments");
            let input = serde_json::from_str(arguments).unwrap_or_else(|_| json!(arguments));
            (true, Part::Call { name: field(item, "name").to_owned(), input })
        }
        "function_call_output" => (false, Part::Result(field(item, "output").to_owned())),
        "web_search_call" => (false, Part::Result(item.to_string())),
        _ => return None,
    };
    Some(Spoken { by_model, parts: vec![part] })
}

/// A response that is complete.
struct Completed {
    id: String,
    created: i64,
    model: &'static str,
    output: Vec<Value>,
    incomplete: Option<String>,
    usage: TokenUse,
}

impl Completed {
    fn of(sim: &Sim, model: &Known, answered: Answered) -> Self {
        let key = identifier::grouped("response", &answered.number.to_string()).replace('-', "");
        let mut it = Self {
            id: format!("resp_{key}"),
            created: sim.now().timestamp(),
            model: model.id,
            output: Vec::new(),
            incomplete: answered.was_cut.then(|| "max_output_tokens".to_owned()),
            usage: answered.usage,
        };
        for (index, part) in answered.turn.parts.into_iter().enumerate() {
            it.part(sim, &format!("{key}{index}"), part);
        }
        match answered.turn.end {
            End::Refused { explanation, .. } => {
                it.message(&format!("{key}r"), &json!({ "type": "refusal", "refusal": explanation }));
            }
            End::Other(reason) => it.incomplete = Some(reason),
            End::Complete | End::Paused => {}
        }
        if check::thought(model) > 0 {
            it.think(sim, &key);
        }
        it
    }

    fn part(&mut self, sim: &Sim, key: &str, part: Written) {
        match part {
            Written::Text(text) => {
                self.message(key, &json!({ "type": "output_text", "text": text, "annotations": [], "logprobs": [] }));
            }
            Written::Call { name, input } => self.call(key, &name, &input.to_string()),
            Written::BrokenCall { name, input } => self.call(key, &name, &input),
            Written::Search(query) => self.search(sim, key, &query),
        }
    }

    fn message(&mut self, key: &str, content: &Value) {
        let id = format!("msg_{key}");
        self.output
            .push(json!({ "type": "message", "id": id, "status": "completed", "role": "assistant", "content": [content] }));
    }

    fn call(&mut self, key: &str, name: &str, arguments: &str) {
        let (id, call_id) = (format!("fc_{key}"), format!("call_{key}"));
        let call = json!({ "type": "function_call", "id": id, "call_id": call_id, "name": name, "arguments": arguments, "status": "completed" });
        self.output.push(call);
    }

    /// The search, and a message that cites each page that was found.
    fn search(&mut self, sim: &Sim, key: &str, query: &str) {
        let action = json!({ "type": "search", "query": query, "queries": [query] });
        self.output
            .push(json!({ "type": "web_search_call", "id": format!("ws_{key}"), "status": "completed", "action": action }));
        self.usage.searches += 1;
        sim.models().searched(1);
        let (mut text, mut annotations) = (String::new(), Vec::new());
        for hit in sim.web().search(query, 5) {
            let start = text.chars().count();
            text.push_str(&hit.snippet);
            let end = text.chars().count();
            let (url, title) = (hit.url, hit.title);
            annotations
                .push(json!({ "type": "url_citation", "start_index": start, "end_index": end, "url": url, "title": title }));
            text.push('\n');
        }
        self.message(key, &json!({ "type": "output_text", "text": text, "annotations": annotations, "logprobs": [] }));
    }

    /// Puts the thought in front, sealed.
    fn think(&mut self, sim: &Sim, key: &str) {
        let sealed = format!("gAAAA{}", identifier::grouped("sealed", key).replace('-', ""));
        let item = json!({ "type": "reasoning", "id": format!("rs_{key}"), "summary": [], "encrypted_content": sealed });
        let calls: Vec<String> =
            self.output.iter().map(|it| field(it, "call_id").to_owned()).filter(|it| !it.is_empty()).collect();
        sim.models().thought(&calls, &item, &sealed, THOUGHT);
        self.output.insert(0, item);
    }

    fn status(&self) -> &'static str {
        if self.incomplete.is_some() { "incomplete" } else { "completed" }
    }

    fn json(&self, fields: &Fields) -> Value {
        let given = |name: &str, other: Value| fields.get(name).cloned().unwrap_or(other);
        let (input, output) = (self.usage.input + self.usage.cache_read, self.usage.output);
        json!({
            "id": self.id,
            "object": "response",
            "created_at": self.created,
            "status": self.status(),
            "error": null,
            "incomplete_details": self.incomplete.as_ref().map(|it| json!({ "reason": it })),
            "instructions": fields.get("instructions"),
            "max_output_tokens": fields.get("max_output_tokens"),
            "model": self.model,
            "output": self.output,
            "parallel_tool_calls": true,
            "previous_response_id": null,
            "reasoning": given("reasoning", json!({ "effort": null, "summary": null })),
            "store": given("store", json!(true)),
            "temperature": 1.0,
            "text": given("text", json!({ "format": { "type": "text" } })),
            "tool_choice": given("tool_choice", json!("auto")),
            "tools": given("tools", json!([])),
            "top_p": 1.0,
            "truncation": "disabled",
            "usage": {
                "input_tokens": input,
                "input_tokens_details": { "cached_tokens": self.usage.cache_read, "cache_write_tokens": 0 },
                "output_tokens": output,
                "output_tokens_details": { "reasoning_tokens": self.usage.thinking },
                "total_tokens": input + output,
            },
            "user": null,
            "metadata": {},
        })
    }

    fn stream(&self, fields: &Fields) -> Response {
        let mut events = Events::default();
        let mut number = 0;
        let mut send = |name: &str, mut data: Value| {
            data["type"] = json!(name);
            data["sequence_number"] = json!(number);
            number += 1;
            events.named(name, &data);
        };
        let mut begun = self.json(fields);
        for (name, value) in [("status", json!("in_progress")), ("output", json!([])), ("usage", Value::Null)] {
            begun[name] = value;
        }
        begun["incomplete_details"] = Value::Null;
        send("response.created", json!({ "response": begun }));
        send("response.in_progress", json!({ "response": begun }));
        for (index, item) in self.output.iter().enumerate() {
            let mut opened = item.clone();
            for (name, empty) in [("content", json!([])), ("arguments", json!("")), ("encrypted_content", json!(""))] {
                if let Some(field) = opened.get_mut(name) {
                    *field = empty;
                }
            }
            send("response.output_item.added", json!({ "output_index": index, "item": opened }));
            for (name, mut data) in inner(item) {
                data["output_index"] = json!(index);
                data["item_id"] = json!(field(item, "id"));
                send(name, data);
            }
            send("response.output_item.done", json!({ "output_index": index, "item": item }));
        }
        send(&format!("response.{}", self.status()), json!({ "response": self.json(fields) }));
        events.respond()
    }
}

/// The events between the beginning and the end of an item.
fn inner(item: &Value) -> Vec<(&'static str, Value)> {
    match kind(item) {
        "function_call" => {
            let arguments = field(item, "arguments");
            let deltas =
                pieces(arguments).into_iter().map(|it| ("response.function_call_arguments.delta", json!({ "delta": it })));
            let done = json!({ "arguments": arguments, "name": field(item, "name") });
            deltas.chain([("response.function_call_arguments.done", done)]).collect()
        }
        "message" => {
            let part = item.get("content").and_then(|it| it.get(0)).cloned().unwrap_or_default();
            let text = field(&part, "text").to_owned();
            let mut opened = part.clone();
            if let Some(field) = opened.get_mut("text") {
                *field = json!("");
            }
            let at = |mut data: Value| {
                data["content_index"] = json!(0);
                data
            };
            let mut events = vec![("response.content_part.added", at(json!({ "part": opened })))];
            let deltas =
                pieces(&text).into_iter().map(|it| ("response.output_text.delta", at(json!({ "delta": it, "logprobs": [] }))));
            events.extend(deltas);
            if !text.is_empty() {
                events.push(("response.output_text.done", at(json!({ "text": text, "logprobs": [] }))));
            }
            events.push(("response.content_part.done", at(json!({ "part": part }))));
            events
        }
        _ => Vec::new(),
    }
}
