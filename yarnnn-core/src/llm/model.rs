//! Requests to a language model and its answers.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Boundary, CallAccount, Usage};
use crate::hash::Sha256;
use crate::id::ContentId;
use crate::platform::Platform;

/// One request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelRequest {
    /// What the request is for, as `feature.verb`; shown in logs and ledgers.
    pub purpose: String,
    /// On whose account it is made; never shown to the model.
    pub account: CallAccount,
    /// What delimits synced content in this request.
    pub boundary: Boundary,
    /// Standing instructions; trusted text only.
    pub system: String,
    /// The conversation so far, oldest first.
    pub messages: Vec<Message>,
    /// What the model may ask for. They stay as long as the conversation has calls of them: providers want to know what those were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<ToolSpec>,
    /// Whether it must answer now, and may ask for none of them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub answers_now: bool,
    /// What the provider may do by itself while it answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub server_tools: Vec<ServerTool>,
    /// The shape of an answer that a program reads; none for Markdown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<AnswerSchema>,
    /// Upper bound of the answer, in the model's tokens.
    pub max_output_tokens: u32,
}

/// A tool as the model sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolSpec {
    /// Its name: letters, digits, `_` and `-`.
    pub name: String,
    /// What it does and when to use it.
    pub description: String,
    /// JSON Schema of its input: an object without additional properties.
    pub input_schema: Value,
}

/// What a provider does by itself while it answers. A model whose provider does not have it refuses the request as `Permanent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ServerTool {
    /// Searches the web. What it finds comes back as [`Content::WebHits`].
    WebSearch {
        /// Searches, at most.
        max_uses: u32,
    },
}

/// The shape of an answer that a program reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnswerSchema {
    /// A short name, for providers that want one.
    pub name: String,
    /// JSON Schema: an object, `additionalProperties: false`, no `$ref`.
    pub schema: Value,
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
    /// What earlier reports said: data too, for it was written from synced content.
    Reported(Vec<ReportedClaim>),
    /// What called for a report that nobody asked for: data too, for a model said it from synced content.
    Noticed(Noticed),
    /// What the reader of earlier reports changed in them: data too, for it may quote synced content.
    Preferences(Vec<Preference>),
    /// The model asks for a tool.
    ToolCall(ToolCall),
    /// What a tool answered.
    ToolResult(ToolResult),
    /// A part of the model's own turn that only its provider understands (a signed thought, the provider's own tools). It goes
    /// back as it came, to the same provider, and is left out for any other.
    Opaque(OpaqueBlock),
    /// What a search of the provider found, in a form that programs read; untrusted text. The provider's own blocks stand beside
    /// it as `Opaque`, and those are what goes back to it: this part is not sent.
    WebHits(Vec<WebHit>),
}

/// One result of a search of the web.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebHit {
    /// Where: an absolute `http` or `https` address.
    pub url: String,
    /// Its title.
    pub title: String,
    /// What it says about the words; at most 500 characters, may be empty.
    pub snippet: String,
}

/// The model asks for a tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The provider's name for this call.
    pub id: String,
    /// Which tool.
    pub name: String,
    /// Its input. Foreign data: it need not fit the schema. What was no JSON is a string.
    pub input: Value,
}

/// What a tool answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolResult {
    /// The call that it answers.
    pub call_id: String,
    /// Which tool.
    pub name: String,
    /// Whether the call failed.
    pub is_error: bool,
    /// What the program itself says: codes and counts, never synced text.
    pub text: String,
    /// Values that may hold synced text: shown delimited and escaped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
    /// Items that were found; the answer may cite them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub material: Vec<Material>,
}

/// A part of a turn that only its provider understands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpaqueBlock {
    /// The provider: `anthropic`, `openai`.
    pub provider: String,
    /// The block as it came.
    pub block: Value,
}

/// Something that a reader wishes, by what they made of an earlier report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preference {
    /// How it is known.
    pub kind: PreferenceKind,
    /// One line.
    pub text: String,
}

/// How a wish is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PreferenceKind {
    /// They wrote it into a report.
    Added,
    /// They took it out of a report.
    Removed,
    /// They said it about a report.
    Said,
}

impl PreferenceKind {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Said => "said",
        }
    }
}

/// Something that an earlier report of the same deliverable said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedClaim {
    /// What was said.
    pub text: String,
    /// What has become of it.
    pub status: ClaimStatus,
    /// The material in which it changed, by reference.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub now: Vec<String>,
    /// The day on which its reader had it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_on: Option<NaiveDate>,
    /// What it is known by: the same for the same words about the same items, whatever becomes of their rows. Never shown to a
    /// model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Sha256>,
    /// The stored rows that its sources are now, in the order of their ids; never shown to a model.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub current: Vec<ContentId>,
}

/// What called for a report that nobody asked for. A model said so from synced content: it tells a writer what matters, and is never
/// an instruction, an address or a name that the program trusts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noticed {
    /// What the report was to be called; none where its title is its owner's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Why it is worth a report; one line.
    pub reasoning: String,
    /// Who or what it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<String>,
    /// Where it was noticed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<Platform>,
}

impl Noticed {
    /// What the writer may know for readers other than the owner. The model said the rest from all that the owner has.
    #[must_use]
    pub fn for_others(self) -> Self {
        Self { title: None, reasoning: String::new(), entity: None, platforms: self.platforms }
    }
}

/// What has become of something that was reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClaimStatus {
    /// Nothing is known to have changed.
    Standing,
    /// Its source says something else now.
    Changed,
    /// Its source was taken back: a message or page that was deleted, an event that was cancelled.
    Withdrawn,
    /// It was a question that nobody had answered, and somebody has.
    Resolved,
}

impl ClaimStatus {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Standing => "standing",
            Self::Changed => "changed",
            Self::Withdrawn => "withdrawn",
            Self::Resolved => "resolved",
        }
    }

    /// Reads the stored name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Standing, Self::Changed, Self::Withdrawn, Self::Resolved].into_iter().find(|it| it.as_str() == text)
    }
}

/// One item of synced content that the answer may cite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Material {
    /// How the answer cites it: `s1`, `s2`, …
    pub reference: String,
    /// The stored row; never shown to a model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<ContentId>,
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
    /// The model's turn, in order: Markdown that cites material as `[s1]`, tool calls, blocks of its provider. It can be put
    /// behind the request's messages as it is.
    pub content: Vec<Content>,
    /// Why it ended.
    pub stop: StopReason,
    /// What it used.
    pub usage: Usage,
    /// Who answered, as `provider/model`, where that may be another model than the one that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

impl ModelRequest {
    /// Searches that the provider may make while it answers, at most.
    pub fn searches_allowed(&self) -> u32 {
        self.server_tools.iter().map(|ServerTool::WebSearch { max_uses }| *max_uses).sum()
    }
}

impl ModelResponse {
    /// An answer of text alone.
    pub fn of_text(text: impl Into<String>, stop: StopReason, usage: Usage) -> Self {
        Self { content: vec![Content::Text(text.into())], stop, usage, by: None }
    }

    /// What it says, without tool calls and blocks of the provider.
    pub fn text(&self) -> String {
        let parts = self.content.iter().filter_map(|it| match it {
            Content::Text(text) => Some(text.as_str()),
            _ => None,
        });
        parts.collect()
    }

    /// The tools that it asks for, in order.
    pub fn tool_calls(&self) -> impl Iterator<Item = &ToolCall> {
        self.content.iter().filter_map(|it| match it {
            Content::ToolCall(call) => Some(call),
            _ => None,
        })
    }
}

/// Why an answer ended. A provider's reason that is not known here is `Other`, never an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StopReason {
    /// It was complete.
    Complete,
    /// It reached [`ModelRequest::max_output_tokens`].
    OutputLimit,
    /// It asks for tools.
    ToolUse,
    /// It paused in the middle of a long turn; sent back as it is, it goes on.
    Paused,
    /// The model will not answer.
    Refused {
        /// What it says about it, if anything.
        detail: Option<String>,
    },
    /// The model can read or write no more.
    ContextFull,
    /// Something else, in the provider's words.
    Other(String),
}
