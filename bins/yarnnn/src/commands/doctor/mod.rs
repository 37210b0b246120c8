//! `yarnnn doctor`: settings, database, connections, sources and outbox, each with what is wrong and what to do.

mod check;
mod live;
mod run;

pub(super) use run::{execute, new_key};
