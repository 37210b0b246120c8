//! What the mailbox hold, and the verbs with which a test changes it.

use std::sync::Arc;

use yarnnn_core::clock::Clock;

/// The mailbox.
#[derive(Debug)]
pub struct Gmail {
    #[expect(dead_code, reason = "verbs take the time from it")]
    clock: Arc<dyn Clock>,
}

impl Gmail {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock }
    }
}
