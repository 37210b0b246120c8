//! What the calendars hold, and the verbs with which a test changes it.

use std::sync::Arc;

use yarnnn_core::clock::Clock;

/// The calendars.
#[derive(Debug)]
pub struct Calendar {
    #[expect(dead_code, reason = "verbs take the time from it")]
    clock: Arc<dyn Clock>,
}

impl Calendar {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock }
    }
}
