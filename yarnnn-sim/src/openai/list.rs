//! The models, and when they end.

use serde_json::{Value, json};

use crate::models::{self, Known};

pub(super) fn all() -> Value {
    json!({ "object": "list", "data": models::all("openai").map(|it| one(&it)).collect::<Vec<_>>() })
}

pub(super) fn one(model: &Known) -> Value {
    let end = match model.id {
        "gpt-4o" | "gpt-4o-mini" => Some("2027-01-14"),
        "gpt-5" => Some("2026-12-11"),
        _ => None,
    };
    json!({ "id": model.id, "object": "model", "created": 1_760_000_000, "owned_by": "openai", "shutdown_date": end })
}
