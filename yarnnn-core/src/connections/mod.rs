//! A person's accounts at the providers: connecting, tokens that stay good, and which sources are synced.
//!
//! Start at [`Connection`]. What is read from a connection is the business of [`crate::platform_sync`].

mod grant;
mod landscape;
mod model;
mod store;

pub use grant::{GrantError, Granted, OAuth};
pub use landscape::Landscape;
pub use model::{
    Connected, Connection, ConnectionChange, ConnectionStatus, Credentials, NewConnection, Provider, UnknownProvider,
};
pub use store::{ConnectionStore, CredentialStore, OAuthState, OAuthStates, RefreshTurn, StoredCredentials, TakeRefresh};
#[cfg(feature = "testing")]
pub use {
    grant::MockOAuth,
    store::{MockConnectionStore, MockCredentialStore, MockOAuthStates},
};
