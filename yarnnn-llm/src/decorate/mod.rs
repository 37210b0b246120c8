//! What stands around a provider's client, from the client outwards: prices, the ledger and its caps, second tries, the circuit
//! breaker, another model in the place of one that is down.
//!
//! Each takes a model and is one, for whole answers and for those in pieces.

mod breaker;
mod budgeted;
mod fallback;
mod metered;
mod retrying;
#[cfg(test)]
mod tests;
mod whole;

pub use breaker::Breaker;
pub use budgeted::{Budgeted, Ledger};
pub use fallback::Fallback;
pub use metered::Metered;
pub use retrying::{Chance, RandomChance, Retrying};
pub use whole::Whole;
