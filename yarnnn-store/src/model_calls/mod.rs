//! The ledger of model calls: what a call may cost is reserved before it is made, and settled after.
//!
//! `reserve` checks the caps and adds the row in one transaction, `settle` ends it, `row` is what both leave. `forget` takes away
//! what was said when the content goes that it was about.

mod forget;
mod port;
mod reserve;
mod row;
mod settle;

pub(crate) use self::forget::forget;
