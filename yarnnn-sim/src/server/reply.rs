//! Answers in the form of each provider.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json as value};

use super::auth::Provider;
use crate::sample::identifier;

/// A JSON answer.
pub(crate) fn json(status: StatusCode, body: &Value) -> Response {
    text(status, "application/json; charset=utf-8", body.to_string())
}

/// An answer of any kind.
pub(super) fn text(status: StatusCode, media_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// Slack's form: HTTP 200 whatever happened.
pub(crate) fn slack_error(code: &str) -> Response {
    json(StatusCode::OK, &value!({ "ok": false, "error": code }))
}

/// Google's form, with its older list of errors and its newer status.
pub(crate) fn google_error(status: StatusCode, reason: &str, message: &str) -> Response {
    let domain = match reason {
        "rateLimitExceeded" | "userRateLimitExceeded" | "quotaExceeded" => "usageLimits",
        _ => "global",
    };
    let body = value!({ "error": {
        "code": status.as_u16(),
        "message": message,
        "errors": [{ "message": message, "domain": domain, "reason": reason }],
        "status": google_status(status),
    } });
    json(status, &body)
}

fn google_status(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => "INVALID_ARGUMENT",
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        409 => "ALREADY_EXISTS",
        410 => "FAILED_PRECONDITION",
        412 => "CONDITION_NOT_MET",
        429 => "RESOURCE_EXHAUSTED",
        503 => "UNAVAILABLE",
        _ => "INTERNAL",
    }
}

/// Notion's form.
pub(crate) fn notion_error(status: StatusCode, code: &str, message: &str) -> Response {
    let body = value!({
        "object": "error",
        "status": status.as_u16(),
        "code": code,
        "message": message,
        "request_id": identifier::grouped("request", &format!("{code}/{message}")),
    });
    json(status, &body)
}

/// A refusal because of a limit. Google answers such calls in two ways, turn by turn.
pub(super) fn too_many(provider: Option<Provider>, wait: u64, turn: u64) -> Response {
    let status = StatusCode::TOO_MANY_REQUESTS;
    let mut response = match provider {
        Some(Provider::Slack) => json(status, &value!({ "ok": false, "error": "ratelimited" })),
        Some(Provider::Google) if turn.is_multiple_of(2) => {
            let message = "User-rate limit exceeded. Retry later.";
            return google_error(StatusCode::FORBIDDEN, "userRateLimitExceeded", message);
        }
        Some(Provider::Google) => google_error(status, "rateLimitExceeded", "Rate Limit Exceeded"),
        Some(Provider::Notion) => notion_error(status, "rate_limited", "You have been rate limited. Please try again later."),
        None => json(status, &value!({ "error": "rate_limited" })),
    };
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait));
    response
}

/// The service as a whole has too much to do.
pub(super) fn overloaded(provider: Option<Provider>, wait: u64) -> Response {
    let busy = StatusCode::SERVICE_UNAVAILABLE;
    let mut response = match provider {
        Some(Provider::Slack) => json(busy, &value!({ "ok": false, "error": "service_unavailable" })),
        Some(Provider::Google) => google_error(busy, "backendError", "The service is currently unavailable."),
        Some(Provider::Notion) => {
            let status = StatusCode::from_u16(529).unwrap_or(busy);
            notion_error(status, "service_overload", "Notion is overloaded. Please try again later.")
        }
        None => json(busy, &value!({ "error": "temporarily_unavailable" })),
    };
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait));
    response
}

/// The token is good, but not for this.
pub(super) fn forbidden(provider: Option<Provider>) -> Response {
    match provider {
        Some(Provider::Slack) => slack_error("access_denied"),
        Some(Provider::Google) => google_error(StatusCode::FORBIDDEN, "forbidden", "Forbidden"),
        Some(Provider::Notion) => {
            let message = "API token does not have access to this resource.";
            notion_error(StatusCode::FORBIDDEN, "restricted_resource", message)
        }
        None => json(StatusCode::FORBIDDEN, &value!({ "error": "access_denied" })),
    }
}

/// Google's refusal of a token whose scopes do not cover the call.
pub(super) fn google_scopes(wanted: &[&str]) -> Response {
    let status = StatusCode::FORBIDDEN;
    let message = "Request had insufficient authentication scopes.";
    let detail = value!({
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
        "domain": "googleapis.com",
        "metadata": { "wanted": wanted.join(" ") },
    });
    let body = value!({ "error": {
        "code": status.as_u16(),
        "message": message,
        "errors": [{ "message": "Insufficient Permission", "domain": "global", "reason": "insufficientPermissions" }],
        "status": "PERMISSION_DENIED",
        "details": [detail],
    } });
    json(status, &body)
}
