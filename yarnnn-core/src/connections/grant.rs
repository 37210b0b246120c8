//! The port to a provider's authorization server.

use async_trait::async_trait;
use secrecy::SecretString;
use serde_json::{Map, Value};

use super::{Credentials, OAuthState, Provider};
use crate::platform::PlatformError;

/// What a provider granted.
#[derive(Debug, Clone)]
pub struct Granted {
    /// The secrets.
    pub credentials: Credentials,
    /// The scopes that were granted, where the provider says so.
    pub scopes: Vec<String>,
    /// What it says of account and grant, with the dossier's keys (§2.1).
    pub metadata: Map<String, Value>,
}

/// What an authorization server can answer instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GrantError {
    /// Final: the code or token is not, or no longer, good (`invalid_grant`).
    #[error("{provider} refused: {detail}")]
    Refused {
        /// Who.
        provider: &'static str,
        /// In its own words.
        detail: String,
    },
    /// Anything else.
    #[error(transparent)]
    Platform(#[from] PlatformError),
}

/// Talks to authorization servers.
///
/// # Contract
/// - `authorize_url` asks for every scope that the clients need, and for a refresh token where there is one.
/// - `refresh` is never repeated by itself: a refresh token may be good for one use.
///
/// # Errors
/// [`GrantError`]; `NeedsOperator` names the client id or secret that is not set.
///
/// # Concurrency
/// Any number of callers.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait OAuth: Send + Sync + std::fmt::Debug + 'static {
    /// Where to send the person.
    fn authorize_url(&self, provider: Provider, state: &OAuthState) -> Result<String, PlatformError>;

    /// The scopes that the clients need.
    fn required_scopes(&self, provider: Provider) -> Vec<String>;

    /// Buys credentials with the code that the person came back with.
    async fn exchange(&self, provider: Provider, code: &SecretString) -> Result<Granted, GrantError>;

    /// Buys the next access token.
    async fn refresh(&self, provider: Provider, refresh: &SecretString) -> Result<Granted, GrantError>;
}
