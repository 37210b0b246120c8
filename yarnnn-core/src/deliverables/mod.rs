//! F3: standing report configurations and the versions that are written from them.

mod kinds;
mod model;
mod schedule;
mod store;
mod version;

pub use kinds::{Binding, Kind, KindProfile, TemporalPattern, UnknownType};
pub use model::{Deliverable, DeliverableStatus, Destination, NewDeliverable, ReportType, SourceRef};
pub use schedule::{Frequency, InvalidSchedule, Schedule};
pub use store::{DeliverableStore, VersionStore};
#[cfg(feature = "testing")]
pub use store::{MockDeliverableStore, MockVersionStore};
pub use version::{
    Hold, MaterialRef, OpenVersion, Ran, RunState, SourceSnapshot, Step, StepChange, StepCommit, Tally, Version, VersionStatus,
};
