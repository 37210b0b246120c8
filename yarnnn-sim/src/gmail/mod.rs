//! Gmail: a mailbox with labels, threads and a history. Start at [`Gmail`].

mod routes;
mod world;

pub(crate) use routes::router;
pub use world::Gmail;
