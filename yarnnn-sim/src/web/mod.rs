//! A small web: pages that can be searched (Google's Custom Search) and fetched. Start at [`Web`].
//!
//! | Below the web's address | What comes |
//! |---|---|
//! | `/harbor/berths`, … | a page |
//! | `/redirect/3` | three redirects, then a page; `/redirect/loop`: no end of them; `/redirect/to?url=…`: one to there |
//! | `/huge/BYTES` | so much text |
//! | `/bomb/MEBIBYTES` | a thousandth of it, as gzip |
//! | `/type/KIND` | something of the type `pdf`, `json`, `png`, `plain`, of none (`none`), or a picture that says it is HTML (`lie`) |

mod pages;
mod routes;
mod search;
mod strange;
mod world;

pub(crate) use routes::router;
pub use world::{Hit, Web, WebPage};

#[cfg(test)]
mod tests;
