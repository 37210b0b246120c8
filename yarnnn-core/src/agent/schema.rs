//! Checks a model's input against the schema that it was given.
//!
//! Only as much of JSON Schema as the tools use: `type`, `properties`, `required`, `enum`, bounds of numbers, texts and lists,
//! `items`, and no additional properties. The schemas are the program's own.

use serde_json::{Map, Value};

use super::primitive::{FailureCode, ToolFailure};

/// What does not fit: a property by the name that the schema has for it, and what it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Misfit {
    field: Option<String>,
    problem: String,
    is_missing: bool,
}

impl Misfit {
    fn of(field: Option<&str>, problem: impl Into<String>) -> Self {
        Self { field: field.map(str::to_owned), problem: problem.into(), is_missing: false }
    }

    /// The same as a failure with the code that the dossier has for the property.
    pub(super) fn into_failure(self) -> ToolFailure {
        let code = match (self.field.as_deref(), self.is_missing) {
            (Some("query"), true) => FailureCode::MissingQuery,
            (Some("pattern"), true) => FailureCode::MissingPattern,
            (Some("pattern"), false) => FailureCode::InvalidPattern,
            (Some("ref" | "refs"), false) => FailureCode::InvalidRef,
            (Some("scope"), false) => FailureCode::InvalidScope,
            _ => FailureCode::InvalidInput,
        };
        let message = match self.field {
            Some(field) => format!("{field} {}", self.problem),
            None => format!("the input {}", self.problem),
        };
        ToolFailure::new(code, message)
    }
}

/// Whether the input fits.
pub(super) fn check(schema: &Value, input: &Value) -> Result<(), Misfit> {
    let fields = input.as_object().ok_or_else(|| Misfit::of(None, "must be a JSON object"))?;
    let none = Map::new();
    let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
    if fields.keys().any(|it| !properties.contains_key(it)) {
        let known: Vec<&str> = properties.keys().map(String::as_str).collect();
        return Err(Misfit::of(None, format!("has fields that are unknown; the fields are {}", known.join(", "))));
    }
    for name in texts(schema, "required") {
        if fields.get(name).is_none_or(Value::is_null) {
            return Err(Misfit { is_missing: true, ..Misfit::of(Some(name), "is missing") });
        }
    }
    // What is null was left out: models write both.
    let given = fields.iter().filter(|(_, value)| !value.is_null());
    given.into_iter().try_for_each(|(name, value)| {
        let schema = properties.get(name).unwrap_or(&Value::Null);
        check_value(schema, value).map_err(|problem| Misfit::of(Some(name), problem))
    })
}

fn check_value(schema: &Value, value: &Value) -> Result<(), String> {
    let fits = match schema.get("type").and_then(Value::as_str) {
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("boolean") => value.is_boolean(),
        Some("array") => value.is_array(),
        _ => false,
    };
    if !fits {
        return Err(format!("must be of type {}", schema.get("type").and_then(Value::as_str).unwrap_or("none")));
    }
    let choices: Vec<&str> = texts(schema, "enum").collect();
    if !choices.is_empty() && !value.as_str().is_some_and(|it| choices.contains(&it)) {
        return Err(format!("must be one of {}", choices.join(", ")));
    }
    match value {
        Value::String(text) => check_bounds(schema, ["minLength", "maxLength"], text.chars().count(), "characters"),
        Value::Number(number) => check_number(schema, number.as_i64()),
        Value::Array(items) => {
            check_bounds(schema, ["minItems", "maxItems"], items.len(), "entries")?;
            items.iter().try_for_each(|it| check_value(schema.get("items").unwrap_or(&Value::Null), it))
        }
        _ => Ok(()),
    }
}

fn check_bounds(schema: &Value, [least, most]: [&str; 2], length: usize, unit: &str) -> Result<(), String> {
    let bound = |name| schema.get(name).and_then(Value::as_u64).and_then(|it| usize::try_from(it).ok());
    match (bound(least), bound(most)) {
        (Some(least), _) if length < least => Err(format!("must have at least {least} {unit}")),
        (_, Some(most)) if length > most => Err(format!("must have at most {most} {unit}")),
        _ => Ok(()),
    }
}

fn check_number(schema: &Value, number: Option<i64>) -> Result<(), String> {
    let bound = |name| schema.get(name).and_then(Value::as_i64);
    let (least, most) = (bound("minimum").unwrap_or(i64::MIN), bound("maximum").unwrap_or(i64::MAX));
    let fits = number.is_some_and(|it| (least..=most).contains(&it));
    if fits { Ok(()) } else { Err(format!("must be from {least} to {most}")) }
}

fn texts<'a>(schema: &'a Value, name: &str) -> impl Iterator<Item = &'a str> {
    schema.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}
