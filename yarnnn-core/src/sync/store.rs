//! The port of the content store.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{BeginRun, ContentQuery, PageCommit, Receipt, ResourceStatus, Retain, RunHandle, StoredItem};
use crate::error::StoreError;
use crate::id::{ContentId, UserId};
use crate::platform::{KnownItem, Resource, ResourceId};

/// Stores revisions of items, and what was seen of each resource.
///
/// # Contract
/// - `begin` fences every earlier run of the same resource: a later commit of an earlier run is a `Conflict` and changes nothing.
/// - A run in the name of a connection begins and commits only while that connection stands for the same account; else `Conflict`.
/// - `commit` is one transaction: items, gone items, coverage, progress and follow-up jobs are stored
///   together or not at all.
/// - A revision that is already stored is not stored again. If it is retained it stays exactly as it is; else its time to
///   live starts anew. An import of a revision that is not retained retains it.
/// - A new revision of a known item is a new row whose `version_of` is the row it replaces; only one row of an item is
///   current. A revision that comes back (A, B, A) makes its old row current again.
/// - `gone` deletes the unretained rows of an item in all revisions; retained rows stay with `withdrawn_at` set. An item
///   that is seen again is no longer withdrawn.
/// - The pages of a run that rebuilds are kept aside: readers see what was there before. The last page puts all of them in
///   place and takes away what it names as gone, in its own transaction; a run that never ends leaves nothing.
/// - `known` lists the items that came from a live service and are still kept: current, not withdrawn, retained or not expired.
/// - `content` is cut at [`MAX_CONTENT_CHARS`](super::MAX_CONTENT_CHARS) characters.
/// - A finished run sets `last_synced_at`, counts and coverage; gaps replace those of the run before; a missing cursor leaves
///   the stored one. Coverage only grows. An activity with a key is written once.
/// - A failed run sets `last_error` and keeps what its pages covered; `last_synced_at`, cursor, counts and gaps stay.
/// - The place of a page is stored with it, and handed to every later run until a run that does the same has finished, or a
///   page of one says otherwise. A failed run, or one that was fenced, leaves it. A rebuild leaves none, and a finished one
///   forgets all.
/// - Every method sees only the given user's rows.
///
/// # Errors
/// `Conflict` when fenced, `Unavailable` when the database is busy or gone, `Corrupt` when a row cannot be read.
///
/// # Concurrency
/// Runs of different resources may commit at once. Two runs of one resource are serialised; the later wins.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait ContentStore: Send + Sync + 'static {
    /// Starts a run of one resource and ends all earlier ones.
    async fn begin(&self, run: BeginRun) -> Result<RunHandle, StoreError>;

    /// Commits one page.
    async fn commit(&self, page: PageCommit) -> Result<Receipt, StoreError>;

    /// The given rows, in any revision, withdrawn or not; rows that do not exist are left out. Order is by id.
    async fn find(&self, user: UserId, ids: &[ContentId]) -> Result<Vec<StoredItem>, StoreError>;

    /// Current items, newest first.
    async fn query(&self, query: &ContentQuery) -> Result<Vec<StoredItem>, StoreError>;

    /// Keeps rows beyond their time to live; answers how many were not retained before.
    async fn retain(&self, retain: &Retain) -> Result<u64, StoreError>;

    /// What is known of each of the user's resources, or of the given ones; sorted by resource.
    async fn coverage(&self, user: UserId, resources: &[ResourceId]) -> Result<Vec<ResourceStatus>, StoreError>;

    /// What is kept of a resource at an instant; sorted by item.
    async fn known(&self, user: UserId, resource: &ResourceId, at: DateTime<Utc>) -> Result<Vec<KnownItem>, StoreError>;

    /// Keeps a resource from being synced, or lets it be synced again. One that was never synced gets its entry.
    async fn exclude(&self, user: UserId, resource: &Resource, excluded: bool, at: DateTime<Utc>) -> Result<(), StoreError>;
}
