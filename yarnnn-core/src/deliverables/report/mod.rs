//! From a draft to what people read: statements, each with its proof, rendered.

pub(super) mod citations;
pub(super) mod headings;
pub(super) mod model;
pub(super) mod render;
pub(super) mod verify;
