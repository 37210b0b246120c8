//! Stages: the steps of a pipeline as values, and the context that gives each of them a span, a timing, progress and a
//! way to be cancelled.
//!
//! A pipeline is a plain async function with one `cx.run(&stage, input)` per line. See [`Stage`].

mod cancel;
mod holder;
mod stage;

pub use cancel::{CancelHandle, CancelToken};
pub use holder::{Holder, Liveness};
pub use stage::{Progress, ProgressSink, Stage, StageCx, StageTiming};
