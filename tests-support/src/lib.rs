//! What tests that start a program have in common: a folder and a database for it, and what it said when it ended.
//!
//! What is on the database, and how the program is told of it, each program's own tests say.

#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "what is not there, or is not so, fails the test")]
#![expect(clippy::return_self_not_must_use, reason = "that it is so may be all that a test wants to know")]

mod home;
mod said;

pub use home::{Backend, Home};
pub use said::{PATIENCE, Said, ended};
