//! The calls.

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use axum::routing::get;

use super::{search, strange};
use crate::Sim;
use crate::google::Parameters;
use crate::server::{self, call};

const HTML: &str = "text/html; charset=utf-8";

/// All calls of the web.
pub(crate) fn router() -> Router<Sim> {
    Router::new()
        .route("/customsearch/v1", call("customsearch.cse.list", get(search::list)))
        .route("/web/{*path}", call("web.page", get(page)))
}

async fn page(State(sim): State<Sim>, Path(path): Path<String>, RawQuery(query): RawQuery) -> Response {
    if let Some(page) = sim.web().page(&format!("/{path}")) {
        return server::text(StatusCode::OK, HTML, page.html());
    }
    let (kind, rest) = path.split_once('/').unwrap_or((&path, ""));
    let answer = match kind {
        "redirect" => redirect(rest, &Parameters::parse(query.as_deref())),
        "huge" => rest.parse().ok().map(strange::huge),
        "bomb" => rest.parse().ok().and_then(strange::bomb),
        "type" => strange::of_type(rest),
        _ => None,
    };
    answer.unwrap_or_else(|| {
        server::text(StatusCode::NOT_FOUND, HTML, "<!DOCTYPE html><title>Not found</title><p>There is no such page.")
    })
}

fn redirect(rest: &str, parameters: &Parameters) -> Option<Response> {
    let to = match rest {
        "loop" => "/web/redirect/loop".to_owned(),
        "to" => parameters.get("url")?.to_owned(),
        "0" => "/web/harbor/berths".to_owned(),
        hops => format!("/web/redirect/{}", hops.parse::<u32>().ok()?.checked_sub(1)?),
    };
    let mut response = server::text(StatusCode::FOUND, "text/plain", "");
    server::set(&mut response, header::LOCATION.as_str(), &to);
    Some(response)
}
