//! The ports of deliverables and of their versions.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{
    DecideVersion, Deliverable, DeliverableStatus, DeliverableUpdate, DueSlot, EndSlot, Fire, FiredSlot, Hold, MaterialRef,
    NewDeliverable, OpenVersion, RecordedMaterial, SlotTotals, StepCommit, Version,
};
use crate::error::StoreError;
use crate::id::{DeliverableId, UserId, VersionId};

/// Standing report configurations.
///
/// # Contract
/// - What is created reads back the same; another user's deliverable does not exist.
/// - `list` is in the order of creation and leaves out archived ones.
/// - `due` finds active ones of the user whose `next_run_at` is not after the given instant, oldest first.
/// - `update` changes everything or nothing, and only while `updated_at` still is what the caller saw; else it is a `Conflict`.
///   Without another schedule it leaves the next run where it is by then. An archived one is changed as well.
/// - `reschedule` moves `next_run_at` only if it still is what the caller saw; else it is a `Conflict`.
///
/// # Errors
/// `NotFound`, `Conflict`, `Unavailable`, `Corrupt`.
///
/// # Concurrency
/// Of two `reschedule` from the same instant one succeeds, and of two `update` that saw the same.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait DeliverableStore: Send + Sync + 'static {
    /// Stores a new one.
    async fn create(&self, deliverable: NewDeliverable) -> Result<(), StoreError>;

    /// The one with this id.
    async fn get(&self, user: UserId, id: DeliverableId) -> Result<Deliverable, StoreError>;

    /// All of a user.
    async fn list(&self, user: UserId) -> Result<Vec<Deliverable>, StoreError>;

    /// Changes one by compare-and-swap.
    async fn update(&self, update: DeliverableUpdate) -> Result<(), StoreError>;

    /// Pauses, resumes or archives.
    async fn set_status(
        &self,
        user: UserId,
        id: DeliverableId,
        status: DeliverableStatus,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// Those that should run by now.
    async fn due(&self, user: UserId, at: DateTime<Utc>) -> Result<Vec<Deliverable>, StoreError>;

    /// Moves the next run by compare-and-swap.
    async fn reschedule(
        &self,
        user: UserId,
        id: DeliverableId,
        seen: DateTime<Utc>,
        next: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError>;
}

/// Versions and the steps of their runs.
///
/// # Contract
/// - `open` gives the number after `after`; when that number or the run key is taken it is a `Conflict` and opens nothing.
/// - `hold` succeeds when nobody holds the version, the hold has ended, or the holder is the same or the one named as gone.
/// - `advance` commits everything of a step in one transaction, only while the version stands at `expected` and is held by
///   the caller; else it is a `Conflict` and changes nothing. Queued messages whose key exists are not queued again.
/// - A finished, staged or failed step ends the hold.
/// - `decide` takes a version out of its waiting, and ends any hold of it; one whose status is another by now is a `Conflict`.
/// - Another user's version does not exist.
///
/// # Errors
/// `NotFound`, `Conflict`, `Unavailable`, `Corrupt`.
///
/// # Concurrency
/// Any number of processes may try; exactly one advances a version from a step.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait VersionStore: Send + Sync + 'static {
    /// Opens the next version.
    async fn open(&self, open: OpenVersion) -> Result<Version, StoreError>;

    /// The one with this id.
    async fn version(&self, user: UserId, id: VersionId) -> Result<Version, StoreError>;

    /// The one that was opened with this run key.
    async fn by_key(&self, user: UserId, deliverable: DeliverableId, key: &str) -> Result<Option<Version>, StoreError>;

    /// The newest versions of a deliverable, newest first.
    async fn recent(&self, user: UserId, deliverable: DeliverableId, limit: u32) -> Result<Vec<Version>, StoreError>;

    /// The oldest version of a deliverable that a run can go on with ([`Version::is_resumable`]).
    async fn unfinished(&self, user: UserId, deliverable: DeliverableId) -> Result<Option<Version>, StoreError>;

    /// The material of all delivered and rejected versions of a deliverable: what its readers have had before them.
    async fn reported(&self, user: UserId, deliverable: DeliverableId) -> Result<Vec<MaterialRef>, StoreError>;

    /// Takes or renews the right to work on a version, and answers it as it stands.
    async fn hold(&self, hold: Hold) -> Result<Version, StoreError>;

    /// Commits one step.
    async fn advance(&self, step: StepCommit) -> Result<(), StoreError>;

    /// What a person says about a staged version.
    async fn decide(&self, decision: DecideVersion) -> Result<Version, StoreError>;
}

/// What versions were written from, as it was when they were.
///
/// # Contract
/// - `recorded` answers what `open` and the step `written` brought of a version, by content id. It stays as it was when rows of
///   content expire, or are called and marked otherwise.
/// - What is gone at its source, or goes with the account that it came from, goes here too, in whichever revision and version.
///   The version then says since when; what a person imported stays.
/// - A version that failed or was rejected before its messages were queued has nothing recorded any more.
/// - Rows that are no longer stored, and such of other users, are not recorded; of another user's version there is nothing.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
///
/// # Concurrency
/// What is recorded while its source is taken back is either not recorded or taken back.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait VersionMaterial: Send + Sync + 'static {
    /// What is recorded of a version.
    async fn recorded(&self, user: UserId, version: VersionId) -> Result<RecordedMaterial, StoreError>;
}

/// Slots of schedules.
///
/// # Contract
/// - `due_anywhere` finds active deliverables of all users whose `next_run_at` is not after the given instant, by it and then by id,
///   from after the given place on. One whose schedule cannot be read is found too, and says so.
/// - `fire` is one transaction: whatever of the slots is still due exactly as seen, and active, moves on; a slot that no row stands
///   for becomes one, with its line and its job; one that a row stands for is only moved past. It answers what became a row. Who
///   names a lease that is not the current one fires nothing: `Conflict`.
/// - `slot` finds a slot of the user by its instant.
/// - `end` says what became of a slot that has not ended, or has not ended well; with its line, in one transaction. Any other stays
///   as it is.
/// - `open` lists the slots of the user that have not ended, the newest of each deliverable, oldest first.
/// - `of_cycle` lists slots that a tick fired, by user, instant and deliverable; `totals` counts all of them.
///
/// # Errors
/// `Conflict`, `Unavailable`, `Corrupt`.
///
/// # Concurrency
/// Any number of callers: however many fire a slot, it becomes one row.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait SlotStore: Send + Sync + 'static {
    /// What is due, of all users.
    async fn due_anywhere(
        &self,
        at: DateTime<Utc>,
        after: Option<(DateTime<Utc>, DeliverableId)>,
        limit: u32,
    ) -> Result<Vec<DueSlot>, StoreError>;

    /// Fires slots.
    async fn fire(&self, fire: Fire) -> Result<Vec<DeliverableId>, StoreError>;

    /// One slot.
    async fn slot(
        &self,
        user: UserId,
        deliverable: DeliverableId,
        due_at: DateTime<Utc>,
    ) -> Result<Option<FiredSlot>, StoreError>;

    /// Ends a slot.
    async fn end(&self, end: EndSlot) -> Result<(), StoreError>;

    /// What has not ended.
    async fn open(&self, user: UserId) -> Result<Vec<FiredSlot>, StoreError>;

    /// What a tick fired.
    async fn of_cycle(&self, cycle: DateTime<Utc>, limit: u32) -> Result<Vec<FiredSlot>, StoreError>;

    /// What a tick fired, counted.
    async fn totals(&self, cycle: DateTime<Utc>) -> Result<SlotTotals, StoreError>;
}
