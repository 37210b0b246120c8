//! What a run reads: items of the window, recorded with the version, what was looked up, and what earlier reports said.

pub(super) mod gather;
pub(super) mod material;
pub(super) mod research;
pub(super) mod said;
