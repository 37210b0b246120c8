//! What leaves: messages of a report, notices to its owner, and files.

pub(super) mod download;
pub(super) mod notice;
pub(super) mod noticed;
pub(super) mod queue;
