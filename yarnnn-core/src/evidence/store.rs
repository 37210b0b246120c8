//! The port of the evidence ledger.

use async_trait::async_trait;

use super::{Readers, SaidSentence, SentenceRecord, ToldClaim};
use crate::error::StoreError;
use crate::id::{DeliverableId, UserId, VersionId};

/// Reads the sentences of versions with their evidence. They are written with the version's step, in one transaction.
///
/// # Contract
/// - `sentences` are in the order of the report. A version of another user, or one that was not verified yet, has none.
/// - `said` are the sentences with evidence of the versions of a deliverable that arrived: newest version first, in the order of
///   the report, as many as asked for of those that the [`Readers`] may know. A source is withdrawn when its row is gone or marked
///   so, changed when the row is no longer the current one of its item, and stands otherwise; a page of the web stands as it was
///   read.
/// - `told` are the claims that the writers of the newest versions of a deliverable were told of: newest version first, in the order
///   in which they were told. As with what was reported, a version counts that arrived or was rejected; as many versions are looked
///   at as asked for. To others, what only the owner was told is news: versions that were written for the owner alone do not count.
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

    /// What was said before, and what has become of it.
    async fn said(
        &self,
        user: UserId,
        deliverable: DeliverableId,
        readers: &Readers,
        limit: u32,
    ) -> Result<Vec<SaidSentence>, StoreError>;

    /// What writers were told about what was said before.
    async fn told(
        &self,
        user: UserId,
        deliverable: DeliverableId,
        readers: &Readers,
        versions: u32,
    ) -> Result<Vec<ToldClaim>, StoreError>;
}
