//! A wire for tests: answers by a function of the address, and remembers what was asked.

use std::fmt;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use reqwest::header::HeaderMap;
use secrecy::SecretString;
use serde_json::{Value, json};
use url::Url;
use yarnnn_core::clock::Clock;
use yarnnn_core::platform::{AccessTokens, Call, CallGate, PlatformError};

use crate::http::{RawReply, Request, Session, Transport, TransportError};

type Answer = dyn Fn(&Asked) -> (u16, Value) + Send + Sync;

/// One request, as tests look at it.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
}

impl Asked {
    fn of(url: &Url) -> Self {
        Self { path: url.path().to_owned(), query: url.query_pairs().into_owned().collect() }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.query.iter().map(|(name, _)| name.as_str()).collect()
    }
}

/// A wire without a network.
pub(crate) struct Wire {
    answer: Box<Answer>,
    pub(crate) asked: Mutex<Vec<Asked>>,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl Wire {
    pub(crate) fn new(answer: impl Fn(&Asked) -> (u16, Value) + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { answer: Box::new(answer), asked: Mutex::default() })
    }

    pub(crate) fn session(self: &Arc<Self>, clock: Arc<dyn Clock>) -> Session {
        Session::over(self.clone(), Arc::new(Token), Arc::new(Open), clock)
    }

    /// What was asked since the last time, as path ends.
    pub(crate) fn taken(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

#[async_trait]
impl Transport for Wire {
    async fn send(&self, request: &Request, _: Option<&SecretString>) -> Result<RawReply, TransportError> {
        let asked = Asked::of(&request.url);
        self.asked.lock().unwrap().push(asked.clone());
        let (status, body) = (self.answer)(&asked);
        Ok(RawReply { status, headers: HeaderMap::new(), body: body.to_string().into_bytes() })
    }
}

#[derive(Debug)]
struct Token;

#[async_trait]
impl AccessTokens for Token {
    async fn current(&self) -> Result<SecretString, PlatformError> {
        Ok("ya29.test".to_owned().into())
    }

    async fn renew(&self, _: &SecretString) -> Result<SecretString, PlatformError> {
        Err(PlatformError::NeedsUser { action: "connect again".into() })
    }
}

#[derive(Debug)]
struct Open;

#[async_trait]
impl CallGate for Open {
    async fn admit(&self, _: &Call<'_>) -> Result<(), PlatformError> {
        Ok(())
    }
}

/// An error in Google's form.
pub(crate) fn error(code: u16, reason: &str) -> (u16, Value) {
    (code, json!({"error": {"code": code, "message": reason, "errors": [{"reason": reason, "message": reason}]}}))
}
