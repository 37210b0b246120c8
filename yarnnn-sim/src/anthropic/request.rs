//! A request to `/v1/messages`, read and checked.

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use chrono::TimeDelta;
use serde_json::{Map, Value, json};

use super::check;
use super::conversation;
use crate::Sim;
use crate::models::{self, CacheMark, Known, OfferedTool, Prompt};
use crate::server::anthropic_error;

/// Why a request is refused.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    kind: &'static str,
    message: String,
}

impl Refusal {
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, kind: "invalid_request_error", message: message.into() }
    }

    pub(super) fn of(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        Self { status, kind, message: message.into() }
    }

    pub(super) fn respond(self) -> Response {
        anthropic_error(self.status, self.kind, &self.message)
    }
}

/// A request that may be answered.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) model: Known,
    pub(super) prompt: Prompt,
    pub(super) streams: bool,
    pub(super) thinks: bool,
    pub(super) stops: Vec<String>,
    /// The prefix up to every block, in order.
    pub(super) marks: Vec<CacheMark>,
}

/// The fields of a request.
pub(super) type Fields = Map<String, Value>;

pub(super) fn read(sim: &Sim, headers: &HeaderMap, body: &[u8]) -> Result<Asked, Refusal> {
    let newest = check::version(headers)?;
    let Ok(Value::Object(fields)) = serde_json::from_slice(body) else {
        return Err(Refusal::invalid("The request body is not valid JSON: expected an object"));
    };
    check::fields(&fields)?;
    let model = check::model(&fields)?;
    check::sampling(&fields, &model, newest)?;
    let thinks = check::thinking(&fields, &model)?;
    check::schema(&fields)?;
    check::cache_marks(&fields)?;
    let turns = conversation::read(sim, &fields, &model)?;
    let (mut tools, mut searches) = tools(&fields)?;
    if fields.get("tool_choice").and_then(|it| it.get("type")?.as_str()) == Some("none") {
        (tools, searches) = (Vec::new(), 0);
    }
    let max_tokens = fields.get("max_tokens").and_then(Value::as_u64).unwrap_or_default();
    let schema = fields.get("output_config").and_then(|it| it.get("format")?.get("schema")).cloned();
    let system = blocks(fields.get("system")).iter().filter_map(|it| it.get("text")?.as_str()).collect::<Vec<_>>().join("\n\n");
    let prompt = Prompt { provider: "anthropic", model: model.id.to_owned(), system, turns, tools, schema, searches, max_tokens };
    let asked = Asked {
        model,
        prompt,
        streams: fields.get("stream").and_then(Value::as_bool).unwrap_or_default(),
        thinks,
        stops: texts(fields.get("stop_sequences")),
        marks: marks(&fields),
    };
    check::room(&asked)?;
    Ok(asked)
}

fn texts(value: Option<&Value>) -> Vec<String> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(|it| it.as_str().map(str::to_owned)).collect()
}

/// Content as blocks, whether it was a text or blocks.
pub(super) fn blocks(content: Option<&Value>) -> Vec<Value> {
    match content {
        Some(Value::String(text)) => vec![json!({ "type": "text", "text": text })],
        Some(Value::Array(blocks)) => blocks.clone(),
        _ => Vec::new(),
    }
}

/// The caller's tools, and how often the provider's web search may be used.
fn tools(fields: &Fields) -> Result<(Vec<OfferedTool>, u32), Refusal> {
    let (mut tools, mut searches) = (Vec::new(), 0);
    for (index, tool) in fields.get("tools").and_then(Value::as_array).into_iter().flatten().enumerate() {
        let text = |name: &str| tool.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        match text("type").as_str() {
            "" | "custom" => {
                let (name, schema) = (text("name"), tool.get("input_schema").cloned().unwrap_or_default());
                check::tool(index, &name, &schema)?;
                tools.push(OfferedTool { name, description: text("description"), schema });
            }
            "web_search_20250305" | "web_search_20260209" | "web_search_20260318" => {
                let most = tool.get("max_uses").and_then(Value::as_u64).unwrap_or(5);
                searches = u32::try_from(most).unwrap_or(u32::MAX);
            }
            other => {
                let message =
                    format!("tools.{index}: Input tag '{other}' found using 'type' does not match any of the expected tags");
                return Err(Refusal::invalid(message));
            }
        }
    }
    Ok((tools, searches))
}

/// The digest and size of everything up to each block: tools, then the system's words, then the conversation.
fn marks(fields: &Fields) -> Vec<CacheMark> {
    let mut pieces: Vec<Value> = fields.get("tools").and_then(Value::as_array).cloned().unwrap_or_default();
    pieces.extend(blocks(fields.get("system")));
    for message in fields.get("messages").and_then(Value::as_array).into_iter().flatten() {
        pieces.extend(blocks(message.get("content")).into_iter().map(|mut block| {
            block["role"] = message.get("role").cloned().unwrap_or_default();
            block
        }));
    }
    if let (Some(last), Some(control)) = (pieces.last_mut(), fields.get("cache_control")) {
        last["cache_control"] = control.clone();
    }
    let pieces = pieces.into_iter().map(|mut piece| {
        let keep = piece.get("cache_control").filter(|it| !it.is_null()).map(keep);
        if let Some(fields) = piece.as_object_mut() {
            fields.remove("cache_control");
        }
        (piece, keep)
    });
    models::marks(&fields.get("model").map(Value::to_string).unwrap_or_default(), pieces)
}

fn keep(control: &Value) -> TimeDelta {
    if control.get("ttl").and_then(Value::as_str) == Some("1h") { TimeDelta::hours(1) } else { TimeDelta::minutes(5) }
}
