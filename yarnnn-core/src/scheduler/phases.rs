//! The registry of phases, and a tick: each of them once, then the one that ends the tick.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::{Either, select};
use serde::Serialize;

use super::cycle::{LATE, TICK, comes, cycle_of};
use super::{ClaimPhase, Counters, Phase, PhaseClaim, PhaseCx, PhaseEnd, PhaseLease, PhaseRow, PhaseState, PhaseStore};
use crate::clock::Clock;
use crate::error::{Error, StoreError};
use crate::id::IdGen;
use crate::pipeline::{CancelToken, Holder, Liveness};

/// How long a tick may be silent before another takes over. A dead process of this host is noticed at once.
const LEASE: TimeDelta = TimeDelta::minutes(10);
/// How often a tick that is at work says so.
const BEAT: Duration = Duration::from_mins(1);
/// Ticks that were killed are ended by later ones, so far back and so many at a time.
const LOOKS_BACK: TimeDelta = TimeDelta::days(1);
const ENDED_AT_ONCE: u32 = 6;

/// What ticks are made of.
#[derive(Clone)]
pub struct PhasesParts {
    /// Slots.
    pub store: Arc<dyn PhaseStore>,
    /// Processes of this host.
    pub liveness: Arc<dyn Liveness>,
    /// The time that passes, also where a tick is made as of another: for leases, and to tell what was made in advance.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub ids: Arc<dyn IdGen>,
}

/// All phases in their order, and the one that ends each tick.
#[derive(Clone)]
pub struct Phases {
    parts: PhasesParts,
    each: Vec<Arc<dyn Phase>>,
    last: Arc<dyn Phase>,
}

impl fmt::Debug for Phases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.each.iter().chain([&self.last]).map(|it| it.name())).finish()
    }
}

/// What became of a phase in a tick.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RanPhase {
    /// It was done here.
    Done,
    /// It had been done for this slot before.
    DoneBefore,
    /// Another tick is at it.
    Elsewhere,
    /// It failed.
    Failed(String),
}

/// A phase in a tick.
#[derive(Debug, Clone, Serialize)]
pub struct PhaseReport {
    /// Which phase.
    pub phase: &'static str,
    /// Which slot of it.
    pub slot: DateTime<Utc>,
    /// What became of it.
    pub ran: RanPhase,
    /// Whether it was late.
    pub late: bool,
    /// Slots before it that nobody ran.
    pub missed: u64,
    /// What it counted.
    pub counters: Counters,
}

/// What a tick did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct TickReport {
    /// As of when.
    pub at: DateTime<Utc>,
    /// The slot of the tick.
    pub cycle: DateTime<Utc>,
    /// Earlier ticks that had been killed, and were ended by this one.
    pub ended: Vec<DateTime<Utc>>,
    /// Whether the tick of this slot had ended before: then nothing was done.
    pub done_before: bool,
    /// Its phases in their order.
    pub phases: Vec<PhaseReport>,
    /// Whether it was asked to stop before its end.
    pub stopped: bool,
}

impl TickReport {
    /// What failed, by phase.
    pub fn errors(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.phases.iter().filter_map(|it| match &it.ran {
            RanPhase::Failed(error) => Some((it.phase, error.as_str())),
            _ => None,
        })
    }

    /// What a phase counted here.
    pub fn counters(&self, phase: &str) -> Counters {
        self.phases.iter().find(|it| it.phase == phase).map(|it| it.counters.clone()).unwrap_or_default()
    }
}

impl Phases {
    /// A tick of nothing but its end.
    pub const fn new(parts: PhasesParts, last: Arc<dyn Phase>) -> Self {
        Self { parts, each: vec![], last }
    }

    /// Does this too, after the phases given before and before the last.
    #[must_use]
    pub fn with(mut self, phase: Arc<dyn Phase>) -> Self {
        self.each.push(phase);
        self
    }

    /// One tick: ends what killed ticks left, then runs each phase whose slot nobody has run. Any number of ticks may overlap: each
    /// does what the others have not.
    ///
    /// # Errors
    /// Those of the table of slots. What befalls a phase is in the answer, and the others go on.
    pub async fn tick(&self, now: DateTime<Utc>, cancel: &CancelToken) -> Result<TickReport, Error> {
        let tick = Tick { phases: self, me: self.parts.liveness.me().of_run(self.parts.ids.uuid()), now, cancel };
        let cycle = cycle_of(now);
        // What killed ticks did is told late rather than what is due now.
        let ended = tick.end_earlier(cycle).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "earlier ticks were not ended, and will be by later ones");
            vec![]
        });
        let mut report = TickReport { at: now, cycle, ended, ..TickReport::default() };
        if tick.is_ended(cycle).await? {
            report.done_before = true;
            return Ok(report);
        }
        for phase in &self.each {
            if cancel.is_cancelled() {
                report.stopped = true;
                return Ok(report);
            }
            report.phases.push(tick.run(phase.as_ref(), phase.gate().slot(now), cycle).await?);
        }
        // Whoever is last ends it, and finds nothing that others are still at.
        if tick.is_idle(cycle).await? {
            report.phases.push(tick.run(self.last.as_ref(), cycle, cycle).await?);
        }
        report.stopped = cancel.is_cancelled();
        Ok(report)
    }
}

struct Tick<'a> {
    phases: &'a Phases,
    me: Holder,
    now: DateTime<Utc>,
    cancel: &'a CancelToken,
}

impl Tick<'_> {
    fn parts(&self) -> &PhasesParts {
        &self.phases.parts
    }

    async fn is_ended(&self, cycle: DateTime<Utc>) -> Result<bool, Error> {
        let rows = self.parts().store.of_cycle(cycle).await?;
        let now = self.parts().clock.now();
        let is_last = |it: &PhaseRow| it.phase == self.phases.last.name() && it.slot == cycle;
        Ok(rows.iter().any(|it| is_last(it) && it.is_done(now)))
    }

    async fn is_idle(&self, cycle: DateTime<Utc>) -> Result<bool, Error> {
        let rows = self.parts().store.of_cycle(cycle).await?;
        Ok(rows.iter().all(|it| it.state != PhaseState::Running))
    }

    /// Ends ticks that were killed: their last phase tells what they did. One whose process lives is left to it.
    async fn end_earlier(&self, cycle: DateTime<Utc>) -> Result<Vec<DateTime<Utc>>, Error> {
        let (store, last) = (&self.parts().store, &self.phases.last);
        let mut ended = Vec::new();
        for earlier in store.unfinished(last.name(), cycle - LOOKS_BACK, cycle, ENDED_AT_ONCE).await? {
            if self.cancel.is_cancelled() {
                break;
            }
            if self.close(earlier).await? && self.run(last.as_ref(), earlier, earlier).await?.ran == RanPhase::Done {
                ended.push(earlier);
            }
        }
        Ok(ended)
    }

    /// Takes what a dead tick was at out of its hands, for good; whether nobody living is at any of it.
    async fn close(&self, cycle: DateTime<Utc>) -> Result<bool, Error> {
        let rows = self.parts().store.of_cycle(cycle).await?;
        for row in rows.iter().filter(|it| it.state == PhaseState::Running && it.phase != self.phases.last.name()) {
            match self.claim(&row.phase, row.slot, TICK, cycle).await? {
                PhaseClaim::Taken { lease, .. } => {
                    let error = Some("the tick ended before it was done; later ones go on with it".to_owned());
                    let end = PhaseEnd { counters: row.counters.clone(), error, at: self.parts().clock.now() };
                    self.finish(&lease, end).await?;
                }
                PhaseClaim::Held(_) => return Ok(false),
                PhaseClaim::Done => {}
            }
        }
        Ok(true)
    }

    async fn claim(
        &self,
        phase: &str,
        slot: DateTime<Utc>,
        period: TimeDelta,
        cycle: DateTime<Utc>,
    ) -> Result<PhaseClaim, StoreError> {
        let at = self.parts().clock.now();
        let claim = |gone| ClaimPhase {
            phase: phase.to_owned(),
            slot,
            period,
            cycle,
            late: self.now - slot > LATE,
            holder: self.me.clone(),
            gone,
            until: at + LEASE,
            at,
        };
        match self.parts().store.claim(claim(None)).await? {
            PhaseClaim::Held(holder) if self.parts().liveness.is_gone(&holder) => {
                self.parts().store.claim(claim(Some(holder))).await
            }
            answer => Ok(answer),
        }
    }

    async fn run(&self, phase: &dyn Phase, slot: DateTime<Utc>, cycle: DateTime<Utc>) -> Result<PhaseReport, Error> {
        let late = self.now - slot > LATE;
        let mut report =
            PhaseReport { phase: phase.name(), slot, ran: RanPhase::Done, late, missed: 0, counters: Counters::default() };
        let (lease, previous, missed) = match self.claim(phase.name(), slot, phase.gate().period(), cycle).await? {
            PhaseClaim::Taken { lease, previous, missed } => (lease, previous, missed),
            PhaseClaim::Held(_) => return Ok(PhaseReport { ran: RanPhase::Elsewhere, ..report }),
            PhaseClaim::Done => return Ok(PhaseReport { ran: RanPhase::DoneBefore, ..report }),
        };
        report.missed = missed;
        let cancel = self.cancel.clone();
        let in_advance = self.parts().clock.now() < comes(slot);
        let cx = PhaseCx { now: self.now, cycle, slot, previous, late, missed, in_advance, lease: lease.clone(), cancel };
        let (counters, error) = match self.kept(&lease, phase.run(&cx)).await {
            Ok(counters) => (counters, None),
            Err(error) => (Counters::default(), Some(error.to_string())),
        };
        report.counters = counters.clone();
        if let Some(error) = &error {
            tracing::warn!(phase = phase.name(), %slot, error, "a phase failed");
            report.ran = RanPhase::Failed(error.clone());
        }
        let end = PhaseEnd { counters, error, at: self.parts().clock.now() };
        if !self.finish(&lease, end).await? {
            report.ran = RanPhase::Elsewhere;
        }
        Ok(report)
    }

    /// Ends a slot; whether it was still this tick's.
    async fn finish(&self, lease: &PhaseLease, end: PhaseEnd) -> Result<bool, Error> {
        match self.parts().store.finish(lease, end).await {
            Err(StoreError::Conflict { .. }) => Ok(false),
            finished => Ok(finished.map(|()| true)?),
        }
    }

    /// The work, as long as the right to it is kept: who lost it stops where it is.
    async fn kept(
        &self,
        lease: &PhaseLease,
        work: impl Future<Output = Result<Counters, Error>> + Send,
    ) -> Result<Counters, Error> {
        let beats = async {
            loop {
                tokio::time::sleep(BEAT).await;
                let until = self.parts().clock.now() + LEASE;
                match self.parts().store.renew(lease, until).await {
                    Err(error) if !error.is_transient() => return error,
                    _ => {}
                }
            }
        };
        match select(Box::pin(work), Box::pin(beats)).await {
            Either::Left((done, _)) => done,
            Either::Right((lost, _)) => Err(lost.into()),
        }
    }
}
