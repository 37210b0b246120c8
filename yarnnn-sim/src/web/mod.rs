//! A small web: pages that can be searched and fetched. Start at [`Web`].

mod pages;
mod world;

pub use world::{Hit, Web, WebPage};
