//! Export files as platform clients: what a person can download from Slack, a mailbox, a calendar and Notion.

pub mod calendar;
mod limits;
pub mod mail;

pub use limits::Limits;
