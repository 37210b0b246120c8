//! `yarnnn demo`: the whole pipeline, offline, on an authored team's month.

mod run;
mod world;

pub(super) use run::execute;
