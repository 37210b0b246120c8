//! Second tries, where they can help.

use std::fmt;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use yarnnn_core::llm::{LanguageModel, LlmError, ModelEvents, ModelRequest, ModelResponse, ModelTraits, StreamCompletion};

/// A call is made at most this often.
const TRIES: u32 = 3;
/// A provider that asks for a longer wait is not waited for: its answer is given back.
const PATIENCE: Duration = Duration::from_mins(1);
/// The longest wait before the second try; it doubles.
const FIRST_WAIT: Duration = Duration::from_secs(2);

/// Where chance comes from.
pub trait Chance: Send + Sync + fmt::Debug + 'static {
    /// A stretch between nothing and the given one.
    fn up_to(&self, longest: Duration) -> Duration;
}

/// Chance as the process has it. Nothing depends on it but that two processes do not try again at the same instant.
#[derive(Debug, Clone, Copy, Default)]
pub struct RandomChance;

impl Chance for RandomChance {
    fn up_to(&self, longest: Duration) -> Duration {
        let draw = RandomState::new().build_hasher().finish() % 1_024;
        longest.mul_f64(f64::from(u32::try_from(draw).unwrap_or(0)) / 1_024.0)
    }
}

/// Tries again what may work later: at most three times in all, after waits that chance makes shorter, or after as long as the
/// provider asks for. Tries beyond the first are at most a tenth of the calls that go well, after a first few.
///
/// An answer in pieces is tried again only until it begins.
#[derive(Debug)]
pub struct Retrying {
    inner: Arc<dyn StreamCompletion>,
    chance: Arc<dyn Chance>,
    budget: Budget,
}

impl Retrying {
    /// Wraps a model.
    pub fn new(inner: Arc<dyn StreamCompletion>, chance: Arc<dyn Chance>) -> Self {
        Self { inner, chance, budget: Budget::new() }
    }

    /// Waits before try number `tries + 1`, or gives the error back.
    async fn wait(&self, tries: u32, error: LlmError) -> Result<(), LlmError> {
        let wait = match &error {
            LlmError::RateLimited { retry_after, .. } if *retry_after <= PATIENCE => *retry_after,
            LlmError::Transient { .. } => self.chance.up_to(FIRST_WAIT * 2_u32.saturating_pow(tries - 1)),
            _ => return Err(error),
        };
        if tries >= TRIES || !self.budget.spend() {
            return Err(error);
        }
        tracing::debug!(tries, ?wait, %error, "trying again");
        tokio::time::sleep(wait).await;
        Ok(())
    }
}

#[async_trait]
impl LanguageModel for Retrying {
    fn name(&self) -> String {
        self.inner.name()
    }

    fn traits(&self) -> ModelTraits {
        self.inner.traits()
    }

    async fn complete(&self, request: &ModelRequest) -> Result<ModelResponse, LlmError> {
        let mut tries = 1;
        loop {
            match self.inner.complete(request).await {
                Ok(answer) => {
                    self.budget.earn();
                    return Ok(answer);
                }
                Err(error) => self.wait(tries, error).await?,
            }
            tries += 1;
        }
    }
}

#[async_trait]
impl StreamCompletion for Retrying {
    async fn stream(&self, request: &ModelRequest) -> Result<ModelEvents, LlmError> {
        let mut tries = 1;
        loop {
            match self.inner.stream(request).await {
                Ok(events) => {
                    self.budget.earn();
                    return Ok(events);
                }
                Err(error) => self.wait(tries, error).await?,
            }
            tries += 1;
        }
    }
}

/// Tries beyond the first, in tenths: a provider that is down is not asked threefold.
#[derive(Debug)]
struct Budget(AtomicU32);

impl Budget {
    const FULL: u32 = 200;

    const fn new() -> Self {
        Self(AtomicU32::new(Self::FULL))
    }

    fn earn(&self) {
        let add = |it: u32| Some((it + 1).min(Self::FULL));
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    fn spend(&self) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |it| it.checked_sub(10)).is_ok()
    }
}
