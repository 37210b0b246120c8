//! Export files and folders into the store: what `yarnnn import` does, as a job.
//!
//! Reading is a [`Sync`](crate::sync::Sync) run over a client for files; this feature opens paths, goes through what they hold,
//! and adds up what became of it. Start at [`Imports::run`].

mod job;
mod model;
mod open;
mod run;

pub use job::ImportExports;
pub use model::{ImportReport, ImportRequest, ImportedSource, NotImported};
pub use open::{FoundSource, OpenExports, OpenedPath};
pub use run::{ImportProgress, ImportWatch, Imports};
