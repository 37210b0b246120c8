//! What starts runs: slots of schedules, and events; and what becomes of runs that nobody is at any more.

pub(super) mod due;
pub(super) mod events;
pub(super) mod fire;
pub(super) mod left;
mod lost;
pub(super) mod phase;
pub(super) mod slot;
