//! The content store: runs, pages, revisions, coverage.
//!
//! A commit goes `prepare` (foreign text is made storable) → `registry` (the fence) → `plan` (what each item means, a pure
//! function) → `rows` (the statements) → `registry` (progress). What is read back is in `read`.

mod plan;
mod port;
mod prepare;
pub(crate) mod read;
mod registry;
mod rows;

pub(crate) use self::prepare::Revision;
pub(crate) use self::rows::retain;
