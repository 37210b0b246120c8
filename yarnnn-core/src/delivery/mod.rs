//! Delivery: messages are rows with their exact bytes before the first send, and are sent until they are settled.
//!
//! [`Deliver`] works through the outbox of a version; a [`Channel`] does the sending. No model is called here.

mod channel;
mod deliver;
mod download;
mod model;
mod store;

#[cfg(feature = "testing")]
pub use channel::MockChannel;
pub use channel::{Channel, LookedUp, SendError, SendReceipt};
pub use deliver::{Deliver, Delivered};
pub use download::{DownloadChannel, DownloadFormat};
pub use model::{ChannelKind, HeldDecision, Letter, MessageState, NewMessage, NewNotice, OutboxFile, OutboxMessage, Settlement};
#[cfg(feature = "testing")]
pub use store::{MockNotices, MockOutbox};
pub use store::{Notices, Outbox};
