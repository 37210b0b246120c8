//! The verbs on `SQLite`, one file each; they run within the caller's transaction, at the given time.

mod claim;
mod due;
mod enqueue;
mod finish;
mod groups;
mod history;
mod lease;
mod owners;
#[cfg(test)]
mod plans;
mod rescue;
mod retry;

pub(super) use claim::claim;
pub(super) use due::next_due;
pub(super) use enqueue::enqueue;
pub(super) use finish::finish;
pub(super) use lease::{beat, progress, renew};
pub(super) use owners::Turns;
pub(super) use rescue::rescue;
pub(super) use retry::retry;

/// What the index of claimable jobs holds; a statement must say it in these words to be allowed the index.
macro_rules! claimable {
    ($table:literal) => {
        concat!($table, ".status in ('queued', 'retrying') and ", $table, ".crashes < 2")
    };
}

use claimable;
