//! What happens to every request before and after its handler: the record, latency, faults and limits.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;

use super::auth::{Provider, credential};
use super::distort;
use super::faults::Fault;
use super::journal;
use super::limits::Standing;
use super::reply;
use super::sim::Sim;

/// Requests larger than this are refused.
const LARGEST_REQUEST: usize = 32 * 1024 * 1024;

/// Tells a request that never gets an answer when the server ends.
#[derive(Debug, Clone)]
pub(super) struct Stopping(pub(super) watch::Receiver<bool>);

impl Stopping {
    async fn wait(mut self) {
        // An error means that the server is gone, which is what is being waited for.
        let _ = self.0.wait_for(|stopped| *stopped).await;
    }
}

/// Answers one call.
pub(super) async fn guard(call: &'static str, sim: Sim, stopping: Stopping, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_REQUEST).await else {
        return reply::text(StatusCode::PAYLOAD_TOO_LARGE, "text/plain", "the request is too large");
    };
    let number = sim.journal().begin(journal::Request::of(call, &parts, body.len(), sim.now()));
    sim.limits().wait(call).await;
    let mut response = answer(call, &sim, stopping, parts, body, next).await;
    sim.journal().finish(number, response.status().as_u16());
    if !response.headers().contains_key(header::DATE) {
        set_date(&mut response, sim.now());
    }
    response
}

async fn answer(call: &'static str, sim: &Sim, stopping: Stopping, parts: Parts, body: Bytes, next: Next) -> Response {
    let provider = Provider::of_call(call);
    let fault = sim.faults().take(call);
    if let Some(Fault::Hang) = fault {
        stopping.wait().await;
        return distort::disconnect();
    }
    if let Some(response) = fault.as_ref().and_then(|it| distort::instead(it, provider)) {
        return response;
    }
    let holder = sim.tokens().holder(credential(&parts.headers).unwrap_or_default());
    if let Err(wait) = sim.limits().admit(call, &holder, sim.now()) {
        let mut response = reply::too_many(provider, wait, sim.limits().refused());
        say_standing(&mut response, provider, sim.limits().standing(call, &holder, sim.now()));
        return response;
    }
    let list = distort::list_of(call, &parts, &body);
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    if let Some(Fault::AnswerLost | Fault::AnswerWithheld) = fault {
        if fault == Some(Fault::AnswerWithheld) {
            stopping.wait().await;
        }
        return distort::disconnect();
    }
    let mut response = distort::apply(call, &list, fault.as_ref(), sim.faults(), response).await;
    say_standing(&mut response, provider, sim.limits().standing(call, &holder, sim.now()));
    if let Some(Fault::Skew(seconds)) = fault {
        set_date(&mut response, sim.now() + TimeDelta::seconds(seconds));
    }
    response
}

/// Resend tells with every answer what its limit leaves.
fn say_standing(response: &mut Response, provider: Option<Provider>, standing: Option<Standing>) {
    let Some(standing) = standing.filter(|_| provider == Some(Provider::Resend)) else { return };
    let headers = response.headers_mut();
    headers.insert("ratelimit-limit", HeaderValue::from(standing.limit));
    headers.insert("ratelimit-remaining", HeaderValue::from(standing.remaining));
    headers.insert("ratelimit-reset", HeaderValue::from(standing.reset));
}

fn set_date(response: &mut Response, now: DateTime<Utc>) {
    let text = now.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(value) = HeaderValue::from_str(&text) {
        response.headers_mut().insert(header::DATE, value);
    }
}
