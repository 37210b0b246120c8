//! The one job system: everything that runs in the background is a row in one table, and the table is the truth.
//!
//! It deliberately knows nothing of what jobs do. Start with [`Job`], which is a kind of work, and [`JobQueue`], the port that
//! stores it; `docs/specs/job.md` says what a job may rely on.

mod capacity;
mod cx;
mod handle;
mod job;
mod keeper;
mod model;
mod outcome;
pub mod payload;
mod policy;
mod presence;
mod queue;
mod wake;

pub use capacity::{Admission, Capacity, CapacityLimits, CapacityUse, Endpoint, Permit, PermitRequest};
pub use cx::{JobCx, JobProgressSink, LeaseEnd};
pub use handle::Jobs;
pub use job::{Job, JobKind, JobKinds, WithoutWorker, new_job};
pub use keeper::{LeaseKeeper, OpenLeaseKeeper, Renewed};
pub use model::{
    Claim, Claimed, DEFAULT_LANE, DEFAULT_PRIORITY, Enqueued, JobEvent, JobKey, JobProgress, JobRecord, JobStatus, KeyHolds,
    Lease, NewJob, Rescued, Start, WaitingFor, WorkerId, Written,
};
pub use outcome::{Again, Outcome, Settlement, cause};
pub use policy::{Jitter, JobPolicy, RetryPolicy};
pub use presence::{PRESENCE_TTL, Presence, WorkerPresence};
pub use queue::{Depth, EnqueueError, JobAdmin, JobFilter, JobQueue, KEPT_AFTER_END, NextDue};
pub use wake::{WakeUpListener, WakeUps};

#[cfg(feature = "testing")]
pub use {
    capacity::MockCapacity,
    keeper::{MockLeaseKeeper, MockOpenLeaseKeeper},
    presence::MockPresence,
    queue::{MockJobAdmin, MockJobQueue},
    wake::{MockWakeUpListener, MockWakeUps},
};
