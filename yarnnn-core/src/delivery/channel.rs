//! The port to the world outside.

use std::fmt;

use async_trait::async_trait;

use super::{ChannelKind, Letter, OutboxFile, OutboxMessage};
use crate::error::Cause;
use crate::id::UserId;

/// Sends messages.
///
/// # Contract
/// - `compose` makes the bytes of a letter, and only from it: the same letter always has the same bytes. A letter that is too long
///   for one message becomes several, in order.
/// - `ready` says before any work is done whether a message could be sent: settings, connection, permissions. It sends nothing.
/// - The message's files are sent byte for byte.
/// - `send` is called for a message that is known not to have arrived. [`SendError::Unavailable`] and [`SendError::Refused`]
///   mean that nothing of it can be seen by its recipient; whatever leaves a doubt is [`SendError::Unknown`].
/// - `look_up` finds out whether a message arrived whose sending ended in doubt, or whose sender died. It sends nothing.
///
/// # Errors
/// [`SendError`] says whether trying again can help.
///
/// # Concurrency
/// Different messages may be sent at once.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Channel: Send + Sync + fmt::Debug + 'static {
    /// Which messages it sends.
    fn kind(&self) -> ChannelKind;

    /// Where a message goes that names no place of its own; means the same from wherever the program runs later.
    fn default_target(&self) -> String;

    /// What is sent for a letter: the files of each message.
    fn compose(&self, letter: &Letter) -> Result<Vec<Vec<OutboxFile>>, SendError>;

    /// Whether a message of this user to this target could be sent.
    async fn ready(&self, user: UserId, target: &str) -> Result<(), SendError>;

    /// Sends one message.
    async fn send(&self, message: &OutboxMessage) -> Result<SendReceipt, SendError>;

    /// Looks whether a message arrived.
    async fn look_up(&self, message: &OutboxMessage) -> Result<LookedUp, SendError>;
}

/// Whether a message arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookedUp {
    /// It did.
    Arrived(SendReceipt),
    /// It did not.
    NotThere,
    /// Nobody knows, and sending it again under its key has no further effect if it did. Until that succeeds the doubt stays.
    Repeatable,
    /// Nobody can say: a person has to look.
    CannotTell {
        /// Why, and where to look.
        reason: String,
    },
}

/// Proof of a sent message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendReceipt {
    /// What the channel calls the message: for the folder the paths, one a line.
    pub external_id: String,
}

/// What a channel can answer instead of a receipt.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// It may work later.
    #[error("{what}: {source}")]
    Unavailable {
        /// What was tried, with the target by name.
        what: String,
        /// Why it failed.
        source: Cause,
    },
    /// It will not work until somebody changes something.
    #[error("{0}")]
    Refused(String),
    /// A setting is missing or wrong.
    #[error("{setting}: {problem}")]
    NeedsOperator {
        /// Its name.
        setting: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// It may have arrived.
    #[error("{what}: {source}; whether it arrived is not known")]
    Unknown {
        /// What was tried, with the target by name.
        what: String,
        /// What happened.
        source: Cause,
    },
}
