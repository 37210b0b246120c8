//! Who asks, and whether the token permits it.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;

use super::reply;
use super::sim::Sim;

/// Whose authorization server a token comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Provider {
    /// Slack.
    Slack,
    /// Google: Gmail and Calendar.
    Google,
    /// Notion.
    Notion,
    /// Anthropic's Messages API.
    Anthropic,
    /// `OpenAI`, and servers that speak like it.
    OpenAi,
    /// Resend's mail service.
    Resend,
    /// Google's Custom Search.
    CustomSearch,
}

impl Provider {
    /// Whose call this is, by its name.
    pub(super) fn of_call(call: &str) -> Option<Self> {
        match call.strip_prefix("oauth.").unwrap_or(call).split('.').next()? {
            "slack" => Some(Self::Slack),
            "gmail" | "calendar" | "google" => Some(Self::Google),
            "notion" => Some(Self::Notion),
            "anthropic" => Some(Self::Anthropic),
            "openai" => Some(Self::OpenAi),
            "resend" => Some(Self::Resend),
            "customsearch" => Some(Self::CustomSearch),
            _ => None,
        }
    }
}

/// What a good token stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Access {
    pub(crate) scopes: Vec<String>,
}

impl Access {
    /// Whether one of the scopes was granted.
    pub(crate) fn permits(&self, any_of: &[&str]) -> bool {
        any_of.iter().any(|wanted| self.scopes.iter().any(|it| it == wanted))
    }
}

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Missing,
    Unknown,
    Expired,
    Revoked,
    /// The person or the app is no longer there.
    Inactive,
}

/// The token of an `Authorization: Bearer` header.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Who calls: the token of the `Authorization` header, or Anthropic's key.
pub(super) fn credential(headers: &HeaderMap) -> Option<&str> {
    bearer(headers).or_else(|| headers.get("x-api-key")?.to_str().ok())
}

/// Checks a Google call: a living access token, and one of the scopes that permit the call.
#[expect(clippy::result_large_err, reason = "the error is the answer that is sent")]
pub(crate) fn google(sim: &Sim, headers: &HeaderMap, any_of: &[&str]) -> Result<Access, Response> {
    let access = sim.tokens().check(Provider::Google, bearer(headers)).map_err(|refusal| {
        let message = match refusal {
            Refusal::Missing => "Request is missing required authentication credential.",
            _ => "Request had invalid authentication credentials. Expected OAuth 2 access token.",
        };
        reply::google_error(StatusCode::UNAUTHORIZED, "authError", message)
    })?;
    if access.permits(any_of) { Ok(access) } else { Err(reply::google_scopes(any_of)) }
}
