//! The draft between the model and the verifier, where programs can put a stage of their own.

use std::sync::Arc;

use crate::pipeline::Stage;

/// What a model has written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Markdown with citations as `[s1]`.
    pub markdown: String,
}

/// A stage that revises drafts: house style, redaction, a disclaimer. It runs before the verifier, so what it changes is
/// bound to evidence or marked as inference like everything else.
pub type DraftStage = Arc<dyn Stage<Draft, Output = Draft>>;
