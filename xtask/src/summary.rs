//! Runs named steps one after another, times them and shows a table at the end. Decides nothing about what a step does.

use std::fmt;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;

/// The steps so far. After the first failed step the others are listed but not run.
#[derive(Default)]
pub(crate) struct Summary {
    steps: Vec<(String, Outcome)>,
}

enum Outcome {
    Passed(Duration),
    Failed(Duration, String),
    Skipped(String),
}

impl Summary {
    /// Runs one step; `None` when it failed or an earlier one did.
    pub(crate) fn step<T>(&mut self, name: &str, work: impl FnOnce() -> Result<T>) -> Option<T> {
        if self.failed() {
            self.skip(name, "not run: an earlier step failed");
            return None;
        }
        println!("--- {name}");
        let start = Instant::now();
        let result = work();
        let (outcome, value) = match result {
            Ok(value) => (Outcome::Passed(start.elapsed()), Some(value)),
            Err(error) => (Outcome::Failed(start.elapsed(), format!("{error:#}")), None),
        };
        self.steps.push((name.to_owned(), outcome));
        value
    }

    /// Lists a step that is not run, and why: nothing is left out silently.
    pub(crate) fn skip(&mut self, name: &str, reason: &str) {
        self.steps.push((name.to_owned(), Outcome::Skipped(reason.to_owned())));
    }

    pub(crate) fn failed(&self) -> bool {
        self.steps.iter().any(|(_, outcome)| matches!(outcome, Outcome::Failed(..)))
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        if self.failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.steps.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, outcome) in &self.steps {
            match outcome {
                Outcome::Passed(took) => writeln!(out, "{name:width$}  ok       {:7.1} s", took.as_secs_f32())?,
                Outcome::Failed(took, why) => writeln!(out, "{name:width$}  FAILED   {:7.1} s  {why}", took.as_secs_f32())?,
                Outcome::Skipped(why) => writeln!(out, "{name:width$}  skipped             {why}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_stops_the_rest_and_says_so() {
        let mut summary = Summary::default();
        assert_eq!(summary.step("first", || Ok(1)), Some(1));
        assert_eq!(summary.step("second", || -> Result<()> { anyhow::bail!("no disk") }), None);
        assert_eq!(summary.step("third", || -> Result<()> { unreachable!("must not run") }), None);
        let shown = summary.to_string();
        assert!(summary.failed());
        assert!(shown.contains("second  FAILED") && shown.contains("no disk"), "{shown}");
        assert!(shown.contains("third   skipped"), "{shown}");
    }

    #[test]
    fn a_skipped_step_is_no_failure() {
        let mut summary = Summary::default();
        summary.skip("example live", "needs a key");
        assert!(!summary.failed());
    }

    #[test]
    fn the_table_reads_well() {
        let passed = |tenths: u64| Outcome::Passed(Duration::from_millis(tenths * 100));
        let failed = Outcome::Failed(Duration::from_millis(61_500), "`cargo test --workspace` failed (exit status: 101)".into());
        let skipped = Outcome::Skipped("needs ANTHROPIC_API_KEY".into());
        let steps = [("postgres", passed(7)), ("cargo test", failed), ("example live_model", skipped)];
        let summary = Summary { steps: steps.into_iter().map(|(name, outcome)| (name.to_owned(), outcome)).collect() };
        insta::assert_snapshot!(summary);
    }
}
