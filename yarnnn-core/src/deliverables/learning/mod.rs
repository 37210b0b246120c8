//! What people change and say of a report, and what the next one learns from it.

pub(super) mod edits;
pub(super) mod feedback;
pub(super) mod learn;
