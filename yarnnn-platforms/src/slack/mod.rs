//! Slack over its Web API, and what its messages and those of export files have in common.
//!
//! Replies do not stand in a channel's history and edits do not move a message, so reading what is newer than a cursor is not
//! enough: [`SlackClient`] lists the time to live again every few hours, reads the threads that grew, and on an audit reads again
//! whatever is stored. Start at `client.rs`; `fetch.rs` is one page, `plan.rs` what is left of a fetch. The way back is
//! [`SlackChannel`] in `publish.rs`, which posts reports.

mod audit;
mod calls;
mod client;
mod compose;
mod cursor;
mod errors;
mod fetch;
mod limits;
mod look_up;
pub(crate) mod map;
pub(crate) mod markup;
mod names;
mod plan;
mod posted;
mod publish;
mod read;
mod rich_text;
mod stamp;
mod stretch;
#[cfg(test)]
mod tests;
pub(crate) mod wire;

pub use client::SlackClient;
pub use limits::SlackLimits;
pub use publish::SlackChannel;
