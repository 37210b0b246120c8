//! The web: pages that anybody may have written, and a search engine.
//!
//! [`PublicPages`] is the one client for addresses that come from outside. What it may reach is decided in `public.rs` (addresses)
//! and `address.rs` (URLs); `resolver.rs` is asked for every connection, so that a name cannot mean one thing when it is checked
//! and another when it is used. [`CustomSearch`] is Google's, which ends on 2027-01-01.

mod address;
mod body;
mod custom_search;
mod pages;
mod public;
mod resolver;
#[cfg(test)]
mod tests;
mod text;

pub use custom_search::{CustomSearch, CustomSearchKeys};
pub use pages::PublicPages;
