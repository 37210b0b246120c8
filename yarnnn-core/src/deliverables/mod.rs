//! F3: standing report configurations and the versions that are written from them.
//!
//! Start at [`Deliverables::run`]. A run is a row that moves through committed steps (see [`Step`]), so that any process can
//! go on with it: gathered → researched → written → verified → queued → finished.

mod advance;
mod capsule;
mod citations;
mod download;
mod draft;
mod due;
mod edit;
mod edits;
mod events;
mod feedback;
mod fire;
mod gather;
mod headings;
mod job;
mod kinds;
mod learn;
mod lifecycle;
mod manage;
mod material;
mod model;
mod names;
mod notice;
mod noticed;
mod parts;
mod phase;
mod plan;
mod prompt;
mod queue;
mod render;
mod repair;
mod replay;
mod report;
mod research;
mod run;
mod said;
mod slot;
mod store;
#[cfg(test)]
mod testing;
mod verify;
mod version;
mod write;

pub use crate::scheduler::{Cron, Frequency, InvalidCron, InvalidSchedule, Schedule};
pub use capsule::{Capsule, CapsuleDeliverable, CapsuleMessage, CapsuleVersion, Exchange};
pub use download::Download;
pub use draft::{Draft, DraftStage};
pub use edit::{EditDeliverable, EditSchedule};
pub use edits::*;
pub use events::*;
pub use feedback::*;
pub use gather::Gathered;
pub(crate) use job::SIGNAL_KEY;
pub use job::{RunDeliverable, RunReport};
pub use kinds::{Binding, Kind, KindProfile, TemporalPattern, UnknownType};
pub use lifecycle::*;
pub use manage::CreateDeliverable;
pub use material::{MaterialItem, RecordedMaterial};
pub use model::*;
pub use names::Names;
pub use notice::SendNotice;
pub use noticed::plain_line;
pub use parts::DeliverablesParts;
pub use phase::FireDue;
pub use plan::{Plan, PlannedSource};
pub use prompt::Prompts;
pub use queue::WaysOut;
pub use render::RenderedReport;
pub use replay::{Fork, Replayed};
pub use report::{Block, ListItem, Report, ReportSource, Statement, parse_markdown};
pub use run::{Deliverables, RunOutcome, RunRequest, RunStatus};
pub use slot::*;
pub use store::*;
pub use version::*;
