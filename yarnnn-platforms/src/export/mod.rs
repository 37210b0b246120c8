//! Export files as platform clients: what a person can download from Slack, a mailbox, a calendar and Notion.
//!
//! [`open`] decides what a path is; each kind has a folder of its own.

pub mod archive;
pub mod calendar;
mod exports;
mod limits;
pub mod mail;
pub mod notion;
mod open;
pub mod slack;

pub use exports::ExportFiles;
pub use limits::Limits;
pub use open::{ExportKind, ExportSource, NotASource, OpenError, Opened, open};
