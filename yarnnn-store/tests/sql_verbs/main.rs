//! The verbs of the job system as SQL alone sees them: what psql, or a program in another language, may rely on. Every
//! statement is sent as text, as psql sends it.
#![cfg(feature = "postgres")]
#![allow(clippy::unwrap_used, reason = "tests panic when something is amiss")]
#![expect(clippy::disallowed_methods, reason = "tests find their Postgres by an environment variable")]

mod bench;
mod capacity;
mod claims;
#[path = "../common/mod.rs"]
#[expect(dead_code, reason = "every test program uses its own part")]
mod common;
mod ends;
mod enqueue;
mod grants;
mod keys;
mod psql;
mod rescue;
mod retry_wait;
mod strangers;
mod views;
mod web_roles;
