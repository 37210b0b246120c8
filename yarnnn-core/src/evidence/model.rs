//! A sentence of a report and what stands behind it.

use serde::{Deserialize, Serialize};

use crate::hash::Sha256;
use crate::id::ContentId;

/// A verbatim span of one stored revision. It outlives the row it points at: there is no foreign key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The row.
    pub content_id: ContentId,
    /// Digest of the row's content bytes when the report was written.
    pub revision: Sha256,
    /// First byte of the span.
    pub start: u32,
    /// First byte after the span.
    pub end: u32,
    /// The span.
    pub quote: String,
}

/// One statement of a report as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentenceRecord {
    /// Position in the report, from 0.
    pub index: u32,
    /// The statement as the report shows it, without its label.
    pub text: String,
    /// What stands behind it; empty for an inference.
    pub evidence: Vec<Evidence>,
}

impl SentenceRecord {
    /// Whether nothing stands behind it but the writer's judgement.
    pub fn is_inference(&self) -> bool {
        self.evidence.is_empty()
    }
}
