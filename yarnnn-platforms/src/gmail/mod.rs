//! Gmail: labels, and the mails that have them.
//!
//! Start at [`GmailClient`]. A first fetch lists the window of a label by date; what follows comes from the history of the mailbox,
//! which also tells what was deleted or lost its label. Nothing here sends mail or changes labels. [`GmailChannel`] in `draft.rs`
//! leaves reports as drafts.

mod begin;
mod body;
mod calls;
mod client;
mod cursor;
mod draft;
mod draft_calls;
mod limits;
mod look_up;
mod map;
#[cfg(test)]
mod tests;
mod wire;
mod work;

pub use client::GmailClient;
pub use draft::GmailChannel;
pub use limits::PUBLISHED;
