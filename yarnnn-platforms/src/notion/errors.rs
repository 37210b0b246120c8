//! What Notion's answers mean.

use reqwest::header::HeaderMap;
use serde_json::Value;
use yarnnn_core::platform::PlatformError;

use super::calls::{CHILDREN, ME, USER};
use crate::http::{Dialect, RawReply, Reply, Verdict, retry_after};

/// Characters of a message by Notion that an error repeats.
const MESSAGE: usize = 300;

/// Notion's way to answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct NotionDialect;

impl Dialect for NotionDialect {
    fn judge(&self, call: &'static str, status: u16, headers: &HeaderMap, body: &Value) -> Verdict {
        let code = text(body, "code");
        let reason = reason(status, body);
        match status {
            200 if code.is_empty() => Verdict::Good,
            // Whether that is an error depends on what was asked for: the caller decides.
            404 if code == "object_not_found" => Verdict::Good,
            400 if is_stale_cursor(code, body) => Verdict::Good,
            // A page that Notion refuses to show says nothing of the others: the caller decides.
            400 | 403 if call == CHILDREN && matches!(code, "validation_error" | "restricted_resource") => Verdict::Good,
            401 if text(body, "object") == "error" => Verdict::Renew { reason },
            403 if code == "restricted_resource" || code.is_empty() => Verdict::Fail(restricted(call, &reason)),
            429 | 529 => Verdict::Retry { after: retry_after(headers), reason, limited: true },
            // Another 401 is by somebody on the way: that is no verdict on the token.
            401 | 409 | 500 | 502 | 503 | 504 => Verdict::Retry { after: retry_after(headers), reason, limited: false },
            _ => Verdict::Fail(PlatformError::Protocol { call: call.to_owned(), detail: reason }),
        }
    }
}

/// Whether an answer is Notion's own word that the token is not good.
pub(super) fn refuses_token(raw: &RawReply) -> bool {
    let body: Value = serde_json::from_slice(&raw.body).unwrap_or_default();
    raw.status == 401 && text(&body, "object") == "error"
}

/// What was asked for is not there, or not shared with the integration: Notion does not tell these apart.
pub(super) fn is_missing(reply: &Reply) -> bool {
    reply.status == 404
}

/// The list went on changing, and the place to go on from is no longer in it.
pub(super) fn is_stale(reply: &Reply) -> bool {
    reply.status == 400 && is_stale_cursor(text(&reply.body, "code"), &reply.body)
}

/// Inside of it stands what Notion shows to no integration.
pub(super) fn is_unsupported(reply: &Reply) -> bool {
    reply.status == 400 && text(&reply.body, "message").contains("not supported via the API")
}

/// Why this one thing is refused, if it is.
pub(super) fn refusal(reply: &Reply) -> Option<PlatformError> {
    let reason = || reason(reply.status, &reply.body);
    match reply.status {
        400 => Some(PlatformError::Protocol { call: reply.call.to_owned(), detail: reason() }),
        403 => Some(restricted(reply.call, &reason())),
        _ => None,
    }
}

fn is_stale_cursor(code: &str, body: &Value) -> bool {
    code == "validation_error" && text(body, "message").contains("start_cursor")
}

pub(super) fn text<'a>(body: &'a Value, key: &str) -> &'a str {
    body.get(key).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn reason(status: u16, body: &Value) -> String {
    let (code, message) = (text(body, "code"), text(body, "message"));
    let message: String = message.chars().take(MESSAGE).collect();
    match (code, message.as_str()) {
        ("", _) => format!("status {status}"),
        (code, "") => format!("status {status} ({code})"),
        (code, message) => format!("status {status} ({code}): {message}"),
    }
}

fn restricted(call: &str, reason: &str) -> PlatformError {
    // Which capability that is Notion does not say; to ask who one is takes none.
    let capability = match call {
        ME => {
            let action =
                format!("{call}: the Notion token or integration lacks access; check it in Notion's settings ({reason})");
            return PlatformError::NeedsUser { action };
        }
        USER => "Read user information",
        _ => "Read content",
    };
    let action =
        format!("{call}: the Notion integration lacks the capability \"{capability}\"; add it in its settings ({reason})");
    PlatformError::NeedsUser { action }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    fn judge(status: u16, code: &str) -> String {
        let headers = [("retry-after".parse().unwrap(), "95".parse().unwrap())].into_iter().collect();
        let body = json!({"object": "error", "status": status, "code": code, "message": "Notion's words."});
        match NotionDialect.judge("notion pages.get", status, &headers, &body) {
            Verdict::Good => "good".to_owned(),
            Verdict::Retry { after, limited, .. } => {
                assert_eq!(after, Some(Duration::from_secs(95)));
                if limited { "limited".to_owned() } else { "again".to_owned() }
            }
            Verdict::Renew { reason } => format!("renew: {reason}"),
            Verdict::Fail(error) => error.to_string(),
        }
    }

    #[test]
    fn every_class_of_error_has_one_meaning() {
        assert_eq!(judge(401, "unauthorized"), "renew: status 401 (unauthorized): Notion's words.");
        assert_eq!(judge(404, "object_not_found"), "good");
        for (status, code) in [(429, "rate_limited"), (529, "service_overload")] {
            assert_eq!(judge(status, code), "limited");
        }
        for (status, code) in [(409, "conflict_error"), (500, "internal_server_error"), (503, "service_unavailable")] {
            assert_eq!(judge(status, code), "again");
        }
        assert!(judge(403, "restricted_resource").contains("lacks the capability \"Read content\""));
        for (status, code) in [(400, "validation_error"), (400, "missing_version"), (404, "invalid_request_url"), (418, "x")] {
            let said = format!("notion pages.get: status {status} ({code}): Notion's words.");
            assert_eq!(judge(status, code), said);
        }
    }

    #[test]
    fn only_notions_own_401_is_a_verdict_on_the_token() {
        for body in [Value::Null, json!({}), json!({"message": "sign in"}), json!([401]), json!({"object": "list"})] {
            let verdict = NotionDialect.judge("notion search", 401, &HeaderMap::new(), &body);
            assert!(matches!(verdict, Verdict::Retry { limited: false, .. }), "{body}: {verdict:?}");
        }
    }

    #[test]
    fn a_refusal_names_the_capability_that_a_call_needs() {
        let body = json!({"object": "error", "status": 403, "code": "restricted_resource", "message": "x"});
        let said = |call| match NotionDialect.judge(call, 403, &HeaderMap::new(), &body) {
            Verdict::Fail(error @ PlatformError::NeedsUser { .. }) => error.to_string(),
            other => panic!("{other:?}"),
        };
        assert!(said(USER).contains("\"Read user information\""));
        assert!(said("notion search").contains("\"Read content\""));
        let me = said(ME);
        assert!(me.contains("token or integration lacks access") && !me.contains("capability"), "{me}");
    }

    #[test]
    fn an_error_that_says_it_is_good_is_an_error() {
        let body = json!({"object": "error", "code": "rate_limited", "message": "x"});
        let verdict = NotionDialect.judge("notion search", 200, &HeaderMap::new(), &body);
        assert!(matches!(verdict, Verdict::Fail(PlatformError::Protocol { .. })), "{verdict:?}");
    }
}
