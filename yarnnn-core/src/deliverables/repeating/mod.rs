//! Everything that a report was made of, in one file, and the report made from it again.

pub(super) mod capsule;
pub(super) mod replay;
