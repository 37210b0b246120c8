//! Notion: pages, blocks, databases and their data sources. Start at [`Notion`].
//!
//! [`Block`] is what pages are written in; [`PageSnapshot`] is what a perfect client holds of one.

mod authored;
mod block;
mod failure;
mod markdown;
mod model;
mod parse;
mod query;
mod routes;
mod state;
mod wire;
mod world;
mod write;

pub(crate) use routes::router;

pub use block::{Block, Content, RichText, Span};
pub use failure::ServiceError;
pub use model::{BlockSnapshot, Capability, PageSnapshot, Place, Property, PropertyKind};
pub use state::NoSuchEntry;
pub use world::{NewDatabase, Notion};

#[cfg(test)]
mod tests;
