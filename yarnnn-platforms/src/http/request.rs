//! A request to be sent, and the JSON that came back.

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;
use yarnnn_core::platform::PlatformError;

/// What to send. The token is added by the session.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Body,
}

/// What a request carries.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    Empty,
    Form(Vec<(String, String)>),
    Json(Value),
    /// These bytes and no others: what was stored is what is sent.
    Exact {
        kind: &'static str,
        content: String,
    },
}

impl Request {
    /// Reads an address.
    pub(crate) const fn get(url: Url) -> Self {
        Self { method: Method::GET, url, headers: Vec::new(), body: Body::Empty }
    }

    /// Sends JSON.
    pub(crate) const fn post_json(url: Url, body: Value) -> Self {
        Self { method: Method::POST, url, headers: Vec::new(), body: Body::Json(body) }
    }

    /// Sends JSON that was made elsewhere, byte for byte.
    pub(crate) const fn post_exact(url: Url, content: String) -> Self {
        let kind = "application/json; charset=utf-8";
        Self { method: Method::POST, url, headers: Vec::new(), body: Body::Exact { kind, content } }
    }

    /// Sends JSON that was made elsewhere, byte for byte, to change what is there.
    pub(crate) fn patch_exact(url: Url, content: String) -> Self {
        Self { method: Method::PATCH, ..Self::post_exact(url, content) }
    }

    /// Sends a form.
    pub(crate) const fn post_form(url: Url, pairs: Vec<(String, String)>) -> Self {
        Self { method: Method::POST, url, headers: Vec::new(), body: Body::Form(pairs) }
    }

    /// Sends this header too.
    #[must_use]
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// A good answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    pub(crate) call: &'static str,
}

impl Reply {
    /// Reads the body as what the call promises.
    ///
    /// # Errors
    /// `Protocol`, naming the call.
    pub(crate) fn read<T: DeserializeOwned>(self) -> Result<T, PlatformError> {
        let protocol = |error: serde_json::Error| PlatformError::Protocol {
            call: self.call.to_owned(),
            detail: format!("the answer is not what the call promises: {error}"),
        };
        serde_json::from_value(self.body).map_err(protocol)
    }
}

/// An address below a base: the base's own path stays, segments are escaped.
///
/// # Errors
/// `NeedsOperator` when the base cannot have a path.
pub(crate) fn below(base: &Url, segments: &[&str], query: &[(&str, &str)]) -> Result<Url, PlatformError> {
    let mut url = base.clone();
    let cannot = || PlatformError::NeedsOperator { setting: format!("base address {base}") };
    url.path_segments_mut().map_err(|()| cannot())?.pop_if_empty().extend(segments);
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    Ok(url)
}
