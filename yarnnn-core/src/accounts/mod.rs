//! Users and their tier.

mod model;
mod store;

pub use model::{Email, InvalidEmail, NewUser, Tier, User};
pub use store::AccountStore;
#[cfg(feature = "testing")]
pub use store::MockAccountStore;
