//! What a model can answer instead of a text.

use std::time::Duration;

use crate::error::Cause;

/// What a model can answer instead of a text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LlmError {
    /// The request is larger than the model reads.
    #[error("the request is too long for the model {model}")]
    ContextTooLong {
        /// Which model.
        model: String,
    },
    /// The provider asks to wait.
    #[error("the model {model} asks to wait {} s", retry_after.as_secs())]
    RateLimited {
        /// Which model.
        model: String,
        /// How long.
        retry_after: Duration,
    },
    /// It may work later. Whether the call was charged is not known when the answer was lost on its way.
    #[error("the model {model} is unavailable: {source}")]
    Transient {
        /// Which model.
        model: String,
        /// Whether the provider may have answered, and charged, without the answer coming through.
        may_be_charged: bool,
        /// Why.
        source: Cause,
    },
    /// A person has to change something at the provider or in the settings: a key, a spending limit, the model's name.
    #[error("{setting}: {detail} (model {model})")]
    NeedsOperator {
        /// Which model.
        model: String,
        /// The setting, by name.
        setting: &'static str,
        /// What is wrong.
        detail: String,
    },
    /// The call was not made: it might have cost more than a cap leaves.
    #[error("the call was not made: it may cost up to {} and the cap {cap} of {} has {} left", usd(*ceiling), usd(*limit), usd(limit.saturating_sub(*spent)))]
    OverCap {
        /// Which cap: the name of its setting.
        cap: &'static str,
        /// Its amount, in millionths of a US dollar.
        limit: u64,
        /// What is spent or reserved of it.
        spent: u64,
        /// What the call may cost.
        ceiling: u64,
    },
    /// It will not work however often it is tried.
    #[error("the model {model} cannot answer: {detail}")]
    Permanent {
        /// Which model.
        model: String,
        /// Why.
        detail: String,
    },
}

impl LlmError {
    /// Whether the same call may succeed later without anybody changing anything.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Transient { .. } | Self::RateLimited { .. })
    }
}

/// Millionths of a US dollar, for people: `$0.0123`.
pub fn usd(micro: u64) -> String {
    format!("${}.{:04}", micro / 1_000_000, micro % 1_000_000 / 100)
}
