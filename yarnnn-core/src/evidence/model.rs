//! A sentence of a report and what stands behind it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::hash::Sha256;
use crate::id::{ContentId, VersionId};
use crate::llm::{ClaimStatus, ReportedClaim};
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

/// Who receives the report whose writer asks for what was said before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readers {
    /// Its owner alone: they may know everything.
    Owner,
    /// Others. They may know what they may have had, and what stands on these sources alone, or on pages of the public web. A
    /// statement is bound to what it shares a span with: in a report that was written for its owner, from everything that is stored,
    /// its other words may be of anything. And where a row that is gone stood, nobody knows.
    Others(Vec<ResourceId>),
}

/// A statement of a report that arrived, and what has become of its sources since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaidSentence {
    /// The version that said it.
    pub version: VersionId,
    /// The number of that version.
    pub number: u32,
    /// When that version arrived.
    pub at: Option<DateTime<Utc>>,
    /// The statement.
    pub text: String,
    /// What stands behind it, each row once, in the order of the report.
    pub evidence: Vec<SaidEvidence>,
}

/// A source of something that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaidEvidence {
    /// The row.
    pub content_id: ContentId,
    /// Digest of the row's content bytes when the report was written.
    pub revision: Sha256,
    /// The item that the row is a revision of; none when the row is gone, and for a page of the web.
    pub item: Option<(ResourceId, String)>,
    /// What has become of it.
    pub status: ClaimStatus,
    /// The row that says it now: itself while it stands, the item's newer revision when it changed and that is still there.
    pub current: Option<ContentId>,
}

/// What the writer of a version was told about something that was said before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldClaim {
    /// The number of the version.
    pub number: u32,
    /// What it was told.
    pub claim: ReportedClaim,
}
