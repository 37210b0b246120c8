//! What the real service refuses, outside of the conversation itself.

use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::request::{Asked, Fields, Refusal, blocks};
use crate::models::{Known, Thinking, known, tokens};

const FIELDS: [&str; 21] = [
    "cache_control",
    "container",
    "context_management",
    "inference_geo",
    "max_tokens",
    "mcp_servers",
    "messages",
    "metadata",
    "model",
    "output_config",
    "service_tier",
    "speed",
    "stop_sequences",
    "stream",
    "system",
    "temperature",
    "thinking",
    "tool_choice",
    "tools",
    "top_k",
    "top_p",
];
const MOST_MARKS: usize = 4;

/// Whether the caller speaks the newest version.
pub(super) fn version(headers: &HeaderMap) -> Result<bool, Refusal> {
    match headers.get("anthropic-version").and_then(|it| it.to_str().ok()) {
        Some("2026-10-21") => Ok(true),
        Some("2023-06-01" | "2023-01-01") => Ok(false),
        Some(other) => Err(Refusal::invalid(format!("anthropic-version: \"{other}\" is not a valid version"))),
        None => Err(Refusal::invalid("anthropic-version: header is required")),
    }
}

/// Only fields that there are, and those that there must be.
pub(super) fn fields(fields: &Fields) -> Result<(), Refusal> {
    for name in ["model", "messages", "max_tokens"] {
        if !fields.contains_key(name) {
            return Err(Refusal::invalid(format!("{name}: Field required")));
        }
    }
    if let Some(unknown) = fields.keys().find(|it| !FIELDS.contains(&it.as_str())) {
        return Err(Refusal::invalid(format!("{unknown}: Extra inputs are not permitted")));
    }
    if fields.get("max_tokens").and_then(Value::as_u64).is_none_or(|it| it == 0) {
        return Err(Refusal::invalid("max_tokens: Input should be greater than or equal to 1"));
    }
    Ok(())
}

pub(super) fn model(fields: &Fields) -> Result<Known, Refusal> {
    let id = fields.get("model").and_then(Value::as_str).unwrap_or_default();
    known("anthropic", id).ok_or_else(|| Refusal::of(StatusCode::NOT_FOUND, "not_found_error", format!("model: {id}")))
}

/// With the newest version sampling parameters are gone; with the old one current models take only their defaults.
pub(super) fn sampling(fields: &Fields, model: &Known, newest: bool) -> Result<(), Refusal> {
    for name in ["temperature", "top_p", "top_k"] {
        let Some(value) = fields.get(name).filter(|it| !it.is_null()) else { continue };
        let is_default = name != "top_k" && value.as_f64().is_some_and(|it| (it - 1.0).abs() < f64::EPSILON);
        if newest {
            return Err(Refusal::invalid(format!("{name}: Extra inputs are not permitted")));
        }
        if model.strict.0 && !is_default {
            return Err(Refusal::invalid(format!("`{name}` is not supported for this model.")));
        }
    }
    Ok(())
}

/// Whether the model thinks before it answers.
pub(super) fn thinking(fields: &Fields, model: &Known) -> Result<bool, Refusal> {
    let Some(asked) = fields.get("thinking").filter(|it| !it.is_null()) else { return Ok(model.thinking == Thinking::Always) };
    match (asked.get("type").and_then(Value::as_str).unwrap_or_default(), model.thinking) {
        ("disabled", Thinking::Always) => Err(Refusal::invalid("thinking.type: `disabled` is not supported for this model.")),
        ("disabled", _) => Ok(false),
        ("adaptive", Thinking::Budget) => Err(Refusal::invalid("adaptive thinking is not supported on this model")),
        ("adaptive", _) => Ok(true),
        ("enabled", Thinking::Adaptive | Thinking::Always) => {
            let message = "\"thinking.type.enabled\" is not supported for this model. Use \"thinking.type.adaptive\" and \
                           \"output_config.effort\" to control thinking behavior.";
            Err(Refusal::invalid(message))
        }
        ("enabled", _) => budget(asked, fields).map(|()| true),
        (other, _) => Err(Refusal::invalid(format!("thinking: Input tag '{other}' does not match any of the expected tags"))),
    }
}

fn budget(asked: &Value, fields: &Fields) -> Result<(), Refusal> {
    let Some(budget) = asked.get("budget_tokens").and_then(Value::as_u64) else {
        return Err(Refusal::invalid("thinking.enabled.budget_tokens: Field required"));
    };
    if budget < 1_024 {
        return Err(Refusal::invalid("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"));
    }
    if fields.get("max_tokens").and_then(Value::as_u64).unwrap_or_default() <= budget {
        return Err(Refusal::invalid("`max_tokens` must be greater than `thinking.budget_tokens`."));
    }
    Ok(())
}

/// Every object of a schema has to say that it takes nothing else.
pub(super) fn schema(fields: &Fields) -> Result<(), Refusal> {
    let Some(format) = fields.get("output_config").and_then(|it| it.get("format")).filter(|it| !it.is_null()) else {
        return Ok(());
    };
    if let Some(unknown) =
        format.as_object().into_iter().flatten().map(|(key, _)| key).find(|it| !["type", "schema"].contains(&it.as_str()))
    {
        return Err(Refusal::invalid(format!("output_config.format.{unknown}: Extra inputs are not permitted")));
    }
    if format.get("type").and_then(Value::as_str) != Some("json_schema") {
        return Err(Refusal::invalid("output_config.format.type: Input should be 'json_schema'"));
    }
    let schema = format.get("schema").ok_or_else(|| Refusal::invalid("output_config.format.schema: Field required"))?;
    if is_open(schema, 0) {
        let message = "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false";
        return Err(Refusal::invalid(message));
    }
    Ok(())
}

fn is_open(schema: &Value, depth: usize) -> bool {
    let is_object = schema.get("type").and_then(Value::as_str) == Some("object");
    let below = match schema {
        Value::Object(fields) => fields.values().collect::<Vec<_>>(),
        Value::Array(entries) => entries.iter().collect(),
        _ => Vec::new(),
    };
    let open = is_object && schema.get("additionalProperties") != Some(&Value::Bool(false));
    open || (depth < 64 && below.into_iter().any(|it| is_open(it, depth + 1)))
}

pub(super) fn tool(index: usize, name: &str, schema: &Value) -> Result<(), Refusal> {
    let is_name = (1..=128).contains(&name.len()) && name.bytes().all(|it| it.is_ascii_alphanumeric() || b"_-".contains(&it));
    if !is_name {
        return Err(Refusal::invalid(format!(
            "tools.{index}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'"
        )));
    }
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        return Err(Refusal::invalid(format!("tools.{index}.custom.input_schema.type: Input should be 'object'")));
    }
    Ok(())
}

/// At most four places to cache up to, and none of them empty.
pub(super) fn cache_marks(fields: &Fields) -> Result<(), Refusal> {
    let mut all = blocks(fields.get("tools"));
    all.extend(blocks(fields.get("system")));
    let messages = fields.get("messages").and_then(Value::as_array).into_iter().flatten();
    all.extend(messages.flat_map(|it| blocks(it.get("content"))));
    let marked: Vec<_> = all.iter().filter(|it| it.get("cache_control").is_some_and(|it| !it.is_null())).collect();
    let found = marked.len() + usize::from(fields.get("cache_control").is_some_and(|it| !it.is_null()));
    if found > MOST_MARKS {
        return Err(Refusal::invalid(format!("A maximum of 4 blocks with cache_control may be provided. Found {found}.")));
    }
    if marked.iter().any(|it| it.get("text").and_then(Value::as_str) == Some("")) {
        return Err(Refusal::invalid("cache_control cannot be set for empty text blocks"));
    }
    Ok(())
}

/// The request has to fit, and no more may be asked for than the model writes.
pub(super) fn room(asked: &Asked) -> Result<(), Refusal> {
    let (model, most) = (&asked.model, asked.prompt.max_tokens);
    if most > model.most {
        let message =
            format!("max_tokens: {most} > {}, which is the maximum allowed number of output tokens for {}", model.most, model.id);
        return Err(Refusal::invalid(message));
    }
    let input = asked.marks.last().map_or(0, |it| tokens(it.bytes));
    if input > model.context {
        return Err(Refusal::invalid(format!("prompt is too long: {input} tokens > {} maximum", model.context)));
    }
    Ok(())
}
