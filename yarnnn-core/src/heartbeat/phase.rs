//! The phase that ends a tick.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures::stream::{Stream, TryStreamExt as _, try_unfold};
use serde_json::json;
use uuid::Uuid;

use super::{AskNumbers, HeartbeatStore, UserNumbers};
use crate::activity::{ActivityKind, NewActivity};
use crate::clock::Clock;
use crate::error::Error;
use crate::id::{ActivityId, IdGen};
use crate::scheduler::{Counters, Gate, Phase, PhaseCx, PhaseRow, PhaseStore, TICK, cycle_key};

/// Users that are told in one transaction.
const PAGE: u32 = 500;
/// Transactions at once: while one is being written the next is read.
const AT_ONCE: usize = 3;

/// Tells each user what was done for them.
pub struct Heartbeat {
    store: Arc<dyn HeartbeatStore>,
    ticks: Arc<dyn PhaseStore>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGen>,
}

impl fmt::Debug for Heartbeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Heartbeat").finish_non_exhaustive()
    }
}

/// What is the same for all users.
struct Told {
    cycle: DateTime<Utc>,
    key: Uuid,
    started_at: DateTime<Utc>,
    completed_at: DateTime<Utc>,
    errors: Option<Vec<String>>,
}

impl Heartbeat {
    /// The name of the phase.
    pub const NAME: &'static str = "heartbeat";

    /// Counts by this port, in this table of ticks.
    pub const fn new(
        store: Arc<dyn HeartbeatStore>,
        ticks: Arc<dyn PhaseStore>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdGen>,
    ) -> Self {
        Self { store, ticks, clock, ids }
    }

    /// Where the tick's own stretch begins: at the tick before, also if that is still at work; else at the last that told anything.
    async fn since(&self, cx: &PhaseCx) -> Result<DateTime<Utc>, Error> {
        let before = cx.cycle - TICK;
        let is_at_work = !self.ticks.of_cycle(before).await?.is_empty();
        Ok(if is_at_work { before } else { cx.previous.unwrap_or(before) })
    }

    /// Those for whom the tick did something, page by page.
    fn pages<'a>(&'a self, cx: &'a PhaseCx, first: AskNumbers) -> impl Stream<Item = Result<Vec<UserNumbers>, Error>> + 'a {
        try_unfold(Some(first), async |ask| {
            let Some(ask) = ask else { return Ok(None) };
            cx.check()?;
            let page = self.store.numbers(&ask).await?;
            let last = page.last().filter(|_| page.len() == PAGE as usize);
            let next = last.map(|it| AskNumbers { after: Some(it.user), ..ask });
            Ok(Some((page, next)))
        })
    }

    /// How many were told.
    async fn tell(&self, told: &Told, page: Vec<UserNumbers>) -> Result<u64, Error> {
        let lines = page.iter().map(|it| (it.user, self.line(told, it))).collect();
        self.store.tell(lines, told.completed_at).await?;
        Ok(page.len() as u64)
    }

    fn line(&self, told: &Told, numbers: &UserNumbers) -> NewActivity {
        let UserNumbers { fired, skipped, signals, cleaned, .. } = *numbers;
        let triggered = fired.saturating_sub(skipped);
        NewActivity {
            id: ActivityId::fresh(self.ids.as_ref()),
            kind: ActivityKind::SchedulerHeartbeat,
            key: told.key,
            summary: format!("Scheduler cycle: {triggered}/{fired} items processed"),
            metadata: json!({
                "deliverables_checked": fired,
                "deliverables_triggered": triggered,
                "deliverables_skipped": skipped,
                "signals_created": signals,
                "items_cleaned": cleaned,
                "errors": told.errors,
                "cycle": told.cycle,
                "cycle_started_at": told.started_at,
                "cycle_completed_at": told.completed_at,
            }),
        }
    }
}

/// What failed in the tick: which phases, not whose data they stumbled over.
fn errors(rows: &[PhaseRow]) -> Option<Vec<String>> {
    let failed: Vec<_> = rows.iter().filter(|it| it.error.is_some()).map(|it| format!("{} failed", it.phase)).collect();
    (!failed.is_empty()).then_some(failed)
}

#[async_trait]
impl Phase for Heartbeat {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn gate(&self) -> Gate {
        Gate::EachTick
    }

    async fn run(&self, cx: &PhaseCx) -> Result<Counters, Error> {
        let rows = self.ticks.of_cycle(cx.cycle).await?;
        let since = self.since(cx).await?;
        let told = Told {
            cycle: cx.cycle,
            key: cycle_key(cx.cycle),
            // What is made in advance began before its time.
            started_at: rows.first().map_or(cx.now, |it| it.started_at.max(cx.cycle)),
            completed_at: self.clock.now(),
            errors: errors(&rows),
        };
        let ask = AskNumbers { cycle: cx.cycle, since, cleanup: told.key, after: None, limit: PAGE };
        let users = self.pages(cx, ask).map_ok(|page| self.tell(&told, page)).try_buffer_unordered(AT_ONCE);
        let mut counters = Counters::default();
        counters.add("users", users.try_fold(0, async |sum, more| Ok(sum + more)).await?);
        Ok(counters)
    }
}
