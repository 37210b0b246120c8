//! Valkey or Redis beside the SQL store: a wake-up for workers and a board that shows them, and nothing else.
//!
//! The table stays the truth. Everything here is a decorator over the SQL store's own ports that adds a hint: when the server is
//! gone, nothing fails and nothing waits, and workers look by themselves until it is back. Start at [`Valkey::connect`].

mod client;
mod error;
mod keeper;
mod presence;
mod queue;
mod wake;

pub use client::Valkey;
pub use error::ValkeyError;
pub use keeper::ValkeyKeeper;
pub use presence::ValkeyPresence;
pub use queue::{ValkeyAdmin, ValkeyQueue};
pub use wake::ValkeyWakeUps;
