//! Full text over the store. Words are cut, folded and stemmed in Rust (`words`, `stem`), and so is the shown place of a match
//! (`snippet`): the database only keeps an inverted index of finished words. That is why both back-ends find the same.

mod port;
mod snippet;
mod stem;
mod words;

#[cfg(feature = "sqlite")]
pub(crate) use port::index;
pub(crate) use port::{Document, column};
