//! How a draft comes about: the plan, the question, the model, and the repair of what cannot be read.

pub(super) mod draft;
pub(super) mod plan;
pub(super) mod prompt;
pub(super) mod repair;
pub(super) mod write;
