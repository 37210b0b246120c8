//! What Resend's answers mean for a mail: sent, certainly not sent, or nobody knows.

use std::time::Duration;

use serde_json::Value;

use crate::http::{RawReply, retry_after};

/// How long to stay away after a limit whose end is not named: the limit is one on seconds.
const UNNAMED_LIMIT: Duration = Duration::from_secs(1);
/// How much of Resend's own words is repeated.
const LONGEST_REASON: usize = 300;

/// What an answer means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Resend has the mail, and calls it so.
    Taken { id: String },
    /// Nothing was sent: too many calls.
    Limited { after: Duration },
    /// Nothing was sent, and nothing will be until somebody changes something.
    Refused(String),
    /// It may have been sent.
    Doubtful(String),
}

/// Reads an answer. What is not known here leaves a doubt if it could have been sent after all.
pub(super) fn judge(raw: &RawReply) -> Answer {
    let body: Value = serde_json::from_slice(&raw.body).unwrap_or_default();
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let (status, name) = (raw.status, text("name"));
    let said = said(status, name, text("message"));
    match (status, name) {
        (200..300, _) => match text("id") {
            "" => Answer::Doubtful(format!("{said}: the answer names no mail")),
            id => Answer::Taken { id: id.to_owned() },
        },
        (300..400, _) => Answer::Refused(format!("RESEND_BASE_URL: status {status}: Resend is not there")),
        (403, "validation_error") => Answer::Refused(format!("RESEND_FROM_EMAIL or the recipient: {said}")),
        (401 | 403, _) => Answer::Refused(format!("RESEND_API_KEY: {said}")),
        (409, "invalid_idempotent_request") => {
            Answer::Refused(format!("{said}; another mail went out under the key of this message, and this one did not"))
        }
        // In flight, or a conflict that this version does not know; or too late for an answer.
        (408 | 409, _) => Answer::Doubtful(said),
        (429, "daily_quota_exceeded" | "monthly_quota_exceeded") => {
            Answer::Refused(format!("{said}; the quota of the Resend account is used up"))
        }
        (429, _) => Answer::Limited { after: retry_after(&raw.headers).unwrap_or(UNNAMED_LIMIT) },
        (400..500, _) => Answer::Refused(said),
        _ => Answer::Doubtful(said),
    }
}

/// `status 422 (validation_error): Invalid `to` field.`
fn said(status: u16, name: &str, message: &str) -> String {
    let name = if name.is_empty() { String::new() } else { format!(" ({name})") };
    let message: String = message.chars().take(LONGEST_REASON).collect();
    let colon = if message.is_empty() { "" } else { ": " };
    format!("status {status}{name}{colon}{message}")
}
