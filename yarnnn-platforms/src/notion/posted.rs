//! What Notion's answers mean for a page or its further blocks: there, certainly not there, or nobody knows.

use std::time::Duration;

use serde_json::Value;

use super::errors::{reason, refuses_token, text};
use crate::http::{RawReply, retry_after};

/// How long to stay away after a limit whose end is not named.
const UNNAMED_LIMIT: Duration = Duration::from_secs(1);
const OPEN: &str = "whether it was made stays open";

/// What an answer means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Posted {
    /// It is there, and called so.
    As(String),
    /// Not made: too many calls, or others were writing at the same time.
    Limited { after: Duration },
    /// Not made, and never will be until somebody changes something.
    Refused(String),
    /// It may have been made.
    Doubtful(String),
}

/// Reads an answer.
pub(super) fn judge(raw: &RawReply) -> Posted {
    let body: Value = serde_json::from_slice(&raw.body).unwrap_or_default();
    let said = reason(raw.status, &body);
    let is_notion = text(&body, "object") == "error";
    match (raw.status, text(&body, "code")) {
        (200..300, "") => match name(&body) {
            Some(id) => Posted::As(id),
            None => Posted::Doubtful(format!("{said}: Notion took it and did not say what it is called; {OPEN}")),
        },
        (429 | 529, _) | (409, "conflict_error") => Posted::Limited { after: retry_after(&raw.headers).unwrap_or(UNNAMED_LIMIT) },
        (300..400, _) => Posted::Refused(format!("NOTION_BASE_URL: {said}: Notion is not there")),
        _ if refuses_token(raw) => Posted::Refused(format!("{said}; connect Notion again: yarnnn connect notion")),
        (403, _) if is_notion => Posted::Refused(format!(
            "{said}; the integration lacks the capability \"Insert content\"; add it in its settings, and share the page with it"
        )),
        (404, _) if is_notion => Posted::Refused(format!("{said}; {SHARE}")),
        (400..500, _) if is_notion => Posted::Refused(said),
        _ => Posted::Doubtful(format!("{said}: {OPEN}")),
    }
}

/// What to do about a page that is not seen.
pub(super) const SHARE: &str = "open the page in Notion and add the integration under its connections";

/// The id of a new page, or of the last of new blocks.
fn name(body: &Value) -> Option<String> {
    let object = body.pointer("/results").and_then(Value::as_array).map_or(Some(body), |it| it.last());
    object.map(|it| text(it, "id").to_owned()).filter(|it| !it.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn judged(status: u16, body: &Value) -> String {
        let raw = RawReply { status, headers: reqwest::header::HeaderMap::new(), body: body.to_string().into() };
        format!("{:?}", judge(&raw))
    }

    #[test]
    fn only_what_cannot_have_been_made_is_called_so() {
        let error = |status: u16, code: &str| json!({"object": "error", "status": status, "code": code, "message": "x"});
        assert_eq!(judged(200, &json!({"object": "page", "id": "p"})), "As(\"p\")");
        assert_eq!(judged(200, &json!({"object": "list", "results": [{"id": "a"}, {"id": "b"}]})), "As(\"b\")");
        for (status, body) in [
            (200, json!({})),
            (200, json!({"object": "list", "results": []})),
            (500, error(500, "internal_server_error")),
            (503, error(503, "service_unavailable")),
            (504, error(504, "gateway_timeout")),
            (404, json!({"message": "nobody here"})),
            (408, json!({})),
        ] {
            assert!(judged(status, &body).starts_with("Doubtful"), "{status} {body}");
        }
        for (status, code) in [(429, "rate_limited"), (529, "service_overload"), (409, "conflict_error")] {
            assert!(judged(status, &error(status, code)).starts_with("Limited"), "{code}");
        }
        for (status, code) in
            [(400, "validation_error"), (401, "unauthorized"), (403, "restricted_resource"), (404, "object_not_found")]
        {
            assert!(judged(status, &error(status, code)).starts_with("Refused"), "{code}");
        }
    }
}
