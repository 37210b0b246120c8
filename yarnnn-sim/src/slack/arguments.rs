//! The arguments of a call: from the query, a form or a JSON object, all alike.

use std::collections::HashMap;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header;
use axum::response::Response;
use serde_json::Value;

use super::method::Failure;
use super::stamp::Stamp;
use crate::server::{bearer, slack_error};

#[derive(Debug)]
pub(super) struct Arguments {
    fields: HashMap<String, String>,
    pub(super) token: Option<String>,
}

impl<S: Send + Sync> FromRequest<S> for Arguments {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let headers = request.headers().clone();
        let mut fields = form(request.uri().query().unwrap_or_default().as_bytes());
        let body = Bytes::from_request(request, state).await.map_err(|_| slack_error("request_timeout"))?;
        let media_type = headers.get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default();
        // `slack_sdk` says JSON also when it sends nothing.
        if media_type.starts_with("application/json") && !body.is_empty() {
            fields.extend(object(&body).ok_or_else(|| slack_error("invalid_json"))?);
        } else {
            fields.extend(form(&body));
        }
        let token = bearer(&headers).map(str::to_owned).or_else(|| fields.remove("token"));
        Ok(Self { fields, token: token.filter(|it| !it.is_empty()) })
    }
}

fn form(bytes: &[u8]) -> HashMap<String, String> {
    url::form_urlencoded::parse(bytes).into_owned().collect()
}

/// A JSON object's fields, nested values as text, as they would stand in a form.
fn object(body: &[u8]) -> Option<HashMap<String, String>> {
    let Value::Object(fields) = serde_json::from_slice(body).ok()? else { return None };
    let text = |value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    Some(fields.into_iter().filter(|(_, value)| !value.is_null()).map(|(key, value)| (key, text(value))).collect())
}

impl Arguments {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str).filter(|it| !it.is_empty())
    }

    /// A required argument.
    pub(super) fn required(&self, name: &str) -> Result<&str, Failure> {
        self.get(name).ok_or_else(|| Failure::invalid(&format!("missing required field: {name}")))
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        matches!(self.get(name), Some("1" | "true" | "True"))
    }

    pub(super) fn stamp(&self, name: &str, error: &'static str) -> Result<Option<Stamp>, Failure> {
        self.get(name).map(|it| it.parse().map_err(|_| Failure::new(error))).transpose()
    }

    /// The page size; more than the most is the most.
    pub(super) fn limit(&self, default: usize, most: usize) -> Result<usize, Failure> {
        match self.get("limit").map(str::parse::<usize>) {
            None => Ok(default.min(most)),
            Some(Ok(limit)) if limit > 0 => Ok(limit.min(most)),
            Some(_) => Err(Failure::invalid("must be a positive number: limit")),
        }
    }
}
