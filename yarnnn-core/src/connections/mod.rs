//! A person's accounts at the providers: connecting, tokens that stay good, and which sources are synced.
//!
//! Start at [`Connection`]. What is read from a connection is the business of [`crate::platform_sync`].

mod access;
mod connect;
mod grant;
mod health;
mod landscape;
mod model;
mod sources;
mod store;
mod tokens;

pub(crate) use connect::listed;
pub use connect::{ConnectReport, Connections, ConnectionsParts, OpenConnection, PlatformReport};
pub use grant::{GrantError, Granted, OAuth};
pub use health::ConnectionHealth;
pub use landscape::Landscape;
pub use model::{
    Connected, Connection, ConnectionChange, ConnectionStatus, Credentials, NewConnection, Provider, UnknownProvider,
    UnreadableConnection,
};
pub use sources::{Selection, smart_defaults, source_limit};
pub use store::{ConnectionStore, CredentialStore, OAuthState, OAuthStates, RefreshTurn, StoredCredentials, TakeRefresh};
pub use tokens::ConnectionTokens;
#[cfg(feature = "testing")]
pub use {
    grant::MockOAuth,
    store::{MockConnectionStore, MockCredentialStore, MockOAuthStates},
};
