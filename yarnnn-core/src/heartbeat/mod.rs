//! The heartbeat: with each tick, one line for each user whom the scheduler serves, with the user's own numbers.
//!
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
