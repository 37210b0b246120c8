//! The worker: claims jobs, runs them, writes their ends, and loses none.
//!
//! It deliberately knows nothing of what jobs do and nothing of the store behind the ports. Start with [`run`]; the claiming is
//! in `claimer`, what is held is in `slots`, leases are renewed in `keeper` on a thread that no job can block.

mod alarm;
mod backoff;
mod claimer;
mod config;
mod engine;
mod finisher;
mod groups;
mod handle;
mod held;
mod housekeeper;
mod idle;
mod keeper;
mod limits;
mod progress;
mod pulse;
mod quarantine;
mod refused;
mod rescuer;
mod run;
mod shared;
mod single;
mod sleep;
mod slots;
mod start;
mod submit;
#[cfg(test)]
mod tests;
mod wake;

pub use config::{WorkerConfig, worker_id};
pub use engine::Drained;
pub use handle::{Tally, WorkerHandle};
pub(crate) use housekeeper::unknown_kinds;
pub use idle::{IdleReport, run_until_idle};
pub use run::{Worker, run};
pub use single::{JobWatch, WaitSink, rescue_gone, run_job};
pub(crate) use submit::has_worker;
pub use submit::{Submitted, submit};
