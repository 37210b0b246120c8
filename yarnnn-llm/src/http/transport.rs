//! The wire: sends JSON, and reads no more and waits no longer than it should.

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use serde_json::Value;
use tokio::time::timeout;
use url::Url;

/// The longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// The longest wait for a whole answer, or for the beginning of one that comes in pieces. Models think for minutes.
const ANSWER: Duration = Duration::from_mins(10);
/// The longest silence within an answer that comes in pieces. Providers send signs of life in between.
const SILENCE: Duration = Duration::from_mins(2);
/// The largest answer that is read, after decompression.
pub(super) const MAX_BODY: usize = 32 * 1024 * 1024;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    /// The request did not leave.
    #[error("{0}")]
    NotSent(String),
    /// It left; what became of it is not known.
    #[error("{0}")]
    Lost(String),
}

/// A pool of connections.
#[derive(Debug, Clone)]
pub(crate) struct Transport {
    client: reqwest::Client,
    answer: Duration,
    silence: Duration,
}

impl Transport {
    /// A pool without connections. On a machine without certificates of its own it trusts those of Mozilla.
    pub(crate) fn new() -> Result<Self, reqwest::Error> {
        let client = builder().build().or_else(|_| builder().tls_certs_only(bundled()).build())?;
        Ok(Self { client, answer: ANSWER, silence: SILENCE })
    }

    /// The same, less patient.
    #[cfg(test)]
    pub(crate) fn waiting(self, wait: Duration) -> Self {
        Self { answer: wait, silence: wait, ..self }
    }

    /// Sends JSON.
    pub(crate) async fn post(&self, url: Url, headers: HeaderMap, body: &Value) -> Result<Answer, SendError> {
        let sending = self.client.post(url).headers(headers).json(body).send();
        let response = timeout(self.answer, sending).await.map_err(|_| late())?.map_err(broken)?;
        Ok(Answer { response, whole: self.answer, silence: self.silence, read: 0 })
    }
}

fn builder() -> reqwest::ClientBuilder {
    let agent = concat!("yarnnn/", env!("CARGO_PKG_VERSION"));
    reqwest::Client::builder().user_agent(agent).connect_timeout(CONNECT).redirect(Policy::none())
}

fn bundled() -> Vec<reqwest::Certificate> {
    let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
    roots.filter_map(|it| reqwest::Certificate::from_der(it.as_ref()).ok()).collect()
}

/// An answer whose body has not been read.
#[derive(Debug)]
pub(crate) struct Answer {
    response: reqwest::Response,
    whole: Duration,
    silence: Duration,
    read: usize,
}

impl Answer {
    /// Whether it is what was asked for.
    pub(crate) fn is_good(&self) -> bool {
        self.response.status().is_success()
    }

    pub(crate) fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// The next piece of the body.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Vec<u8>>, SendError> {
        let chunk = timeout(self.silence, self.response.chunk()).await.map_err(|_| late())?.map_err(broken)?;
        self.read += chunk.as_ref().map_or(0, |it| it.as_ref().len());
        if self.read > MAX_BODY {
            return Err(SendError::Lost(format!("the answer is larger than {} MiB", MAX_BODY / 1024 / 1024)));
        }
        Ok(chunk.map(Into::into))
    }

    /// The whole body.
    pub(crate) async fn body(mut self) -> Result<Vec<u8>, SendError> {
        let wait = self.whole;
        let whole = async {
            let mut body = Vec::new();
            self.silence = wait;
            while let Some(chunk) = self.chunk().await? {
                body.extend_from_slice(&chunk);
            }
            Ok(body)
        };
        timeout(wait, whole).await.map_err(|_| late())?
    }
}

fn late() -> SendError {
    SendError::Lost("no answer in time".to_owned())
}

/// The error and its causes without the address, in which secrets could stand.
fn broken(error: reqwest::Error) -> SendError {
    let unsent = error.is_connect() || error.is_builder();
    let what = match () {
        () if error.is_connect() => "no connection",
        () if error.is_timeout() => "no answer in time",
        () if error.is_body() || error.is_decode() => "the answer broke off",
        () => "the request failed",
    };
    let error = error.without_url();
    let causes = std::iter::successors(std::error::Error::source(&error), |it| it.source());
    let last = causes.last().map(|it| format!(" ({it})")).unwrap_or_default();
    let text = format!("{what}{last}");
    if unsent { SendError::NotSent(text) } else { SendError::Lost(text) }
}
