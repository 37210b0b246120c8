//! Calls to providers: one way to send, to wait, to try again and to give up, for all clients.
//!
//! A client says what to call (`Request`) and what an answer means (`Dialect`); a [`Session`] does the rest. It deliberately
//! knows no provider. Only JSON comes back; everything else is an error that names the call.

mod dialect;
mod random;
mod request;
mod retry;
mod session;
#[cfg(test)]
mod tests;
mod transport;

pub(crate) use dialect::{Dialect, Verdict, retry_after};
pub(crate) use request::{Body, Reply, Request, below};
pub use session::Session;
pub(crate) use session::{Once, json};
pub use transport::HttpTransport;
pub(crate) use transport::{RawReply, Transport, TransportError};
