//! Mails through Resend: one request per message, whose body was stored before it is sent for the first time.
//!
//! Resend remembers the key of a request for a day and answers the same request as before, so a message in doubt is sent again
//! while its key is remembered, and never after. Start at `channel.rs`; `answer.rs` is what Resend's answers mean. `compose.rs`
//! makes the request of a report.

mod answer;
mod channel;
mod compose;
#[cfg(test)]
mod tests;

pub use channel::ResendChannel;

/// The message's file with the body of the request.
const FILE: &str = "resend.json";
