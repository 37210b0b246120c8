//! What a provider's answers mean.

use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::Value;
use yarnnn_core::platform::PlatformError;

/// Tells a provider's answers apart.
pub(crate) trait Dialect: Send + Sync {
    /// What an answer means. The body is null where an error came without JSON.
    fn judge(&self, call: &'static str, status: u16, headers: &HeaderMap, body: &Value) -> Verdict;
}

/// What an answer means.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It is what was asked for.
    Good,
    /// It may be, later.
    Retry {
        /// How much later, if the provider says so.
        after: Option<Duration>,
        /// Why not now, in the provider's words.
        reason: String,
        /// Whether it is a limit on calls, which costs no retry.
        limited: bool,
    },
    /// The token is no longer good.
    Renew {
        /// In the provider's words.
        reason: String,
    },
    /// It never will be.
    Fail(PlatformError),
}

/// The seconds of a `Retry-After` header. Dates, which no provider here sends, count as absent.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get("retry-after")?.to_str().ok()?.trim().parse::<f64>().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}
