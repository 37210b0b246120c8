//! From a request of the port to a request on the wire.

use serde_json::{Map, Value, json};
use yarnnn_core::llm::{Content, LlmError, Message, ModelRequest, Role, ToolSpec};

use super::PROVIDER;
use crate::catalogue::{ModelEntry, Thinking};

/// Characters of a token, for a guess at what is long enough for the cache.
const TOKEN: usize = 4;

/// The search of the web that every model has.
const WEB_SEARCH: &str = "web_search_20250305";

/// The body of a request.
pub(super) fn body(model: &ModelEntry, request: &ModelRequest, stream: bool) -> Result<Value, LlmError> {
    let mut body = json!({
        "model": model.id,
        "max_tokens": model.output_bound(request.max_output_tokens),
        "system": system(model, request),
        "messages": messages(model, request)?,
    });
    let mut tools = tools(request);
    let are_former = request.tools.is_empty() && request.server_tools.is_empty();
    tools.extend(server_tools(request));
    if !tools.is_empty() {
        if request.answers_now || are_former {
            body["tool_choice"] = json!({ "type": "none" });
        }
        body["tools"] = Value::Array(tools);
    }
    if model.thinking == Thinking::Adaptive {
        body["thinking"] = json!({ "type": "adaptive" });
    }
    let output = output_config(model, request);
    if !output.is_empty() {
        body["output_config"] = Value::Object(output);
    }
    if stream {
        body["stream"] = Value::Bool(true);
    }
    if let Some(shortest) = model.cache_from {
        mark_for_the_cache(&mut body, request, shortest);
    }
    Ok(body)
}

fn system(model: &ModelEntry, request: &ModelRequest) -> Value {
    let mut text = request.system.trim().to_owned();
    if let Some(schema) = request.schema.as_ref().filter(|_| !model.structured) {
        text = format!("{text}\n\nAnswer with one JSON value that fits this schema, and nothing else:\n{}", schema.schema);
    }
    if text.is_empty() { json!([]) } else { json!([{ "type": "text", "text": text }]) }
}

fn output_config(model: &ModelEntry, request: &ModelRequest) -> Map<String, Value> {
    let mut config = Map::new();
    if let Some(effort) = &model.effort {
        config.insert("effort".to_owned(), json!(effort));
    }
    if let Some(schema) = request.schema.as_ref().filter(|_| model.structured) {
        config.insert("format".to_owned(), json!({ "type": "json_schema", "schema": schema.schema }));
    }
    config
}

/// The tools on offer. Where none are but some were, those are named again, because the provider wants to know what the
/// conversation speaks of; the body then says that none may be used.
fn tools(request: &ModelRequest) -> Vec<Value> {
    if !request.tools.is_empty() {
        return request.tools.iter().map(tool).collect();
    }
    let mut names: Vec<&str> = Vec::new();
    for content in request.messages.iter().flat_map(|it| &it.content) {
        match content {
            Content::ToolCall(call) if !names.contains(&call.name.as_str()) => names.push(&call.name),
            _ => {}
        }
    }
    let former = |name| json!({ "name": name, "description": "No longer on offer.", "input_schema": { "type": "object" } });
    names.into_iter().map(former).collect()
}

fn server_tools(request: &ModelRequest) -> Option<Value> {
    let searches = request.searches_allowed();
    (searches > 0).then(|| json!({ "type": WEB_SEARCH, "name": "web_search", "max_uses": searches }))
}

fn tool(tool: &ToolSpec) -> Value {
    json!({ "name": tool.name, "description": tool.description.trim(), "input_schema": tool.input_schema })
}

fn messages(model: &ModelEntry, request: &ModelRequest) -> Result<Vec<Value>, LlmError> {
    let last = request.messages.last();
    if !last.is_some_and(|it| it.role == Role::User || is_paused(it)) {
        let detail = "the conversation does not end with a turn of the user".to_owned();
        return Err(LlmError::Permanent { model: model.name(), detail });
    }
    let turns = request.messages.iter().map(|it| (it.role, blocks(it, request)));
    let turns = turns.filter(|(_, blocks)| !blocks.is_empty());
    Ok(turns.map(|(role, content)| json!({ "role": role, "content": content })).collect())
}

/// A turn that the provider broke off to go on with it later.
fn is_paused(message: &Message) -> bool {
    let is_server_tool = |it: &Content| match it {
        Content::Opaque(it) => it.provider == PROVIDER && it.block["type"] == "server_tool_use",
        _ => false,
    };
    message.content.iter().any(is_server_tool)
}

/// The blocks of a turn. Answers of tools come first, as the provider wants it.
fn blocks(message: &Message, request: &ModelRequest) -> Vec<Value> {
    let mut blocks: Vec<Value> = message.content.iter().filter_map(|it| block(it, request)).collect();
    blocks.sort_by_key(|it| it["type"] != "tool_result" && message.role == Role::User);
    blocks
}

fn block(content: &Content, request: &ModelRequest) -> Option<Value> {
    match content {
        Content::Opaque(opaque) => (opaque.provider == PROVIDER).then(|| opaque.block.clone()),
        // The block that it was read from goes back instead.
        Content::WebHits(_) => None,
        Content::ToolCall(call) => {
            let input = if call.input.is_object() { call.input.clone() } else { json!({ "no_json_object": call.input }) };
            Some(json!({ "type": "tool_use", "id": call.id, "name": call.name, "input": input }))
        }
        Content::ToolResult(result) => {
            let text = result.render(&request.boundary);
            let mut block = json!({ "type": "tool_result", "tool_use_id": result.call_id, "content": text });
            if result.is_error {
                block["is_error"] = Value::Bool(true);
            }
            Some(block)
        }
        other => {
            let text = other.render(&request.boundary).filter(|it| !it.trim().is_empty())?;
            Some(json!({ "type": "text", "text": text }))
        }
    }
}

/// Marks the ends of what stays the same from call to call: tools, standing instructions, and, if the conversation will go on,
/// its first turn. What is too short to be cached is not marked, because the mark makes tokens dearer.
fn mark_for_the_cache(body: &mut Value, request: &ModelRequest, shortest: u64) {
    let size = |value: Option<&Value>| value.map_or(0, |it| it.to_string().chars().count() / TOKEN) as u64;
    let tools = size(body.get("tools"));
    let standing = tools + size(body.get("system"));
    let first = standing + size(body.pointer("/messages/0"));
    let goes_on = !request.tools.is_empty() || request.messages.len() > 1;
    for (path, tokens, wanted) in [("/tools", tools, true), ("/system", standing, true), ("/messages/0/content", first, goes_on)]
    {
        let last = body.pointer_mut(path).and_then(Value::as_array_mut).and_then(|it| it.last_mut());
        if let Some(block) = last.filter(|_| wanted && tokens >= shortest) {
            block["cache_control"] = json!({ "type": "ephemeral" });
        }
    }
}
