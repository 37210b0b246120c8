//! Render: a verified draft becomes a report, and the report Markdown, HTML, plain text and a mail.
//!
//! Everything that comes from a source or a model is escaped; nothing remote is loaded; there is no script.

mod assemble;
mod html;
mod inert;
mod markdown;
mod stage;
pub(in crate::deliverables) mod words;

pub(crate) use inert::clean;
pub(in crate::deliverables) use inert::inert;
pub use stage::RenderedReport;
pub(in crate::deliverables) use stage::{Render, RenderInput};
