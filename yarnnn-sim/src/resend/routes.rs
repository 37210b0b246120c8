//! The calls.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Value, json};

use super::check::{self, Refusal};
use super::world::{Claim, Mail, SentMail};
use crate::Sim;
use crate::server::{self, Provider, bearer, call, resend_error};

const LONGEST_KEY: usize = 256;

/// All calls of this provider.
pub(crate) fn router() -> Router<Sim> {
    Router::new()
        .route("/emails", call("resend.emails.send", post(send)))
        .route("/emails/{id}", call("resend.emails.get", get(one)))
}

async fn send(State(sim): State<Sim>, headers: HeaderMap, body: Bytes) -> Response {
    if let Some(refusal) = stranger(&headers) {
        return refusal;
    }
    match sent(&sim, &headers, &body).await {
        Ok(id) => server::json(StatusCode::OK, &json!({ "id": id })),
        Err(refusal) => respond(&refusal),
    }
}

async fn sent(sim: &Sim, headers: &HeaderMap, body: &[u8]) -> Result<String, Refusal> {
    let holder = key(sim, headers)?;
    let idempotency = idempotency(headers)?;
    let invalid = |_| Refusal(StatusCode::BAD_REQUEST, "validation_error", "The request body is not valid JSON.".to_owned());
    let body: Value = serde_json::from_slice(body).map_err(invalid)?;
    check::mail(&body)?;
    let mail = sim.mail();
    if let Claim::Before(id) = mail.claim(&holder, idempotency.as_deref(), &body)? {
        return Ok(id);
    }
    // A caller that leaves while its request is held takes it along.
    let _claimed = idempotency.as_deref().map(|key| Claimed { mail, holder: &holder, key });
    mail.wait().await;
    mail.accept(&holder, idempotency.as_deref(), &body)
}

/// Gives a key back that was taken, unless its mail was accepted.
struct Claimed<'a> {
    mail: &'a Mail,
    holder: &'a str,
    key: &'a str,
}

impl Drop for Claimed<'_> {
    fn drop(&mut self) {
        self.mail.forget(self.holder, self.key);
    }
}

async fn one(State(sim): State<Sim>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    if let Some(refusal) = stranger(&headers) {
        return refusal;
    }
    if let Err(refusal) = key(&sim, &headers) {
        return respond(&refusal);
    }
    match sim.mail().inbox().iter().find(|it| it.id == id) {
        Some(mail) => server::json(StatusCode::OK, &written(mail)),
        None => resend_error(StatusCode::NOT_FOUND, "not_found", "Email not found"),
    }
}

/// The wall before the service turns away whoever does not say who it is.
fn stranger(headers: &HeaderMap) -> Option<Response> {
    let is_known = headers.get(header::USER_AGENT).is_some_and(|it| !it.is_empty());
    (!is_known).then(|| server::text(StatusCode::FORBIDDEN, "text/plain; charset=UTF-8", "error code: 1010"))
}

fn key(sim: &Sim, headers: &HeaderMap) -> Result<String, Refusal> {
    let Some(key) = bearer(headers).filter(|it| !it.is_empty()) else {
        let message = "Missing API key in the authorization header.".to_owned();
        return Err(Refusal(StatusCode::UNAUTHORIZED, "missing_api_key", message));
    };
    let invalid = |_| Refusal(StatusCode::FORBIDDEN, "invalid_api_key", "API key is invalid.".to_owned());
    sim.tokens().check(Provider::Resend, Some(key)).map_err(invalid)?;
    Ok(key.to_owned())
}

fn idempotency(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let invalid =
        || Refusal(StatusCode::BAD_REQUEST, "invalid_idempotency_key", "The key must be between 1-256 chars.".to_owned());
    let key = value.to_str().map_err(|_| invalid())?;
    if (1..=LONGEST_KEY).contains(&key.len()) { Ok(Some(key.to_owned())) } else { Err(invalid()) }
}

fn respond(refusal: &Refusal) -> Response {
    resend_error(refusal.0, refusal.1, &refusal.2)
}

fn written(mail: &SentMail) -> Value {
    let list = |name: &str| check::addresses(mail.body.get(name));
    json!({
        "object": "email",
        "id": mail.id,
        "message_id": format!("<{}@email.sim.example>", mail.id),
        "to": mail.to,
        "from": mail.from,
        "created_at": mail.at.format("%Y-%m-%d %H:%M:%S%.6f+00").to_string(),
        "subject": mail.subject,
        "html": mail.body.get("html"),
        "text": mail.body.get("text"),
        "bcc": list("bcc"),
        "cc": list("cc"),
        "reply_to": list("reply_to"),
        "last_event": "delivered",
    })
}
