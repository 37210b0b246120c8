//! The phase of a tick that fires what is due, of all users.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures::stream::{Stream, TryStreamExt as _, try_unfold};

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
        let pages = self.deliverables.due_pages(cx);
        let fired = pages.map_ok(|page| self.deliverables.fire(page, firing)).try_buffer_unordered(AT_ONCE);
        let fired = fired.try_fold(Fired::default(), async |sum, more| Ok(added(sum, more))).await?;
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
    /// What is due of all users, page by page.
    fn due_pages<'a>(&'a self, cx: &'a PhaseCx) -> impl Stream<Item = Result<Vec<DueSlot>, Error>> + 'a {
        try_unfold(Some(None), async |place| {
            let Some(after) = place else { return Ok(None) };
            cx.check()?;
            let page = self.due_anywhere(cx.now, after, BATCH).await?;
            let last = page.last().filter(|_| page.len() == BATCH as usize);
            let next = last.map(|it| Some((it.due_at, it.deliverable)));
            Ok(Some((page, next)))
        })
    }

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
