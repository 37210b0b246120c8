//! The circuit breaker: a provider that is down is left alone for a while.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use futures::StreamExt as _;
use yarnnn_core::clock::Clock;
use yarnnn_core::llm::{
    LanguageModel, LlmError, ModelEvent, ModelEvents, ModelRequest, ModelResponse, ModelTraits, StreamCompletion,
};

/// So many failures in a row open it.
const FAILURES: u32 = 5;
/// After so long one call is let through again.
const REST: TimeDelta = TimeDelta::seconds(30);

/// Refuses calls for half a minute after five in a row have failed for reasons that pass, then lets one through to see.
#[derive(Debug)]
pub struct Breaker {
    inner: Arc<dyn StreamCompletion>,
    clock: Arc<dyn Clock>,
    circuit: Arc<Mutex<Circuit>>,
}

#[derive(Debug, Default)]
struct Circuit {
    failures: u32,
    /// While it is open: when the next call is let through.
    next: Option<DateTime<Utc>>,
}

impl Circuit {
    fn admits(&mut self, now: DateTime<Utc>) -> bool {
        match self.next {
            Some(next) if now < next => false,
            Some(_) => {
                // Should that call never end, the next one has its turn after the same time.
                self.next = Some(now + REST);
                true
            }
            None => true,
        }
    }

    fn ended(&mut self, failed: bool, now: DateTime<Utc>) {
        self.failures = if failed { self.failures.saturating_add(1) } else { 0 };
        self.next = (self.failures >= FAILURES).then(|| now + REST);
    }
}

impl Breaker {
    /// Wraps a model.
    pub fn new(inner: Arc<dyn StreamCompletion>, clock: Arc<dyn Clock>) -> Self {
        Self { inner, clock, circuit: Arc::default() }
    }

    fn admit(&self) -> Result<(), LlmError> {
        if self.circuit.lock().unwrap_or_else(PoisonError::into_inner).admits(self.clock.now()) {
            return Ok(());
        }
        let source = format!("it failed {FAILURES} times in a row and is left alone for {} s", REST.num_seconds());
        Err(LlmError::Transient { model: self.name(), may_be_charged: false, source: source.into() })
    }
}

fn note<T>(circuit: &Mutex<Circuit>, clock: &dyn Clock, outcome: &Result<T, LlmError>) {
    let failed = matches!(outcome, Err(LlmError::Transient { .. }));
    circuit.lock().unwrap_or_else(PoisonError::into_inner).ended(failed, clock.now());
}

#[async_trait]
impl LanguageModel for Breaker {
    fn name(&self) -> String {
        self.inner.name()
    }

    fn traits(&self) -> ModelTraits {
        self.inner.traits()
    }

    async fn complete(&self, request: &ModelRequest) -> Result<ModelResponse, LlmError> {
        self.admit()?;
        let answer = self.inner.complete(request).await;
        note(&self.circuit, self.clock.as_ref(), &answer);
        answer
    }
}

#[async_trait]
impl StreamCompletion for Breaker {
    async fn stream(&self, request: &ModelRequest) -> Result<ModelEvents, LlmError> {
        self.admit()?;
        let events = self.inner.stream(request).await;
        if events.is_err() {
            note(&self.circuit, self.clock.as_ref(), &events);
        }
        let (circuit, clock) = (Arc::clone(&self.circuit), Arc::clone(&self.clock));
        let note_end = move |event: &Result<ModelEvent, LlmError>| {
            if !matches!(event, Ok(ModelEvent::Text(_))) {
                note(&circuit, clock.as_ref(), event);
            }
        };
        Ok(events?.inspect(note_end).boxed())
    }
}
