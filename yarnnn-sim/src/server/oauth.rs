//! The endpoints at which codes and refresh tokens become access tokens.

use std::collections::HashMap;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Form, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::auth::{self, Provider, bearer};
use super::reply;
use super::routes::call;
use super::sim::Sim;
use super::tokens::{CLIENT_ID, CLIENT_SECRET, Denied, Issued};

type Fields = HashMap<String, String>;

pub(super) fn router() -> Router<Sim> {
    Router::new()
        .route("/token", call("oauth.google.token", post(google_token)))
        .route("/revoke", call("oauth.google.revoke", post(google_revoke)))
        .route("/oauth2/v2/userinfo", call("oauth.google.userinfo", get(google_userinfo)))
        .route("/api/oauth.v2.access", call("oauth.slack.access", post(slack_access).get(slack_access)))
        .route("/v1/oauth/token", call("oauth.notion.token", post(notion_token)))
}

fn field<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.get(name).map_or("", String::as_str)
}

fn refused(status: StatusCode, error: &str, description: &str) -> Response {
    reply::json(status, &json!({ "error": error, "error_description": description }))
}

/// The client's id and secret: in the form or, as all three also take them, in the header.
fn client(headers: &HeaderMap, fields: &Fields) -> (String, String) {
    basic(headers).unwrap_or_else(|| (field(fields, "client_id").to_owned(), field(fields, "client_secret").to_owned()))
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let encoded = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    decoded.split_once(':').map(|(id, secret)| (id.to_owned(), secret.to_owned()))
}

async fn google_token(State(sim): State<Sim>, headers: HeaderMap, Form(fields): Form<Fields>) -> Response {
    let (id, secret) = client(&headers, &fields);
    if id != CLIENT_ID {
        return refused(StatusCode::UNAUTHORIZED, "invalid_client", "The OAuth client was not found.");
    }
    if secret != CLIENT_SECRET {
        return refused(StatusCode::UNAUTHORIZED, "invalid_client", "Unauthorized");
    }
    let issued = match field(&fields, "grant_type") {
        "refresh_token" => sim.tokens().refresh(Provider::Google, field(&fields, "refresh_token")),
        "authorization_code" => sim.tokens().exchange(Provider::Google, field(&fields, "code"), field(&fields, "redirect_uri")),
        other => {
            let description = format!("Invalid grant_type: {other}");
            return refused(StatusCode::BAD_REQUEST, "unsupported_grant_type", &description);
        }
    };
    match issued {
        Ok(issued) => reply::json(StatusCode::OK, &google_answer(&issued)),
        Err(Denied::RedirectUri) => refused(StatusCode::BAD_REQUEST, "redirect_uri_mismatch", "Bad Request"),
        Err(Denied::Code) => refused(StatusCode::BAD_REQUEST, "invalid_grant", "Malformed auth code."),
        Err(Denied::Refresh) => refused(StatusCode::BAD_REQUEST, "invalid_grant", "Token has been expired or revoked."),
    }
}

fn google_answer(issued: &Issued) -> Value {
    let mut answer = json!({
        "access_token": issued.access,
        "expires_in": issued.life.unwrap_or_default(),
        "scope": issued.scopes.join(" "),
        "token_type": "Bearer",
    });
    if let Some(refresh) = &issued.refresh {
        answer["refresh_token"] = json!(refresh);
    }
    answer
}

async fn google_revoke(State(sim): State<Sim>, Form(fields): Form<Fields>) -> Response {
    sim.tokens().revoke(field(&fields, "token"));
    reply::json(StatusCode::OK, &json!({}))
}

async fn google_userinfo(State(sim): State<Sim>, headers: HeaderMap) -> Response {
    const SCOPES: [&str; 4] =
        ["https://www.googleapis.com/auth/userinfo.email", "https://www.googleapis.com/auth/userinfo.profile", "openid", "email"];
    if let Err(response) = auth::google(&sim, &headers, &SCOPES) {
        return response;
    }
    let person = sim.google_person();
    let answer = json!({ "id": person.id, "email": person.email, "verified_email": true, "name": person.name });
    reply::json(StatusCode::OK, &answer)
}

async fn slack_access(State(sim): State<Sim>, headers: HeaderMap, Form(fields): Form<Fields>) -> Response {
    let (id, secret) = client(&headers, &fields);
    if id != CLIENT_ID {
        return reply::slack_error("invalid_client_id");
    }
    if secret != CLIENT_SECRET {
        return reply::slack_error("bad_client_secret");
    }
    let issued = match field(&fields, "grant_type") {
        "refresh_token" => sim.tokens().refresh(Provider::Slack, field(&fields, "refresh_token")),
        "" | "authorization_code" => {
            sim.tokens().exchange(Provider::Slack, field(&fields, "code"), field(&fields, "redirect_uri"))
        }
        _ => return reply::slack_error("invalid_grant_type"),
    };
    match issued {
        Ok(issued) => reply::json(StatusCode::OK, &slack_answer(&sim, &issued)),
        Err(Denied::Code) => reply::slack_error("invalid_code"),
        Err(Denied::RedirectUri) => reply::slack_error("bad_redirect_uri"),
        Err(Denied::Refresh) => reply::slack_error("invalid_refresh_token"),
    }
}

fn slack_answer(sim: &Sim, issued: &Issued) -> Value {
    let team = sim.slack().team();
    let mut answer = json!({
        "ok": true,
        "access_token": issued.access,
        "token_type": "bot",
        "scope": issued.scopes.join(","),
        "bot_user_id": team.bot_user_id,
        "app_id": "A0SIMULATOR",
        "team": { "id": team.id, "name": team.name },
        "enterprise": null,
        "authed_user": { "id": team.installer_id },
        "is_enterprise_install": false,
    });
    if let (Some(refresh), Some(life)) = (&issued.refresh, issued.life) {
        answer["refresh_token"] = json!(refresh);
        answer["expires_in"] = json!(life);
    }
    answer
}

async fn notion_token(State(sim): State<Sim>, headers: HeaderMap, body: Bytes) -> Response {
    if basic(&headers) != Some((CLIENT_ID.to_owned(), CLIENT_SECRET.to_owned())) || bearer(&headers).is_some() {
        return refused(StatusCode::UNAUTHORIZED, "invalid_client", "The client is unknown or its secret is wrong.");
    }
    let Ok(fields) = serde_json::from_slice::<Fields>(&body) else {
        return refused(StatusCode::BAD_REQUEST, "invalid_request", "The body has to be JSON.");
    };
    if field(&fields, "grant_type") != "authorization_code" {
        return refused(StatusCode::BAD_REQUEST, "unsupported_grant_type", "The grant type is not supported.");
    }
    match sim.tokens().exchange(Provider::Notion, field(&fields, "code"), field(&fields, "redirect_uri")) {
        Ok(issued) => reply::json(StatusCode::OK, &notion_answer(&sim, &issued)),
        Err(_) => refused(StatusCode::BAD_REQUEST, "invalid_grant", "The code is invalid, expired, used or of another address."),
    }
}

fn notion_answer(sim: &Sim, issued: &Issued) -> Value {
    let id = |key: &str| crate::sample::identifier::grouped("notion", key);
    json!({
        "access_token": issued.access,
        "token_type": "bearer",
        "bot_id": id("bot"),
        "workspace_id": id("workspace"),
        "workspace_name": sim.notion().workspace_name(),
        "workspace_icon": null,
        "owner": { "type": "user", "user": { "object": "user", "id": id("owner") } },
        "duplicated_template_id": null,
        "request_id": id("request"),
    })
}
