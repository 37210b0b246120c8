//! Google's errors: `{"error": {"code", "message", "status", "errors": [{"reason"}], "details": [{"reason"}]}}`.
//!
//! The old list `errors` and the new one `details` name the same things in different words; both are read.

use chrono::{DateTime, Days, NaiveTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::America::Los_Angeles;
use reqwest::header::HeaderMap;
use serde_json::Value;
use yarnnn_core::clock::Clock;
use yarnnn_core::platform::PlatformError;

use super::protocol;
use crate::export::mail::header;
use crate::http::{Dialect, Verdict, retry_after};

/// Where a call's own way of saying "there is none" is read by the caller.
pub(crate) const NOT_FOUND: &[u16] = &[404, 410];

/// Characters of Google's own words that an error repeats.
const MAX_SAID: usize = 300;

/// Too many calls now.
const LIMITED: [&str; 5] =
    ["rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "RATE_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED"];
/// Too many calls today.
const LIMITED_TODAY: [&str; 2] = ["dailyLimitExceeded", "dailyLimitExceededUnreg"];
/// The project of the installation may not use the interface.
const NOT_ENABLED: [&str; 3] = ["accessNotConfigured", "SERVICE_DISABLED", "CONSUMER_INVALID"];
/// The person did not grant what the call needs.
const TOO_LITTLE_SCOPE: [&str; 2] = ["insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"];
/// Those who run the account's domain do not allow it.
const DOMAIN_POLICY: [&str; 1] = ["domainPolicy"];

/// Tells the answers of one call apart.
pub(crate) struct GoogleDialect<'a> {
    /// The time, for limits that end at midnight.
    pub(crate) clock: &'a dyn Clock,
    /// What the interface is called where a project switches it on.
    pub(crate) interface: &'static str,
    /// The scope that the call needs.
    pub(crate) scope: &'static str,
    /// Errors that the caller reads by itself.
    pub(crate) expected: &'static [u16],
    /// Whether the call is for one record of many: its refusal says nothing about the account.
    pub(crate) is_one_of_many: bool,
}

impl Dialect for GoogleDialect<'_> {
    fn judge(&self, call: &'static str, status: u16, headers: &HeaderMap, body: &Value) -> Verdict {
        let said = Said::read(status, body);
        match status {
            200..=299 if body.get("error").is_none() => Verdict::Good,
            200..=299 => Verdict::Fail(protocol(call, format!("an error with a good status: {}", said.words))),
            401 if said.is_google => Verdict::Renew { reason: said.words },
            403 => self.forbidden(call, &said, headers),
            429 if said.is(&LIMITED_TODAY) => Verdict::Fail(self.until_tomorrow(call, headers)),
            429 => Verdict::Retry { after: retry_after(headers), reason: said.words, limited: true },
            // A 401 that Google did not say is no verdict on the token.
            401 | 408 | 500.. => Verdict::Retry { after: retry_after(headers), reason: said.words, limited: false },
            400 if said.is_about_account() => Verdict::Fail(needs_user(
                call,
                &format!("Google cannot serve this account ({}); check that it has this service, or connect another", said.words),
            )),
            // An error page of something in between says nothing about what was asked for.
            _ if self.expected.contains(&status) && said.is_google => Verdict::Good,
            _ => Verdict::Fail(protocol(call, said.words)),
        }
    }
}

impl GoogleDialect<'_> {
    fn forbidden(&self, call: &'static str, said: &Said, headers: &HeaderMap) -> Verdict {
        if said.is(&LIMITED) || said.status == "RESOURCE_EXHAUSTED" {
            return Verdict::Retry { after: retry_after(headers), reason: said.words.clone(), limited: true };
        }
        Verdict::Fail(if said.is(&LIMITED_TODAY) {
            self.until_tomorrow(call, headers)
        } else if said.is(&NOT_ENABLED) {
            let setting = format!("{call}: {} in the Google Cloud project of GOOGLE_CLIENT_ID: {}", self.interface, said.words);
            PlatformError::NeedsOperator { setting }
        } else if said.is(&TOO_LITTLE_SCOPE) || said.is_about_scope() {
            needs_user(call, &format!("the scope {} was not granted; connect Google again and leave it ticked", self.scope))
        } else if said.is_google && (!self.is_one_of_many || said.is(&DOMAIN_POLICY)) {
            needs_user(
                call,
                &format!("Google refuses access ({}); have it shared with this account, or connect again", said.words),
            )
        } else {
            protocol(call, said.words.clone())
        })
    }

    /// Daily quotas begin anew at midnight in California.
    fn until_tomorrow(&self, call: &'static str, headers: &HeaderMap) -> PlatformError {
        let now = self.clock.now();
        let named = retry_after(headers).and_then(|it| TimeDelta::from_std(it).ok()).map(|it| now + it);
        PlatformError::RateLimited { call: call.to_owned(), at: named.unwrap_or_else(|| next_midnight(now)) }
    }
}

fn next_midnight(now: DateTime<Utc>) -> DateTime<Utc> {
    let tomorrow = now.with_timezone(&Los_Angeles).date_naive().checked_add_days(Days::new(1));
    let midnight = tomorrow.and_then(|it| Los_Angeles.from_local_datetime(&it.and_time(NaiveTime::MIN)).earliest());
    midnight.map_or(now + TimeDelta::days(1), |it| it.to_utc())
}

fn needs_user(call: &str, action: &str) -> PlatformError {
    PlatformError::NeedsUser { action: format!("{call}: {action}") }
}

/// What Google said, for people.
pub(crate) fn message(body: &Value) -> String {
    body.pointer("/error/message").and_then(Value::as_str).map(clean).unwrap_or_default()
}

fn clean(text: &str) -> String {
    header::clean(text).chars().take(MAX_SAID).collect()
}

struct Said {
    /// Status and message, for people.
    words: String,
    /// Google's short words for the reason, old and new.
    reasons: Vec<String>,
    status: String,
    is_google: bool,
}

impl Said {
    fn read(status: u16, body: &Value) -> Self {
        let error = body.get("error").unwrap_or(&Value::Null);
        let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(clean).unwrap_or_default();
        let lists = ["errors", "details"].into_iter().filter_map(|key| error.get(key)?.as_array()).flatten();
        let reasons: Vec<String> = lists.map(|it| text(it, "reason")).filter(|it| !it.is_empty()).collect();
        let mut words = format!("status {status}");
        for part in [reasons.first().cloned().unwrap_or_default(), text(error, "message")] {
            if !part.is_empty() {
                words = format!("{words}, {part}");
            }
        }
        Self { words, reasons, status: text(error, "status"), is_google: error.is_object() }
    }

    fn is(&self, words: &[&str]) -> bool {
        self.reasons.iter().any(|it| words.contains(&it.as_str()))
    }

    /// The account lacks the service. A sync token that is no longer good may fail a precondition as well.
    fn is_about_account(&self) -> bool {
        let is_precondition = self.is(&["failedPrecondition"]) || self.status == "FAILED_PRECONDITION";
        is_precondition && !self.says("sync token")
    }

    /// Gmail's `Metadata scope doesn't allow format FULL` has no reason of its own.
    fn is_about_scope(&self) -> bool {
        self.is_google && self.says("scope")
    }

    fn says(&self, part: &str) -> bool {
        self.words.to_ascii_lowercase().contains(part)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use yarnnn_core::testing::FixedClock;

    use super::*;

    fn judged(status: u16, headers: &[(&'static str, &str)], body: &Value) -> String {
        judged_as(false, NOT_FOUND, status, headers, body)
    }

    fn judged_as(
        is_one_of_many: bool,
        expected: &'static [u16],
        status: u16,
        headers: &[(&'static str, &str)],
        body: &Value,
    ) -> String {
        let clock = FixedClock::parse("2026-11-22T12:00:00Z");
        let (interface, scope) = ("Gmail API", "gmail.readonly");
        let dialect = GoogleDialect { clock: &clock, interface, scope, expected, is_one_of_many };
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        match dialect.judge("gmail messages.list", status, &headers, body) {
            Verdict::Fail(error) => format!("{error:?}"),
            other => format!("{other:?}"),
        }
    }

    fn reason(code: u16, reason: &str, message: &str) -> Value {
        json!({"error": {"code": code, "message": message, "errors": [{"domain": "global", "reason": reason, "message": message}]}})
    }

    fn detail(code: u16, reason: &str) -> Value {
        json!({"error": {"code": code, "message": "No.", "status": "PERMISSION_DENIED",
            "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"}]}})
    }

    #[test]
    fn each_error_says_what_can_be_done() {
        let limited = "Retry { after: Some(7s), reason: \"status 403, userRateLimitExceeded, Slow down\", limited: true }";
        let cases = [
            (200, json!({"messages": []}), "Good"),
            (200, reason(500, "backendError", "x"), "Protocol"),
            (
                401,
                reason(401, "authError", "Invalid Credentials"),
                "Renew { reason: \"status 401, authError, Invalid Credentials\" }",
            ),
            (401, Value::Null, "Retry { after: Some(7s), reason: \"status 401\", limited: false }"),
            (401, json!({"message": "log in to the proxy"}), "limited: false"),
            (403, reason(403, "userRateLimitExceeded", "Slow down"), limited),
            (403, detail(403, "RATE_LIMIT_EXCEEDED"), "limited: true"),
            (
                403,
                reason(403, "dailyLimitExceeded", "x"),
                "RateLimited { call: \"gmail messages.list\", at: 2026-11-22T12:00:07Z }",
            ),
            (
                403,
                reason(403, "accessNotConfigured", "Gmail API has not been used in project 12"),
                "NeedsOperator { setting: \"gmail messages.list: Gmail API in the",
            ),
            (403, detail(403, "SERVICE_DISABLED"), "NeedsOperator"),
            (
                403,
                reason(403, "insufficientPermissions", "x"),
                "NeedsUser { action: \"gmail messages.list: the scope gmail.readonly was not granted",
            ),
            (403, detail(403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT"), "the scope gmail.readonly was not granted"),
            (
                403,
                reason(403, "forbidden", "x"),
                "NeedsUser { action: \"gmail messages.list: Google refuses access (status 403, forbidden, x)",
            ),
            (403, Value::Null, "Protocol"),
            (404, reason(404, "notFound", "x"), "Good"),
            (404, Value::Null, "Protocol"),
            (400, reason(400, "failedPrecondition", "Mail service not enabled"), "NeedsUser"),
            (
                400,
                reason(400, "invalid", "Bad"),
                "Protocol { call: \"gmail messages.list\", detail: \"status 400, invalid, Bad\" }",
            ),
            (429, Value::Null, "limited: true"),
            (503, Value::Null, "limited: false"),
        ];
        for (status, body, expected) in cases {
            let judged = judged(status, &[("retry-after", "7")], &body);
            assert!(judged.contains(expected), "{status} {body}: {judged}");
        }
    }

    #[test]
    fn an_account_without_the_service_is_said_so_even_where_a_bad_request_is_expected() {
        let expected: &[u16] = &[400, 404];
        let judged = |body: &Value| judged_as(false, expected, 400, &[], body);
        assert!(judged(&reason(400, "failedPrecondition", "Mail service not enabled")).contains("NeedsUser"));
        assert_eq!(judged(&reason(400, "failedPrecondition", "The sync token is no longer valid")), "Good");
        assert_eq!(judged(&reason(400, "invalid", "Invalid label: X")), "Good");
    }

    #[test]
    fn a_refusal_of_one_record_is_not_one_of_the_account() {
        let judged = |body: &Value| judged_as(true, NOT_FOUND, 403, &[], body);
        assert!(judged(&reason(403, "forbidden", "No.")).contains("Protocol"));
        assert!(judged(&reason(403, "domainPolicy", "No.")).contains("NeedsUser"));
        assert!(judged(&reason(403, "insufficientPermissions", "No.")).contains("the scope"));
        assert!(judged(&reason(403, "forbidden", "Metadata scope doesn't allow format FULL")).contains("the scope"));
        assert!(judged(&reason(403, "quotaExceeded", "No.")).contains("limited: true"));
    }

    #[test]
    fn a_daily_limit_ends_at_midnight_in_california() {
        let judged = judged(403, &[], &reason(403, "dailyLimitExceeded", "x"));
        assert!(judged.contains("at: 2026-11-23T08:00:00Z"), "{judged}");
    }
}
