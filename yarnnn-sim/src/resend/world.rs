//! What was sent, and which keys are remembered.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use tokio::sync::watch;
use yarnnn_core::clock::Clock;

use super::check::{Refusal, addresses, plain};
use crate::sample::identifier;

/// How long a key is remembered.
const KEPT: TimeDelta = TimeDelta::hours(24);

/// A mail that the service accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct SentMail {
    /// The service's id.
    pub id: String,
    /// The sender.
    pub from: String,
    /// The recipients.
    pub to: Vec<String>,
    /// The subject.
    pub subject: String,
    /// The HTML form; may be empty.
    pub html: String,
    /// The text form; may be empty.
    pub text: String,
    /// The request as it came.
    pub body: Value,
    /// The key with which it came.
    pub idempotency_key: Option<String>,
    /// When it was accepted.
    pub at: DateTime<Utc>,
}

#[derive(Debug)]
struct Remembered {
    body: Value,
    /// None while the first request is being answered.
    id: Option<String>,
    at: DateTime<Utc>,
}

#[derive(Debug, Default)]
struct State {
    sent: Vec<SentMail>,
    keys: HashMap<(String, String), Remembered>,
    verified: Option<Vec<String>>,
    daily: Option<usize>,
}

/// The mail service. Its keys come from [`Tokens::key`](crate::Tokens::key).
#[derive(Debug)]
pub struct Mail {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    held: watch::Sender<bool>,
    /// Requests that wait because they are held.
    waiting: watch::Sender<usize>,
}

/// Whether a mail is to be accepted now, or was before.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Claim {
    New,
    Before(String),
}

impl Mail {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Mutex::default(), held: watch::Sender::new(false), waiting: watch::Sender::new(0) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every mail that was accepted, in order.
    pub fn inbox(&self) -> Vec<SentMail> {
        self.state().sent.clone()
    }

    /// The mails to one address.
    pub fn inbox_of(&self, address: &str) -> Vec<SentMail> {
        let mut mails = self.inbox();
        mails.retain(|it| it.to.iter().any(|it| plain(it).eq_ignore_ascii_case(address)));
        mails
    }

    /// Only these domains may send from now on; before, every domain may.
    pub fn verify_only(&self, domains: &[&str]) {
        self.state().verified = Some(domains.iter().map(|&it| it.to_owned()).collect());
    }

    /// At most so many mails in a UTC day.
    pub fn daily_quota(&self, mails: Option<usize>) {
        self.state().daily = mails;
    }

    /// Requests stay in flight from now on, until [`release`](Self::release).
    pub fn hold(&self) {
        self.held.send_replace(true);
    }

    /// Lets the requests that are held go on.
    pub fn release(&self) {
        self.held.send_replace(false);
    }

    /// Waits until so many requests are held.
    pub async fn holds(&self, requests: usize) {
        let _ = self.waiting.subscribe().wait_for(|it| *it >= requests).await;
    }

    pub(super) async fn wait(&self) {
        self.waiting.send_modify(|it| *it += 1);
        let _leaves = Leaves(&self.waiting);
        // The sender lives as long as the service.
        let _ = self.held.subscribe().wait_for(|held| !held).await;
    }

    /// Takes a key for a request, or says what it was used for.
    pub(super) fn claim(&self, holder: &str, key: Option<&str>, body: &Value) -> Result<Claim, Refusal> {
        let Some(key) = key else { return Ok(Claim::New) };
        let now = self.clock.now();
        let mut state = self.state();
        let place = (holder.to_owned(), key.to_owned());
        if let Some(known) = state.keys.get(&place).filter(|it| it.at + KEPT > now) {
            return match &known.id {
                _ if known.body != *body => Err(conflict(
                    "invalid_idempotent_request",
                    "This idempotency key has been used on a request that has a different payload.",
                )),
                None => Err(conflict(
                    "concurrent_idempotent_requests",
                    "Same idempotency key used while original request is still in progress.",
                )),
                Some(id) => Ok(Claim::Before(id.clone())),
            };
        }
        state.keys.insert(place, Remembered { body: body.clone(), id: None, at: now });
        Ok(Claim::New)
    }

    /// Gives a key back whose request was not carried out.
    pub(super) fn forget(&self, holder: &str, key: &str) {
        let mut state = self.state();
        let place = (holder.to_owned(), key.to_owned());
        if state.keys.get(&place).is_some_and(|it| it.id.is_none()) {
            state.keys.remove(&place);
        }
    }

    /// Accepts a mail.
    pub(super) fn accept(&self, holder: &str, key: Option<&str>, body: &Value) -> Result<String, Refusal> {
        let now = self.clock.now();
        let mut state = self.state();
        state.permits(body, now)?;
        let id = identifier::grouped("email", &state.sent.len().to_string());
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        state.sent.push(SentMail {
            id: id.clone(),
            from: text("from"),
            to: addresses(body.get("to")),
            subject: text("subject"),
            html: text("html"),
            text: text("text"),
            body: body.clone(),
            idempotency_key: key.map(str::to_owned),
            at: now,
        });
        if let Some(known) = key.and_then(|it| state.keys.get_mut(&(holder.to_owned(), it.to_owned()))) {
            known.id = Some(id.clone());
        }
        Ok(id)
    }
}

/// Counts a request that no longer waits, also when its caller has left.
struct Leaves<'a>(&'a watch::Sender<usize>);

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|it| *it -= 1);
    }
}

impl State {
    fn permits(&self, body: &Value, now: DateTime<Utc>) -> Result<(), Refusal> {
        let from = body.get("from").and_then(Value::as_str).map(plain).unwrap_or_default();
        let domain = from.rsplit_once('@').map_or("", |(_, it)| it);
        if self.verified.as_ref().is_some_and(|it| !it.iter().any(|it| it == domain)) {
            let message =
                format!("The {domain} domain is not verified. Please, add and verify your domain on https://resend.com/domains");
            return Err(Refusal(StatusCode::FORBIDDEN, "validation_error", message));
        }
        let today = self.sent.iter().filter(|it| it.at.date_naive() == now.date_naive()).count();
        if self.daily.is_some_and(|most| today >= most) {
            let message = "You have reached your daily email sending quota.".to_owned();
            return Err(Refusal(StatusCode::TOO_MANY_REQUESTS, "daily_quota_exceeded", message));
        }
        Ok(())
    }
}

fn conflict(name: &'static str, message: &str) -> Refusal {
    Refusal(StatusCode::CONFLICT, name, message.to_owned())
}
