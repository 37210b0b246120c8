//! The port to language models, and the form in which they are asked.
//!
//! Synced text enters a request only as [`Material`], a typed block of untrusted data; adapters that speak to a text model
//! render it delimited with [`ModelRequest::render`]. Models answer Markdown and cite material by its reference. Every call is
//! made on somebody's account and stands in the [`ModelLedger`].

mod account;
mod error;
mod ledger;
mod model;
mod port;
mod price;
mod render;

pub use account::{Boundary, CallAccount};
pub use error::{LlmError, usd};
#[cfg(feature = "testing")]
pub use ledger::MockModelLedger;
pub use ledger::{CallEnd, CallQuery, CallState, CapLeft, LedgerCall, ModelLedger, Reservation, ReserveError, SpendingCaps};
pub use model::{
    AnswerSchema, ClaimStatus, Content, Grouping, Material, Message, ModelRequest, ModelResponse, Noticed, OpaqueBlock, Outline,
    OutlineSection, Preference, PreferenceKind, ReportedClaim, Role, SectionFocus, ServerTool, StopReason, ToolCall, ToolResult,
    ToolSpec, WebHit,
};
#[cfg(feature = "testing")]
pub use port::MockLanguageModel;
pub use port::{LanguageModel, ModelEvent, ModelEvents, ModelTraits, StreamCompletion};
pub use price::{LongPrompt, ModelPrice, Usage};
