//! Errors as decisions: what a caller can do about it, not where it came from.

use std::error::Error as StdError;

use crate::llm::LlmError;
use crate::platform::PlatformError;

/// A boxed cause, kept for logs and for the `caused by` lines of the command line.
pub type Cause = Box<dyn StdError + Send + Sync + 'static>;

/// What a store can answer instead of a result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The row is not there, or belongs to another user.
    #[error("{what} does not exist")]
    NotFound {
        /// What was looked for, with its name or id.
        what: String,
    },
    /// Another writer was first: a newer run, another step, a taken key. Read again and decide.
    #[error("{what} was changed by another writer")]
    Conflict {
        /// What was contended.
        what: String,
    },
    /// The caller named a limit, and this would be one more.
    #[error("no more than {limit} {what} are allowed")]
    OverLimit {
        /// Of what there would be too many.
        what: &'static str,
        /// How many there may be.
        limit: u32,
    },
    /// The database cannot be reached or is busy; trying again later may help.
    #[error("the database is unavailable: {source}")]
    Unavailable {
        /// The driver's error.
        source: Cause,
    },
    /// Sealed secrets cannot be read or written with the keys at hand.
    #[error("{what} cannot be unsealed: {problem}")]
    Locked {
        /// What is sealed.
        what: String,
        /// What is wrong with the keys, with the setting by name.
        problem: String,
    },
    /// The database holds what this version cannot read, or refused a statement; trying again will not help.
    #[error("the database refused or holds unreadable data ({what}): {source}")]
    Corrupt {
        /// What was being done.
        what: String,
        /// The driver's or parser's error.
        source: Cause,
    },
}

impl StoreError {
    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}

/// What a feature can answer instead of a result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The request cannot be carried out as it stands; the message names the field and what it may be.
    #[error("{0}")]
    Invalid(String),
    /// There is no such thing for this user.
    #[error("{0} does not exist")]
    NotFound(String),
    /// Someone else is at it, or it is not in a state that allows this.
    #[error("{0}")]
    Busy(String),
    /// The work was started and failed; the message says how, and what is left.
    #[error("{0}")]
    Failed(String),
    /// A setting is missing or wrong.
    #[error("{setting}: {problem}")]
    NeedsOperator {
        /// Its name.
        setting: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// Something written has not arrived yet, and will be tried again with the same bytes.
    #[error("not delivered yet: {0}")]
    Undelivered(String),
    /// The run was asked to stop.
    #[error("cancelled")]
    Cancelled,
    /// A store answered with an error.
    #[error(transparent)]
    Store(StoreError),
    /// A platform or export file answered with an error.
    #[error(transparent)]
    Platform(#[from] PlatformError),
    /// A language model answered with an error.
    #[error(transparent)]
    Model(#[from] LlmError),
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound { what } => Self::NotFound(what),
            StoreError::Conflict { what } => Self::Busy(format!("{what} was changed by another writer; run the command again")),
            error @ StoreError::OverLimit { .. } => Self::Invalid(error.to_string()),
            other => Self::Store(other),
        }
    }
}
