//! Export files as platform clients: what a person can download from Slack, a mailbox, a calendar and Notion.

pub mod archive;
mod limits;
pub mod notion;
pub mod slack;

pub use limits::Limits;
