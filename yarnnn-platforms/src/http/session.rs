//! The calls of one connection: leave, token, answer, and what to do when it is not a good one.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures::future::try_join_all;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use yarnnn_core::clock::Clock;
use yarnnn_core::platform::{AccessTokens, Call, CallGate, PlatformError};

use super::retry::{self, RetryBudget};
use super::{Dialect, RawReply, Reply, Request, Transport, TransportError, Verdict};

/// How long to stay away after a limit whose end the provider did not name.
const UNNAMED_LIMIT: Duration = Duration::from_mins(1);

/// The calls of one connection. Cheap to clone.
#[derive(Clone)]
pub struct Session(Arc<Inner>);

struct Inner {
    transport: Arc<dyn Transport>,
    tokens: Arc<dyn AccessTokens>,
    gate: Arc<dyn CallGate>,
    clock: Arc<dyn Clock>,
    budget: RetryBudget,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("tokens", &self.0.tokens).field("gate", &self.0.gate).finish_non_exhaustive()
    }
}

impl Session {
    /// Calls over this pool of connections, with these tokens, when this gate lets them.
    pub fn new(
        transport: super::HttpTransport,
        tokens: Arc<dyn AccessTokens>,
        gate: Arc<dyn CallGate>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self::over(Arc::new(transport), tokens, gate, clock)
    }

    pub(crate) fn over(
        transport: Arc<dyn Transport>,
        tokens: Arc<dyn AccessTokens>,
        gate: Arc<dyn CallGate>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self(Arc::new(Inner { transport, tokens, gate, clock, budget: RetryBudget::new() }))
    }

    /// The time.
    pub(crate) fn clock(&self) -> &dyn Clock {
        self.0.clock.as_ref()
    }

    /// Makes one call: waits for leave, sends, tries again where that can help, and renews the token once.
    ///
    /// # Errors
    /// What the dialect says; `RateLimited` when waiting would take too long; `Unavailable` when no answer comes; `Protocol`
    /// when what comes is no JSON. All of them name the call.
    pub(crate) async fn call(&self, dialect: &dyn Dialect, call: &Call<'_>, request: Request) -> Result<Reply, PlatformError> {
        self.0.gate.admit(call).await?;
        self.admitted(dialect, call, request).await
    }

    /// Makes the same call for several requests at once, with one leave for the cost of all of them: for limits that count
    /// units, not requests. The answers come in the order of the requests; one that is not what the call promises (`Protocol`)
    /// is one of them, and says nothing about the others.
    ///
    /// # Errors
    /// Those of [`Session::call`] but `Protocol`, of the first that fails.
    pub(crate) async fn call_each(
        &self,
        dialect: &dyn Dialect,
        call: &Call<'_>,
        requests: Vec<Request>,
    ) -> Result<Vec<Result<Reply, PlatformError>>, PlatformError> {
        let number = u32::try_from(requests.len()).unwrap_or(u32::MAX);
        self.0.gate.admit(&Call { cost: call.cost.saturating_mul(number), ..*call }).await?;
        let one = async |request| match self.admitted(dialect, call, request).await {
            Err(error) if !matches!(error, PlatformError::Protocol { .. }) => Err(error),
            answer => Ok(answer),
        };
        try_join_all(requests.into_iter().map(one)).await
    }

    /// Makes a call whose first try has leave; each further one asks for its own, but for one that the provider did not take and
    /// named a time for: the leave was not used, and where windows are full a second one takes a whole window.
    async fn admitted(&self, dialect: &dyn Dialect, call: &Call<'_>, request: Request) -> Result<Reply, PlatformError> {
        let mut token = self.0.tokens.current().await?;
        let (mut retries, mut renewals, mut renewed) = (0, 0, false);
        loop {
            match self.attempt(dialect, call.name, &request, &token).await? {
                Attempt::Good(reply) => {
                    self.0.budget.earn();
                    return Ok(reply);
                }
                // The same token once more, after a pause, means that nothing renews it: the next refusal is told too, so that
                // its connection ends.
                Attempt::Renew { .. } if !renewed && renewals < 2 => {
                    let next = self.0.tokens.renew(&token).await?;
                    renewals += 1;
                    renewed = next.expose_secret() != token.expose_secret();
                    token = next;
                }
                Attempt::Renew { reason } => return Err(refused(call.name, &reason)),
                Attempt::Retry(again) => {
                    let has_leave = again.limited && again.after.is_some();
                    self.wait(call.name, again, retries).await?;
                    retries += 1;
                    if has_leave {
                        continue;
                    }
                }
            }
            self.0.gate.admit(call).await?;
        }
    }

    /// Waits before a retry, or says why there is none.
    async fn wait(&self, call: &'static str, again: Again, retries: u32) -> Result<(), PlatformError> {
        let wait = again.after.unwrap_or_else(|| retry::backoff(retries));
        let spent = retries >= retry::RETRIES || !(again.limited || self.0.budget.spend());
        if again.limited && (spent || wait > retry::PATIENCE) {
            let after = again.after.unwrap_or(UNNAMED_LIMIT);
            let at = self.0.clock.now() + TimeDelta::from_std(after).unwrap_or(TimeDelta::MAX);
            return Err(PlatformError::RateLimited { call: call.to_owned(), at });
        }
        if spent || wait > retry::PATIENCE {
            return Err(PlatformError::Unavailable { what: call.to_owned(), source: again.reason.into() });
        }
        tracing::debug!(call, retries, ?wait, reason = again.reason, "trying again");
        tokio::time::sleep(wait).await;
        Ok(())
    }

    /// Makes a call that must not be made twice. An answer is handed on whatever it says; only when it refuses the token, which
    /// `refuses_token` tells, the same call is made once more with another one.
    pub(crate) async fn call_once(&self, call: &Call<'_>, request: &Request, refuses_token: fn(&RawReply) -> bool) -> Once {
        match self.answered(call, request, refuses_token).await {
            Ok(raw) => Once::Answered(raw),
            Err(once) => once,
        }
    }

    async fn answered(&self, call: &Call<'_>, request: &Request, refuses_token: fn(&RawReply) -> bool) -> Result<RawReply, Once> {
        self.0.gate.admit(call).await.map_err(Once::NotMade)?;
        let token = self.0.tokens.current().await.map_err(Once::NotMade)?;
        let raw = self.sent(call, request, &token).await?;
        if !refuses_token(&raw) {
            return Ok(raw);
        }
        let token = self.0.tokens.renew(&token).await.map_err(Once::NotMade)?;
        self.0.gate.admit(call).await.map_err(Once::NotMade)?;
        self.sent(call, request, &token).await
    }

    async fn sent(&self, call: &Call<'_>, request: &Request, token: &SecretString) -> Result<RawReply, Once> {
        self.0.transport.send(request, Some(token)).await.map_err(|error| match error {
            TransportError::Unreached(reason) => {
                Once::NotMade(PlatformError::Unavailable { what: call.name.to_owned(), source: reason.into() })
            }
            broken => Once::Unanswered(broken.to_string()),
        })
    }

    async fn attempt(
        &self,
        dialect: &dyn Dialect,
        call: &'static str,
        request: &Request,
        token: &SecretString,
    ) -> Result<Attempt, PlatformError> {
        let raw = match self.0.transport.send(request, Some(token)).await {
            Ok(raw) => raw,
            Err(TransportError::Broken(reason) | TransportError::Unreached(reason)) => {
                return Ok(Attempt::Retry(Again { after: None, reason, limited: false }));
            }
            Err(error @ TransportError::TooLarge) => {
                return Err(PlatformError::Protocol { call: call.to_owned(), detail: error.to_string() });
            }
        };
        let body = json(call, &raw)?;
        Ok(match dialect.judge(call, raw.status, &raw.headers, &body) {
            Verdict::Good => Attempt::Good(Reply { status: raw.status, headers: raw.headers, body, call }),
            Verdict::Retry { after, reason, limited } => Attempt::Retry(Again { after, reason, limited }),
            Verdict::Renew { reason } => Attempt::Renew { reason },
            Verdict::Fail(error) => return Err(error),
        })
    }
}

/// What came of a call that is made once.
#[derive(Debug)]
pub(crate) enum Once {
    /// An answer, good or bad.
    Answered(RawReply),
    /// The provider did not get it.
    NotMade(PlatformError),
    /// The provider may have got it; no answer came.
    Unanswered(String),
}

enum Attempt {
    Good(Reply),
    Renew { reason: String },
    Retry(Again),
}

struct Again {
    after: Option<Duration>,
    reason: String,
    limited: bool,
}

/// The body as JSON. An error may come without; anything else must have it.
pub(crate) fn json(call: &'static str, raw: &RawReply) -> Result<Value, PlatformError> {
    let protocol = |detail: String| Err(PlatformError::Protocol { call: call.to_owned(), detail });
    if (300..400).contains(&raw.status) {
        return protocol(format!("status {}: it points to another address, which is not followed", raw.status));
    }
    match serde_json::from_slice(&raw.body) {
        Ok(value) => Ok(value),
        Err(_) if raw.status >= 400 => Ok(Value::Null),
        Err(error) => {
            let kind = raw.headers.get("content-type").and_then(|it| it.to_str().ok()).unwrap_or("no content type");
            let size = raw.body.len();
            protocol(format!("status {}: {size} bytes of {kind} are not the JSON that was asked for ({error})", raw.status))
        }
    }
}

fn refused(call: &str, reason: &str) -> PlatformError {
    PlatformError::NeedsUser { action: format!("{call}: a token that was just renewed is refused ({reason}); connect again") }
}
