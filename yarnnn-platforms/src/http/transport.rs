//! The wire: sends bytes, answers bytes, follows nothing, and reads no more than it should.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::redirect::Policy;
use secrecy::{ExposeSecret as _, SecretString};

use super::{Body, Request};

/// The longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// The longest wait for the whole answer.
const ANSWER: Duration = Duration::from_secs(30);
/// The largest answer that is read, after decompression. The largest true one is a mail with its texts.
const MAX_BODY: usize = 32 * 1024 * 1024;

/// An answer as it came.
#[derive(Debug, Clone)]
pub(crate) struct RawReply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TransportError {
    /// Nothing of the request was sent.
    #[error("{0}")]
    Unreached(String),
    /// It may come later; the request may have been taken.
    #[error("{0}")]
    Broken(String),
    /// It is larger than anything that was asked for.
    #[error("the answer is larger than {} MiB", MAX_BODY / 1024 / 1024)]
    TooLarge,
}

/// Sends requests.
#[async_trait]
pub(crate) trait Transport: Send + Sync + fmt::Debug + 'static {
    /// Sends one, with a bearer token if there is one.
    async fn send(&self, request: &Request, bearer: Option<&SecretString>) -> Result<RawReply, TransportError>;
}

/// HTTP over a pool of connections that all clients of a process share.
#[derive(Debug, Clone)]
pub struct HttpTransport(reqwest::Client);

impl HttpTransport {
    /// A pool without connections. On a machine without certificates of its own it trusts those of Mozilla.
    ///
    /// # Errors
    /// When the TLS library cannot be set up.
    pub fn new() -> Result<Self, reqwest::Error> {
        builder().build().or_else(|_| builder().tls_certs_only(bundled()).build()).map(Self)
    }

    /// The same, less patient: for tests of answers that never come. No program is built with the feature.
    ///
    /// # Errors
    /// As [`HttpTransport::new`].
    #[doc(hidden)]
    #[cfg(any(test, feature = "testing"))]
    pub fn waiting_for_tests(answer: Duration) -> Result<Self, reqwest::Error> {
        let builder = || builder().timeout(answer);
        builder().build().or_else(|_| builder().tls_certs_only(bundled()).build()).map(Self)
    }
}

fn builder() -> reqwest::ClientBuilder {
    let agent = concat!("yarnnn/", env!("CARGO_PKG_VERSION"));
    reqwest::Client::builder().user_agent(agent).connect_timeout(CONNECT).timeout(ANSWER).redirect(Policy::none())
}

pub(crate) fn bundled() -> Vec<reqwest::Certificate> {
    let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
    roots.filter_map(|it| reqwest::Certificate::from_der(it.as_ref()).ok()).collect()
}

#[async_trait]
impl Transport for HttpTransport {
    async fn send(&self, request: &Request, bearer: Option<&SecretString>) -> Result<RawReply, TransportError> {
        let mut builder = self.0.request(request.method.clone(), request.url.clone());
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        if let Some(token) = bearer {
            builder = builder.bearer_auth(token.expose_secret());
        }
        let builder = match &request.body {
            Body::Empty => builder,
            Body::Form(pairs) => builder.form(pairs),
            Body::Json(value) => builder.json(value),
            Body::Exact { kind, content } => builder.header(CONTENT_TYPE, *kind).body(content.clone()),
        };
        let mut response = builder.send().await.map_err(broken)?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(broken)? {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(TransportError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(RawReply { status, headers, body })
    }
}

/// The error and its causes without the address, in which secrets could stand.
fn broken(error: reqwest::Error) -> TransportError {
    // Headers that cannot be written, and a connection that was never made: nothing went out.
    let unreached = error.is_connect() || error.is_builder();
    let what = match () {
        () if error.is_connect() => "no connection",
        () if error.is_timeout() => "no answer in time",
        () if error.is_body() || error.is_decode() => "the answer broke off",
        () => "the request failed",
    };
    let error = error.without_url();
    let causes = std::iter::successors(std::error::Error::source(&error), |it| it.source());
    let last = causes.last().map(|it| format!(" ({it})")).unwrap_or_default();
    let reason = format!("{what}{last}");
    if unreached { TransportError::Unreached(reason) } else { TransportError::Broken(reason) }
}
