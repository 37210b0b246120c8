//! The calls.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::post;

use super::request::{self, Refusal};
use super::stream;
use super::wire::{Message, THOUGHT};
use crate::Sim;
use crate::server::{self, Provider, bearer, call, request_id, spend_cap};

/// All calls of this provider.
pub(crate) fn router() -> Router<Sim> {
    Router::new().route("/v1/messages", call("anthropic.messages", post(messages)))
}

async fn messages(State(sim): State<Sim>, headers: HeaderMap, body: Bytes) -> Response {
    let mut response = answer(&sim, &headers, &body).unwrap_or_else(Refusal::respond);
    if !response.headers().contains_key("request-id") {
        server::set(&mut response, "request-id", &request_id(&sim.models().calls().len().to_string()));
    }
    response
}

fn answer(sim: &Sim, headers: &HeaderMap, body: &[u8]) -> Result<Response, Refusal> {
    key(sim, headers)?;
    let asked = request::read(sim, headers, body)?;
    if sim.models().is_spent() {
        return Ok(spend_cap(Some(Provider::Anthropic)));
    }
    let usage = sim.models().charge(&asked.marks, asked.model.least_cached);
    let thought = if asked.thinks { THOUGHT.len() } else { 0 };
    let answered = sim.models().answer(asked.prompt, usage, thought, asked.streams);
    let message = Message::of(sim, asked.model.id, answered, asked.thinks, &asked.stops);
    Ok(if asked.streams { stream::respond(&message) } else { server::json(StatusCode::OK, &message.json()) })
}

fn key(sim: &Sim, headers: &HeaderMap) -> Result<(), Refusal> {
    let refused = |message: &str| Refusal::of(StatusCode::UNAUTHORIZED, "authentication_error", message);
    let (key, message) = match headers.get("x-api-key").and_then(|it| it.to_str().ok()) {
        Some(key) => (key, "invalid x-api-key"),
        None => (bearer(headers).ok_or_else(|| refused("x-api-key header is required"))?, "invalid bearer token"),
    };
    sim.tokens().check(Provider::Anthropic, Some(key)).map(|_| ()).map_err(|_| refused(message))
}
