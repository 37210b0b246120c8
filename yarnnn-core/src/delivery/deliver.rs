//! Sends what a version has in the outbox.

use std::sync::Arc;

use super::{Channel, LookedUp, MessageState, Outbox, OutboxMessage, SendError, SendReceipt, Settlement};
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
}

impl Delivered {
    /// What the failed ones say, if any failed.
    pub fn error(&self) -> Option<String> {
        let errors: Vec<_> = self.messages.iter().filter(|it| it.state != MessageState::Sent).map(describe).collect();
        (!errors.is_empty()).then(|| errors.join("; "))
    }
}

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
        for message in self.outbox.messages(user, version).await? {
            if !matches!(message.state, MessageState::Sent | MessageState::Held) {
                self.attempt(&message).await?;
            }
        }
        Ok(Delivered { messages: self.outbox.messages(user, version).await? })
    }

    async fn attempt(&self, message: &OutboxMessage) -> Result<(), Error> {
        let started = self.outbox.start(message.user, message.id, self.clock.now()).await?;
        let settlement = self.send(&started).await;
        self.outbox.settle(message.user, message.id, started.attempts, settlement, self.clock.now()).await?;
        Ok(())
    }

    /// Sends a message; one that may have arrived only after the channel said that it did not.
    async fn send(&self, message: &OutboxMessage) -> Settlement {
        let Some(channel) = self.channels.iter().find(|it| it.kind() == message.channel) else {
            return Settlement::Failed { error: format!("this program has no {} channel", message.channel.as_str()) };
        };
        let in_doubt = matches!(message.state, MessageState::Sending | MessageState::Unknown);
        let result =
            if in_doubt { look_up(channel.as_ref(), message).await } else { channel.send(message).await.map_err(settled) };
        match result {
            Ok(receipt) => Settlement::Sent { external_id: receipt.external_id },
            Err(settlement) => {
                tracing::warn!(key = %message.key, ?settlement, "delivery did not succeed");
                settlement
            }
        }
    }
}

/// Finds out what became of a message, and sends it if it did not arrive. Whatever goes wrong while looking, it stays in doubt.
async fn look_up(channel: &dyn Channel, message: &OutboxMessage) -> Result<SendReceipt, Settlement> {
    match channel.look_up(message).await {
        Ok(LookedUp::Arrived(receipt)) => Ok(receipt),
        Ok(LookedUp::SendAgain) => channel.send(message).await.map_err(settled),
        Ok(LookedUp::CannotTell { reason }) => Err(Settlement::Held { error: reason }),
        Err(error) => Err(Settlement::Unknown { error: error.to_string() }),
    }
}

fn settled(error: SendError) -> Settlement {
    let text = error.to_string();
    match error {
        SendError::Unavailable { .. } | SendError::Refused(_) => Settlement::Failed { error: text },
        SendError::Unknown { .. } => Settlement::Unknown { error: text },
    }
}
