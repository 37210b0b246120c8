//! Calls to providers: sends JSON, answers bytes or a stream of events, and says what a refusal means.
//!
//! It knows no provider, tries nothing twice and follows nothing. What is said about a failure never holds a body or a key.

mod base;
mod events;
mod refusal;
mod transport;

pub(crate) use base::checked_base;
#[cfg(test)]
pub(crate) use events::Feed;
pub(crate) use events::{Assemble, Step, collected, events};
pub(crate) use refusal::{Refusal, Vendor, garbled, unreachable};
pub(crate) use transport::{Answer, SendError, Transport};
