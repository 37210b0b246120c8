//! When things happen by themselves: local time, and what comes back in it; ticks, and the phases of a tick.
//!
//! An ability: it knows no feature. Start at [`Schedule`] and at [`Phases::tick`]. A schedule is local wall-clock time in a zone.
//! Where the clocks skip a time, the first instant after counts; where they show it twice, the first does. A tick is called from
//! outside every five minutes; whatever it does is a row first, so that ticks may overlap, be missed, or be killed.

mod cron;
mod cycle;
mod local_time;
mod model;
mod per_user;
mod phase;
mod phases;
mod recurrence;
mod slot;
mod store;
mod stored;
#[cfg(test)]
mod sweep;
mod words;

pub use cron::{Cron, InvalidCron};
pub use cycle::{Gate, TICK, cycle_key, cycle_of};
pub use local_time::{LocalTime, instant_of, zone_named, zone_of};
pub use model::{ClaimPhase, Counters, PhaseClaim, PhaseEnd, PhaseLease, PhaseRow, PhaseState};
pub use per_user::{PerUser, PerUserPhase};
pub use phase::{Phase, PhaseCx};
pub use phases::{PhaseReport, Phases, PhasesParts, RanPhase, TickReport};
pub use recurrence::{Frequency, Schedule};
pub use slot::{ClockChange, Slot};
#[cfg(feature = "testing")]
pub use store::MockPhaseStore;
pub use store::PhaseStore;
pub use words::InvalidSchedule;
