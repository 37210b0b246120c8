//! The ledger of model calls: what a call may cost is reserved before it is made, and settled after.
//!
//! `reserve` checks the caps and adds the row in one transaction, `settle` ends it, `row` is what both leave.

mod port;
mod reserve;
mod row;
mod settle;
