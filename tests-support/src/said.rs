//! What a program said.

use std::process::{Child, Output};
use std::time::{Duration, Instant};

use serde_json::Value;

/// What hangs is a failure.
pub const PATIENCE: Duration = Duration::from_mins(2);

/// What a program that ended said.
#[derive(Debug)]
pub struct Said {
    /// Its exit code; -1 if it was killed.
    pub code: i32,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Said {
    /// Fails the test unless the program ended with the code.
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// The object on standard output.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}\n{}", self.stdout, self.stderr))
    }
}

impl From<Output> for Said {
    /// A program that panicked fails the test.
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let said = Self { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) };
        assert!(!said.stderr.contains("panicked"), "{}", said.stderr);
        said
    }
}

/// Waits for the end of a program.
pub fn ended(mut child: Child) -> Said {
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("it does not end: {}", Said::from(child.wait_with_output().unwrap()).stderr);
        }
        std::thread::yield_now();
    }
    child.wait_with_output().unwrap().into()
}
