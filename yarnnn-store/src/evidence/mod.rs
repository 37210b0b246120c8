//! The evidence ledger: what stands behind each sentence of a version, and what became of what was said.

mod port;
mod said;

pub(crate) use self::port::{cited, write};
