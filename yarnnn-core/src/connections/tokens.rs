//! Tokens that stay good: one refresher per connection across all processes (rule 12).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;

use super::{
    ConnectionChange, ConnectionStatus, ConnectionStore, CredentialStore, Credentials, GrantError, OAuth, Provider, RefreshTurn,
    StoredCredentials, TakeRefresh,
};
use crate::clock::Clock;
use crate::error::StoreError;
use crate::id::{ConnectionId, IdGen, UserId};
use crate::platform::{AccessTokens, PlatformError};

/// A token with less than this left is refreshed before it is used (dossier §4.8).
const MARGIN: TimeDelta = TimeDelta::seconds(60);
/// How long nobody else may refresh: longer than the longest call to an authorization server.
const TURN: Duration = Duration::from_secs(60);
/// How long to wait for somebody else's refresh.
const PATIENCE: Duration = Duration::from_secs(90);

/// The tokens of one connection.
pub struct ConnectionTokens {
    user: UserId,
    connection: ConnectionId,
    provider: Provider,
    parts: TokenParts,
    /// What was read or bought last in this process.
    cached: Mutex<Option<StoredCredentials>>,
}

/// What refreshing needs.
#[derive(Clone)]
pub(super) struct TokenParts {
    pub(super) connections: Arc<dyn ConnectionStore>,
    pub(super) credentials: Arc<dyn CredentialStore>,
    pub(super) oauth: Arc<dyn OAuth>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn IdGen>,
}

impl fmt::Debug for ConnectionTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionTokens")
            .field("connection", &self.connection)
            .field("provider", &self.provider)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl AccessTokens for ConnectionTokens {
    async fn current(&self) -> Result<SecretString, PlatformError> {
        let mut cached = self.cached.lock().await;
        if cached.is_none() {
            *cached = Some(self.stored().await?);
        }
        match cached.as_ref().and_then(|it| self.good(&it.credentials)) {
            Some(token) => Ok(token),
            None => self.refreshed(&mut cached).await,
        }
    }

    async fn renew(&self, refused: &SecretString) -> Result<SecretString, PlatformError> {
        let mut cached = self.cached.lock().await;
        if let Some(other) = cached.as_ref().and_then(|it| another(&it.credentials, refused)) {
            return Ok(other);
        }
        let stored = self.stored().await?;
        let other = another(&stored.credentials, refused);
        *cached = Some(stored);
        match other {
            Some(token) => Ok(token),
            None => self.refreshed(&mut cached).await,
        }
    }
}

/// The token, if it is not the refused one.
fn another(credentials: &Credentials, refused: &SecretString) -> Option<SecretString> {
    credentials.access.clone().filter(|it| it.expose_secret() != refused.expose_secret())
}

impl ConnectionTokens {
    pub(super) fn new((user, connection, provider): (UserId, ConnectionId, Provider), parts: TokenParts) -> Self {
        Self { user, connection, provider, parts, cached: Mutex::new(None) }
    }

    /// The access token, if it lasts.
    fn good(&self, credentials: &Credentials) -> Option<SecretString> {
        let now = self.parts.clock.now();
        let lasts = credentials.expires_at.is_none_or(|end| end - now > MARGIN);
        credentials.access.clone().filter(|_| lasts)
    }

    async fn stored(&self) -> Result<StoredCredentials, PlatformError> {
        self.parts.credentials.credentials(self.user, self.connection).await.map_err(|it| self.store_error(it))
    }

    /// Refreshes, or waits for whoever does.
    async fn refreshed(&self, cached: &mut Option<StoredCredentials>) -> Result<SecretString, PlatformError> {
        let mut generation = cached.as_ref().map_or(0, |it| it.generation);
        let mut waited = Duration::ZERO;
        loop {
            let take = TakeRefresh {
                connection: self.connection,
                user: self.user,
                generation,
                holder: self.parts.ids.uuid(),
                lease: TURN,
            };
            let turn = self.parts.credentials.take_refresh(&take).await.map_err(|it| self.store_error(it))?;
            let stored = match turn {
                RefreshTurn::Yours(stored) => self.buy(&take, stored).await?,
                RefreshTurn::Newer(stored) => stored,
                RefreshTurn::Wait { retry_after } if waited < PATIENCE => {
                    waited += retry_after;
                    tokio::time::sleep(retry_after).await;
                    continue;
                }
                RefreshTurn::Wait { .. } => {
                    let what = format!("the refresh of the {} token", self.provider.name());
                    return Err(PlatformError::Unavailable { what, source: "another process has not finished it".into() });
                }
            };
            generation = stored.generation;
            let token = self.good(&stored.credentials);
            *cached = Some(stored);
            if let Some(token) = token {
                return Ok(token);
            }
        }
    }

    /// Buys the next token and stores it before anybody uses it.
    async fn buy(&self, take: &TakeRefresh, stored: StoredCredentials) -> Result<StoredCredentials, PlatformError> {
        let Some(refresh) = stored.credentials.refresh.clone() else {
            self.let_go(take).await;
            return Err(self.ended("the provider no longer takes its token").await);
        };
        match self.parts.oauth.refresh(self.provider, &refresh).await {
            Ok(granted) => {
                let bought = granted.credentials;
                let replaced = self.parts.credentials.replace(take, bought).await;
                replaced.map_err(|it| self.store_error(it))
            }
            Err(GrantError::Refused { detail, .. }) => self.refused(take, &detail).await,
            Err(GrantError::Platform(error)) => {
                self.let_go(take).await;
                Err(error)
            }
        }
    }

    /// The provider refused the refresh token. If somebody replaced it meanwhile that was to be expected; else it is final.
    async fn refused(&self, take: &TakeRefresh, detail: &str) -> Result<StoredCredentials, PlatformError> {
        let now = self.stored().await?;
        if now.generation != take.generation {
            return Ok(now);
        }
        self.let_go(take).await;
        Err(self.ended(detail).await)
    }

    /// The turn ends by itself if this fails.
    async fn let_go(&self, take: &TakeRefresh) {
        if let Err(error) = self.parts.credentials.give_up(take).await {
            tracing::debug!(%error, "a turn to refresh was not given back; it ends by itself");
        }
    }

    /// Marks the connection as expired and says what to do.
    async fn ended(&self, detail: &str) -> PlatformError {
        let action = reconnect(self.provider, detail);
        if let Err(error) = self.mark(&action).await {
            tracing::warn!(%error, provider = %self.provider, "a connection could not be marked as expired");
        }
        PlatformError::NeedsUser { action }
    }

    async fn mark(&self, problem: &str) -> Result<(), StoreError> {
        let all = self.parts.connections.connections(self.user).await?;
        let Some(connection) = all.into_iter().find(|it| it.id == self.connection) else { return Ok(()) };
        let change = ConnectionChange {
            status: Some((ConnectionStatus::Expired, Some(problem.to_owned()))),
            ..ConnectionChange::of(&connection, self.parts.clock.now())
        };
        self.parts.connections.save(change).await.map(|_| ())
    }

    fn store_error(&self, error: StoreError) -> PlatformError {
        match error {
            StoreError::Locked { problem, .. } => PlatformError::NeedsOperator { setting: problem },
            error => {
                let what = format!("the {} token", self.provider.name());
                PlatformError::Unavailable { what, source: Box::new(error) }
            }
        }
    }
}

/// What a person has to do about a connection that ended.
pub(crate) fn reconnect(provider: Provider, detail: &str) -> String {
    let google = "; if the Google app is in testing, its tokens end after 7 days";
    let more = if provider == Provider::Google { google } else { "" };
    format!("{} must be connected again ({detail}{more}): yarnnn connect {provider}", provider.name())
}
