//! A sentence of a report and what stands behind it.

use serde::{Deserialize, Serialize};

use crate::hash::Sha256;
use crate::id::{ContentId, VersionId};
use crate::llm::ClaimStatus;
use crate::platform::ResourceId;

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

/// A sentence that readers have had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaidSentence {
    /// The version in which it stood.
    pub version: VersionId,
    /// The number of that version.
    pub number: u32,
    /// The sentence.
    pub text: String,
    /// What stood behind it, and what has become of that.
    pub evidence: Vec<SaidEvidence>,
}

/// What has become of a source that a sentence stood on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaidEvidence {
    /// The row.
    pub content_id: ContentId,
    /// Its revision when it was cited.
    pub revision: Sha256,
    /// The resource and the item's id in it; none when the row is gone.
    pub item: Option<(ResourceId, String)>,
    /// Whether it still is what its source says.
    pub status: ClaimStatus,
    /// The row that is current now, if the item is still there.
    pub current: Option<ContentId>,
}
