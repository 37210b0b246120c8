//! What Gmail and Google Calendar share: how they read parameters, write refusals and seal their tokens.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::server;

/// A refusal in Google's form.
#[derive(Debug)]
pub(crate) struct Problem(Box<Response>);

impl Problem {
    /// The request makes no sense.
    pub(crate) fn invalid(message: &str) -> Self {
        Self::of(StatusCode::BAD_REQUEST, "invalidArgument", message)
    }

    /// There is no such thing, or not for this user.
    pub(crate) fn not_found(message: &str) -> Self {
        Self::of(StatusCode::NOT_FOUND, "notFound", message)
    }

    /// The user may not do this.
    pub(crate) fn forbidden(message: &str) -> Self {
        Self::of(StatusCode::FORBIDDEN, "forbidden", message)
    }

    /// Any refusal.
    pub(crate) fn of(status: StatusCode, reason: &str, message: &str) -> Self {
        Self(Box::new(server::google_error(status, reason, message)))
    }

    /// A refusal that names the parameter, in the older form that Calendar uses.
    pub(crate) fn parameter(status: StatusCode, domain: &str, reason: &str, parameter: &str, message: &str) -> Self {
        let error =
            json!({ "domain": domain, "reason": reason, "message": message, "locationType": "parameter", "location": parameter });
        let body = json!({ "error": { "errors": [error], "code": status.as_u16(), "message": message } });
        Self(Box::new(server::json(status, &body)))
    }
}

impl From<Response> for Problem {
    fn from(response: Response) -> Self {
        Self(Box::new(response))
    }
}

/// What a call answers.
pub(crate) type Answer = Result<Value, Problem>;

/// The answer as it is sent.
pub(crate) fn reply(answer: Answer) -> Response {
    match answer {
        Ok(value) => server::json(StatusCode::OK, &value),
        Err(problem) => problem.0.into_response(),
    }
}

/// The parameters of a request; some may be repeated.
#[derive(Debug, Default)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Takes a query string apart.
    pub(crate) fn parse(query: Option<&str>) -> Self {
        let pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        Self(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// The last value of a parameter, unless it is empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let values = self.0.iter().rev().filter(|(it, value)| it == name && !value.is_empty());
        values.map(|(_, value)| value.as_str()).next()
    }

    /// All values of a parameter that may be repeated.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(it, value)| it == name && !value.is_empty()).map(|(_, value)| value.as_str()).collect()
    }

    /// All parameters but these, in an order that does not depend on how they were sent.
    pub(crate) fn except(&self, names: &[&str]) -> String {
        let mut left: Vec<_> = self.0.iter().filter(|(name, _)| !names.contains(&name.as_str())).collect();
        left.sort();
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(left).finish()
    }

    /// A truth value; absent is false.
    pub(crate) fn flag(&self, name: &'static str) -> Result<bool, Problem> {
        match self.get(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => Err(Problem::invalid(&format!("Invalid value at '{name}' (TYPE_BOOL), \"{other}\""))),
        }
    }

    /// A page's size: at least one, and never more than the service gives.
    pub(crate) fn page_size(&self, default: usize, most: usize) -> Result<usize, Problem> {
        let Some(text) = self.get("maxResults") else { return Ok(default) };
        match text.parse::<usize>() {
            Ok(size) if size > 0 => Ok(size.min(most)),
            _ => Err(Problem::invalid(&format!("Invalid value at 'max_results' (TYPE_UINT32), \"{text}\""))),
        }
    }
}

/// A token that only this service reads.
pub(crate) fn sealed(content: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(content).unwrap_or_default())
}

/// What a token of this service holds; none for a foreign one.
pub(crate) fn unsealed<T: DeserializeOwned>(token: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token).ok()?).ok()
}
