//! The ports of connections: the rows, their secrets, and the states of sign-ins that are under way.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Connected, Connection, ConnectionChange, Credentials, NewConnection, Provider, UnreadableConnection};
use crate::activity::NewActivity;
use crate::error::StoreError;
use crate::id::{ConnectionId, UserId};
use crate::platform::ResourceId;

/// Connections without their secrets.
///
/// # Contract
/// - `connect` is one transaction: the row with its sealed credentials, what goes away when the account is another one (rows of
///   origin `live` and registry entries of the provider's platforms; rows that reports cite are withdrawn instead), what models
///   were asked and answered about them for a version ([`ModelLedger`](crate::llm::ModelLedger)), the activity.
/// - The settings of a row stay; of the same account ([`Connection::is_account`]) also those keys of its metadata that the new
///   metadata does not have.
/// - Rows that older installations stored as platform `gmail` are Google's; a row with status `connected` is active.
/// - `save` changes a row only if its version is the one that was read; else `Conflict`, and nothing is written.
/// - What was selected and excluded of an account is kept when it is disconnected, or another takes its place: `selected_before`
///   tells it, and `connect` of that account excludes the same again and ends the keeping. Of other accounts it means nothing.
/// - `disconnect` deletes the row and its secrets, and what came from it as `connect` does for another account.
/// - A row that cannot be read stops nothing: `live` names it in its place, `connect` and `disconnect` take it away. What cannot
///   be read of a landscape is left out of it.
/// - Every method but `live` sees only the given user's rows.
///
/// # Errors
/// `Locked` when credentials must be sealed and there is no key, `Conflict`, `Unavailable`, `Corrupt`.
///
/// # Concurrency
/// Any number of callers; of two that connect the same provider at once the later wins.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait ConnectionStore: Send + Sync + 'static {
    /// Stores a connection.
    async fn connect(&self, new: NewConnection) -> Result<Connected, StoreError>;

    /// A user's connections, sorted by provider.
    async fn connections(&self, user: UserId) -> Result<Vec<Connection>, StoreError>;

    /// Active connections of all users, sorted by id, after the given one.
    async fn live(
        &self,
        after: Option<ConnectionId>,
        limit: u32,
    ) -> Result<Vec<Result<Connection, UnreadableConnection>>, StoreError>;

    /// Changes a connection.
    async fn save(&self, change: ConnectionChange) -> Result<Connection, StoreError>;

    /// Removes a connection; answers how many rows of content went with it, or none if there was no connection.
    async fn disconnect(
        &self,
        user: UserId,
        provider: Provider,
        activity: NewActivity,
        at: DateTime<Utc>,
    ) -> Result<Option<u64>, StoreError>;

    /// What was selected of an account when it was connected last; nothing of one that is connected, or never was.
    async fn selected_before(&self, user: UserId, provider: Provider, account_id: &str) -> Result<Vec<ResourceId>, StoreError>;
}

/// The secrets of a connection, and how often they were replaced.
#[derive(Debug, Clone)]
pub struct StoredCredentials {
    /// The secrets.
    pub credentials: Credentials,
    /// Counts the replacements.
    pub generation: i64,
}

/// Asks to be the one who refreshes.
#[derive(Debug, Clone, Copy)]
pub struct TakeRefresh {
    /// Which connection.
    pub connection: ConnectionId,
    /// Whose.
    pub user: UserId,
    /// The generation that has to be replaced.
    pub generation: i64,
    /// Names the caller; fresh for every attempt.
    pub holder: Uuid,
    /// How long nobody else may refresh.
    pub lease: Duration,
}

/// Who refreshes.
#[derive(Debug, Clone)]
pub enum RefreshTurn {
    /// The caller, with these.
    Yours(StoredCredentials),
    /// Nobody needs to: they were replaced meanwhile.
    Newer(StoredCredentials),
    /// Somebody else does; ask again after this long.
    Wait {
        /// How long.
        retry_after: Duration,
    },
}

/// The sealed secrets of connections. Sealing binds each to tenant, connection and field, so that none can be moved.
///
/// # Contract
/// - Of any number of callers that ask to refresh the same generation, one at a time is told `Yours`, until its lease ends.
/// - `replace` stores what a refresh bought, keeps the old refresh token when there is no new one, adds one to the generation and
///   ends the lease; it is a `Conflict` for a caller whose lease ended and was taken, and then nothing is written.
/// - `give_up` ends the caller's lease and changes nothing else.
/// - Values that older installations sealed with Fernet under the same key can be read. What was sealed so, or with a key that is
///   no longer the first, is sealed anew by `credentials`, unless somebody replaced it meanwhile; the generation stays.
/// - `try_keys` tries what is stored of active connections, some of each key; it is `Locked` if none of it opens.
///
/// # Errors
/// `Locked` when there is no key or the value was sealed with another one; `NotFound`, `Conflict`, `Unavailable`, `Corrupt`.
///
/// # Concurrency
/// Any number of processes; time is the store's own. Nothing is held open while the caller talks to the provider.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait CredentialStore: Send + Sync + 'static {
    /// The secrets as they are.
    async fn credentials(&self, user: UserId, connection: ConnectionId) -> Result<StoredCredentials, StoreError>;

    /// Asks to be the one who refreshes.
    async fn take_refresh(&self, take: &TakeRefresh) -> Result<RefreshTurn, StoreError>;

    /// Stores what a refresh bought.
    async fn replace(&self, take: &TakeRefresh, bought: Credentials) -> Result<StoredCredentials, StoreError>;

    /// Whether the keys at hand are those of this store.
    async fn try_keys(&self) -> Result<(), StoreError>;

    /// Lets others try.
    async fn give_up(&self, take: &TakeRefresh) -> Result<(), StoreError>;
}

/// The secret that a sign-in carries to the provider and back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthState(String);

impl OAuthState {
    /// How long it is good for.
    pub const LIFE: Duration = Duration::from_mins(10);

    /// A state as it came back.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Sign-ins that are under way.
///
/// # Contract
/// - A state is 32 random bytes as URL-safe text; what is stored is its digest.
/// - `redeem` answers the user who began, once, for the same provider, within [`OAuthState::LIFE`]; in any process.
///
/// # Errors
/// Those of the store.
///
/// # Concurrency
/// Of two that redeem one state at once, one gets it.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait OAuthStates: Send + Sync + 'static {
    /// Begins a sign-in.
    async fn issue(&self, user: UserId, provider: Provider, at: DateTime<Utc>) -> Result<OAuthState, StoreError>;

    /// Ends it.
    async fn redeem(&self, state: &OAuthState, provider: Provider, at: DateTime<Utc>) -> Result<Option<UserId>, StoreError>;
}
