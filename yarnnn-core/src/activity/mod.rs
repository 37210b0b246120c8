//! The append-only log of what the system did for a user (dossier §12).
//!
//! Features do not write it themselves: a line travels inside the commit of what it reports, so that neither is there
//! without the other. [`ActivityLog`] reads it back.

mod model;
mod store;

pub use model::{Activity, ActivityKind, NewActivity};
pub use store::ActivityLog;
#[cfg(feature = "testing")]
pub use store::MockActivityLog;
