//! The port of the phases' slots.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{ClaimPhase, PhaseClaim, PhaseEnd, PhaseLease, PhaseRow};
use crate::error::StoreError;

/// Slots of phases, each run once.
///
/// # Contract
/// - `claim` hands a slot to one claimant only: when it has no row, has failed, its lease is over, its holder is the one named
///   as gone, or it was done in advance ([`ClaimPhase::in_advance`]). One that is done otherwise stays done. It draws a new token.
/// - `renew` and `finish` need the token of the last claim, of a slot that is still running; else they are a `Conflict` and change
///   nothing.
/// - `of_cycle` answers the slots that a tick ran, in the order in which they were begun.
/// - `latest` answers when a slot of a phase was last done, of those that were done by an instant if there is one.
/// - `unfinished` answers ticks before an instant that ran something and did not do the phase that ends each of them, oldest first.
/// - `prune` deletes the oldest first, at most as many as asked for.
///
/// # Errors
/// `Conflict`, `Unavailable`, `Corrupt`.
///
/// # Concurrency
/// Any number of ticks; of several claims of a slot one succeeds.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait PhaseStore: Send + Sync + 'static {
    /// Asks for a slot.
    async fn claim(&self, claim: ClaimPhase) -> Result<PhaseClaim, StoreError>;

    /// Keeps the right to run it.
    async fn renew(&self, lease: &PhaseLease, until: DateTime<Utc>) -> Result<(), StoreError>;

    /// Ends it.
    async fn finish(&self, lease: &PhaseLease, end: PhaseEnd) -> Result<(), StoreError>;

    /// What a tick ran.
    async fn of_cycle(&self, cycle: DateTime<Utc>) -> Result<Vec<PhaseRow>, StoreError>;

    /// When a slot of a phase was last done, as far as was known at an instant; none for whatever is known.
    async fn latest(&self, phase: &str, by: Option<DateTime<Utc>>) -> Result<Option<DateTime<Utc>>, StoreError>;

    /// Ticks from one instant to before another that did not do the given phase; at most `limit`.
    async fn unfinished(
        &self,
        last_phase: &str,
        from: DateTime<Utc>,
        before: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<DateTime<Utc>>, StoreError>;

    /// Deletes some slots that were last run by a tick before an instant and that nobody has been at since, in one transaction; answers
    /// how many. Less than the limit: there are no more.
    async fn prune(&self, before: DateTime<Utc>, limit: u32) -> Result<u64, StoreError>;
}
