//! The heartbeat: with each tick, one line for each user for whom it did something, with the user's own numbers.
//!
//! A tick that did nothing for a user writes the user nothing: that it was made stands in the table of ticks, once for all.
//! Numbers are counted from rows, never from what a process remembers, so that a tick which is killed and ended by another tells the
//! same. Start at [`Heartbeat`], the phase that ends each tick.

mod model;
mod phase;
mod store;

pub use model::{AskNumbers, UserNumbers};
pub use phase::Heartbeat;
pub use store::HeartbeatStore;
#[cfg(feature = "testing")]
pub use store::MockHeartbeatStore;
