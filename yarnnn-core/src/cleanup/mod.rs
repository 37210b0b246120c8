//! F6: deletes what nobody may read any more, and says to each user how much of theirs it was.
//!
//! Start at [`Cleanup`]. What a report cites or a person imported is retained and never expires.

mod phase;
mod run;
mod store;

pub use phase::CleanUp;
pub use run::{Clean, Cleanup, TidySignals};
#[cfg(feature = "testing")]
pub use store::MockRetention;
pub use store::Retention;
