//! From a request of the port to requests on the wire, in both ways to ask.

use serde_json::{Map, Value, json};
use yarnnn_core::llm::{AnswerSchema, Content, LlmError, Message, ModelRequest, Role, ToolCall, ToolSpec};

use super::PROVIDER;
use crate::catalogue::{Api, ModelEntry, Thinking};

/// The body of a request.
pub(super) fn body(model: &ModelEntry, request: &ModelRequest, stream: bool) -> Result<Value, LlmError> {
    if request.messages.last().is_none_or(|it| it.role != Role::User) {
        let detail = "the conversation does not end with a turn of the user".to_owned();
        return Err(LlmError::Permanent { model: model.name(), detail });
    }
    if !model.searches_web() && request.searches_allowed() > 0 {
        let detail =
            "it cannot search the web; a model of Anthropic's, or one that OpenAI answers responses with, can".to_owned();
        return Err(LlmError::Permanent { model: model.name(), detail });
    }
    Ok(match model.api {
        Api::Chat => chat(model, request, stream),
        Api::Responses => responses(model, request, stream),
    })
}

fn chat(model: &ModelEntry, request: &ModelRequest, stream: bool) -> Value {
    let mut messages = vec![json!({ "role": "system", "content": system(model, request) })];
    messages.retain(|it| it["content"] != "");
    messages.extend(request.messages.iter().flat_map(|it| chat_messages(it, request)));
    let mut body = json!({
        "model": model.id,
        "max_completion_tokens": model.output_bound(request.max_output_tokens),
        "messages": messages,
    });
    if !request.tools.is_empty() {
        let tools = request.tools.iter().map(|it| {
            let description = it.description.trim();
            let function = json!({ "name": it.name, "description": description, "parameters": it.input_schema, "strict": false });
            json!({ "type": "function", "function": function })
        });
        body["tools"] = tools.collect();
        if request.answers_now {
            body["tool_choice"] = json!("none");
        }
    }
    if let Some(effort) = &model.effort {
        body["reasoning_effort"] = json!(effort);
    }
    if let Some(schema) = request.schema.as_ref().filter(|_| model.structured) {
        body["response_format"] = json!({ "type": "json_schema", "json_schema": named(schema) });
    }
    if stream {
        body["stream"] = json!(true);
        body["stream_options"] = json!({ "include_usage": true });
    }
    body
}

fn responses(model: &ModelEntry, request: &ModelRequest, stream: bool) -> Value {
    let input: Vec<Value> = request.messages.iter().flat_map(|it| items(it, request)).collect();
    let mut body = json!({
        "model": model.id,
        "instructions": system(model, request),
        "input": input,
        "max_output_tokens": model.output_bound(request.max_output_tokens),
        "store": false,
    });
    // Models that do not think refuse to be asked for their thoughts.
    if model.thinking != Thinking::None {
        body["include"] = json!(["reasoning.encrypted_content"]);
    }
    let function = |it: &ToolSpec| {
        let description = it.description.trim();
        json!({ "type": "function", "name": it.name, "description": description, "parameters": it.input_schema, "strict": false })
    };
    let mut tools: Vec<Value> = request.tools.iter().map(function).collect();
    if request.searches_allowed() > 0 {
        tools.push(json!({ "type": "web_search" }));
        body["max_tool_calls"] = json!(request.searches_allowed());
    }
    if !tools.is_empty() {
        body["tools"] = Value::Array(tools);
        if request.answers_now {
            body["tool_choice"] = json!("none");
        }
    }
    if let Some(effort) = &model.effort {
        body["reasoning"] = json!({ "effort": effort });
    }
    if let Some(schema) = request.schema.as_ref().filter(|_| model.structured) {
        let mut format = named(schema);
        format["type"] = json!("json_schema");
        body["text"] = json!({ "format": format });
    }
    if stream {
        body["stream"] = json!(true);
    }
    body
}

fn system(model: &ModelEntry, request: &ModelRequest) -> String {
    let text = request.system.trim();
    match request.schema.as_ref().filter(|_| !model.structured) {
        Some(it) => format!("{text}\n\nAnswer with one JSON value that fits this schema, and nothing else:\n{}", it.schema),
        None => text.to_owned(),
    }
}

fn named(schema: &AnswerSchema) -> Value {
    json!({ "name": schema.name, "schema": schema.schema, "strict": is_strict(&schema.schema) })
}

/// Whether every object of a schema is closed and wants all its properties, without which the provider holds nobody to it.
fn is_strict(schema: &Value) -> bool {
    match schema {
        Value::Object(object) => closes(object) && object.values().all(is_strict),
        Value::Array(items) => items.iter().all(is_strict),
        _ => true,
    }
}

fn closes(object: &Map<String, Value>) -> bool {
    let Some(properties) = object.get("properties").and_then(Value::as_object) else { return true };
    let required = object.get("required").and_then(Value::as_array);
    let wants = |name: &String| required.is_some_and(|it| it.iter().any(|it| it == name));
    object.get("additionalProperties") == Some(&Value::Bool(false)) && properties.keys().all(wants)
}

/// A turn as messages: answers of tools are messages of their own, and come first.
fn chat_messages(message: &Message, request: &ModelRequest) -> Vec<Value> {
    let mut messages: Vec<Value> = message.content.iter().filter_map(|it| chat_tool_result(it, request)).collect();
    let texts: Vec<String> = message.content.iter().filter_map(|it| text(it, request)).collect();
    let calls: Vec<Value> = message.content.iter().filter_map(chat_tool_call).collect();
    if texts.is_empty() && calls.is_empty() {
        return messages;
    }
    let mut turn = json!({ "role": message.role, "content": texts.join("\n\n") });
    if !calls.is_empty() {
        turn["tool_calls"] = Value::Array(calls);
        if texts.is_empty() {
            turn["content"] = Value::Null;
        }
    }
    messages.push(turn);
    messages
}

fn chat_tool_result(content: &Content, request: &ModelRequest) -> Option<Value> {
    let Content::ToolResult(result) = content else { return None };
    Some(json!({ "role": "tool", "tool_call_id": result.call_id, "content": result.render(&request.boundary) }))
}

fn chat_tool_call(content: &Content) -> Option<Value> {
    let Content::ToolCall(call) = content else { return None };
    Some(json!({ "id": call.id, "type": "function", "function": { "name": call.name, "arguments": arguments(call) } }))
}

/// Text that is said; none for what is not text.
fn text(content: &Content, request: &ModelRequest) -> Option<String> {
    match content {
        // What was found by a search stands in the items of its provider, too.
        Content::ToolCall(_) | Content::ToolResult(_) | Content::Opaque(_) | Content::WebHits(_) => None,
        other => other.render(&request.boundary).filter(|it| !it.trim().is_empty()),
    }
}

/// The input of a tool as the model wrote it.
fn arguments(call: &ToolCall) -> String {
    call.input.as_str().map_or_else(|| call.input.to_string(), str::to_owned)
}

/// A turn as items, in order; answers of tools come first.
fn items(message: &Message, request: &ModelRequest) -> Vec<Value> {
    let mut items: Vec<Value> = message.content.iter().filter_map(|it| item(it, message.role, request)).collect();
    items.sort_by_key(|it| it["type"] != "function_call_output" && message.role == Role::User);
    items
}

fn item(content: &Content, role: Role, request: &ModelRequest) -> Option<Value> {
    match content {
        Content::Opaque(opaque) => (opaque.provider == PROVIDER).then(|| opaque.block.clone()),
        Content::ToolCall(call) => {
            Some(json!({ "type": "function_call", "call_id": call.id, "name": call.name, "arguments": arguments(call) }))
        }
        Content::ToolResult(result) => {
            let output = result.render(&request.boundary);
            Some(json!({ "type": "function_call_output", "call_id": result.call_id, "output": output }))
        }
        other => {
            let kind = if role == Role::User { "input_text" } else { "output_text" };
            let part = json!({ "type": kind, "text": text(other, request)? });
            Some(json!({ "type": "message", "role": role, "content": [part] }))
        }
    }
}
