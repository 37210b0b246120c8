//! What both ways to ask refuse, and how a request is charged.

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use chrono::TimeDelta;
use serde_json::{Map, Value};

use crate::Sim;
use crate::models::{self, CacheMark, Known, OfferedTool, TokenUse, known, tokens};
use crate::server::{Provider, bearer, openai_error};

/// How long prefixes are kept.
const KEPT: TimeDelta = TimeDelta::minutes(10);
/// What a model is said to think before every answer. Nobody sees it.
pub(super) const THOUGHT: &str = "I read what is asked, then what the material says, and answer with what it shows.";

/// Why a request is refused.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    code: Option<&'static str>,
    param: Option<String>,
    message: String,
}

impl Refusal {
    pub(super) fn invalid(param: &str, message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: None, param: Some(param.to_owned()), message: message.into() }
    }

    pub(super) fn coded(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    pub(super) fn respond(&self) -> Response {
        openai_error(self.status, "invalid_request_error", self.code, self.param.as_deref(), &self.message)
    }
}

pub(super) type Fields = Map<String, Value>;

/// A key that is good.
pub(super) fn key(sim: &Sim, headers: &HeaderMap) -> Result<(), Refusal> {
    let (code, message) = match bearer(headers) {
        Some(key) if sim.tokens().check(Provider::OpenAi, Some(key)).is_ok() => return Ok(()),
        Some(_) => (Some("invalid_api_key"), "Incorrect API key provided. You can find your API key in your settings."),
        None => (None, "You didn't provide an API key. You need to provide your API key in an Authorization header."),
    };
    Err(Refusal { status: StatusCode::UNAUTHORIZED, code, param: None, message: message.to_owned() })
}

/// The fields and the model of a request.
pub(super) fn read(body: &[u8]) -> Result<(Fields, Known), Refusal> {
    let Ok(Value::Object(fields)) = serde_json::from_slice(body) else {
        return Err(Refusal::invalid("", "We could not parse the JSON body of your request."));
    };
    let Some(id) = fields.get("model").and_then(Value::as_str) else {
        return Err(Refusal::invalid("model", "you must provide a model parameter"));
    };
    let model = model(id)?;
    sampling(&fields, &model)?;
    Ok((fields, model))
}

pub(super) fn model(id: &str) -> Result<Known, Refusal> {
    known("openai", id).ok_or_else(|| Refusal {
        status: StatusCode::NOT_FOUND,
        code: Some("model_not_found"),
        param: None,
        message: format!("The model `{id}` does not exist or you do not have access to it."),
    })
}

/// Models that think take no sampling parameters but the defaults.
fn sampling(fields: &Fields, model: &Known) -> Result<(), Refusal> {
    for name in ["temperature", "top_p"] {
        let other = fields.get(name).and_then(Value::as_f64).is_some_and(|it| (it - 1.0).abs() > f64::EPSILON);
        if model.strict.0 && other {
            let message =
                format!("Unsupported value: '{name}' is not supported with this model. Only the default (1) value is supported.");
            return Err(Refusal::invalid(name, message).coded("unsupported_value"));
        }
    }
    Ok(())
}

/// How much may be written.
pub(super) fn most(fields: &Fields, name: &str, model: &Known) -> Result<u64, Refusal> {
    match fields.get(name).filter(|it| !it.is_null()).map(Value::as_u64) {
        None => Ok(model.most),
        Some(Some(most)) if most > model.most => {
            let message = format!("{name} is too large: {most}. This model supports at most {} completion tokens.", model.most);
            Err(Refusal::invalid(name, message))
        }
        Some(Some(most)) if most > 0 => Ok(most),
        Some(_) => Err(Refusal::invalid(name, format!("Invalid '{name}': integer below minimum value."))),
    }
}

/// A schema with a name. A strict one wants every object closed and every property required.
pub(super) fn schema(format: &Value, param: &str) -> Result<Option<Value>, Refusal> {
    let Some(schema) = format.get("schema").filter(|it| !it.is_null()) else { return Ok(None) };
    let Some(name) = format.get("name").and_then(Value::as_str) else {
        return Err(Refusal::invalid(&format!("{param}.name"), format!("Missing required parameter: '{param}.name'.")));
    };
    if format.get("strict") == Some(&Value::Bool(true)) && is_open(schema) {
        let message = format!(
            "Invalid schema for response_format '{name}': In context=(), 'additionalProperties' is required to be supplied and to be \
             false, and 'required' has to name every property."
        );
        return Err(Refusal::invalid(param, message).coded("invalid_json_schema"));
    }
    Ok(Some(schema.clone()))
}

fn is_open(schema: &Value) -> bool {
    let properties = schema.get("properties").and_then(Value::as_object);
    let required = schema.get("required").and_then(Value::as_array);
    let missing = properties.is_some_and(|it| !it.keys().all(|name| required.is_some_and(|it| it.iter().any(|it| it == name))));
    let open = properties.is_some() && schema.get("additionalProperties") != Some(&Value::Bool(false));
    let below = properties.into_iter().flat_map(|it| it.values()).chain(schema.get("items"));
    open || missing || below.into_iter().any(is_open)
}

pub(super) fn tool(definition: &Value) -> Option<OfferedTool> {
    let text = |name: &str| definition.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let name = text("name");
    let schema = definition.get("parameters").cloned().unwrap_or_default();
    (!name.is_empty()).then(|| OfferedTool { name, description: text("description"), schema })
}

/// What the request costs to read. What is written to the cache is charged as if it were not.
pub(super) fn charge(sim: &Sim, model: &Known, pieces: Vec<Value>) -> Result<TokenUse, Refusal> {
    let marks: Vec<CacheMark> = models::marks(model.id, pieces.into_iter().map(|it| (it, Some(KEPT))));
    let all = marks.last().map_or(0, |it| tokens(it.bytes));
    if all > model.context {
        let message = format!(
            "Input tokens exceed the configured limit of {} tokens. Your messages resulted in {all} tokens.",
            model.context
        );
        return Err(Refusal::invalid("messages", message).coded("context_length_exceeded"));
    }
    let usage = sim.models().charge(&marks, model.least_cached);
    Ok(TokenUse { input: usage.input + usage.cache_write, cache_write: 0, ..usage })
}

/// Whether the model thinks before it answers, and how much that is.
pub(super) fn thought(model: &Known) -> usize {
    if model.strict.0 { THOUGHT.len() } else { 0 }
}

pub(super) fn list<'a>(fields: &'a Fields, name: &str) -> Vec<&'a Value> {
    fields.get(name).and_then(Value::as_array).into_iter().flatten().collect()
}

pub(super) fn flag(fields: &Fields, name: &str) -> bool {
    fields.get(name).and_then(Value::as_bool).unwrap_or_default()
}
