//! The agent: one loop in which a model reads, asks for tools and writes.
//!
//! What a session may do is decided by its type, see [`Session`]. A writing session has read synced content and therefore has no
//! tool that reaches out; a research session reaches out and never sees synced content. Neither can change anything. Start at
//! [`Agent`].

mod budget;
mod library;
mod material;
mod modes;
mod pages;
mod primitive;
mod reference;
mod registry;
mod research;
mod run;
mod schema;
mod search_by_model;
mod session;
mod shown;
mod sight;
mod task;
#[cfg(test)]
mod tests;
mod tools;
mod turn;
mod web;
mod writing;

pub use budget::ResultBudget;
#[cfg(feature = "testing")]
pub use library::MockLibrary;
pub use library::{
    DeliverableView, Entity, FailedJob, FieldFilter, Library, ListOrder, Pattern, PlatformState, PlatformView, ReportView,
    ResourceView, SchedulerHealth, SystemState,
};
pub use material::material_of;
pub(crate) use material::{UNANSWERED, marks_of, thread_of};
pub use modes::SessionKind;
#[cfg(feature = "testing")]
pub use pages::MockWebPages;
pub use pages::{NewWebPage, StoredWebPage, WebPages};
pub use primitive::{FailureCode, Primitive, Row, ToolAnswer, ToolError, ToolFailure, ToolOutcome};
pub use reference::{EntityKind, Identifier, InvalidReference, Reference};
pub use registry::Registry;
pub use research::{Finding, Findings, ResearchBrief, ResearchFields, ResearchMeans, ResearchTask, ResearchWorld};
pub use run::Agent;
pub use search_by_model::ModelWebSearch;
pub use session::{Research, Session, Writing};
pub use task::{AgentAnswer, AgentTask};
pub use tools::{GetSystemState, List, Read, ReadPage, Search, SearchWeb};
pub(crate) use turn::BYTES_PER_TURN;
pub use web::{FetchPage, WebError, WebHit, WebHits, WebPage, WebQuery, WebSearch};
#[cfg(feature = "testing")]
pub use web::{MockFetchPage, MockWebSearch};
pub use writing::{WritingMeans, WritingWorld};
