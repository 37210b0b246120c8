//! What Slack's answers mean: nearly all errors come with status 200 and a word.

use reqwest::header::HeaderMap;
use serde_json::Value;
use yarnnn_core::platform::PlatformError;

use crate::http::{Dialect, Verdict, retry_after};

/// Slack's words for what is wrong. Some are no error of the call, but the answer to its question: these are expected.
pub(super) struct Words {
    pub(super) expected: &'static [&'static str],
}

impl Dialect for Words {
    fn judge(&self, call: &'static str, status: u16, headers: &HeaderMap, body: &Value) -> Verdict {
        let word = body.get("error").and_then(Value::as_str).unwrap_or_default();
        match (status, body.get("ok").and_then(Value::as_bool)) {
            (429, _) => limited(headers),
            (500.., _) => Verdict::Retry { after: retry_after(headers), reason: format!("status {status}"), limited: false },
            (_, Some(false)) if self.expected.contains(&word) => Verdict::Good,
            (_, Some(false)) => refusal(call, word, headers, body),
            (200..300, Some(true)) => Verdict::Good,
            (200..300, None) => protocol(call, "the answer has no `ok`, which all of Slack's answers have".to_owned()),
            _ => protocol(call, format!("status {status}, which Slack does not promise")),
        }
    }
}

fn refusal(call: &'static str, word: &str, headers: &HeaderMap, body: &Value) -> Verdict {
    let needs_user = |action: String| Verdict::Fail(PlatformError::NeedsUser { action: format!("{call}: {action}") });
    match word {
        "ratelimited" | "rate_limited" => limited(headers),
        "internal_error" | "fatal_error" | "service_unavailable" | "request_timeout" => {
            Verdict::Retry { after: retry_after(headers), reason: word.to_owned(), limited: false }
        }
        // A token that is revoked cannot be renewed either: who keeps the tokens finds that out, and ends the connection.
        word if is_about_token(word) => Verdict::Renew { reason: word.to_owned() },
        "missing_scope" => needs_user(missing_scope(body)),
        "" => protocol(call, "refused without a reason".to_owned()),
        _ => protocol(call, format!("refused with {word}")),
    }
}

/// Whether the token is what is wrong.
pub(super) fn is_about_token(word: &str) -> bool {
    matches!(word, "invalid_auth" | "token_expired" | "token_revoked" | "account_inactive" | "not_authed")
}

/// Which scope to add.
pub(super) fn missing_scope(body: &Value) -> String {
    let needed = body.get("needed").and_then(Value::as_str).filter(|it| !it.is_empty()).unwrap_or("another one");
    format!("the app lacks a scope; add {needed} to it, install it again and connect again")
}

fn limited(headers: &HeaderMap) -> Verdict {
    Verdict::Retry { after: retry_after(headers), reason: "ratelimited".to_owned(), limited: true }
}

fn protocol(call: &'static str, detail: String) -> Verdict {
    Verdict::Fail(PlatformError::Protocol { call: call.to_owned(), detail })
}
