//! Google's Custom Search: at most ten results a page and a hundred in all, and no `items` where nothing is found.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::world::Hit;
use crate::Sim;
use crate::google::{Answer, Parameters, Problem, reply};
use crate::server::Provider;

const MOST: usize = 10;
const LAST: usize = 100;

pub(super) async fn list(State(sim): State<Sim>, RawQuery(query): RawQuery) -> Response {
    reply(found(&sim, &Parameters::parse(query.as_deref())))
}

fn found(sim: &Sim, parameters: &Parameters) -> Answer {
    let Some(key) = parameters.get("key") else {
        let message = "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other \
                       form of API consumer identity to call this API.";
        return Err(Problem::of(StatusCode::FORBIDDEN, "forbidden", message));
    };
    if sim.tokens().check(Provider::CustomSearch, Some(key)).is_err() {
        return Err(Problem::of(StatusCode::BAD_REQUEST, "badRequest", "API key not valid. Please pass a valid API key."));
    }
    let invalid = || Problem::of(StatusCode::BAD_REQUEST, "badRequest", "Request contains an invalid argument.");
    let cx = parameters.get("cx").ok_or_else(invalid)?;
    let words = parameters.get("q").ok_or_else(invalid)?;
    let number = |name: &str, other: usize| parameters.get(name).map_or(Ok(other), |it| it.parse().map_err(|_| invalid()));
    let (count, start) = (number("num", MOST)?, number("start", 1)?);
    if !(1..=MOST).contains(&count) || start == 0 || start + count > LAST {
        return Err(invalid());
    }
    let all = sim.web().search(words, LAST);
    let page: Vec<&Hit> = all.iter().skip(start - 1).take(count).collect();
    let asked = |start: usize| {
        json!({
            "title": format!("Google Custom Search - {words}"),
            "totalResults": all.len().to_string(),
            "searchTerms": words,
            "count": count,
            "startIndex": start,
            "inputEncoding": "utf8",
            "outputEncoding": "utf8",
            "safe": "off",
            "cx": cx,
        })
    };
    let mut body = json!({
        "kind": "customsearch#search",
        "queries": { "request": [asked(start)] },
        "context": { "title": "Web" },
        "searchInformation": {
            "searchTime": 0.25,
            "formattedSearchTime": "0.25",
            "totalResults": all.len().to_string(),
            "formattedTotalResults": all.len().to_string(),
        },
    });
    if all.len() >= start + count {
        body["queries"]["nextPage"] = json!([asked(start + count)]);
    }
    if !page.is_empty() {
        body["items"] = page.into_iter().map(item).collect();
    }
    Ok(body)
}

fn item(hit: &Hit) -> Value {
    let shown = hit.url.split_once("//").map_or(hit.url.as_str(), |(_, it)| it);
    json!({
        "kind": "customsearch#result",
        "title": hit.title,
        "htmlTitle": hit.title,
        "link": hit.url,
        "displayLink": shown.split('/').next(),
        "snippet": hit.snippet,
        "htmlSnippet": hit.snippet,
        "formattedUrl": hit.url,
        "htmlFormattedUrl": hit.url,
    })
}
