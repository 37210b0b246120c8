//! Noticing that a part of the worker has ended that should not have: it panicked. A worker without its finisher, its rescuer or
//! its keeper must not stand there as if it worked.

use std::sync::Arc;

use super::shared::Shared;

/// Until when a part runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// The worker takes nothing new any more.
    Stopped,
    /// All ends are written.
    Closed,
}

/// Goes off when it is dropped before its time.
pub(super) struct Alarm {
    shared: Arc<Shared>,
    part: &'static str,
    until: Until,
}

impl Alarm {
    pub(super) const fn of(shared: Arc<Shared>, part: &'static str, until: Until) -> Self {
        Self { shared, part, until }
    }

    /// Runs a part under an alarm.
    pub(super) async fn over(self, part: impl Future<Output = ()>) {
        part.await;
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        let in_time = match self.until {
            Until::Stopped => self.shared.is_stopping(),
            Until::Closed => self.shared.is_closed(),
        };
        if !in_time {
            tracing::error!("{} has ended unexpectedly; the worker stops", self.part);
            self.shared.broken.send_if_modified(|it| it.is_none() && it.replace(self.part).is_none());
        }
    }
}

impl Shared {
    /// Returns when a part has ended unexpectedly.
    pub(super) async fn broken(&self) {
        // The sender lives as long as this.
        let _ = self.broken.subscribe().wait_for(Option::is_some).await;
    }

    /// The first part that has ended unexpectedly.
    pub(super) fn broken_part(&self) -> Option<&'static str> {
        *self.broken.borrow()
    }
}
