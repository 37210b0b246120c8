//! One way to read a zip file or a folder: a sorted list of entries, and the bytes of one entry at a time, within [`Limits`](super::Limits).
//!
//! It deliberately writes nothing to named places, follows no symbolic links, knows no passwords and trusts no size that an
//! archive states about itself. What an export means is decided by its readers, for example [`slack`](super::slack).

mod folder;
mod meter;
mod name;
mod problem;
mod reader;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod zipped;

pub use reader::{Archive, Entry};
