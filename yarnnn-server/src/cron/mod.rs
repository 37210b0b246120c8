//! Ticks of the clock: what is due is enqueued, or run here. One tick is one call; whoever calls decides how often.

mod clock;
mod platform_sync;

pub use clock::ShiftedClock;
pub use platform_sync::{PlatformSyncTick, RanSync, TickMode, platform_sync};
