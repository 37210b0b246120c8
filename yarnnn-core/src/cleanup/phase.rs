//! The phase of a tick that deletes, once in an hour, what has expired: content, sign-ins, and what is known of old signals,
//! events and ticks.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::TimeDelta;

use super::{Cleanup, TidySignals};
use crate::deliverables::Deliverables;
use crate::error::Error;
use crate::scheduler::{Counters, Gate, Phase, PhaseCx, PhaseStore, cycle_key};

/// Users that are looked for at once.
const PAGE: u32 = 500;
/// How long a sign-in may take (dossier §2.3).
const SIGN_IN: TimeDelta = TimeDelta::minutes(10);
/// A job that ended badly before is not tried again by a person in the same breath.
const TRIED: TimeDelta = TimeDelta::hours(1);
/// How long ticks are remembered.
const TICKS: TimeDelta = TimeDelta::days(30);

/// Cleans up.
pub struct CleanUp {
    cleanup: Cleanup,
    ticks: Arc<dyn PhaseStore>,
    deliverables: Deliverables,
}

impl std::fmt::Debug for CleanUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CleanUp").finish_non_exhaustive()
    }
}

impl CleanUp {
    /// The name of the phase.
    pub const NAME: &'static str = "cleanup";

    /// Cleans up by this feature, in this table of ticks, and what was fired of these and nobody is at any more.
    pub const fn new(cleanup: Cleanup, ticks: Arc<dyn PhaseStore>, deliverables: Deliverables) -> Self {
        Self { cleanup, ticks, deliverables }
    }

    /// All content that has expired. Each user's is one transaction, so a tick that is killed loses nothing that it has told.
    async fn content(&self, cx: &PhaseCx, counters: &mut Counters) -> Result<(), Error> {
        let (key, mut after) = (cycle_key(cx.cycle), None);
        loop {
            let owners = self.cleanup.retention.owners(cx.now, after, PAGE).await?;
            for owner in &owners {
                cx.check()?;
                let deleted = self.cleanup.clean(*owner, cx.now, key).await?;
                counters.add("deleted", deleted);
                counters.add("users", u64::from(deleted > 0));
            }
            after = owners.last().copied();
            if owners.len() < PAGE as usize {
                return Ok(());
            }
        }
    }
}

#[async_trait]
impl Phase for CleanUp {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn gate(&self) -> Gate {
        Gate::Hourly
    }

    async fn run(&self, cx: &PhaseCx) -> Result<Counters, Error> {
        let mut counters = Counters::default();
        self.content(cx, &mut counters).await?;
        counters.add("sign_ins", self.cleanup.retention.forget_sign_ins(cx.now - SIGN_IN).await?);
        counters.add("slots_ended", self.deliverables.end_lost(cx, cx.now - TRIED).await?);
        counters.add("signals", self.cleanup.retention.tidy_signals(TidySignals::of(cx.now)).await?);
        counters.add("ticks", self.ticks.prune(cx.now - TICKS).await?);
        Ok(counters)
    }
}
