//! The calls.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::Value;

use super::check::{self, Refusal};
use super::{chat, list, responses};
use crate::Sim;
use crate::server::{self, Provider, call, request_id, spend_cap};

/// All calls of this provider.
pub(crate) fn router() -> Router<Sim> {
    Router::new()
        .route("/v1/chat/completions", call("openai.chat.completions", post(completions)))
        .route("/v1/responses", call("openai.responses", post(response)))
        .route("/v1/models", call("openai.models.list", get(models)))
        .route("/v1/models/{id}", call("openai.models.get", get(model)))
}

async fn completions(State(sim): State<Sim>, headers: HeaderMap, body: Bytes) -> Response {
    answer(&sim, &headers, &body, chat::answer)
}

async fn response(State(sim): State<Sim>, headers: HeaderMap, body: Bytes) -> Response {
    answer(&sim, &headers, &body, responses::answer)
}

type Answer = fn(&Sim, &[u8]) -> Result<Response, Refusal>;

fn answer(sim: &Sim, headers: &HeaderMap, body: &[u8], write: Answer) -> Response {
    if let Err(refusal) = check::key(sim, headers) {
        return refusal.respond();
    }
    if sim.models().is_spent() {
        return spend_cap(Some(Provider::OpenAi));
    }
    let mut response = write(sim, body).unwrap_or_else(|it| it.respond());
    server::set(&mut response, "x-request-id", &request_id(&sim.models().calls().len().to_string()));
    response
}

async fn models(State(sim): State<Sim>, headers: HeaderMap) -> Response {
    sent(check::key(&sim, &headers).map(|()| list::all()))
}

async fn model(State(sim): State<Sim>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    sent(check::key(&sim, &headers).and_then(|()| check::model(&id)).map(|it| list::one(&it)))
}

fn sent(answer: Result<Value, Refusal>) -> Response {
    answer.map_or_else(|it| it.respond(), |it| server::json(StatusCode::OK, &it))
}
