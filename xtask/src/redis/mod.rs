//! A private Redis (or Valkey) for one run of the tests: found, started on a free port of the loopback, stopped and deleted.
//!
//! Start at [`Server::start`]. It keeps nothing on disk; tests use channels and keys of their own.

mod binary;
mod server;

pub(crate) use server::{Server, URL_VARIABLE};
