//! `yarnnn demo`: the whole pipeline, offline, on an authored team's month.

mod model;
mod run;
mod sums;
mod world;

pub(super) use run::execute;
