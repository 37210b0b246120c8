//! The port of passes, of what was noticed before, and of what users want to be told.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{CandidateQuery, OpenPass, Pass, PassCommit, PreferenceChange, SignalPreferences, SignalRecord, TakeTurn, Turn};
use crate::error::StoreError;
use crate::id::UserId;

/// Passes and their history.
///
/// # Contract
/// - `begin` opens a pass, or answers the one that has the id as it stands: what the first try of it shows is what all show.
/// - `commit` is one transaction: the new deliverables, the history of what was acted upon, the items that are kept for it, the jobs
///   that follow, the pass's end, the line of the log under the pass's id. What the pass was answered is forgotten. A pass that has
///   ended is answered as it is, and nothing else happens.
/// - In it every action is looked at again: what was acted upon since [`Wanted::unless_since`](super::Wanted) is not done again, also
///   by two passes at once; nor is one over the tier's slots ([`takes_slot`](crate::deliverables::Deliverable::takes_slot)), of a type
///   that is taken, of a deliverable that is not the user's or not active, or of one whose run waits or is under way, whatever called
///   for it, or that signals called for or set going since [`PassCommit::target_since`]. The others are.
///   Nobody's schedule is touched.
/// - A type is taken by every deliverable of it that is not archived. Unless [`Wanted::one_of_a_kind`](super::Wanted), what runs once
///   for a signal leaves room when it has run, when no run of it waits or is under way, and when it was made before
///   [`PassCommit::room_since`].
/// - `history` and `passes` are newest first.
/// - `preferences` of who has set none are all on; a change leaves what it does not name.
/// - `take_turn` grants a pass by hand, with its job in the same transaction, unless the last one was granted less than the cool-down
///   ago. It answers the job that does it: the one that holds the key already, if there is one.
/// - `candidates` are users who have a live connection or stored content, sorted by id.
/// - Every method but `candidates` sees only the given user's rows.
///
/// # Errors
/// `NotFound`, `Conflict`, `Unavailable`, `Corrupt`.
///
/// # Concurrency
/// Commits of one user go one after the other. Of any number of `take_turn` within a cool-down one is granted.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait SignalStore: Send + Sync + 'static {
    /// Opens a pass, or goes on with one.
    async fn begin(&self, open: OpenPass) -> Result<Pass, StoreError>;

    /// Ends a pass.
    async fn commit(&self, commit: PassCommit) -> Result<Pass, StoreError>;

    /// What was acted upon.
    async fn history(&self, user: UserId, limit: u32) -> Result<Vec<SignalRecord>, StoreError>;

    /// Passes.
    async fn passes(&self, user: UserId, limit: u32) -> Result<Vec<Pass>, StoreError>;

    /// What a user wants to be told.
    async fn preferences(&self, user: UserId) -> Result<SignalPreferences, StoreError>;

    /// Changes what a user wants to be told; answers it as it is then.
    async fn set_preferences(
        &self,
        user: UserId,
        change: PreferenceChange,
        at: DateTime<Utc>,
    ) -> Result<SignalPreferences, StoreError>;

    /// Grants a pass by hand.
    async fn take_turn(&self, turn: TakeTurn) -> Result<Turn, StoreError>;

    /// Users who have something to look at.
    async fn candidates(&self, query: CandidateQuery) -> Result<Vec<UserId>, StoreError>;
}
