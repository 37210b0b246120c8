//! How Anthropic refuses.

use crate::http::{Refusal, Vendor};

pub(super) const VENDOR: Vendor = Vendor {
    key: "ANTHROPIC_API_KEY",
    base: "ANTHROPIC_BASE_URL",
    models: crate::MODEL_SETTINGS,
    too_long,
    spent,
    no_model,
    wait: |_| None,
};

fn too_long(refusal: &Refusal) -> bool {
    refusal.status == 413
        || refusal.kind == "request_too_large"
        || refusal.status == 400 && refusal.says(&["prompt is too long", "exceed context limit", "exceeds the context window"])
}

/// The cap of a workspace is a 400, and so is an empty purse; the cap of an organisation is a 429 that names no time to wait.
fn spent(refusal: &Refusal) -> bool {
    let words = &["usage limits", "credit balance", "spend limit", "spending limit"];
    refusal.kind == "billing_error" || [400, 429].contains(&refusal.status) && refusal.says(words)
}

fn no_model(refusal: &Refusal) -> bool {
    refusal.status == 404 && refusal.kind == "not_found_error"
}
