//! The content store: runs, pages, revisions, coverage.
//!
//! A commit goes `prepare` (foreign text is made storable) → `registry` (the fence) → `plan` (what each item means, a pure
//! function) → `rows` (the statements) → `registry` (progress). The pages of a run that rebuilds wait in `shadow` before they are
//! planned. What is read back is in `read`; `purge` is for accounts that are no longer connected, `release` for versions that were
//! rejected.

mod plan;
mod port;
mod prepare;
mod purge;
pub(crate) mod read;
mod registry;
mod release;
mod rows;
mod shadow;

pub(crate) use self::prepare::Revision;
pub(crate) use self::purge::purge;
pub(crate) use self::registry::{EXCLUDED, exclude, first_token};
pub(crate) use self::release::release;
pub(crate) use self::rows::retain;
