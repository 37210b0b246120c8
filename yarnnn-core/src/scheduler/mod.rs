//! When things happen by themselves: local time, and what comes back in it.
//!
//! An ability: it knows no feature. Start at [`Schedule`]. A schedule is local wall-clock time in a zone. Where the clocks skip
//! a time, the first instant after counts; where they show it twice, the first does.

mod cron;
mod local_time;
mod recurrence;
mod slot;
mod stored;
#[cfg(test)]
mod sweep;
mod words;

pub use cron::{Cron, InvalidCron};
pub use local_time::{LocalTime, instant_of, zone_named, zone_of};
pub use recurrence::{Frequency, Schedule};
pub use slot::{ClockChange, Slot};
pub use words::InvalidSchedule;
