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
pub(crate) fn text(status: StatusCode, media_type: &'static str, body: impl Into<Body>) -> Response {
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
        "rateLimitExceeded" | "userRateLimitExceeded" | "quotaExceeded" | "dailyLimitExceeded" => "usageLimits",
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

/// Anthropic's form. The request's id stands in the body and in a header.
pub(crate) fn anthropic_error(status: StatusCode, kind: &str, message: &str) -> Response {
    let id = request_id(&format!("{kind}/{message}"));
    let error = value!({ "type": kind, "message": message });
    let mut response = json(status, &value!({ "type": "error", "error": error, "request_id": id }));
    set(&mut response, "request-id", &id);
    response
}

/// `OpenAI`'s form.
pub(crate) fn openai_error(status: StatusCode, kind: &str, code: Option<&str>, param: Option<&str>, message: &str) -> Response {
    let error = value!({ "message": message, "type": kind, "param": param, "code": code });
    let mut response = json(status, &value!({ "error": error }));
    set(&mut response, "x-request-id", &request_id(message));
    response
}

/// Resend's form.
pub(crate) fn resend_error(status: StatusCode, name: &str, message: &str) -> Response {
    json(status, &value!({ "statusCode": status.as_u16(), "message": message, "name": name }))
}

/// An id as the model providers give to requests.
pub(crate) fn request_id(key: &str) -> String {
    format!("req_{}", identifier::grouped("request", key).replace('-', ""))
}

/// Puts a header into an answer.
pub(crate) fn set(response: &mut Response, name: &'static str, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        response.headers_mut().insert(name, value);
    }
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
        Some(Provider::Google | Provider::CustomSearch) => google_error(status, "rateLimitExceeded", "Rate Limit Exceeded"),
        Some(Provider::Notion) => notion_error(status, "rate_limited", "You have been rate limited. Please try again later."),
        Some(Provider::Anthropic) => {
            let message = "This request would exceed the rate limit for your organization. Please try again later.";
            anthropic_error(status, "rate_limit_error", message)
        }
        Some(Provider::OpenAi) => {
            let message = "Rate limit reached for requests. Please try again later.";
            openai_error(status, "requests", Some("rate_limit_exceeded"), None, message)
        }
        Some(Provider::Resend) => {
            let message = "Too many requests. You can only make 5 requests per second.";
            resend_error(status, "rate_limit_exceeded", message)
        }
        None => json(status, &value!({ "error": "rate_limited" })),
    };
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait));
    response
}

/// A spending cap or a quota: waiting does not help, and no time to wait is named.
pub(crate) fn spend_cap(provider: Option<Provider>) -> Response {
    let status = StatusCode::TOO_MANY_REQUESTS;
    match provider {
        Some(Provider::Anthropic) => {
            let message = "This request would exceed your organization's monthly spend limit.";
            anthropic_error(status, "rate_limit_error", message)
        }
        Some(Provider::OpenAi) => {
            let message = "You exceeded your current quota, please check your plan and billing details.";
            openai_error(status, "insufficient_quota", Some("insufficient_quota"), None, message)
        }
        Some(Provider::Resend) => {
            resend_error(status, "monthly_quota_exceeded", "You have reached your monthly email sending quota.")
        }
        Some(Provider::Google | Provider::CustomSearch) => {
            google_error(status, "dailyLimitExceeded", "Quota exceeded for quota metric 'Queries' and limit 'Queries per day'.")
        }
        Some(Provider::Slack) => json(status, &value!({ "ok": false, "error": "ratelimited" })),
        Some(Provider::Notion) => notion_error(status, "rate_limited", "You have been rate limited."),
        None => json(status, &value!({ "error": "rate_limited" })),
    }
}

/// A cap of the workspace, or an account without credit.
pub(super) fn workspace_cap(provider: Option<Provider>) -> Response {
    let status = StatusCode::BAD_REQUEST;
    match provider {
        Some(Provider::Anthropic) => {
            let message = "You have reached your specified workspace API usage limits.";
            anthropic_error(status, "invalid_request_error", message)
        }
        Some(Provider::OpenAi) => {
            let message = "Billing hard limit has been reached.";
            openai_error(status, "billing_limit_user_error", Some("billing_hard_limit_reached"), None, message)
        }
        other => spend_cap(other),
    }
}

/// The service as a whole has too much to do.
pub(super) fn overloaded(provider: Option<Provider>, wait: u64) -> Response {
    let busy = StatusCode::SERVICE_UNAVAILABLE;
    let mut response = match provider {
        Some(Provider::Slack) => json(busy, &value!({ "ok": false, "error": "service_unavailable" })),
        Some(Provider::Google | Provider::CustomSearch) => {
            google_error(busy, "backendError", "The service is currently unavailable.")
        }
        Some(Provider::Notion) => {
            let status = StatusCode::from_u16(529).unwrap_or(busy);
            notion_error(status, "service_overload", "Notion is overloaded. Please try again later.")
        }
        Some(Provider::Anthropic) => {
            let status = StatusCode::from_u16(529).unwrap_or(busy);
            anthropic_error(status, "overloaded_error", "Overloaded")
        }
        Some(Provider::OpenAi) => {
            let message = "The engine is currently overloaded, please try again later.";
            openai_error(busy, "server_error", None, None, message)
        }
        Some(Provider::Resend) => resend_error(busy, "service_unavailable", "The service is currently unavailable."),
        None => json(busy, &value!({ "error": "temporarily_unavailable" })),
    };
    if wait > 0 {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait));
    }
    response
}

/// The token is good, but not for this.
pub(super) fn forbidden(provider: Option<Provider>) -> Response {
    match provider {
        Some(Provider::Slack) => slack_error("access_denied"),
        Some(Provider::Google | Provider::CustomSearch) => google_error(StatusCode::FORBIDDEN, "forbidden", "Forbidden"),
        Some(Provider::Notion) => {
            let message = "API token does not have access to this resource.";
            notion_error(StatusCode::FORBIDDEN, "restricted_resource", message)
        }
        Some(Provider::Anthropic) => {
            let message = "Your API key does not have permission to use the specified resource.";
            anthropic_error(StatusCode::FORBIDDEN, "permission_error", message)
        }
        Some(Provider::OpenAi) => {
            let message = "You have insufficient permissions for this operation.";
            openai_error(StatusCode::FORBIDDEN, "invalid_request_error", Some("insufficient_permissions"), None, message)
        }
        Some(Provider::Resend) => {
            resend_error(StatusCode::FORBIDDEN, "invalid_permission", "You do not have permission to do this.")
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
