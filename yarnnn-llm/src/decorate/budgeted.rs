//! A row in the ledger before every call, within the caps, and what became of it after.
//!
//! A call whose end is not seen, because the caller dropped it or the process died, leaves its row as it was: reserved, and
//! counted at what it may have cost. Nothing is ever tried twice here.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::{StreamExt as _, stream};
use yarnnn_core::clock::Clock;
use yarnnn_core::error::StoreError;
use yarnnn_core::id::{IdGen, ModelCallId, UserId};
use yarnnn_core::llm::{
    CallEnd, LanguageModel, LlmError, ModelEvent, ModelEvents, ModelLedger, ModelRequest, ModelResponse, ModelTraits,
    Reservation, ReserveError, SpendingCaps, StreamCompletion,
};

use super::whole::told;

/// Where calls are written down, and what must not be exceeded.
#[derive(Clone)]
pub struct Ledger {
    /// The rows.
    pub ledger: Arc<dyn ModelLedger>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids of rows.
    pub ids: Arc<dyn IdGen>,
    /// What must not be exceeded.
    pub caps: SpendingCaps,
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger").field("caps", &self.caps).finish_non_exhaustive()
    }
}

/// Reserves every call before it is made, and answers from the ledger what the same version was answered before.
#[derive(Debug, Clone)]
pub struct Budgeted {
    inner: Arc<dyn StreamCompletion>,
    books: Ledger,
}

/// A call that was reserved.
#[derive(Debug, Clone)]
struct Open {
    books: Ledger,
    user: UserId,
    id: ModelCallId,
}

impl Budgeted {
    /// Wraps a model whose answers are priced.
    pub fn new(inner: Arc<dyn StreamCompletion>, books: Ledger) -> Self {
        Self { inner, books }
    }

    /// What the version of this request was answered to the same request before; for a pass, which asks one question, whatever it
    /// was answered.
    async fn known(&self, request: &ModelRequest) -> Result<Option<ModelResponse>, LlmError> {
        let (user, ledger) = (request.account.user, &self.books.ledger);
        let answered = match (request.account.version, request.account.pass) {
            (Some(version), _) => ledger.answered(user, version, request.digest()).await,
            (None, Some(pass)) => ledger.answered_in_pass(user, pass).await,
            (None, None) => Ok(None),
        };
        answered.map_err(|error| self.unwritten(error))
    }

    async fn reserve(&self, request: &ModelRequest) -> Result<Open, LlmError> {
        let id = ModelCallId::fresh(self.books.ids.as_ref());
        let ceiling = self.traits().ceiling(request);
        // A request that cannot be written as JSON has no floats and no maps of odd keys, so there is none.
        let kept = request.account.version.and_then(|_| serde_json::to_value(request).ok());
        let reservation = Reservation {
            id,
            account: request.account,
            purpose: request.purpose.clone(),
            model: self.name(),
            request_sha256: request.digest(),
            request: kept,
            ceiling,
            caps: self.books.caps,
            at: self.books.clock.now(),
        };
        match self.books.ledger.reserve(reservation).await {
            Ok(()) => Ok(Open { books: self.books.clone(), user: request.account.user, id }),
            Err(ReserveError::OverCap { cap, limit, spent }) => {
                Err(LlmError::OverCap { cap: setting_of(cap), limit, spent, ceiling })
            }
            Err(ReserveError::Store(error)) => Err(self.unwritten(error)),
        }
    }

    /// Without the ledger no call is made.
    fn unwritten(&self, error: StoreError) -> LlmError {
        LlmError::Transient { model: self.name(), may_be_charged: false, source: Box::new(error) }
    }
}

impl Open {
    async fn answered(&self, response: &ModelResponse) {
        self.settle(CallEnd::Answered { response: response.clone() }).await;
    }

    async fn failed(&self, error: &LlmError) {
        let charged = matches!(error, LlmError::Transient { may_be_charged: true, .. });
        let error = error.to_string();
        self.settle(if charged { CallEnd::Lost { error } } else { CallEnd::Refused { error } }).await;
    }

    /// A row that cannot be settled stays reserved, which counts as spent; the answer was paid for and is passed on.
    async fn settle(&self, end: CallEnd) {
        if let Err(error) = self.books.ledger.settle(self.user, self.id, end, self.books.clock.now()).await {
            tracing::error!(call = %self.id, %error, "a model call could not be settled and counts at its ceiling");
        }
    }
}

/// The name of the setting that holds a cap.
fn setting_of(cap: &str) -> &'static str {
    match cap {
        "run" => SpendingCaps::RUN,
        "user_day" => SpendingCaps::USER_DAY,
        _ => SpendingCaps::INSTALLATION_DAY,
    }
}

#[async_trait]
impl LanguageModel for Budgeted {
    fn name(&self) -> String {
        self.inner.name()
    }

    fn traits(&self) -> ModelTraits {
        ModelTraits { caps: self.books.caps, ..self.inner.traits() }
    }

    async fn complete(&self, request: &ModelRequest) -> Result<ModelResponse, LlmError> {
        if let Some(known) = self.known(request).await? {
            return Ok(known);
        }
        let open = self.reserve(request).await?;
        let mut answer = self.inner.complete(request).await;
        if let Ok(response) = &mut answer {
            // Kept with the answer: a run that goes on may ask another model.
            response.by.get_or_insert_with(|| self.inner.name());
        }
        match &answer {
            Ok(response) => open.answered(response).await,
            Err(error) => open.failed(error).await,
        }
        answer
    }
}

#[async_trait]
impl StreamCompletion for Budgeted {
    async fn stream(&self, request: &ModelRequest) -> Result<ModelEvents, LlmError> {
        if let Some(known) = self.known(request).await? {
            return Ok(told(known));
        }
        let open = self.reserve(request).await?;
        match self.inner.stream(request).await {
            Ok(events) => Ok(settled(events, open, self.inner.name())),
            Err(error) => {
                open.failed(&error).await;
                Err(error)
            }
        }
    }
}

/// The same events; the call is settled before the last one is told, and what comes after it is not read.
fn settled(events: ModelEvents, open: Open, name: String) -> ModelEvents {
    stream::unfold(Some((events, open, name)), |state| async move {
        let (mut events, open, name) = state?;
        let mut event = events.next().await;
        match &mut event {
            Some(Ok(ModelEvent::Done(response))) => {
                response.by.get_or_insert(name);
                open.answered(response).await;
            }
            Some(Ok(_)) => return event.map(|it| (it, Some((events, open, name)))),
            Some(Err(error)) => open.failed(error).await,
            None => open.settle(CallEnd::Lost { error: "the answer broke off".to_owned() }).await,
        }
        event.map(|it| (it, None))
    })
    .boxed()
}
