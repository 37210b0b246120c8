//! Notion exports, as a zip file or a folder, in both flavours: HTML, and Markdown with CSV.
//!
//! It deliberately reads pages and database rows only; images, attachments and the export's own index are no records. Start at
//! [`NotionExport`].

mod clean;
mod client;
mod database;
mod html;
mod index;
mod item;
mod markdown;
mod name;
#[cfg(test)]
mod tests;
mod time;

pub use client::NotionExport;
pub use name::looks_like_notion;
