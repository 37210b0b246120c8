//! Signals: passes, what was acted upon, and what users want to be told. A pass ends in [`commit`]; rows are read in [`rows`].

mod abandon;
mod commit;
mod port;
mod rows;

#[cfg(all(test, feature = "sqlite"))]
pub(crate) use self::abandon::LEFT;
