//! F3: standing report configurations and the versions that are written from them.
//!
//! Start at [`Deliverables::run`]. A run is a row that moves through committed steps (see [`Step`]), so that any process can
//! go on with it: gathered → researched → written → verified → queued → finished.

mod advance;
mod capsule;
mod citations;
mod draft;
mod due;
mod edits;
mod events;
mod feedback;
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
mod parts;
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
mod schedule;
mod store;
#[cfg(test)]
mod testing;
mod verify;
mod version;
mod write;

pub use capsule::{Capsule, CapsuleDeliverable, CapsuleMessage, CapsuleVersion, Exchange};
pub use draft::{Draft, DraftStage};
pub use edits::{DiffChunk, EditCategories, EditMetrics, Restructure, Rewrite};
pub use events::{Cooldown, CooldownKind, EventTrigger, FireEvent, Fired, PlatformEvent};
pub use feedback::{Feedback, GiveFeedback, NewFeedback, Quality, Trend};
pub use gather::Gathered;
pub use job::{RunDeliverable, RunReport};
pub use kinds::{Binding, Kind, KindProfile, TemporalPattern, UnknownType};
pub use lifecycle::{EnableSuggestion, NewSuggestion, PromoteDeliverable, Suggestion, SuggestionReason};
pub use manage::CreateDeliverable;
pub use material::{MaterialItem, RecordedMaterial};
pub use model::{
    Deliverable, DeliverableOrigin, DeliverableStatus, Destination, NewDeliverable, ReportOptions, ReportType, SourceRef,
    TriggerType,
};
pub use names::Names;
pub use notice::SendNotice;
pub use parts::DeliverablesParts;
pub use plan::{Plan, PlannedSource};
pub use prompt::Prompts;
pub use queue::WaysOut;
pub use render::RenderedReport;
pub use replay::{Fork, Replayed};
pub use report::{Block, ListItem, Report, ReportSource, Statement, parse_markdown};
pub use run::{Deliverables, DueOutcome, RunOutcome, RunRequest, RunStatus};
pub use schedule::{Frequency, InvalidSchedule, Schedule};
pub use store::{DeliverableStore, EventStore, FeedbackStore, LifecycleStore, VersionMaterial, VersionStore};
#[cfg(feature = "testing")]
pub use store::{
    MockDeliverableStore, MockEventStore, MockFeedbackStore, MockLifecycleStore, MockVersionMaterial, MockVersionStore,
};
pub use version::{
    DecideVersion, Ending, Hold, MaterialRef, OpenVersion, Ran, Researched, RunState, SourceSnapshot, Step, StepChange,
    StepCommit, Tally, Version, VersionStatus,
};
