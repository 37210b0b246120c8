//! Slack's OAuth v2: errors come with status 200, and refresh tokens exist, each for one use, where the app rotates its tokens.

use secrecy::ExposeSecret as _;
use serde_json::Value;
use url::Url;
use yarnnn_core::connections::Provider;
use yarnnn_core::platform::PlatformError;

use super::server::{API_BASE_URL, Client, Grant, Meaning, Names, Server, Told, text, texts};
use crate::PlatformBases;
use crate::http::{Request, below};

const NAMES: Names =
    Names { provider: Provider::Slack, call: "slack oauth.v2.access", id: "SLACK_CLIENT_ID", secret: "SLACK_CLIENT_SECRET" };

const SCOPES: &[&str] = &[
    "chat:write",
    "channels:read",
    "channels:history",
    "channels:join",
    "groups:read",
    "groups:history",
    "users:read",
    "im:write",
    "metadata.message:read",
];

pub(super) struct Slack;

impl Server for Slack {
    fn names(&self) -> &'static Names {
        &NAMES
    }

    fn scopes(&self) -> &'static [&'static str] {
        SCOPES
    }

    fn page(&self, bases: &PlatformBases) -> Result<Url, PlatformError> {
        let mut origin = bases.slack.clone();
        origin.set_path("");
        below(&origin, &["oauth", "v2", "authorize"], &[("scope", &SCOPES.join(","))])
    }

    fn request(&self, bases: &PlatformBases, client: &Client<'_>, grant: &Grant<'_>) -> Result<Request, PlatformError> {
        let mut form = vec![("client_id", client.id), ("client_secret", client.secret.expose_secret())];
        match grant {
            Grant::Code { code, redirect } => form.extend([("code", code.expose_secret()), ("redirect_uri", redirect.as_str())]),
            Grant::Refresh(refresh) => {
                form.extend([("grant_type", "refresh_token"), ("refresh_token", refresh.expose_secret())]);
            }
        }
        let form = form.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Ok(Request::post_form(below(&bases.slack, &["oauth.v2.access"], &[])?, form))
    }

    fn meaning(&self, error: &str) -> Meaning {
        match error {
            "invalid_code"
            | "code_already_used"
            | "code_expired"
            | "invalid_grant"
            | "invalid_refresh_token"
            | "token_revoked"
            | "token_expired"
            | "account_inactive"
            | "access_denied"
            | "team_access_not_granted" => Meaning::Final,
            "invalid_client_id" => Meaning::Setting(NAMES.id),
            "bad_client_secret" => Meaning::Setting(NAMES.secret),
            "invalid_client" => Meaning::Setting("SLACK_CLIENT_ID or SLACK_CLIENT_SECRET"),
            "bad_redirect_uri" => Meaning::Setting(API_BASE_URL),
            "ratelimited" | "rate_limited" => Meaning::Limited,
            "internal_error" | "fatal_error" | "service_unavailable" | "request_timeout" => Meaning::Later,
            _ => Meaning::Foreign,
        }
    }

    fn is_grant(&self, body: &Value) -> bool {
        body.get("ok").and_then(Value::as_bool) == Some(true)
    }

    fn told(&self, body: &Value) -> Told {
        let wanted = [
            ("team_id", "/team/id"),
            ("team_name", "/team/name"),
            ("workspace_name", "/team/name"),
            ("enterprise_id", "/enterprise/id"),
            ("bot_user_id", "/bot_user_id"),
            ("authed_user_id", "/authed_user/id"),
            ("scope", "/scope"),
        ];
        let scope = text(body, "/scope").unwrap_or_default();
        let scopes = scope.split([',', ' ']).filter(|it| !it.is_empty()).map(str::to_owned).collect();
        Told { scopes, metadata: texts(body, &wanted) }
    }
}
