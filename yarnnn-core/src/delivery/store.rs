//! The port of the outbox table. Messages are queued with the version's step, in one transaction.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{HeldDecision, NewNotice, OutboxMessage, Settlement};
use crate::activity::NewActivity;
use crate::error::StoreError;
use crate::id::{MessageId, UserId, VersionId};

/// Messages waiting to be sent.
///
/// # Contract
/// - The bytes, key, channel and target of a message never change once it is queued.
/// - `start` takes a message that is neither sent nor held to `sending` and counts the attempt; the instant from which it is in doubt is kept: an
///   attempt that certainly sent nothing begins anew.
///   A message that is sent or held, or of another user, is a `Conflict` or `NotFound`. It answers the message with the attempt
///   counted, but in the state in which it was found, so that the caller knows whether it has to ask first.
/// - `settle` ends the attempt that `start` counted; when another attempt was started since, it is a `Conflict`.
/// - `decide` ends a held message as `sent` or takes it back to `pending`; one that is not held is a `Conflict`.
///
/// # Errors
/// `NotFound`, `Conflict`, `Unavailable`, `Corrupt`.
///
/// # Concurrency
/// Two starts of one message both succeed one after the other; only the later may settle. The version's hold keeps two runs from
/// sending at once.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Outbox: Send + Sync + 'static {
    /// The messages of a version, by key.
    async fn messages(&self, user: UserId, version: VersionId) -> Result<Vec<OutboxMessage>, StoreError>;

    /// Begins an attempt.
    async fn start(&self, user: UserId, message: MessageId, at: DateTime<Utc>) -> Result<OutboxMessage, StoreError>;

    /// Ends the attempt with the given number.
    async fn settle(
        &self,
        user: UserId,
        message: MessageId,
        attempt: u32,
        settlement: Settlement,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// What a person says about a held message.
    async fn decide(
        &self,
        user: UserId,
        message: MessageId,
        decision: HeldDecision,
        at: DateTime<Utc>,
    ) -> Result<OutboxMessage, StoreError>;
}

/// Mails that tell an owner what became of a report, in the same table and under the same rules, but none of the messages by which the
/// report arrives.
///
/// # Contract
/// - `notice` is the user's own with this key; `Outbox::messages` never has them.
/// - `notify` stores a notice and the job that sends it in one transaction. One whose key was used is not stored again.
/// - `log` writes a line of the activity log for a run that committed nothing else, unless a line with its key is there.
///
/// # Errors
/// `NotFound`, `Conflict`, `Unavailable`, `Corrupt`.
///
/// # Concurrency
/// Of two with one key one is stored.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Notices: Send + Sync + 'static {
    /// The one with this key.
    async fn notice(&self, user: UserId, key: &str) -> Result<Option<OutboxMessage>, StoreError>;

    /// Queues one that belongs to no step of a run.
    async fn notify(&self, notice: NewNotice) -> Result<(), StoreError>;

    /// Writes a line of the activity log.
    async fn log(&self, user: UserId, line: NewActivity, at: DateTime<Utc>) -> Result<(), StoreError>;
}
