//! What starts runs: slots of schedules, and events.

pub(super) mod due;
pub(super) mod events;
pub(super) mod fire;
mod lost;
pub(super) mod phase;
pub(super) mod slot;
