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

/// The longest wait that is believed. What is longer would not be a time any more.
const LONGEST: Duration = Duration::from_hours(30 * 24);

/// The seconds of a `Retry-After` header, at most thirty days. Dates, which no provider here sends, count as absent.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get("retry-after")?.to_str().ok()?.trim().parse::<f64>().ok()?;
    if seconds.is_nan() { None } else { Duration::try_from_secs_f64(seconds.min(LONGEST.as_secs_f64())).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_a_bearable_number_of_seconds() {
        let of = |value: &str| {
            let headers = [("retry-after".parse().unwrap(), value.parse().unwrap())].into_iter().collect();
            retry_after(&headers)
        };
        for (value, seconds) in [("7", 7.0), (" 0.5 ", 0.5), ("0", 0.0), ("120", 120.0)] {
            assert_eq!(of(value), Some(Duration::from_secs_f64(seconds)), "{value}");
        }
        for value in ["3000000", "99999999999999", "1e300", "inf"] {
            assert_eq!(of(value), Some(LONGEST), "{value}");
        }
        for value in ["-1", "soon", "", "NaN", "Sun, 22 Nov 2026 09:00:00 GMT"] {
            assert_eq!(of(value), None, "{value}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }
}
