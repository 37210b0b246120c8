//! The port to the world outside.

use std::fmt;

use async_trait::async_trait;

use super::{ChannelKind, OutboxMessage};
use crate::error::Cause;

/// Sends messages.
///
/// # Contract
/// - The message's files are sent byte for byte.
/// - Sending a message again under the same key has the effect of having sent it once. A channel that cannot promise this
///   by itself asks the other side first.
/// - An error means that nothing of the message can be seen by its recipient.
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

    /// Sends one message.
    async fn send(&self, message: &OutboxMessage) -> Result<SendReceipt, SendError>;
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
}
