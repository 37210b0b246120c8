//! What the workspace holds, and the verbs with which a test changes it.

use std::sync::Arc;

use yarnnn_core::clock::Clock;

/// The workspace itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    /// `T…`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The user behind the app's bot.
    pub bot_user_id: String,
    /// Who installed the app.
    pub installer_id: String,
}

/// The workspace.
#[derive(Debug)]
pub struct Slack {
    #[expect(dead_code, reason = "verbs take the time from it")]
    clock: Arc<dyn Clock>,
}

impl Slack {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock }
    }

    /// Which workspace it is.
    pub fn team(&self) -> Team {
        Team { id: String::new(), name: String::new(), bot_user_id: String::new(), installer_id: String::new() }
    }
}
