//! Notion: pages, blocks, databases and their data sources. Start at [`Notion`].

mod routes;
mod world;

pub(crate) use routes::router;
pub use world::Notion;
