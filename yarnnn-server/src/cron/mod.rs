//! Ticks of the clock: what is due is enqueued, or run here. One tick is one call; whoever calls decides how often.

mod clock;
mod inline;
mod platform_sync;
mod tick;
mod unified_scheduler;

pub use clock::ShiftedClock;
pub use inline::WorkedJob;
pub use platform_sync::{PlatformSyncTick, RanSync, TickMode, platform_sync};
pub use tick::{instant, stop_token};
pub use unified_scheduler::{SchedulerTick, SlotLine, unified_scheduler};
