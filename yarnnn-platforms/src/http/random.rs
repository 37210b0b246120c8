//! Chance for waiting times. Nothing depends on it but that two processes do not try again at the same instant.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

/// A stretch between half of the given one and all of it.
pub(crate) fn jittered(longest: Duration) -> Duration {
    let draw = RandomState::new().build_hasher().finish() % 1_024;
    longest / 2 + longest.mul_f64(f64::from(u32::try_from(draw).unwrap_or(0)) / 2_048.0)
}
