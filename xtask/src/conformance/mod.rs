//! `cargo xtask conformance`: what the live clients send, judged by mock servers started from the providers' specifications.
//!
//! Start at [`run()`]. The clients are driven by `tests/conformance` of the root package; here are the servers.

mod prism;
mod run;

pub(crate) use run::{check, run};
