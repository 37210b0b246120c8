//! Slack: a workspace with its people, channels, messages and threads. Start at [`Slack`].

mod routes;
mod world;

pub(crate) use routes::router;
pub use world::{Slack, Team};
