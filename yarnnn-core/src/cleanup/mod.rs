//! F6: deletes what nobody may read any more, and says to each user how much of theirs it was; and what was kept for long enough.
//!
//! Start at [`Cleanup`], and at [`Old`] for what is kept how long. What a report cites or a person imported is retained and never
//! expires.

mod old;
mod phase;
mod run;
mod store;

pub use old::Old;
pub use phase::CleanUp;
pub use run::{Clean, Cleanup};
#[cfg(feature = "testing")]
pub use store::MockRetention;
pub use store::{EndedPasses, PassPlace, Retention};
