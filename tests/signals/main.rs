//! Signals against a simulated provider, on both databases: what a model invents, names of others, wants too much of or repeats changes
//! nothing; a real one makes and runs exactly one report; every pass leaves its line, and is paid for once.
#![allow(clippy::unwrap_used, reason = "what is not there fails the test")]

mod cases;
mod office;
mod passes;
mod words;
