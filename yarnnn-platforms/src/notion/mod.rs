//! Notion, live: pages and databases of one integration, over API version 2025-09-03.
//!
//! A page is a resource with one item, a database one whose items are its rows. A sync writes nothing to Notion and reads
//! no comments and no files; the way back is [`NotionChannel`] in `publish.rs`, which makes pages of reports. Start at [`NotionClient`]; how pages become text is in `text`, what a sync of a database
//! remembers is in `cursor`.

mod audit;
mod blocks;
mod calls;
mod client;
mod compose;
mod cursor;
mod database;
mod errors;
mod limits;
mod listing;
mod look_up;
mod map;
mod page;
mod people;
mod plan;
mod posted;
mod properties;
mod publish;
#[cfg(test)]
mod tests;
mod text;
mod walk;
mod wire;

pub use client::NotionClient;
pub use limits::{DATABASE_ROWS, NotionLimits};
pub use publish::NotionChannel;
