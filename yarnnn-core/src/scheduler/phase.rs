//! One phase of a tick.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Counters, Gate, PhaseLease};
use crate::error::Error;
use crate::pipeline::CancelToken;

/// One thing that ticks do.
///
/// A phase may be killed anywhere and be run again for the same slot: what it does, it does by rows under keys made of the slot. It
/// counts what stands in rows, so that a second run tells the same.
#[async_trait]
pub trait Phase: Send + Sync + 'static {
    /// Its name in the table. Never changed once released.
    fn name(&self) -> &'static str;

    /// How often.
    fn gate(&self) -> Gate;

    /// Does it.
    ///
    /// # Errors
    /// Whatever keeps it from being done: the row says so, and the other phases go on.
    async fn run(&self, cx: &PhaseCx) -> Result<Counters, Error>;
}

/// What a phase is told.
#[derive(Debug, Clone)]
pub struct PhaseCx {
    /// When the tick began.
    pub now: DateTime<Utc>,
    /// The slot of the tick.
    pub cycle: DateTime<Utc>,
    /// The slot of the phase.
    pub slot: DateTime<Utc>,
    /// The slot of the phase that was run before.
    pub previous: Option<DateTime<Utc>>,
    /// Whether it is late.
    pub late: bool,
    /// How many slots before it nobody ran.
    pub missed: u64,
    /// Whether the slot has not come yet, by the time that passes: somebody tries the future, and the slot is run again in its time.
    pub in_advance: bool,
    /// The right to run it.
    pub lease: PhaseLease,
    /// Asks it to stop.
    pub cancel: CancelToken,
}

impl PhaseCx {
    /// Fails when the program was asked to stop.
    ///
    /// # Errors
    /// `Cancelled`.
    pub fn check(&self) -> Result<(), Error> {
        if self.cancel.is_cancelled() { Err(Error::Cancelled) } else { Ok(()) }
    }
}
