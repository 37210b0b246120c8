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

/// The value up to which this share of them lies, in thousandths.
pub(crate) fn percentile(times: &[Duration], thousandths: usize) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort();
    let rank = (thousandths * sorted.len()).div_ceil(1_000);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let times: Vec<Duration> = (1..=200).map(Duration::from_secs).collect();
        let [p50, p99, last] = [500, 990, 1_000].map(|it| percentile(&times, it).as_secs());
        assert_eq!((p50, p99, last), (100, 198, 200));
        assert_eq!(percentile(&[], 500), Duration::ZERO);
    }

    #[test]
    fn one_thing_that_does_not_hold_is_a_failure() {
        let mut report = Report::default();
        report.must_be("dead", 0, 0);
        assert!(report.passed());
        report.must_be("lost", 1, 0);
        assert!(!report.passed());
        assert_eq!(report.to_string(), "dead 0, lost 1\n      ! lost: 1 instead of 0");
    }
}
