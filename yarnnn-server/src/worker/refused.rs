//! An end that the store refused: tried again for minutes, because much that refuses passes (a standby that is promoted, a
//! migration under way); then something plainer is written in its place, and at last its lease is let go.

use std::time::Duration;

use tokio::time::Instant;
use yarnnn_core::StoreError;
use yarnnn_core::id::IdGen;
use yarnnn_core::jobs::Outcome;

use super::backoff::jittered;
use super::slots::{Done, KEPT_UNWRITTEN};

/// How often, and over how long, an end is refused before a bare failure may take its place.
const REFUSALS: u32 = 5;
const REFUSED_FOR: Duration = Duration::from_mins(1);
/// Between two tries.
const SHORTEST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);

/// An end that the store refused.
pub(super) struct Refused {
    pub(super) done: Done,
    since: Instant,
    tried_at: Instant,
    refusals: u32,
    pause: Duration,
}

/// What to do about it.
pub(super) enum Next {
    /// Try again later.
    Retry,
    /// Write this in its place, once; the end itself is kept, and comes first the next time.
    Instead(Done),
    /// Let the job go.
    GiveUp,
}

impl Refused {
    /// Refused as one of a batch: nothing is known yet of itself.
    pub(super) fn new(done: Done) -> Self {
        let now = Instant::now();
        Self { done, since: now, tried_at: now, refusals: 0, pause: Duration::ZERO }
    }

    /// When to try it again.
    pub(super) fn retry_at(&self, hurry: bool) -> Instant {
        self.tried_at + if hurry { self.pause.min(SHORTEST) } else { self.pause }
    }

    /// Whether it was refused so often, and for so long, that it may be its own fault.
    pub(super) fn is_ripe(&self) -> bool {
        self.refusals >= REFUSALS && self.since.elapsed() >= REFUSED_FOR
    }

    /// It was refused once more; by its own fault if the store took others just before.
    pub(super) fn again(&mut self, error: &StoreError, is_its_fault: bool, ids: &dyn IdGen) -> Next {
        self.tried_at = Instant::now();
        self.pause = jittered(SHORTEST.saturating_mul(1 << self.refusals.min(6)).min(LONGEST), ids);
        self.refusals = self.refusals.saturating_add(1);
        if !is_its_fault {
            return Next::Retry;
        }
        if self.since.elapsed() > KEPT_UNWRITTEN {
            return Next::GiveUp;
        }
        self.instead(error).map_or(Next::Retry, Next::Instead)
    }

    /// What any store can hold. What says nothing of its own has no plainer form.
    fn instead(&self, error: &StoreError) -> Option<Done> {
        let says_something = !matches!(self.done.outcome, Outcome::HandedBack | Outcome::Cancelled);
        let outcome = Outcome::failed(format!("its end could not be stored: {error}"));
        says_something.then(|| Done { lease: self.done.lease.clone(), outcome })
    }
}
