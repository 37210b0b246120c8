//! The guarantees of reports, from real clients over loopback to a real database: what arrives arrives once, whatever breaks on
//! the way, and what a model is made to try leads nowhere.
#![expect(clippy::print_stdout, reason = "what was tried is told")]
#![allow(clippy::unwrap_used, reason = "what is not there fails the test")]

mod delivery;
mod ends;
mod hostile;
mod left;
mod notices;
mod office;
mod pauses;
#[path = "../support/permits.rs"]
mod permits;
#[path = "../support/place.rs"]
mod place;
mod sources;
