//! A tool, and what it can answer.

use async_trait::async_trait;
use serde_json::{Map, Value};

use super::budget::ResultBudget;
use super::session::Session;
use crate::error::{Error, StoreError};
use crate::llm::{Material, ToolSpec};

/// A tool of one kind of session. All that it can reach is the world of that session.
///
/// The world of a writing session has no method that changes anything, so no tool of it can:
///
/// ```compile_fail
/// use yarnnn_core::{StoreError, agent::WritingWorld, id::ContentId};
/// async fn tool(world: &WritingWorld, ids: &[ContentId]) -> Result<(), StoreError> {
///     world.retain(ids).await.map(|_| ())
/// }
/// ```
///
/// ```
/// use yarnnn_core::{StoreError, agent::WritingWorld, id::ContentId};
/// async fn tool(world: &WritingWorld, ids: &[ContentId]) -> Result<(), StoreError> {
///     world.items(ids).await.map(|_| ())
/// }
/// ```
///
/// # Contract
/// - It changes nothing.
/// - Its words ([`ToolAnswer::message`], [`ToolFailure::message`]) are the program's own: what was synced, found on the web or
///   written by a model stands only in rows.
/// - `input` fits the schema of `spec`; nothing else about it can be trusted.
///
/// # Errors
/// A [`ToolFailure`] is an answer that the model reads. A [`ToolError::Run`] ends the run: what it needs is gone for now.
///
/// # Concurrency
/// The tools of a turn are called one after the other.
#[async_trait]
pub trait Primitive<S: Session>: Send + Sync + 'static {
    /// What the model is told of it.
    fn spec(&self) -> ToolSpec;

    /// How much it may answer.
    fn budget(&self) -> ResultBudget;

    /// Answers.
    async fn call(&self, world: &S::World, input: Value) -> ToolOutcome;
}

/// What a tool answers.
pub type ToolOutcome = Result<ToolAnswer, ToolError>;

/// An answer that worked.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolAnswer {
    /// What the program says: fixed words and counts.
    pub message: String,
    /// Under which name the rows stand; none for a single one that stands for itself.
    pub rows_name: Option<&'static str>,
    /// What was found, in order.
    pub rows: Vec<Row>,
}

impl ToolAnswer {
    /// Many rows, which may be none.
    pub fn many(rows_name: &'static str, rows: Vec<Row>, message: impl Into<String>) -> Self {
        Self { message: message.into(), rows_name: Some(rows_name), rows }
    }

    /// One thing.
    pub fn one(row: Row, message: impl Into<String>) -> Self {
        Self { message: message.into(), rows_name: None, rows: vec![row] }
    }
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its values.
    pub data: Map<String, Value>,
    /// Its text, if the answer may cite it.
    pub material: Option<Material>,
}

impl Row {
    /// A row that cannot be cited. A value that is no object stands under `value`.
    pub fn of(data: Value) -> Self {
        let data = match data {
            Value::Object(fields) => fields,
            other => Map::from_iter([("value".to_owned(), other)]),
        };
        Self { data, material: None }
    }
}

/// An answer that did not work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolFailure {
    /// What went wrong.
    pub code: FailureCode,
    /// The same in words, which are the program's own.
    pub message: String,
    /// What may help.
    pub hint: Option<&'static str>,
}

impl ToolFailure {
    /// A failure.
    pub fn new(code: FailureCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None }
    }

    /// Says what may help.
    #[must_use]
    pub const fn hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub enum ToolError {
    /// The model is told, and goes on.
    Answer(ToolFailure),
    /// The run ends.
    Run(Error),
}

impl ToolError {
    /// What a store's error means for a tool: the run ends if it may work later, else the model is told.
    pub fn of_store(error: StoreError, code: FailureCode) -> Self {
        if error.is_transient() {
            return Self::Run(error.into());
        }
        tracing::warn!(error = %error, code = code.as_str(), "a tool could not read the store");
        Self::Answer(ToolFailure::new(code, "the store could not answer"))
    }
}

impl From<ToolFailure> for ToolError {
    fn from(failure: ToolFailure) -> Self {
        Self::Answer(failure)
    }
}

/// The codes of failures (dossier §8.1), those that tools without effects can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailureCode {
    /// Nothing was named.
    MissingRef,
    /// What was named is no reference.
    InvalidRef,
    /// It does not exist for this user.
    NotFound,
    /// It could not be read.
    ReadFailed,
    /// No pattern was given.
    MissingPattern,
    /// The pattern is none.
    InvalidPattern,
    /// It could not be listed.
    ListFailed,
    /// No words were given.
    MissingQuery,
    /// It cannot be searched there.
    InvalidScope,
    /// The search failed.
    SearchFailed,
    /// There is nothing of this kind.
    UnsupportedType,
    /// The state could not be read.
    StateFetchFailed,
    /// The web could not be searched or read.
    WebSearchFailed,
    /// The session has no such tool, or has it no longer.
    NotAvailable,
    /// The call was not carried out.
    ExecutionError,
    /// The input does not fit the schema.
    InvalidInput,
}

impl FailureCode {
    /// The code as the model reads it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingRef => "missing_ref",
            Self::InvalidRef => "invalid_ref",
            Self::NotFound => "not_found",
            Self::ReadFailed => "read_failed",
            Self::MissingPattern => "missing_pattern",
            Self::InvalidPattern => "invalid_pattern",
            Self::ListFailed => "list_failed",
            Self::MissingQuery => "missing_query",
            Self::InvalidScope => "invalid_scope",
            Self::SearchFailed => "search_failed",
            Self::UnsupportedType => "unsupported_type",
            Self::StateFetchFailed => "state_fetch_failed",
            Self::WebSearchFailed => "web_search_failed",
            Self::NotAvailable => "not_available",
            Self::ExecutionError => "execution_error",
            Self::InvalidInput => "invalid_input",
        }
    }
}
