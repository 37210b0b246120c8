//! F1 over live connections: who is due, what of a connection is read, and what honestly came of it.
//!
//! One resource is read by [`crate::sync`]; this feature decides which ones, in which order, and adds up. Start at
//! [`PlatformSync::run`].

mod job;
mod listing;
mod model;
mod run;
pub mod schedule;
mod sources;
mod tick;

pub use job::SyncConnection;
pub use listing::{Coverage, Frozen, Source};
pub use model::{SyncOutcome, SyncRequest, SyncTrigger, SyncedPlatform, SyncedResource, TickReport};
pub use run::{PlatformSync, SyncProgress, SyncWatch};
pub use sources::Backfilled;
