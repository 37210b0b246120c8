//! The guarantees of live sync, from the real clients over loopback to a real database.
#![expect(clippy::print_stdout, reason = "what was compared is told")]
#![allow(clippy::unwrap_used, reason = "what is not there fails the test")]

mod cuts;
mod kills;
mod model;
mod seeds;
mod zeros;
