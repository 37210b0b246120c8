//! What is done to workers, a file for each thing that must hold. Start at [`Scenario`].

mod blocked;
mod capacity;
mod crash;
mod fairness;
mod keys;
mod kills;
mod live_model;
mod pauses;
mod refresh;
mod scenario;
mod takeover;
mod ticks;

pub(crate) use scenario::Scenario;
