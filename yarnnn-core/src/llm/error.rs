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

/// Millionths of a US dollar, for people: `$0.0123`, half of the last digit rounded up. What costs something never reads as
/// nothing: below half of the last digit it is `<$0.0001`.
pub fn usd(micro: u64) -> String {
    const SHOWN: u64 = 100;
    let rounded = micro / SHOWN + u64::from(micro % SHOWN >= SHOWN / 2);
    if rounded == 0 && micro > 0 {
        return "<$0.0001".to_owned();
    }
    format!("${}.{:04}", rounded / 10_000, rounded % 10_000)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn half_of_the_last_digit_is_rounded_up_and_something_is_never_nothing() {
        let shown = [0, 1, 49, 50, 99, 149, 150, 1_234, 999_949, 999_950, 12_345_678, u64::MAX].map(usd);
        let expected = [
            "$0.0000",
            "<$0.0001",
            "<$0.0001",
            "$0.0001",
            "$0.0001",
            "$0.0001",
            "$0.0002",
            "$0.0012",
            "$0.9999",
            "$1.0000",
            "$12.3457",
            "$18446744073709.5516",
        ];
        assert_eq!(shown, expected);
    }

    proptest! {
        #[test]
        fn what_is_shown_is_at_most_half_of_the_last_digit_away(micro in prop_oneof![0_u64..100_000, any::<u64>()]) {
            let text = usd(micro);
            if let Some(dollars) = text.strip_prefix('$') {
                let shown: u128 = dollars.replace('.', "").parse::<u128>().unwrap() * 100;
                prop_assert!(shown.abs_diff(u128::from(micro)) <= 50 && (shown > 0 || micro == 0), "{} for {}", text, micro);
            } else {
                prop_assert!(text == "<$0.0001" && (1..50).contains(&micro), "{} for {}", text, micro);
            }
        }
    }
}
