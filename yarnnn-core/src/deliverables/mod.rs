//! F3: standing report configurations and the versions that are written from them.
//!
//! Start at [`Deliverables::run`]. A run is a row that moves through committed steps (see [`Step`]), so that any process can
//! go on with it: gathered → researched → written → verified → queued → finished.

mod advance;
mod edit;
mod gathering;
mod job;
mod kinds;
mod learning;
mod lifecycle;
mod manage;
mod model;
mod names;
mod parts;
mod repeating;
mod report;
mod run;
mod scheduling;
mod sending;
mod store;
#[cfg(test)]
mod testing;
mod version;
mod writing;

pub use crate::scheduler::{Cron, Frequency, InvalidCron, InvalidSchedule, Schedule};
pub use edit::{EditDeliverable, EditSchedule};
pub use gathering::gather::Gathered;
pub use gathering::material::{MaterialItem, RecordedMaterial};
pub(crate) use job::SIGNAL_KEY;
pub use job::{RunDeliverable, RunReport};
pub use kinds::{Binding, Kind, KindProfile, TemporalPattern, UnknownType};
pub use learning::edits::*;
pub use learning::feedback::*;
pub use lifecycle::*;
pub use manage::CreateDeliverable;
pub use model::*;
pub use names::Names;
pub use parts::DeliverablesParts;
pub use repeating::capsule::{Capsule, CapsuleDeliverable, CapsuleMessage, CapsuleVersion, Exchange};
pub use repeating::replay::{Fork, Replayed};
pub use report::model::{Block, ListItem, Report, ReportSource, Statement, parse_markdown};
pub use report::render::RenderedReport;
pub(crate) use report::render::clean;
pub use run::{Deliverables, RunOutcome, RunRequest, RunStatus};
pub use scheduling::events::*;
pub use scheduling::left::{DeadRun, LeftVersion};
pub use scheduling::phase::FireDue;
pub use scheduling::slot::*;
pub use sending::download::Download;
pub use sending::notice::SendNotice;
pub use sending::noticed::plain_line;
pub use sending::queue::WaysOut;
pub use store::*;
pub use version::*;
pub use writing::draft::{Draft, DraftStage};
pub use writing::plan::{Plan, PlannedSource};
pub use writing::prompt::Prompts;
