//! Gmail: labels, and the mails that have them.
//!
//! Start at [`GmailClient`]. A first fetch lists the window of a label by date; what follows comes from the history of the mailbox,
//! which also tells what was deleted or lost its label. Nothing here sends mail or changes labels.

mod begin;
mod body;
mod calls;
mod client;
mod cursor;
mod limits;
mod map;
#[cfg(test)]
mod tests;
mod wire;
mod work;

pub use client::GmailClient;
pub use limits::PUBLISHED;
