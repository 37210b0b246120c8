//! The ports of deliverables and of their versions.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{
    DeadRun, DecideVersion, Deliverable, DeliverableStatus, DeliverableUpdate, DueSlot, EnableSuggestion, EndSlot, EventTrigger,
    Feedback, Fire, FireEvent, Fired, FiredSlot, Hold, LeftVersion, Listen, LostSlot, MaterialRef, NewDeliverable, NewSuggestion,
    OpenVersion, PromoteDeliverable, RecordedMaterial, RequeueSlot, ResumeDeliverable, SlotTotals, StepCommit, Suggestion,
    Version,
};
use crate::error::StoreError;
use crate::id::{DeliverableId, JobId, UserId, VersionId};
use crate::platform::Platform;

/// Standing report configurations.
///
/// # Contract
/// - What is created reads back the same; another user's deliverable does not exist.
/// - `list` is in the order of creation and leaves out archived ones.
/// - `due` finds active ones of the user whose `next_run_at` is not after the given instant, oldest first.
/// - `update` changes everything or nothing, and only while `updated_at` still is what the caller saw; else it is a `Conflict`.
///   Without another schedule it leaves the next run where it is by then. An archived one is changed as well.
/// - `reschedule` moves `next_run_at` only if it still is what the caller saw; else it is a `Conflict`.
/// - `set_status` makes nothing active, which is a `Conflict`; `resume` does, of what is paused: else it is a `Conflict`.
/// - What takes a slot ([`Deliverable::takes_slot`]) when `create`, `resume` or `update` with another schedule are done with it, beside as
///   many others as its `slots`, is `OverLimit`, and nothing is done. It is counted in the same transaction.
///
/// # Errors
/// `NotFound`, `Conflict`, `OverLimit`, `Unavailable`, `Corrupt`.
///
/// # Concurrency
/// Of two `reschedule` from the same instant one succeeds, and of two `update` that saw the same. However many make something active at
/// once, here or by [`LifecycleStore`] and [`EventStore`], no more are than the slots.
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

    /// Pauses or archives.
    async fn set_status(
        &self,
        user: UserId,
        id: DeliverableId,
        status: DeliverableStatus,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// Makes a paused one active again.
    async fn resume(&self, resume: ResumeDeliverable) -> Result<(), StoreError>;

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
/// - A finished, staged or failed step ends the hold. What a staged run cites is retained with that step, until it is rejected or fails
///   before anything of it was queued: what was retained only because this version cites it expires then as if it never had been,
///   but not what another run gathered, even at that moment.
/// - A step's notice is stored with it, and its messages are none of the version's.
/// - `decide` takes a version out of its waiting, and ends any hold of it; one whose status is another by now is a `Conflict`. What
///   was said of it, the line of activity, and the end of its slot are stored with that. A status that stays leaves hold and error as they were.
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

    /// What a person says about a version.
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
/// - `end` says what became of a slot that has not ended, or failed; with its line, in one transaction. One that waits for a person ends
///   only as its report does: as delivered, or as failed with the step or the decision that ends its version
///   ([`VersionStore::advance`], [`VersionStore::decide`]): whoever had lost sight of its run does not say so. Any other
///   ([`SlotOutcome::is_final`](super::SlotOutcome::is_final)) stays as it is.
/// - `open` lists the slots of the user that have not ended, or failed, if they are the newest of their deliverable, oldest first. One
///   whose job was cancelled, or that ended as cancelled, has ended for good.
/// - `requeue` gives a slot whose job is no longer there another, in one transaction; while that is there, or another has been given
///   since, it is a `Conflict`.
/// - `lost` lists slots of all users that have not ended, were fired at an instant or before, and whose job has failed, is dead or
///   cancelled, or is no longer there: by when they were fired and then by deliverable, from after the given place on.
/// - `of_cycle` lists slots that a tick fired, by user, instant and deliverable; `totals` counts all of them.
///
/// # Errors
/// `Conflict`, `Unavailable`, `Corrupt`.
///
/// # Concurrency
/// Any number of callers: however many fire a slot, it becomes one row; and of many who requeue it, one does.
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

    /// What has not ended, or not well.
    async fn open(&self, user: UserId) -> Result<Vec<FiredSlot>, StoreError>;

    /// Gives a slot another job.
    async fn requeue(&self, requeue: RequeueSlot) -> Result<(), StoreError>;

    /// What nobody is at any more.
    async fn lost(
        &self,
        before: DateTime<Utc>,
        after: Option<(DateTime<Utc>, DeliverableId)>,
        limit: u32,
    ) -> Result<Vec<LostSlot>, StoreError>;

    /// What a tick fired.
    async fn of_cycle(&self, cycle: DateTime<Utc>, limit: u32) -> Result<Vec<FiredSlot>, StoreError>;

    /// What a tick fired, counted.
    async fn totals(&self, cycle: DateTime<Utc>) -> Result<SlotTotals, StoreError>;
}

/// What runs left behind that nobody is at any more.
///
/// # Contract
/// - `untold` are dead jobs of runs that no schedule called for ([`SlotStore::lost`] has those), that have an owner, ended at one instant
///   or after and at another or before, and of which the owner's log has no line `deliverable_run` under their own id: by when they
///   ended and then by id, from after the given place on. One without a key is left out when a version of its deliverable ended since.
/// - `left` are versions of all users whose run has not ended, and that nobody opened, held or moved on since an instant: by when
///   somebody did last and then by id, from after the given place on.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
///
/// # Concurrency
/// Any number of readers.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait LeftRuns: Send + Sync + 'static {
    /// Runs that were given up, of which nobody was told.
    async fn untold(
        &self,
        since: DateTime<Utc>,
        before: DateTime<Utc>,
        after: Option<(DateTime<Utc>, JobId)>,
        limit: u32,
    ) -> Result<Vec<DeadRun>, StoreError>;

    /// Versions that nobody goes on with.
    async fn left(
        &self,
        before: DateTime<Utc>,
        after: Option<(DateTime<Utc>, VersionId)>,
        limit: u32,
    ) -> Result<Vec<LeftVersion>, StoreError>;
}

/// What people made of versions. It is written with [`VersionStore::decide`].
///
/// # Contract
/// - `given` are versions with edits or notes, whatever their status, newest first.
/// - `scores` are the distances of versions that were edited, newest first.
/// - Another user's version does not exist.
///
/// # Errors
/// `NotFound`, `Unavailable`, `Corrupt`.
///
/// # Concurrency
/// Any number of readers.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait FeedbackStore: Send + Sync + 'static {
    /// What was made of one version; empty when nothing was.
    async fn of_version(&self, user: UserId, version: VersionId) -> Result<Feedback, StoreError>;

    /// The newest feedback on a deliverable.
    async fn given(&self, user: UserId, deliverable: DeliverableId, limit: u32) -> Result<Vec<Feedback>, StoreError>;

    /// The newest scores of a deliverable.
    async fn scores(&self, user: UserId, deliverable: DeliverableId, limit: u32) -> Result<Vec<f64>, StoreError>;
}

/// How deliverables come to be by themselves, and what becomes of those.
///
/// # Contract
/// - `suggest` stores a paused deliverable without a next run, and its version 1 with the status `suggested`, in one transaction.
/// - `suggested` are those versions of a user whose deliverable is not archived, newest first.
/// - `enable` makes the deliverable of a suggested version active, with the given next run; the version is `approved` from then on.
/// - `dismiss` deletes a suggested version and archives its deliverable.
/// - `promote` gives a deliverable that a signal made, and that has no schedule, one; how it was born stays.
/// - `enable` and `promote` keep to their `slots`, as [`DeliverableStore::resume`] does.
/// - What is no longer as these verbs need it is a `Conflict`; another user's does not exist.
///
/// # Errors
/// `NotFound`, `Conflict`, `OverLimit`, `Unavailable`, `Corrupt`.
///
/// # Concurrency
/// Of many who decide about one suggestion exactly one succeeds.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait LifecycleStore: Send + Sync + 'static {
    /// Stores a suggestion.
    async fn suggest(&self, suggestion: NewSuggestion) -> Result<(), StoreError>;

    /// Suggestions that wait.
    async fn suggested(&self, user: UserId, limit: u32) -> Result<Vec<Suggestion>, StoreError>;

    /// Takes one up.
    async fn enable(&self, enable: EnableSuggestion) -> Result<(), StoreError>;

    /// Drops one.
    async fn dismiss(&self, user: UserId, version: VersionId, at: DateTime<Utc>) -> Result<(), StoreError>;

    /// Makes one come again by schedule.
    async fn promote(&self, promote: PromoteDeliverable) -> Result<(), StoreError>;
}

/// What waits for events, and what became of them.
///
/// # Contract
/// - `listen` sets or takes away what a deliverable waits for; it has no schedule then. It keeps to its `slots`, as
///   [`DeliverableStore::resume`] does.
/// - `listening` are the active deliverables of a user that wait for events of a platform, in the order of creation.
/// - `fire` logs an event once for each deliverable. One that comes when so many runs were set going under its key since the given
///   instant is skipped; else its job is enqueued in the same transaction. A job that is refused is logged as failed.
/// - Another user's deliverable does not exist.
///
/// # Errors
/// `NotFound`, `OverLimit`, `Unavailable`, `Corrupt`.
///
/// # Concurrency
/// Of many events at once no more than allowed set a run going, and one event does so once.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait EventStore: Send + Sync + 'static {
    /// Waits for this from now on.
    async fn listen(&self, listen: Listen) -> Result<(), StoreError>;

    /// What waits for events of a platform.
    async fn listening(&self, user: UserId, platform: Platform) -> Result<Vec<(Deliverable, EventTrigger)>, StoreError>;

    /// Decides and logs what an event does.
    async fn fire(&self, event: FireEvent) -> Result<Fired, StoreError>;
}
