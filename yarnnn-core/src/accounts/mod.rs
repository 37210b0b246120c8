//! Users and their tier.

mod model;
mod store;

pub use model::{Email, InvalidEmail, MailPreferences, NewUser, Tier, User};
pub use store::{AccountStore, PreferenceStore};
#[cfg(feature = "testing")]
pub use store::{MockAccountStore, MockPreferenceStore};
