//! F1: brings what a platform client reads into the content store. The only door through which content enters.
//!
//! Start at [`Sync::run`]. The port is [`ContentStore`]. What is read back here comes from the store alone.

mod gaps;
mod model;
mod place;
mod reader;
mod resource;
mod run;
mod store;

pub use model::{
    BeginRun, ContentQuery, Counts, Finished, MAX_CONTENT_CHARS, NewItem, Origin, PageCommit, Place, Progress, Receipt,
    ResourceStatus, Retain, RetainReason, RunHandle, RunMode, RunPart, RunToken, StoredItem,
};
pub use resource::{AuditWish, LiveOutcome, LiveResource, first_window};
pub use run::{ResourceOutcome, SourceOutcome, Sync, SyncEvent, SyncOptions};
pub use store::ContentStore;
#[cfg(feature = "testing")]
pub use store::MockContentStore;
