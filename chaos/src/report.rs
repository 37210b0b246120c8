//! What one scenario found: figures for people, and what did not hold.

use std::fmt::{self, Display};
use std::time::Duration;

/// What one scenario found.
#[derive(Debug, Default)]
pub(crate) struct Report {
    figures: Vec<String>,
    failures: Vec<String>,
}

impl Report {
    /// Notes a number.
    pub(crate) fn figure(&mut self, name: &str, value: impl Display) {
        self.figures.push(format!("{name} {value}"));
    }

    /// Notes what must hold.
    pub(crate) fn must(&mut self, holds: bool, otherwise: impl Into<String>) {
        if !holds {
            self.failures.push(otherwise.into());
        }
    }

    /// Notes a number, and that it must be this one.
    pub(crate) fn must_be(&mut self, name: &str, found: i64, wanted: i64) {
        self.figure(name, found);
        self.must(found == wanted, format!("{name}: {found} instead of {wanted}"));
    }

    /// Whether everything held.
    pub(crate) fn passed(&self) -> bool {
        self.failures.is_empty()
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.figures.join(", "))?;
        self.failures.iter().try_for_each(|failure| write!(f, "\n      ! {failure}"))
    }
}

/// The value below which this share of them lies.
pub(crate) fn percentile(times: &[Duration], share: f64) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort();
    let index = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(index.saturating_sub(1)).copied().unwrap_or_default()
}
