//! Passes as a phase of the scheduler's tick: one an hour for each user whose tier has them.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{SignalProcessing, Signals};
use crate::error::Error;
use crate::id::UserId;
use crate::scheduler::{Gate, PerUser};

#[async_trait]
impl PerUser for Signals {
    type Job = SignalProcessing;

    fn name(&self) -> &'static str {
        "signals"
    }

    fn gate(&self) -> Gate {
        Gate::Hourly
    }

    async fn due(&self, _: DateTime<Utc>) -> Result<Vec<UserId>, Error> {
        self.users_due().await
    }

    fn job(&self, user: UserId, slot: DateTime<Utc>) -> SignalProcessing {
        SignalProcessing::hourly(user, slot)
    }
}
