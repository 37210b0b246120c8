//! A provider on a loopback address that says what a test wrote down, and a ledger in memory.

mod ledger;
mod loopback;
mod request;

pub(crate) use ledger::MemoryLedger;
pub(crate) use loopback::{Loopback, Reply};
pub(crate) use request::{asking, conversation};
