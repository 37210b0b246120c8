//! Waking workers that wait. A hint and nothing more: without it, or when one is lost, workers look by themselves.

use async_trait::async_trait;

use crate::error::StoreError;

/// Hands out listeners.
///
/// # Contract
/// - A listener wakes some time after a job was enqueued or made ready by any process that shares the wake-up, and may wake
///   for nothing.
///
/// # Errors
/// `Unavailable` when nothing can be heard: the caller polls.
///
/// # Concurrency
/// Any number of listeners.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait WakeUps: Send + Sync + 'static {
    /// Listens from now on.
    async fn listen(&self) -> Result<Box<dyn WakeUpListener>, StoreError>;
}

/// Waits for a wake-up.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait WakeUpListener: Send + 'static {
    /// Returns when there may be something to claim. Dropping the future loses nothing.
    async fn woken(&mut self) -> Result<(), StoreError>;
}
