//! How each fault changes an answer.

use axum::body::{Body, Bytes, to_bytes};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use chrono::{DateTime, TimeDelta};
use futures::StreamExt as _;
use futures::stream;
use serde_json::{Map, Value};

use super::auth::Provider;
use super::faults::{Fault, Faults};
use super::{events, reply};

/// The keys under which the providers put the entries of a page.
const LISTS: [&str; 8] = ["messages", "channels", "members", "items", "results", "history", "threads", "labels"];
/// Keys that hold an instant, in whichever of the providers' forms.
const INSTANTS: [&str; 13] = [
    "ts",
    "thread_ts",
    "latest_reply",
    "internalDate",
    "created",
    "updated",
    "dateTime",
    "created_time",
    "last_edited_time",
    "date",
    "historyDate",
    "last_set",
    "timestamp",
];
const PAGE_FOR_PEOPLE: &str =
    "<!DOCTYPE html><html><head><title>Sign in</title></head><body><h1>Please sign in to the network</h1></body></html>";

/// The answer of a fault for which the handler is not asked.
pub(super) fn instead(fault: &Fault, provider: Option<Provider>) -> Option<Response> {
    Some(match fault {
        Fault::Status(status, body) => {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            reply::text(status, "application/json", body.clone())
        }
        Fault::RetryAfter(seconds) => reply::too_many(provider, *seconds, 1),
        Fault::SpendCap => reply::spend_cap(provider),
        Fault::WorkspaceCap => reply::workspace_cap(provider),
        Fault::Overloaded(seconds) => reply::overloaded(provider, *seconds),
        Fault::Html => reply::text(StatusCode::OK, "text/html; charset=utf-8", PAGE_FOR_PEOPLE),
        Fault::HugeBody(bytes) => reply::text(StatusCode::OK, "application/json", huge(*bytes)),
        Fault::Redirect(address) => redirect(address),
        Fault::Disconnect => disconnect(),
        Fault::Forbidden => reply::forbidden(provider),
        _ => return None,
    })
}

/// A connection that ends before a byte of the answer was sent.
pub(super) fn disconnect() -> Response {
    Response::new(Body::from_stream(stream::once(async { Err::<Bytes, _>(broken()) })))
}

fn broken() -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::ConnectionAborted, "a planned fault")
}

fn redirect(address: &str) -> Response {
    let mut response = reply::text(StatusCode::FOUND, "text/plain", "");
    if let Ok(value) = HeaderValue::from_str(address) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}

/// A JSON string of the given length, made while it is sent: a test of memory must not pay for it.
fn huge(bytes: usize) -> Body {
    const CHUNK: usize = 64 * 1024;
    const START: &[u8] = br#"{"ok":true,"filler":""#;
    const END: &[u8] = b"\"}";
    let filling = Bytes::from(vec![b'x'; CHUNK]);
    let middle = bytes.saturating_sub(START.len() + END.len());
    let rest = stream::iter((0..middle.div_ceil(CHUNK)).map(move |index| filling.slice(..CHUNK.min(middle - index * CHUNK))));
    let parts = stream::iter([Bytes::from_static(START)]).chain(rest);
    Body::from_stream(parts.chain(stream::iter([Bytes::from_static(END)])).map(Ok::<_, std::io::Error>))
}

/// Which list a request is about, whatever page of it: pages of different lists are not each other's predecessors.
pub(super) fn list_of(call: &str, parts: &Parts, body: &[u8]) -> String {
    const PLACES: [&str; 3] = ["cursor", "pageToken", "start_cursor"];
    let asked = match serde_json::from_slice::<Map<String, Value>>(body) {
        Ok(mut fields) => {
            for place in PLACES {
                fields.remove(place);
            }
            Value::Object(fields).to_string()
        }
        Err(_) => without_place(body, &PLACES),
    };
    let query = without_place(parts.uri.query().unwrap_or_default().as_bytes(), &PLACES);
    format!("{call} {} {query} {asked}", parts.uri.path())
}

fn without_place(pairs: &[u8], places: &[&str]) -> String {
    let mut left: Vec<_> = url::form_urlencoded::parse(pairs).filter(|(name, _)| !places.contains(&name.as_ref())).collect();
    left.sort();
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(left).finish()
}

/// Changes the handler's answer. An answer that is itself a refusal stays as it is.
pub(super) async fn apply(call: &str, list: &str, fault: Option<&Fault>, faults: &Faults, response: Response) -> Response {
    let concerns = fault.is_some() || faults.repeats(call);
    if !concerns || !response.status().is_success() {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    parts.headers.remove(header::CONTENT_LENGTH);
    match fault {
        Some(Fault::TruncatedBody) => {
            parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
            Response::from_parts(parts, cut_off(&body))
        }
        Some(Fault::MalformedJson) => Response::from_parts(parts, Body::from(body.slice(..body.len() * 2 / 3))),
        Some(Fault::StreamError) => Response::from_parts(parts, Body::from(events::broken_off(&body, call))),
        Some(Fault::UnknownEvents) => Response::from_parts(parts, Body::from(events::with_unknown(&body))),
        fault => {
            let body = match serde_json::from_slice(&body) {
                Ok(value) => Bytes::from(changed(call, list, fault, faults, value).to_string()),
                Err(_) => body,
            };
            Response::from_parts(parts, Body::from(body))
        }
    }
}

/// Half of the body, then the end of the connection. The pause lets the first half reach the wire.
fn cut_off(body: &Bytes) -> Body {
    let half = body.slice(..body.len() / 2);
    let end = stream::once(async {
        tokio::task::yield_now().await;
        Err(broken())
    });
    Body::from_stream(stream::iter([Ok(half)]).chain(end))
}

fn changed(call: &str, name: &str, fault: Option<&Fault>, faults: &Faults, mut value: Value) -> Value {
    let before = entries(&value).and_then(|now| faults.remember(name, now));
    match fault {
        Some(Fault::EmptyOk) => empty(call, &mut value),
        Some(Fault::DuplicatePage) => repeat(&mut value, before),
        Some(Fault::TornPage) => {
            if let Some(list) = list(&mut value) {
                list.truncate(list.len() / 2);
            }
        }
        Some(Fault::WrongTypes) => return wrong(value),
        Some(Fault::Skew(seconds)) => skew(&mut value, *seconds),
        _ => {}
    }
    value
}

fn entries(value: &Value) -> Option<Vec<Value>> {
    LISTS.into_iter().find_map(|key| value.get(key)?.as_array().cloned())
}

fn list(value: &mut Value) -> Option<&mut Vec<Value>> {
    let key = LISTS.into_iter().find(|key| value.get(key).is_some_and(Value::is_array))?;
    value.get_mut(key)?.as_array_mut()
}

/// Puts the entries of the page before (or, on a first page, its own) in front once more.
fn repeat(value: &mut Value, before: Option<Vec<Value>>) {
    if let Some(list) = list(value) {
        let mut twice = before.unwrap_or_else(|| list.clone());
        twice.append(list);
        *list = twice;
    }
}

/// A list without entries as the provider writes it: Gmail leaves the key away.
fn empty(call: &str, value: &mut Value) {
    let Some(page) = value.as_object_mut() else { return };
    for key in LISTS {
        if call.starts_with("gmail.") {
            page.remove(key);
        } else if let Some(list) = page.get_mut(key).and_then(Value::as_array_mut) {
            list.clear();
        }
    }
    page.remove("nextPageToken");
    if page.contains_key("has_more") {
        page.insert("has_more".to_owned(), Value::Bool(false));
    }
    if page.contains_key("next_cursor") {
        page.insert("next_cursor".to_owned(), Value::Null);
    }
    if page.contains_key("response_metadata") {
        page.insert("response_metadata".to_owned(), serde_json::json!({ "next_cursor": "" }));
    }
    if page.contains_key("resultSizeEstimate") {
        page.insert("resultSizeEstimate".to_owned(), Value::from(0));
    }
}

/// Every value as another type; only truth values stay, so that `ok` still says that all is well.
fn wrong(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields.into_iter().map(|(key, value)| (key, wrong(value))).collect::<Map<_, _>>().into(),
        Value::Array(entries) => {
            entries.into_iter().enumerate().map(|(index, it)| (index.to_string(), it)).collect::<Map<_, _>>().into()
        }
        Value::String(text) => Value::from(text.len()),
        Value::Number(number) => Value::from(number.to_string()),
        Value::Null => Value::Array(Vec::new()),
        Value::Bool(_) => value,
    }
}

fn skew(value: &mut Value, seconds: i64) {
    match value {
        Value::Array(entries) => entries.iter_mut().for_each(|it| skew(it, seconds)),
        Value::Object(fields) => {
            for (key, value) in fields {
                if INSTANTS.contains(&key.as_str())
                    && let Some(moved) = moved(value, seconds)
                {
                    *value = moved;
                } else {
                    skew(value, seconds);
                }
            }
        }
        _ => {}
    }
}

/// The instant moved, in the form in which it stood: a number, RFC 3339, Slack's seconds with a fraction or milliseconds.
fn moved(value: &Value, seconds: i64) -> Option<Value> {
    if let Some(number) = value.as_i64() {
        return Some(Value::from(number + seconds));
    }
    let text = value.as_str()?;
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Some(Value::from((instant + TimeDelta::seconds(seconds)).to_rfc3339()));
    }
    if let Some((whole, fraction)) = text.split_once('.') {
        return Some(Value::from(format!("{}.{fraction}", whole.parse::<i64>().ok()? + seconds)));
    }
    Some(Value::from((text.parse::<i64>().ok()? + seconds * 1_000).to_string()))
}
