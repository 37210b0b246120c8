//! `yarnnn doctor`: settings, database, connections, sources, outbox and schedules, each with what is wrong and what to do.

mod check;
mod live;
mod run;
mod schedules;

pub(super) use run::{execute, new_key};
