//! Slack: a workspace with its people, channels, messages and threads. Start at [`Slack`].

mod arguments;
mod authored;
mod channels;
mod message;
mod method;
mod people;
mod posting;
mod reading;
mod routes;
mod stamp;
mod verbs;
mod wire;
mod world;

pub use message::{Held, Posted};
pub(crate) use routes::router;
pub use world::{Slack, Team};

#[cfg(test)]
mod tests;
