//! Export files as platform clients: what a person can download from Slack, a mailbox, a calendar and Notion.

mod limits;
pub mod mail;

pub use limits::Limits;
