//! Notion's OAuth: the client signs in with HTTP Basic and speaks JSON; what a grant may do is set in the integration, not asked
//! for. Refresh tokens come with newer grants, each for one use; older grants do not end.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use url::Url;
use yarnnn_core::connections::Provider;
use yarnnn_core::platform::PlatformError;

use super::server::{Client, Grant, Meaning, Names, Server, Told, texts};
use crate::PlatformBases;
use crate::http::{Request, below};

const NAMES: Names =
    Names { provider: Provider::Notion, call: "notion oauth/token", id: "NOTION_CLIENT_ID", secret: "NOTION_CLIENT_SECRET" };

/// The version of the API that the clients are written for.
const VERSION: &str = "2025-09-03";

pub(super) struct Notion;

impl Server for Notion {
    fn names(&self) -> &'static Names {
        &NAMES
    }

    fn scopes(&self) -> &'static [&'static str] {
        &[]
    }

    fn page(&self, bases: &PlatformBases) -> Result<Url, PlatformError> {
        below(&bases.notion, &["v1", "oauth", "authorize"], &[("response_type", "code"), ("owner", "user")])
    }

    fn request(&self, bases: &PlatformBases, client: &Client<'_>, grant: &Grant<'_>) -> Result<Request, PlatformError> {
        let body = match grant {
            Grant::Code { code, redirect } => {
                json!({ "grant_type": "authorization_code", "code": code.expose_secret(), "redirect_uri": redirect.as_str() })
            }
            Grant::Refresh(refresh) => json!({ "grant_type": "refresh_token", "refresh_token": refresh.expose_secret() }),
        };
        let request = Request::post_json(below(&bases.notion, &["v1", "oauth", "token"], &[])?, body);
        Ok(request.header("authorization", format!("Basic {}", basic(client))).header("notion-version", VERSION))
    }

    fn meaning(&self, error: &str) -> Meaning {
        match error {
            "invalid_grant" | "access_denied" => Meaning::Final,
            "invalid_client" | "unauthorized_client" | "unauthorized" => {
                Meaning::Setting("NOTION_CLIENT_ID or NOTION_CLIENT_SECRET")
            }
            "rate_limited" => Meaning::Limited,
            "internal_server_error" | "service_unavailable" | "conflict_error" | "server_error" | "temporarily_unavailable" => {
                Meaning::Later
            }
            _ => Meaning::Foreign,
        }
    }

    fn is_grant(&self, _: &Value) -> bool {
        true
    }

    fn told(&self, body: &Value) -> Told {
        let wanted = [("workspace_id", "/workspace_id"), ("workspace_name", "/workspace_name"), ("bot_id", "/bot_id")];
        let mut metadata = texts(body, &wanted);
        if let Some(owner) = body.get("owner").filter(|it| it.is_object()) {
            metadata.insert("owner".to_owned(), owner.clone());
        }
        Told { scopes: vec![], metadata }
    }
}

/// The client as HTTP Basic sends it.
pub(super) fn basic(client: &Client<'_>) -> String {
    STANDARD.encode(format!("{}:{}", client.id, client.secret.expose_secret()))
}
