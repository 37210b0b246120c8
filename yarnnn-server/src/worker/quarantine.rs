//! Jobs whose process died twice run alone: when nothing runs they are taken at once, else the worker makes room for them.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use yarnnn_core::StoreError;
use yarnnn_core::jobs::{Claim, NextDue};

use super::backoff::{draw, jittered};
use super::shared::Shared;
use super::start::start;

/// How often to look for one.
const LOOK: Duration = Duration::from_secs(1);
/// How long one may wait for an idle worker before a busy one makes room.
const PATIENCE: Duration = Duration::from_secs(2);
/// Over which time busy workers step in: far apart, so that the first one has it before all stand still for it.
const SPREAD: Duration = Duration::from_secs(20);
/// How long to wait for the jobs at hand, the first time. After that for as long as they take: their limits end them.
const HOLD: Duration = Duration::from_secs(30);
const FAR: Duration = Duration::from_hours(24 * 365);
/// After waiting for them in vain.
const REST: Duration = Duration::from_mins(1);

/// Jobs in quarantine, as one worker sees them.
pub(super) struct Quarantine {
    look_at: Instant,
    /// Since when one is due.
    due_since: Option<Instant>,
    /// When this worker, unless it is idle before, steps in; never the same for two workers.
    step_in_at: Instant,
    hold_until: Option<Instant>,
    /// Whether it made room in vain.
    was_in_vain: bool,
}

/// What else the worker may claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Anything.
    Open,
    /// Nothing for now.
    Held,
}

impl Quarantine {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self { look_at: now, due_since: None, step_in_at: now, hold_until: None, was_in_vain: false }
    }

    /// When to look again.
    pub(super) const fn look_at(&self) -> Instant {
        self.look_at
    }

    /// Takes a job in quarantine if nothing runs; says whether others may be claimed. Room is made only if slots are not already
    /// kept free for something else.
    pub(super) async fn step(&mut self, shared: &Arc<Shared>, may_hold: bool) -> Result<Turn, StoreError> {
        let now = Instant::now();
        if shared.slots.is_alone() {
            self.look_at = now + LOOK;
            return Ok(Turn::Held);
        }
        if now >= self.look_at {
            self.look(shared, now).await?;
        }
        if self.due_since.is_none() {
            return Ok(Turn::Open);
        }
        if shared.slots.is_empty() {
            return self.claim(shared).await;
        }
        // Code that cannot be ended keeps its slot for ever: here it would never be alone.
        Ok(self.make_room(now, may_hold && !shared.slots.has_stuck()))
    }

    async fn look(&mut self, shared: &Shared, now: Instant) -> Result<(), StoreError> {
        self.look_at = now + jittered(LOOK, shared.jobs.ids.as_ref());
        let due = NextDue { kinds: Some(shared.groups.names()), lanes: shared.config.lanes.clone(), alone: true };
        let is_due = shared.jobs.queue.next_due(&due).await?.is_some_and(|it| it.is_zero());
        if !is_due {
            self.rest();
        } else if self.due_since.is_none() {
            self.due_since = Some(now);
            let spread = SPREAD.mul_f64(draw(shared.jobs.ids.as_ref()));
            self.step_in_at = self.step_in_at.max(now + PATIENCE + spread);
        }
        Ok(())
    }

    async fn claim(&mut self, shared: &Arc<Shared>) -> Result<Turn, StoreError> {
        let asked = Instant::now();
        let claim = Claim {
            kinds: Some(shared.groups.names()),
            lanes: shared.config.lanes.clone(),
            alone: true,
            ..Claim::any(shared.worker().clone(), 1, shared.config.lease)
        };
        let claimed = shared.claim(claim).await?;
        self.rest();
        let turn = if claimed.is_empty() { Turn::Open } else { Turn::Held };
        for it in claimed {
            start(shared, it, asked, true);
        }
        Ok(turn)
    }

    /// None is due any more.
    fn rest(&mut self) {
        (self.due_since, self.hold_until, self.was_in_vain) = (None, None, false);
    }

    fn make_room(&mut self, now: Instant, may_hold: bool) -> Turn {
        match self.hold_until {
            Some(until) if now >= until || !may_hold => {
                (self.hold_until, self.was_in_vain) = (None, true);
                self.step_in_at = now + REST;
                Turn::Open
            }
            Some(_) => Turn::Held,
            None if now >= self.step_in_at && may_hold => {
                tracing::info!("making room for a job that has to run alone");
                self.hold_until = Some(now + if self.was_in_vain { FAR } else { HOLD });
                Turn::Held
            }
            None => Turn::Open,
        }
    }
}
