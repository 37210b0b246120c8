//! What the clones of a store share about jobs besides the database: hints only, nothing that must survive.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::sync::watch;

#[cfg(feature = "sqlite")]
use super::sqlite::Turns;

/// Cheap to clone: clones share it.
#[derive(Debug, Clone)]
pub(crate) struct JobState {
    /// Wakes the listeners of this process.
    pub(super) bell: watch::Sender<()>,
    /// Whether a notification to other processes is about to be sent.
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "only Postgres notifies other processes"))]
    pub(super) notifying: Arc<AtomicBool>,
    /// Whose turn it is among the owners of a backlog.
    #[cfg(feature = "sqlite")]
    pub(super) turns: Turns,
}

impl Default for JobState {
    fn default() -> Self {
        Self {
            bell: watch::Sender::new(()),
            notifying: Arc::default(),
            #[cfg(feature = "sqlite")]
            turns: Turns::default(),
        }
    }
}
