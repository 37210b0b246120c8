//! Gmail: a mailbox with labels, threads and a history. Start at [`Gmail`].

mod list;
mod mailbox;
mod mime;
mod query;
mod routes;
mod sample;
mod wire;
mod world;
mod write;

pub(crate) use routes::router;
pub(crate) use sample::fill;
pub use world::{Gmail, HeldDraft, HeldMail};

#[cfg(test)]
mod tests;
