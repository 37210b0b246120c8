//! The port to language models, and the form in which they are asked.
//!
//! Synced text enters a request only as [`Material`], a typed block of untrusted data; adapters that speak to a text model
//! render it delimited with [`ModelRequest::render`]. Models answer Markdown and cite material by its reference.

mod model;
mod port;
mod render;

pub use model::{
    Content, Grouping, LlmError, Material, Message, ModelRequest, ModelResponse, Outline, OutlineSection, Role, SectionFocus,
    StopReason, Usage,
};
pub use port::LanguageModel;
#[cfg(feature = "testing")]
pub use port::MockLanguageModel;
