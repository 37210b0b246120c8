//! What the workspace hold, and the verbs with which a test changes it.

use std::sync::Arc;

use yarnnn_core::clock::Clock;

/// The workspace.
#[derive(Debug)]
pub struct Notion {
    #[expect(dead_code, reason = "verbs take the time from it")]
    clock: Arc<dyn Clock>,
}

impl Notion {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock }
    }
}
