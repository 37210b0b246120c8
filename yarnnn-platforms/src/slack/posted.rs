//! What Slack's answers mean for a message: posted, certainly not posted, or nobody knows.

use std::time::Duration;

use serde_json::Value;

use super::errors::{is_about_token, missing_scope};
use crate::http::{RawReply, retry_after};

/// How long to stay away after a limit whose end is not named: the limit is one message a second.
const UNNAMED_LIMIT: Duration = Duration::from_secs(1);
const OPEN: &str = "whether the message was posted stays open";

/// What an answer means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Posted {
    /// It stands in the channel at this time.
    At(String),
    /// Not posted: too many messages.
    Limited { after: Duration },
    /// Not posted, and never will be until somebody changes something.
    Refused(String),
    /// It may have been posted.
    Doubtful(String),
}

/// Reads an answer.
pub(super) fn judge(raw: &RawReply) -> Posted {
    let body: Value = serde_json::from_slice(&raw.body).unwrap_or_default();
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    match (raw.status, body.get("ok").and_then(Value::as_bool)) {
        (429, _) => Posted::Limited { after: retry_after(&raw.headers).unwrap_or(UNNAMED_LIMIT) },
        (500.., _) => Posted::Doubtful(format!("status {}: {OPEN}", raw.status)),
        (200..300, Some(true)) => match text("ts") {
            "" => Posted::Doubtful("Slack took the message and did not say where it stands".to_owned()),
            ts => Posted::At(ts.to_owned()),
        },
        (_, Some(false)) => refusal(text("error"), raw, &body),
        (300..400, _) => Posted::Refused(format!("SLACK_BASE_URL: status {}: Slack is not there", raw.status)),
        (status, _) => Posted::Doubtful(format!("status {status} and no answer of Slack's: {OPEN}")),
    }
}

/// Slack's word for why not, and what to do about it.
fn refusal(word: &str, raw: &RawReply, body: &Value) -> Posted {
    let advice = match word {
        "ratelimited" | "rate_limited" | "message_limit_exceeded" => {
            return Posted::Limited { after: retry_after(&raw.headers).unwrap_or(UNNAMED_LIMIT) };
        }
        "internal_error" | "fatal_error" | "service_unavailable" | "request_timeout" | "" => {
            return Posted::Doubtful(format!("Slack says {word:?}: {OPEN}"));
        }
        word if is_about_token(word) => "connect Slack again: yarnnn connect slack".to_owned(),
        "not_in_channel" => "the app is not in the channel; invite it there: /invite @yarnnn".to_owned(),
        "channel_not_found" => {
            "there is no such channel, or it is private and the app is not in it; check the name, or invite it there: /invite @yarnnn"
                .to_owned()
        }
        "is_archived" => "the channel is archived; restore it or deliver elsewhere".to_owned(),
        "missing_scope" | "no_permission" | "not_allowed_token_type" => missing_scope(body),
        "restricted_action" | "restricted_action_read_only_channel" | "restricted_action_thread_only_channel" => {
            "the workspace does not let the app post there; ask its administrators or deliver elsewhere".to_owned()
        }
        "msg_too_long" | "msg_blocks_too_long" | "too_many_attachments" => {
            "the report is too long for one message; narrow its sources or deliver it by mail".to_owned()
        }
        "invalid_blocks" | "invalid_blocks_format" | "invalid_metadata_format" | "invalid_metadata_schema" | "no_text" => {
            "Slack does not take the message as it was rendered, which is a fault of this program".to_owned()
        }
        _ => "the message was not posted".to_owned(),
    };
    Posted::Refused(format!("Slack says {word}: {advice}"))
}
