//! What was asked, in the order in which it was asked.

use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::request::Parts;
use chrono::{DateTime, Utc};
use tokio::sync::watch;

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The call's name, such as `slack.conversations.history`; `unknown` where the path means nothing.
    pub call: &'static str,
    /// The HTTP method.
    pub method: String,
    /// The path without the query.
    pub path: String,
    /// The query, as it was sent; empty when there was none.
    pub query: String,
    /// Bytes of the body.
    pub body_bytes: usize,
    /// When it came, by the simulator's clock.
    pub at: DateTime<Utc>,
    /// The answer's status; none while it is being answered, and for ever when the caller gave up.
    pub status: Option<u16>,
}

impl Request {
    pub(crate) fn of(call: &'static str, parts: &Parts, body_bytes: usize, at: DateTime<Utc>) -> Self {
        Self {
            call,
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            body_bytes,
            at,
            status: None,
        }
    }

    /// A parameter of the query, decoded.
    pub fn parameter(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

/// All requests that reached the simulator.
#[derive(Debug, Default)]
pub struct Journal {
    requests: Mutex<Vec<Request>>,
    /// How many there are.
    seen: watch::Sender<usize>,
}

impl Journal {
    fn requests(&self) -> MutexGuard<'_, Vec<Request>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The requests of one call.
    pub fn calls(&self, call: &str) -> Vec<Request> {
        self.requests().iter().filter(|it| it.call == call).cloned().collect()
    }

    /// Every request.
    pub fn all(&self) -> Vec<Request> {
        self.requests().clone()
    }

    /// How many requests there were.
    pub fn count(&self) -> usize {
        self.requests().len()
    }

    /// Waits until there have been so many requests; they may still be being answered.
    pub async fn reached(&self, count: usize) {
        // The sender lives as long as the journal.
        let _ = self.seen.subscribe().wait_for(|seen| *seen >= count).await;
    }

    /// Forgets everything so far. Not while requests are being answered.
    pub fn clear(&self) {
        self.requests().clear();
        self.seen.send_replace(0);
    }

    /// Notes a request and says under which number.
    pub(crate) fn begin(&self, request: Request) -> usize {
        let mut requests = self.requests();
        requests.push(request);
        self.seen.send_replace(requests.len());
        requests.len() - 1
    }

    pub(crate) fn finish(&self, number: usize, status: u16) {
        if let Some(request) = self.requests().get_mut(number) {
            request.status = Some(status);
        }
    }
}
