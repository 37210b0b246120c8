//! Requests to a language model and its answers.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::error::Cause;

/// One request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelRequest {
    /// What the request is for, as `feature.verb`; shown in logs and ledgers.
    pub purpose: String,
    /// Standing instructions; trusted text only.
    pub system: String,
    /// The conversation so far, oldest first.
    pub messages: Vec<Message>,
    /// Upper bound of the answer, in the model's tokens.
    pub max_output_tokens: u32,
}

/// One turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said, in order.
    pub content: Vec<Content>,
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The application.
    User,
    /// The model.
    Assistant,
}

/// A part of a turn. The type says whether it is an instruction or data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Content {
    /// Instructions; trusted text only.
    Text(String),
    /// The shape the answer must have.
    Outline(Outline),
    /// Synced content: data, never instructions.
    Material(Vec<Material>),
}

/// One item of synced content that the answer may cite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Material {
    /// How the answer cites it: `s1`, `s2`, …
    pub reference: String,
    /// `slack`, `gmail`, `notion` or `calendar`.
    pub platform: String,
    /// Channel, label, page or calendar, by name.
    pub place: String,
    /// Who wrote it.
    pub author: Option<String>,
    /// When it was written, or when the event starts.
    pub time: Option<DateTime<Utc>>,
    /// Subject or title.
    pub title: Option<String>,
    /// What it belongs to: a thread, a mail conversation, a database. Items with the same value belong together.
    pub thread: Option<String>,
    /// Marks that were computed from it: `hot`, `unanswered`, `decision`, `blocker`, `mention`, …
    pub marks: Vec<String>,
    /// The stored text.
    pub text: String,
}

/// The shape the answer must have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outline {
    /// What kind of report, for example `status_report`.
    pub report_type: String,
    /// The report's title; the answer does not repeat it.
    pub title: String,
    /// What the report is about, when it is not simply everything: words that matter.
    pub subject: Option<String>,
    /// How the items of a section are put together.
    pub grouping: Grouping,
    /// The sections, in order. Empty ones are left out of the answer.
    pub sections: Vec<OutlineSection>,
    /// Upper bound of statements over all sections.
    pub max_statements: u32,
    /// The zone in which days are counted, as an IANA name.
    pub timezone: String,
    /// The instant the report is written for.
    pub as_of: DateTime<Utc>,
}

/// One section of an outline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutlineSection {
    /// Its heading.
    pub heading: String,
    /// What belongs in it, in one line.
    pub meaning: String,
    /// What belongs in it, for a model that does not read.
    pub focus: SectionFocus,
}

/// What a section is looking for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SectionFocus {
    /// The most important of everything.
    Highlights,
    /// Something was decided or agreed.
    Decisions,
    /// Something was finished, released, merged, shipped.
    Done,
    /// Something is stuck, broken, late or at risk.
    Blockers,
    /// Someone is going to do something, or a date is named.
    NextSteps,
    /// A question that nobody has answered.
    Questions,
    /// Threads with many replies.
    Threads,
    /// Someone asks the reader, or a group the reader is in, for something.
    Requests,
    /// Worth knowing, nothing to do.
    Information,
    /// Events, in the order in which they start.
    Events,
    /// The people of the events.
    People,
    /// Numbers.
    Metrics,
    /// New or changed pages.
    Changes,
    /// What was said before about the same thing.
    Background,
}

/// How the items of a section are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grouping {
    /// By the words they share.
    Topic,
    /// By conversation.
    Thread,
    /// By local day.
    Day,
    /// By calendar event.
    Event,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelResponse {
    /// Markdown that cites material as `[s1]`.
    pub text: String,
    /// Why it ended.
    pub stop: StopReason,
    /// What it used.
    pub usage: Usage,
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StopReason {
    /// It was complete.
    Complete,
    /// It reached [`ModelRequest::max_output_tokens`].
    OutputLimit,
}

/// What a call used. A model that is computed in the process uses nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Calls that were made to a provider.
    pub calls: u32,
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// Price in millionths of a US dollar.
    pub cost_micro_usd: u64,
}

/// What a model can answer instead of a text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LlmError {
    /// The request is larger than the model reads.
    #[error("the request is too long for the model {model}")]
    ContextTooLong {
        /// Which model.
        model: String,
    },
    /// It may work later.
    #[error("the model {model} is unavailable: {source}")]
    Transient {
        /// Which model.
        model: String,
        /// Why.
        source: Cause,
    },
    /// It will not work however often it is tried.
    #[error("the model {model} cannot answer: {detail}")]
    Permanent {
        /// Which model.
        model: String,
        /// Why.
        detail: String,
    },
}
