//! Google's OAuth: a refresh token comes only with `access_type=offline`, again only with `prompt=consent`, and stays the same.
//! People can untick single scopes, so what was granted is compared with what was asked for.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::ExposeSecret as _;
use serde_json::Value;
use url::Url;
use yarnnn_core::connections::Provider;
use yarnnn_core::platform::PlatformError;

use super::server::{API_BASE_URL, Client, Grant, Meaning, Names, Server, Told, text, texts};
use crate::PlatformBases;
use crate::http::{Request, below};

const NAMES: Names =
    Names { provider: Provider::Google, call: "google token", id: "GOOGLE_CLIENT_ID", secret: "GOOGLE_CLIENT_SECRET" };

const CLIENT: &str = "GOOGLE_CLIENT_ID or GOOGLE_CLIENT_SECRET";

const SCOPES: &[&str] = &[
    "https://www.googleapis.com/auth/gmail.readonly",
    "https://www.googleapis.com/auth/gmail.send",
    "https://www.googleapis.com/auth/gmail.compose",
    "https://www.googleapis.com/auth/gmail.modify",
    "https://www.googleapis.com/auth/calendar.readonly",
    "https://www.googleapis.com/auth/calendar.events.readonly",
    "https://www.googleapis.com/auth/calendar.events",
];

/// Asked for so that the grant says whose it is. No client needs them, and Google grants `email` under another name.
const IDENTITY: &str = "openid email";

pub(super) struct Google;

impl Server for Google {
    fn names(&self) -> &'static Names {
        &NAMES
    }

    fn scopes(&self) -> &'static [&'static str] {
        SCOPES
    }

    fn page(&self, bases: &PlatformBases) -> Result<Url, PlatformError> {
        let scope = format!("{} {IDENTITY}", SCOPES.join(" "));
        let query = [
            ("response_type", "code"),
            ("scope", scope.as_str()),
            ("access_type", "offline"),
            ("prompt", "consent"),
            ("include_granted_scopes", "true"),
        ];
        below(&bases.google_authorize, &["o", "oauth2", "v2", "auth"], &query)
    }

    fn request(&self, bases: &PlatformBases, client: &Client<'_>, grant: &Grant<'_>) -> Result<Request, PlatformError> {
        let mut form = vec![("client_id", client.id), ("client_secret", client.secret.expose_secret())];
        match grant {
            Grant::Code { code, redirect } => form.extend([
                ("grant_type", "authorization_code"),
                ("code", code.expose_secret()),
                ("redirect_uri", redirect.as_str()),
            ]),
            Grant::Refresh(refresh) => {
                form.extend([("grant_type", "refresh_token"), ("refresh_token", refresh.expose_secret())]);
            }
        }
        let form = form.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Ok(Request::post_form(below(&bases.google_oauth, &["token"], &[])?, form))
    }

    fn meaning(&self, error: &str) -> Meaning {
        match error {
            "invalid_grant" | "access_denied" | "admin_policy_enforced" => Meaning::Final,
            "invalid_client" | "unauthorized_client" | "deleted_client" | "disabled_client" | "org_internal" => {
                Meaning::Setting(CLIENT)
            }
            "redirect_uri_mismatch" => Meaning::Setting(API_BASE_URL),
            "rate_limit_exceeded" | "RESOURCE_EXHAUSTED" => Meaning::Limited,
            "internal_failure" | "server_error" | "temporarily_unavailable" | "backend_error" => Meaning::Later,
            _ => Meaning::Foreign,
        }
    }

    fn is_grant(&self, _: &Value) -> bool {
        true
    }

    fn told(&self, body: &Value) -> Told {
        let scopes = text(body, "/scope").unwrap_or_default().split_whitespace().map(str::to_owned).collect();
        let mut metadata = texts(body, &[("scope", "/scope")]);
        if let Some(claims) = text(body, "/id_token").and_then(claims) {
            metadata.extend(texts(&claims, &[("sub", "/sub"), ("email", "/email"), ("name", "/name"), ("picture", "/picture")]));
        }
        Told { scopes, metadata }
    }
}

/// What an id token says. It came straight from Google over TLS, so that its signature adds nothing. `sub` is the account whatever
/// its address becomes; the rest is for display.
fn claims(token: &str) -> Option<Value> {
    let middle = token.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(middle.trim_end_matches('=')).ok()?).ok()
}
