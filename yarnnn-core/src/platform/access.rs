//! What a live client needs besides the network: a token that is good now, and leave to call.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;

use super::{Platform, PlatformClient, PlatformError};
use crate::id::UserId;
use crate::jobs::CapacityLimits;

/// Supplies the bearer token of one connection.
///
/// # Contract
/// - `current` answers a token that is not known to be expired; it may have to refresh it first.
/// - `renew` is told which token the provider refused, and answers another one: the one that somebody else has fetched
///   meanwhile, or a fresh one. A token that cannot be renewed is answered once more, after a pause; refused again it is
///   `NeedsUser`, and the connection is marked so.
///
/// # Errors
/// `NeedsUser` when the person must connect again, `NeedsOperator` when a setting is missing or wrong.
///
/// # Concurrency
/// Any number of callers in any number of processes; one of them refreshes.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait AccessTokens: Send + Sync + fmt::Debug + 'static {
    /// The token to call with.
    async fn current(&self) -> Result<SecretString, PlatformError>;

    /// The token to call with after the provider refused this one.
    async fn renew(&self, refused: &SecretString) -> Result<SecretString, PlatformError>;
}

/// One kind of call, as limits and messages know it.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Provider and method: `slack conversations.history`.
    pub name: &'static str,
    /// What shares a limit: `conversations.history`, `requests`, `quota`.
    pub pool: &'static str,
    /// What the call takes of a limit on tokens or quota units; 0 if it only counts as a request.
    pub cost: u32,
    /// What the provider allows per account.
    pub limits: &'a CapacityLimits,
}

/// Leave to call a provider. A client cannot be made without one, and asks before every call.
///
/// # Contract
/// Returns when the call may start. All processes that work for the same account share the limits.
///
/// # Errors
/// `RateLimited` when that would take longer than it is worth waiting for.
///
/// # Concurrency
/// Any number of callers.
#[async_trait]
pub trait CallGate: Send + Sync + fmt::Debug + 'static {
    /// Waits for leave to make one call.
    async fn admit(&self, call: &Call<'_>) -> Result<(), PlatformError>;
}

/// What a client of one account is opened with.
#[derive(Debug, Clone)]
pub struct Access {
    /// Its tokens.
    pub tokens: Arc<dyn AccessTokens>,
    /// Leave to call.
    pub gate: Arc<dyn CallGate>,
    /// Who the person is inside of the account, where the provider tells them apart from it (Slack's `authed_user`).
    pub person: Option<String>,
    /// The scopes that the person granted; empty where the provider does not say.
    pub scopes: Vec<String>,
}

/// Opens the account that a user has connected.
///
/// # Contract
/// The access is to the account of that user and no other's, as it is connected now.
///
/// # Errors
/// `NeedsUser` when none is connected, or the person must connect again; `Unavailable` when the store cannot be asked.
///
/// # Concurrency
/// Any number of callers; what they are given shares limits and tokens.
#[async_trait]
pub trait OpenAccess: Send + Sync + fmt::Debug + 'static {
    /// Access to the account through which a platform is reached.
    async fn access(&self, user: UserId, platform: Platform) -> Result<Access, PlatformError>;
}

/// Opens live clients.
pub trait OpenPlatform: Send + Sync + fmt::Debug + 'static {
    /// A client of one platform of an account.
    fn open(&self, platform: Platform, access: Access) -> Arc<dyn PlatformClient>;
}
