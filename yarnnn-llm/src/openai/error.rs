//! How OpenAI, and servers that speak like it, refuse.

use std::time::Duration;

use reqwest::header::HeaderMap;

use crate::http::{Refusal, Vendor};

pub(super) const VENDOR: Vendor = Vendor {
    key: "OPENAI_API_KEY",
    base: "OPENAI_BASE_URL",
    models: crate::MODEL_SETTINGS,
    too_long,
    spent,
    no_model,
    wait: reset,
};

/// The last phrases are those of vLLM, llama.cpp and their like.
fn too_long(refusal: &Refusal) -> bool {
    refusal.status == 413
        || refusal.code == "context_length_exceeded"
        || refusal.kind == "exceed_context_size_error"
        || refusal.status == 400
            && refusal.says(&["maximum context length", "context window", "available context size", "maximum input length"])
}

fn spent(refusal: &Refusal) -> bool {
    let words = ["insufficient_quota", "billing_hard_limit_reached", "billing_not_active"];
    words.contains(&refusal.kind.as_str()) || words.contains(&refusal.code.as_str())
}

fn no_model(refusal: &Refusal) -> bool {
    refusal.code == "model_not_found"
        || refusal.status == 404 && refusal.words.contains("model") && !refusal.words.contains("url")
}

/// The longest of the waits after which a limit is reset: `6m0s`, `1.5s`, `20ms`.
fn reset(headers: &HeaderMap) -> Option<Duration> {
    let names = ["x-ratelimit-reset-requests", "x-ratelimit-reset-tokens"];
    let waits = names.into_iter().filter_map(|name| span(headers.get(name)?.to_str().ok()?.trim()));
    waits.max()
}

fn span(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|it: char| !it.is_ascii_digit() && it != '.')?;
        let (number, tail) = rest.split_at(digits);
        let unit = tail.find(|it: char| it.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit);
        let factor = match unit {
            "d" => 86_400.0,
            "h" => 3_600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 0.001,
            _ => return None,
        };
        seconds += number.parse::<f64>().ok()? * factor;
        rest = tail;
    }
    if text.is_empty() { None } else { Duration::try_from_secs_f64(seconds).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_the_provider_writes_them() {
        for (text, seconds) in [("6m0s", 360.0), ("1.5s", 1.5), ("20ms", 0.02), ("1h2m3s", 3_723.0), ("0s", 0.0)] {
            assert_eq!(span(text), Duration::try_from_secs_f64(seconds).ok(), "{text}");
        }
        for text in ["", "soon", "5", "5w", "s", "1..2s"] {
            assert_eq!(span(text), None, "{text}");
        }
    }
}
