//! A report as the request that mails it: made once, stored, and sent byte for byte.

use serde_json::json;
use yarnnn_core::delivery::{Letter, OutboxFile, SendError};
use yarnnn_core::hash::Sha256;

use super::FILE;

/// The stored body of `POST /emails`. The header keeps mail clients from folding reports of one title into one conversation.
pub(super) fn compose(letter: &Letter, from: &str) -> Result<OutboxFile, SendError> {
    let body = json!({
        "from": from,
        "to": [letter.recipient],
        "subject": letter.subject,
        "html": letter.html,
        "text": letter.text,
        "headers": { "X-Entity-Ref-ID": Sha256::of(&letter.key).to_string() },
    });
    let content = serde_json::to_string_pretty(&body).map_err(|error| SendError::Refused(format!("{FILE}: {error}")))?;
    Ok(OutboxFile { name: FILE.to_owned(), content })
}
