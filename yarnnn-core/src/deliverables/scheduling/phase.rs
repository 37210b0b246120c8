//! The phase of a tick that fires what is due, of all users.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures::TryStreamExt as _;
use futures::stream::FuturesUnordered;

use super::super::run::Deliverables;
use super::fire::{Fired, Firing};
use super::slot::{DueSlot, FiredSlot, SlotTotals};
use crate::error::Error;
use crate::id::{DeliverableId, UserId};
use crate::scheduler::{Counters, Gate, Phase, PhaseCx};

/// Slots that are fired in one transaction.
const BATCH: u32 = 1_000;
/// Transactions at once: while one is being written another is prepared.
const AT_ONCE: usize = 3;
/// Problems that are told one by one.
const TOLD: usize = 10;

/// Fires what is due.
#[derive(Debug, Clone)]
pub struct FireDue {
    deliverables: Deliverables,
    spread: bool,
}

impl FireDue {
    /// The name of the phase.
    pub const NAME: &'static str = "deliverables";

    /// Fires the deliverables of this feature. Late runs are spread, unless whoever runs them takes them one after the other anyway.
    pub const fn new(deliverables: Deliverables, spread: bool) -> Self {
        Self { deliverables, spread }
    }
}

#[async_trait]
impl Phase for FireDue {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn gate(&self) -> Gate {
        Gate::EachTick
    }

    async fn run(&self, cx: &PhaseCx) -> Result<Counters, Error> {
        let firing = Firing { lease: Some(&cx.lease), cycle: Some(cx.cycle), spread: self.spread, now: cx.now };
        let (mut fired, mut at_work, mut after) = (Fired::default(), FuturesUnordered::new(), None);
        loop {
            cx.check()?;
            let page = self.deliverables.due_anywhere(cx.now, after, BATCH).await?;
            let is_last = page.len() < BATCH as usize;
            after = page.last().map(|it| (it.due_at, it.deliverable));
            at_work.push(self.deliverables.fire(page, firing));
            while at_work.len() >= if is_last { 1 } else { AT_ONCE } {
                fired = added(fired, at_work.try_next().await?.unwrap_or_default());
            }
            if is_last {
                break;
            }
        }
        for problem in fired.problems.iter().take(TOLD) {
            tracing::error!(problem, "a schedule cannot be fired as it is stored");
        }
        let mut counters = Counters::default();
        counters.add("fired", fired.fired.len() as u64);
        counters.add("unreadable", fired.problems.len() as u64);
        Ok(counters)
    }
}

type Place = (DateTime<Utc>, DeliverableId);

fn added(mut sum: Fired, more: Fired) -> Fired {
    sum.fired.extend(more.fired);
    sum.problems.extend(more.problems);
    sum
}

impl Deliverables {
    async fn due_anywhere(&self, now: DateTime<Utc>, after: Option<Place>, limit: u32) -> Result<Vec<DueSlot>, Error> {
        Ok(self.parts.slots.due_anywhere(now, after, limit).await?)
    }

    /// What the next tick would fire, of all users: the first so many. Nothing is changed.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn due_preview(&self, now: DateTime<Utc>, limit: u32) -> Result<Vec<DueSlot>, Error> {
        self.due_anywhere(now, None, limit).await
    }

    /// The slots that a tick fired, counted.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn slot_totals(&self, cycle: DateTime<Utc>) -> Result<SlotTotals, Error> {
        Ok(self.parts.slots.totals(cycle).await?)
    }

    /// The first slots that a tick fired.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn slots_of(&self, cycle: DateTime<Utc>, limit: u32) -> Result<Vec<FiredSlot>, Error> {
        Ok(self.parts.slots.of_cycle(cycle, limit).await?)
    }

    /// The title of a deliverable.
    ///
    /// # Errors
    /// `NotFound` and those of the store.
    pub async fn title(&self, user: UserId, id: DeliverableId) -> Result<String, Error> {
        Ok(self.parts.deliverables.get(user, id).await?.title)
    }
}
