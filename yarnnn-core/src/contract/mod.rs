//! Conformance suites of the store ports: what their documentation promises, one fact per function.
//!
//! A back-end runs every fact on a fresh, migrated store of its own; [`contract_facts!`](crate::contract_facts) lists them
//! all. A fact panics when the back-end does not keep its promise. Facts name no back-end and need no network.
#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a fact is a test: it panics when it does not hold")]

pub mod accounts;
pub mod activity;
pub mod content;
pub mod deliverables;
pub mod evidence;
pub mod fixtures;
pub mod outbox;
mod ports;
pub mod reading;
pub mod search;
pub mod versions;

pub use ports::Ports;
