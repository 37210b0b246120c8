//! The port of the evidence ledger.

use async_trait::async_trait;

use super::{SaidSentence, SentenceRecord};
use crate::error::StoreError;
use crate::id::{DeliverableId, UserId, VersionId};

/// Reads the sentences of a version with their evidence. They are written with the version's step, in one transaction.
///
/// # Contract
/// In the order of the report. A version of another user, or one that was not verified yet, has none.
///
/// # Errors
/// `Unavailable` or `Corrupt`.
///
/// # Concurrency
/// Any number of readers.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait EvidenceStore: Send + Sync + 'static {
    /// The sentences of a version.
    async fn sentences(&self, user: UserId, version: VersionId) -> Result<Vec<SentenceRecord>, StoreError>;

    /// What the delivered versions of a deliverable said with evidence: newest version first, in the order of each report, at most
    /// `limit` sentences.
    async fn said(&self, user: UserId, deliverable: DeliverableId, limit: u32) -> Result<Vec<SaidSentence>, StoreError>;
}
