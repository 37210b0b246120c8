//! Sends what a version has in the outbox.

use std::collections::HashSet;
use std::sync::Arc;

use super::{Channel, ChannelKind, LookedUp, MessageState, Notices, Outbox, OutboxMessage, SendError, SendReceipt, Settlement};
use crate::clock::Clock;
use crate::error::Error;
use crate::id::{UserId, VersionId};

/// Works through the outbox of a version.
#[derive(Clone)]
pub struct Deliver {
    outbox: Arc<dyn Outbox>,
    channels: Vec<Arc<dyn Channel>>,
    clock: Arc<dyn Clock>,
}

/// What became of a version's messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// The messages as they are now.
    pub messages: Vec<OutboxMessage>,
    /// Whether all that keeps a message from arriving may pass by itself.
    passes: bool,
}

impl Delivered {
    /// Whether trying again later can help by itself: nothing was refused, and nothing waits for a person.
    pub const fn may_pass(&self) -> bool {
        self.passes
    }

    /// What the failed ones say, if any failed.
    pub fn error(&self) -> Option<String> {
        let errors: Vec<_> = self.messages.iter().filter(|it| it.state != MessageState::Sent).map(describe).collect();
        (!errors.is_empty()).then(|| errors.join("; "))
    }
}

/// What is noted at a notice that is no longer true.
const NOT_NEEDED: &str = "not needed: the report has arrived since";

fn describe(message: &OutboxMessage) -> String {
    let error = message.error.as_deref().unwrap_or("not sent");
    format!("{}: {error}", message.channel.as_str())
}

impl Deliver {
    /// Sends through the given channels.
    pub fn new(outbox: Arc<dyn Outbox>, channels: Vec<Arc<dyn Channel>>, clock: Arc<dyn Clock>) -> Self {
        Self { outbox, channels, clock }
    }

    /// Sends every message of the version that has not arrived yet; a failing one does not hold up the others.
    ///
    /// # Errors
    /// Only those of the store. What a channel says is in the result.
    pub async fn version(&self, user: UserId, version: VersionId) -> Result<Delivered, Error> {
        let passes = self.attempt_all(self.outbox.messages(user, version).await?).await?;
        Ok(Delivered { messages: self.outbox.messages(user, version).await?, passes })
    }

    /// Sends the notice with this key unless it has arrived, as [`Deliver::version`] does messages. Others stay as they are.
    ///
    /// # Errors
    /// Only those of the store. What a channel says is in the result.
    pub async fn notice(&self, notices: &dyn Notices, user: UserId, key: &str) -> Result<Delivered, Error> {
        let passes = self.attempt_all(notices.notice(user, key).await?.into_iter().collect()).await?;
        Ok(Delivered { messages: notices.notice(user, key).await?.into_iter().collect(), passes })
    }

    /// Marks the notice with this key as not needed, and sends nothing. One that may have arrived stays in doubt.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn drop_notice(&self, notices: &dyn Notices, user: UserId, key: &str) -> Result<Delivered, Error> {
        let found = notices.notice(user, key).await?;
        if let Some(message) = found.filter(|it| matches!(it.state, MessageState::Pending | MessageState::Failed)) {
            let started = self.outbox.start(user, message.id, self.clock.now()).await?;
            let settlement = Settlement::Failed { error: NOT_NEEDED.to_owned() };
            self.outbox.settle(user, message.id, started.attempts, settlement, self.clock.now()).await?;
        }
        Ok(Delivered { messages: vec![], passes: true })
    }

    /// Whether all that kept one from arriving may pass by itself.
    async fn attempt_all(&self, messages: Vec<OutboxMessage>) -> Result<bool, Error> {
        let (mut passes, mut behind) = (true, HashSet::new());
        for message in messages {
            let ended = match message.state {
                MessageState::Sent => Ended::Arrived,
                MessageState::Held => Ended::Stays,
                // The parts of a report arrive in their order.
                _ if behind.contains(&message.channel) => Ended::MayPass,
                _ => self.attempt(&message).await?,
            };
            if ended != Ended::Arrived {
                behind.insert(message.channel);
            }
            passes &= ended != Ended::Stays;
        }
        Ok(passes)
    }

    async fn attempt(&self, message: &OutboxMessage) -> Result<Ended, Error> {
        let started = self.outbox.start(message.user, message.id, self.clock.now()).await?;
        let result = self.send(&started).await;
        let ended = result.as_ref().map_or_else(|error| ended(message.channel, error), |_| Ended::Arrived);
        let settlement = result.map_or_else(settled, |receipt| Settlement::Sent { external_id: receipt.external_id });
        self.outbox.settle(message.user, message.id, started.attempts, settlement, self.clock.now()).await?;
        Ok(ended)
    }

    /// Sends a message; one that may have arrived only after the channel said that it did not.
    async fn send(&self, message: &OutboxMessage) -> Result<SendReceipt, NotSent> {
        let Some(channel) = self.channels.iter().find(|it| it.kind() == message.channel) else {
            let problem = format!("this program has no {} channel", message.channel.as_str());
            return Err(NotSent::Error(SendError::Refused(problem)));
        };
        let in_doubt = matches!(message.state, MessageState::Sending | MessageState::Unknown);
        let result =
            if in_doubt { look_up(channel.as_ref(), message).await } else { channel.send(message).await.map_err(NotSent::Error) };
        result.inspect_err(|error| tracing::warn!(key = %message.key, ?error, "delivery did not succeed"))
    }
}

/// How far an attempt has brought a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Arrived,
    /// It did not arrive, and may by itself.
    MayPass,
    /// It will not arrive by itself.
    Stays,
}

/// Why a message was not sent.
#[derive(Debug)]
enum NotSent {
    Error(SendError),
    /// Whether it arrived could not be asked.
    StillUnknown(String),
    /// Whether it arrived cannot be found out.
    CannotTell(String),
}

/// Finds out what became of a message, and sends it if it did not arrive. Whatever goes wrong while looking, it stays in doubt.
async fn look_up(channel: &dyn Channel, message: &OutboxMessage) -> Result<SendReceipt, NotSent> {
    match channel.look_up(message).await {
        Ok(LookedUp::Arrived(receipt)) => Ok(receipt),
        Ok(LookedUp::NotThere) => channel.send(message).await.map_err(NotSent::Error),
        // That this attempt was refused says nothing about the earlier one.
        Ok(LookedUp::Repeatable) => channel.send(message).await.map_err(|error| NotSent::StillUnknown(error.to_string())),
        Ok(LookedUp::CannotTell { reason }) => Err(NotSent::CannotTell(reason)),
        Err(error) => Err(NotSent::StillUnknown(error.to_string())),
    }
}

fn settled(error: NotSent) -> Settlement {
    match error {
        NotSent::Error(error @ SendError::Unknown { .. }) => Settlement::Unknown { error: error.to_string() },
        NotSent::Error(error) => Settlement::Failed { error: error.to_string() },
        NotSent::StillUnknown(error) => Settlement::Unknown { error },
        NotSent::CannotTell(error) => Settlement::Held { error },
    }
}

/// A folder that cannot be written stays so until somebody looks; the network comes back by itself.
fn ended(channel: ChannelKind, error: &NotSent) -> Ended {
    match error {
        NotSent::Error(SendError::Unavailable { .. }) if channel == ChannelKind::Folder => Ended::Stays,
        NotSent::Error(SendError::Unavailable { .. } | SendError::Unknown { .. }) | NotSent::StillUnknown(_) => Ended::MayPass,
        NotSent::Error(SendError::Refused(_) | SendError::NeedsOperator { .. }) | NotSent::CannotTell(_) => Ended::Stays,
    }
}
