//! Sends what a version has in the outbox.

use std::sync::Arc;

use super::{Channel, MessageState, Outbox, OutboxMessage, Settlement};
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
            if message.state != MessageState::Sent {
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

    async fn send(&self, message: &OutboxMessage) -> Settlement {
        let Some(channel) = self.channels.iter().find(|it| it.kind() == message.channel) else {
            return Settlement::Failed { error: format!("this program has no {} channel", message.channel.as_str()) };
        };
        match channel.send(message).await {
            Ok(receipt) => Settlement::Sent { external_id: receipt.external_id },
            Err(error) => {
                tracing::warn!(key = %message.key, %error, "delivery failed");
                Settlement::Failed { error: error.to_string() }
            }
        }
    }
}
