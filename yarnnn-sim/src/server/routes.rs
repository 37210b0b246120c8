//! All routes of all providers, and the name under which each is limited, broken and recorded.

use axum::extract::{DefaultBodyLimit, Request};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::routing::{MethodRouter, any};
use axum::{Extension, Router};

use super::guard::{Stopping, guard};
use super::sim::Sim;
use super::{oauth, reply};
use crate::{anthropic, calendar, gmail, notion, openai, resend, slack, web};

/// Everything, ready to be served.
pub(super) fn router(sim: &Sim, stopping: Stopping) -> Router {
    let unknown = any(|| async { reply::json(StatusCode::NOT_FOUND, &serde_json::json!({ "error": "not_found" })) });
    Router::new()
        .merge(slack::router())
        .merge(gmail::router())
        .merge(calendar::router())
        .merge(notion::router())
        .merge(anthropic::router())
        .merge(openai::router())
        .merge(resend::router())
        .merge(web::router())
        .merge(oauth::router())
        .fallback_service(call("unknown", unknown).with_state(sim.clone()))
        .with_state(sim.clone())
        // The guard has a limit of its own.
        .layer(DefaultBodyLimit::disable())
        .layer(Extension(stopping))
        .layer(Extension(sim.clone()))
}

/// Gives handlers their call's name: they are recorded, limited and broken under it.
pub(crate) fn call(name: &'static str, handlers: MethodRouter<Sim>) -> MethodRouter<Sim> {
    handlers.layer(from_fn(
        move |Extension(sim): Extension<Sim>, Extension(stopping): Extension<Stopping>, request: Request, next: Next| async move {
            guard(name, sim, stopping, request, next).await
        },
    ))
}
