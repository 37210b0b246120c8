//! Ticks of the clock: what is due is enqueued, or run here. One tick is one call; whoever calls decides how often.

mod clock;
mod inline;
mod platform_sync;
mod program;
mod unified_scheduler;

pub use clock::ShiftedClock;
pub use inline::WorkedJob;
pub use platform_sync::{PlatformSyncTick, RanSync, TickMode, platform_sync};
pub use program::{error_text, instant, stop_token};
pub use unified_scheduler::{SchedulerTick, SlotLine, unified_scheduler};
