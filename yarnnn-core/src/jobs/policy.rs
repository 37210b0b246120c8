//! How often, how soon and how long: the rules of a kind of job, stored with each job so that any worker, also one that does
//! not know the kind, treats it alike.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The rules of a job. As JSON in the column `job_config`; durations are seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JobPolicy {
    /// Tries in all that may end in failure; crashes, snoozes, refused permits and hand-backs do not count.
    pub max_attempts: u32,
    /// How long to wait after a failure.
    pub retry: RetryPolicy,
    /// How often it may be put off without a charge before it is given up.
    pub max_reschedules: u32,
    /// After this much running time the job is asked to stop.
    pub soft_limit_seconds: Option<u32>,
    /// After this much running time it is stopped, which counts as a failure.
    pub time_limit_seconds: u32,
    /// How long the result of a success can be read; none for ever.
    pub result_ttl_seconds: Option<u32>,
}

impl Default for JobPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 5,
            retry: RetryPolicy::default(),
            max_reschedules: 1_000,
            soft_limit_seconds: None,
            time_limit_seconds: 600,
            result_ttl_seconds: None,
        }
    }
}

impl JobPolicy {
    /// Celery's habits (Scribe): three tries, waits of 1, 2, 4 s, limits of 300 and 360 s, results for an hour.
    pub fn scribe() -> Self {
        Self {
            max_attempts: 3,
            retry: RetryPolicy::Fixed { seconds: vec![1.0, 2.0, 4.0], jitter: Jitter::None },
            soft_limit_seconds: Some(300),
            time_limit_seconds: 360,
            result_ttl_seconds: Some(3_600),
            ..Self::default()
        }
    }

    /// Exora's: four tries, 300 s and up to 30 s more between them, half an hour at most.
    pub fn exora() -> Self {
        let jitter = Jitter::Additive { fraction: 0.5, cap_seconds: 30.0 };
        Self {
            max_attempts: 4,
            retry: RetryPolicy::Fixed { seconds: vec![300.0], jitter },
            time_limit_seconds: 1_800,
            ..Self::default()
        }
    }

    /// Delivery's: five tries, min(2ⁿ·10, 900) s between them.
    pub fn delivery() -> Self {
        let retry = RetryPolicy::Exponential {
            base_seconds: 10.0,
            factor: 2.0,
            cap_seconds: 900.0,
            first_exponent: 1,
            jitter: Jitter::None,
        };
        Self { max_attempts: 5, retry, ..Self::default() }
    }

    /// Delivery's stage jobs: three tries, min(2ⁿ⁻¹·30, 3600) s between them, half an hour at most.
    pub fn delivery_stage() -> Self {
        let retry = RetryPolicy::Exponential {
            base_seconds: 30.0,
            factor: 2.0,
            cap_seconds: 3_600.0,
            first_exponent: 0,
            jitter: Jitter::None,
        };
        Self { max_attempts: 3, retry, time_limit_seconds: 1_800, ..Self::default() }
    }

    /// RQ's habits (the queue `work`): three tries, waits of 30 and 60 s, ten minutes, results for a day.
    pub fn work() -> Self {
        Self {
            max_attempts: 3,
            retry: RetryPolicy::Fixed { seconds: vec![30.0, 60.0], jitter: Jitter::None },
            time_limit_seconds: 600,
            result_ttl_seconds: Some(86_400),
            ..Self::default()
        }
    }

    /// The wall-clock limit of one run.
    pub fn time_limit(&self) -> Duration {
        Duration::from_secs(self.time_limit_seconds.into())
    }

    /// When a run is asked to stop.
    pub fn soft_limit(&self) -> Option<Duration> {
        self.soft_limit_seconds.map(|it| Duration::from_secs(it.into()))
    }
}

/// How long to wait after the n-th failure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryPolicy {
    /// The n-th entry, or the last.
    Fixed {
        /// Seconds; empty for none.
        seconds: Vec<f64>,
        /// Spread.
        #[serde(default)]
        jitter: Jitter,
    },
    /// `min(base · factor^(n − 1 + first_exponent), cap)`.
    Exponential {
        /// Seconds.
        base_seconds: f64,
        /// Growth.
        factor: f64,
        /// Seconds.
        cap_seconds: f64,
        /// The exponent after the first failure.
        #[serde(default)]
        first_exponent: u32,
        /// Spread.
        #[serde(default)]
        jitter: Jitter,
    },
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self::Exponential { base_seconds: 10.0, factor: 2.0, cap_seconds: 900.0, first_exponent: 0, jitter: Jitter::Full }
    }
}

/// How waits are spread, so that jobs that failed together do not return together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Jitter {
    /// Anything from nothing to the wait.
    #[default]
    Full,
    /// The wait exactly.
    None,
    /// The wait and up to `min(wait · fraction, cap)` more.
    Additive {
        /// Of the wait.
        fraction: f64,
        /// Seconds.
        cap_seconds: f64,
    },
}

impl RetryPolicy {
    /// The wait after the given number of failures (1 for the first), with the draw (0 to 1) deciding the jitter.
    pub fn wait(&self, failures: u32, draw: f64) -> Duration {
        let (wait, jitter) = match self {
            Self::Fixed { seconds, jitter } => (nth(seconds, failures), jitter),
            Self::Exponential { base_seconds, factor, cap_seconds, first_exponent, jitter } => {
                let exponent = f64::from(failures.saturating_sub(1).saturating_add(*first_exponent));
                ((base_seconds * factor.powf(exponent)).min(*cap_seconds), jitter)
            }
        };
        let seconds = match jitter {
            Jitter::None => wait,
            Jitter::Full => wait * draw,
            Jitter::Additive { fraction, cap_seconds } => wait + draw * (wait * fraction).min(*cap_seconds),
        };
        Duration::try_from_secs_f64(seconds.clamp(0.0, LONGEST_WAIT)).unwrap_or_default()
    }
}

/// Ten years: what nobody waits for, and every clock can add.
const LONGEST_WAIT: f64 = 315_360_000.0;

fn nth(seconds: &[f64], failures: u32) -> f64 {
    let index = usize::try_from(failures.saturating_sub(1)).unwrap_or(usize::MAX);
    seconds.get(index).or(seconds.last()).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn waits(policy: &JobPolicy, draw: f64) -> Vec<f64> {
        (1..=6).map(|it| policy.retry.wait(it, draw).as_secs_f64()).collect()
    }

    #[test]
    fn presets_wait_as_their_systems_did() {
        assert_eq!(waits(&JobPolicy::scribe(), 0.3), [1.0, 2.0, 4.0, 4.0, 4.0, 4.0]);
        assert_eq!(waits(&JobPolicy::delivery(), 0.3), [20.0, 40.0, 80.0, 160.0, 320.0, 640.0]);
        assert_eq!(waits(&JobPolicy::delivery_stage(), 0.3), [30.0, 60.0, 120.0, 240.0, 480.0, 960.0]);
        assert_eq!(waits(&JobPolicy::work(), 0.3), [30.0, 60.0, 60.0, 60.0, 60.0, 60.0]);
        assert_eq!(waits(&JobPolicy::exora(), 0.5), [315.0; 6]);
    }

    #[test]
    fn a_policy_reads_back_and_an_empty_one_is_the_default() {
        for policy in
            [JobPolicy::scribe(), JobPolicy::exora(), JobPolicy::delivery(), JobPolicy::delivery_stage(), JobPolicy::work()]
        {
            let text = serde_json::to_string(&policy).unwrap();
            assert_eq!(serde_json::from_str::<JobPolicy>(&text).unwrap(), policy, "{text}");
        }
        assert_eq!(serde_json::from_str::<JobPolicy>("{}").unwrap(), JobPolicy::default());
        assert!(serde_json::from_str::<JobPolicy>(r#"{"max_atempts":1}"#).is_err(), "a misspelt rule is no rule");
    }

    proptest! {
        #[test]
        fn no_wait_is_longer_than_its_cap(failures in 0u32..5_000, draw in 0.0f64..1.0, base in 0.0f64..1e6, factor in 1.0f64..10.0) {
            for jitter in [Jitter::Full, Jitter::None] {
                let retry = RetryPolicy::Exponential { base_seconds: base, factor, cap_seconds: 900.0, first_exponent: 1, jitter };
                prop_assert!(retry.wait(failures, draw).as_secs_f64() <= 900.0);
            }
        }
    }
}
