//! The real program from the command line to the written report: what it prints, what it stores, what it delivers, and the
//! exit code it ends with. What it survives is in `kill.rs`.

#![allow(clippy::unwrap_used, reason = "what is not there fails the test")]
#![allow(clippy::case_sensitive_file_extension_comparisons, reason = "the program writes its endings in lower case")]

mod at_once;
mod bad_input;
mod connect;
mod corners;
mod delivery;
mod demo;
mod doctor;
mod exports;
mod feedback;
mod held;
mod imports;
mod in_doubt;
mod jobs;
mod modelled;
mod places;
mod recordings;
mod recurrence;
mod replays;
mod reports;
mod schedules;
mod searches;
mod signals;
mod sources;
mod stops;
#[path = "../support/mod.rs"]
mod support;
mod sync;
mod tenants;
mod written;
