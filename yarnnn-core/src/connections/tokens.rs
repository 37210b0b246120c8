//! Tokens that stay good: one refresher per connection across all processes (rule 12).

use std::fmt;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;
use tokio::time::Instant;

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
const TURN: Duration = Duration::from_mins(1);
/// How long to wait for somebody else's refresh.
const PATIENCE: Duration = Duration::from_secs(90);
/// How long to wait before looking again: a turn lasts a minute so that it is safe, a refresh mostly part of a second.
const GLANCE: Duration = Duration::from_millis(100);
/// How long the first refusal of a token that nothing renews is not believed.
const PAUSE: Duration = Duration::from_secs(2);
/// How often a token is stored, or a connection marked, before it is given up.
const TRIES: usize = 5;
/// The first wait between two tries to store a token; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The setting that holds the keys of credentials.
const SEAL_KEY: &str = "INTEGRATION_ENCRYPTION_KEY";

/// The tokens of one connection.
pub struct ConnectionTokens {
    refresher: Refresher,
    /// What was read or bought last in this process.
    cached: Mutex<Option<StoredCredentials>>,
    /// Until when the first refusal of a token that nothing renews was not taken for the end.
    paused_until: std::sync::Mutex<Option<Instant>>,
}

/// Buys tokens for one connection, in a task of its own.
#[derive(Clone)]
struct Refresher {
    user: UserId,
    connection: ConnectionId,
    provider: Provider,
    parts: TokenParts,
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
            .field("connection", &self.refresher.connection)
            .field("provider", &self.refresher.provider)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl AccessTokens for ConnectionTokens {
    async fn current(&self) -> Result<SecretString, PlatformError> {
        let mut cached = self.cached.lock().await;
        if cached.is_none() {
            *cached = Some(self.refresher.stored().await?);
        }
        match cached.as_ref().and_then(|it| self.good(&it.credentials)) {
            Some(token) => Ok(token),
            None => self.refreshed(&mut cached).await,
        }
    }

    async fn renew(&self, refused: &SecretString) -> Result<SecretString, PlatformError> {
        let asked = Instant::now();
        let mut cached = self.cached.lock().await;
        if let Some(other) = cached.as_ref().and_then(|it| another(&it.credentials, refused)) {
            return Ok(other);
        }
        let stored = self.refresher.stored().await?;
        let other = another(&stored.credentials, refused);
        *cached = Some(stored);
        match other {
            Some(token) => Ok(token),
            None if self.is_old(asked) => Ok(refused.clone()),
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
        let refresher = Refresher { user, connection, provider, parts };
        Self { refresher, cached: Mutex::default(), paused_until: std::sync::Mutex::default() }
    }

    /// The access token, if it lasts.
    fn good(&self, credentials: &Credentials) -> Option<SecretString> {
        let now = self.refresher.parts.clock.now();
        let lasts = credentials.expires_at.is_none_or(|end| end - now > MARGIN);
        credentials.access.clone().filter(|_| lasts)
    }

    /// Refreshes, or waits for whoever does.
    async fn refreshed(&self, cached: &mut Option<StoredCredentials>) -> Result<SecretString, PlatformError> {
        let mut generation = cached.as_ref().map_or(0, |it| it.generation);
        let mut waited = Duration::ZERO;
        loop {
            let take = TakeRefresh {
                connection: self.refresher.connection,
                user: self.refresher.user,
                generation,
                holder: self.refresher.parts.ids.uuid(),
                lease: TURN,
            };
            let turn = self.refresher.parts.credentials.take_refresh(&take).await.map_err(|it| self.refresher.store_error(it))?;
            let stored = match turn {
                RefreshTurn::Yours(stored) => {
                    let bought = self.buy(take, stored).await?;
                    // However short its life is: buying again would not make it longer.
                    if let Some(token) = bought.credentials.access.clone() {
                        *cached = Some(bought);
                        return Ok(token);
                    }
                    bought
                }
                RefreshTurn::Newer(stored) => stored,
                RefreshTurn::Wait { retry_after } if waited < PATIENCE => {
                    let wait = retry_after.clamp(GLANCE / 10, GLANCE);
                    waited += wait;
                    tokio::time::sleep(wait).await;
                    continue;
                }
                RefreshTurn::Wait { .. } => {
                    let what = format!("the refresh of the {} token", self.refresher.provider.name());
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

    /// Whether a refusal came before the pause that the first one made was over: it says no more than that one.
    fn is_old(&self, asked: Instant) -> bool {
        let paused_until = *self.paused_until.lock().unwrap_or_else(PoisonError::into_inner);
        paused_until.is_some_and(|it| asked < it)
    }

    /// The provider refused a token that nothing renews. Providers do that for a moment now and then: the first time the caller
    /// tries once more, after a pause, with what is stored by then.
    async fn unrenewable(&self, stored: &StoredCredentials) -> Result<StoredCredentials, PlatformError> {
        let is_first = self.paused_until.lock().unwrap_or_else(PoisonError::into_inner).is_none();
        if !is_first || stored.credentials.access.is_none() {
            return Err(self.refresher.ended(stored.generation, "the provider no longer takes its token").await);
        }
        tokio::time::sleep(PAUSE).await;
        *self.paused_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        self.refresher.stored().await
    }

    /// Buys the next token. A refresh token may be good for one use: what it bought is stored even if the caller is gone.
    async fn buy(&self, take: TakeRefresh, stored: StoredCredentials) -> Result<StoredCredentials, PlatformError> {
        let Some(refresh) = stored.credentials.refresh.clone() else {
            self.refresher.let_go(&take).await;
            return self.unrenewable(&stored).await;
        };
        let refresher = self.refresher.clone();
        let bought = tokio::spawn(async move { refresher.buy(&take, &refresh).await });
        let what = || format!("the refresh of the {} token", self.refresher.provider.name());
        bought.await.map_err(|error| PlatformError::Unavailable { what: what(), source: error.into() })?
    }
}

impl Refresher {
    async fn stored(&self) -> Result<StoredCredentials, PlatformError> {
        self.parts.credentials.credentials(self.user, self.connection).await.map_err(|it| self.store_error(it))
    }

    /// Buys the next token and stores it before anybody uses it.
    async fn buy(&self, take: &TakeRefresh, refresh: &SecretString) -> Result<StoredCredentials, PlatformError> {
        match self.parts.oauth.refresh(self.provider, refresh).await {
            Ok(granted) => self.replace(take, granted.credentials).await.map_err(|it| self.store_error(it)),
            Err(GrantError::Refused { detail, .. }) => self.refused(take, &detail).await,
            Err(GrantError::Platform(error)) => {
                self.let_go(take).await;
                Err(error)
            }
        }
    }

    /// Stores what was bought; a store that fails for a moment costs no sign-in. All tries together are shorter than a turn.
    async fn replace(&self, take: &TakeRefresh, bought: Credentials) -> Result<StoredCredentials, StoreError> {
        let mut wait = FIRST_WAIT;
        for _ in 1..TRIES {
            match self.parts.credentials.replace(take, bought.clone()).await {
                Err(error) if error.is_transient() => {
                    tracing::warn!(%error, provider = %self.provider, "a new token could not be stored; trying again");
                    tokio::time::sleep(wait).await;
                    wait *= 2;
                }
                done => return done,
            }
        }
        self.parts.credentials.replace(take, bought).await
    }

    /// The provider refused the refresh token. If somebody replaced it meanwhile that was to be expected; else it is final.
    async fn refused(&self, take: &TakeRefresh, detail: &str) -> Result<StoredCredentials, PlatformError> {
        let now = self.stored().await?;
        if now.generation != take.generation {
            return Ok(now);
        }
        self.let_go(take).await;
        Err(self.ended(take.generation, detail).await)
    }

    /// The turn ends by itself if this fails.
    async fn let_go(&self, take: &TakeRefresh) {
        if let Err(error) = self.parts.credentials.give_up(take).await {
            tracing::debug!(%error, "a turn to refresh was not given back; it ends by itself");
        }
    }

    /// Marks the connection as expired and says what to do.
    async fn ended(&self, generation: i64, detail: &str) -> PlatformError {
        let action = reconnect(self.provider, detail);
        if let Err(error) = self.mark(generation, &action).await {
            tracing::warn!(%error, provider = %self.provider, "a connection could not be marked as expired");
        }
        PlatformError::NeedsUser { action }
    }

    /// Marks the connection, unless its credentials were replaced meanwhile: it is not about those.
    async fn mark(&self, generation: i64, problem: &str) -> Result<(), StoreError> {
        let mut saved = Ok(());
        for _ in 0..TRIES {
            // The row first: whoever replaces the credentials after it was read changes its version, or is seen below.
            let all = self.parts.connections.connections(self.user).await?;
            let Some(connection) = all.into_iter().find(|it| it.id == self.connection) else { return Ok(()) };
            if self.parts.credentials.credentials(self.user, self.connection).await?.generation != generation {
                return Ok(());
            }
            let change = ConnectionChange {
                status: Some((ConnectionStatus::Expired, Some(problem.to_owned()))),
                ..ConnectionChange::of(&connection, self.parts.clock.now())
            };
            saved = self.parts.connections.save(change).await.map(|_| ());
            if !matches!(saved, Err(StoreError::Conflict { .. })) {
                break;
            }
        }
        saved
    }

    fn store_error(&self, error: StoreError) -> PlatformError {
        match error {
            StoreError::Locked { what, problem } => {
                tracing::warn!(what, problem, "credentials cannot be read");
                PlatformError::NeedsOperator { setting: SEAL_KEY.to_owned() }
            }
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

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use serde_json::Map;

    use super::*;
    use crate::connections::{Connection, Granted, Landscape, MockConnectionStore, MockCredentialStore, MockOAuth};
    use crate::id::RandomIds;
    use crate::testing::FixedClock;

    const NOW: &str = "2026-01-05T09:00:00Z";

    fn stored(access: &str, minutes_left: i64, generation: i64) -> StoredCredentials {
        let expires_at = NOW.parse::<DateTime<Utc>>().unwrap() + TimeDelta::minutes(minutes_left);
        let credentials = Credentials {
            access: Some(access.to_owned().into()),
            refresh: Some(format!("refresh of {access}").into()),
            expires_at: Some(expires_at),
        };
        StoredCredentials { credentials, generation }
    }

    struct World {
        connections: MockConnectionStore,
        credentials: MockCredentialStore,
        oauth: MockOAuth,
    }

    impl World {
        fn new() -> Self {
            Self { connections: MockConnectionStore::new(), credentials: MockCredentialStore::new(), oauth: MockOAuth::new() }
        }

        fn tokens(self) -> ConnectionTokens {
            let parts = TokenParts {
                connections: Arc::new(self.connections),
                credentials: Arc::new(self.credentials),
                oauth: Arc::new(self.oauth),
                clock: Arc::new(FixedClock::parse(NOW)),
                ids: Arc::new(RandomIds),
            };
            ConnectionTokens::new((UserId::LOCAL, connection().id, Provider::Google), parts)
        }
    }

    fn connection() -> Connection {
        Connection {
            id: ConnectionId::from_uuid(uuid::Uuid::nil()),
            user: UserId::LOCAL,
            provider: Provider::Google,
            status: ConnectionStatus::Active,
            metadata: Map::new(),
            landscape: Landscape::default(),
            landscape_discovered_at: None,
            last_synced_at: None,
            last_error: None,
            version: 3,
            epoch: 1,
            created_at: DateTime::UNIX_EPOCH,
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "it is what a server answers")]
    fn grants(access: &str) -> Result<Granted, GrantError> {
        let credentials = Credentials { refresh: None, ..stored(access, 60, 0).credentials };
        Ok(Granted { credentials, scopes: vec![], metadata: Map::new() })
    }

    fn text(token: Result<SecretString, PlatformError>) -> Result<String, String> {
        token.map(|it| it.expose_secret().to_owned()).map_err(|it| it.to_string())
    }

    #[tokio::test]
    async fn a_token_that_lasts_is_used_and_read_once() {
        let mut world = World::new();
        world.credentials.expect_credentials().times(1).returning(|_, _| Ok(stored("one", 5, 1)));
        let tokens = world.tokens();
        assert_eq!((text(tokens.current().await), text(tokens.current().await)), (Ok("one".into()), Ok("one".into())));
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_refresh_bought_is_stored_before_it_is_used() {
        let mut world = World::new();
        world.credentials.expect_credentials().returning(|_, _| Ok(stored("one", 1, 1)));
        world.credentials.expect_take_refresh().returning(|_| Ok(RefreshTurn::Yours(stored("one", 1, 1))));
        world.oauth.expect_refresh().times(1).returning(|_, _| grants("two"));
        world
            .credentials
            .expect_replace()
            .times(1)
            .returning(|_, bought| Ok(StoredCredentials { credentials: bought, generation: 2 }));
        assert_eq!(text(world.tokens().current().await), Ok("two".into()));
        let mut world = World::new();
        world.credentials.expect_credentials().returning(|_, _| Ok(stored("one", 1, 1)));
        world.credentials.expect_take_refresh().returning(|_| Ok(RefreshTurn::Yours(stored("one", 1, 1))));
        world.oauth.expect_refresh().returning(|_, _| grants("two"));
        world.credentials.expect_replace().returning(|_, _| Err(StoreError::Unavailable { source: "down".into() }));
        assert!(text(world.tokens().current().await).is_err(), "a token that is not stored is not used");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_is_not_the_one_waits_and_takes_what_was_bought() {
        let mut world = World::new();
        world.credentials.expect_credentials().returning(|_, _| Ok(stored("one", 1, 1)));
        let mut turns = vec![RefreshTurn::Newer(stored("two", 60, 2)), RefreshTurn::Wait { retry_after: TURN }];
        world.credentials.expect_take_refresh().times(2).returning(move |_| Ok(turns.pop().unwrap()));
        let began = tokio::time::Instant::now();
        assert_eq!(text(world.tokens().current().await), Ok("two".into()));
        assert_eq!(began.elapsed(), GLANCE, "nobody waits for a whole turn");
    }

    #[tokio::test]
    async fn a_refusal_after_somebody_else_refreshed_is_no_end() {
        let mut world = World::new();
        let mut reads = vec![stored("two", 60, 2), stored("one", 1, 1)];
        world.credentials.expect_credentials().times(2).returning(move |_, _| Ok(reads.pop().unwrap()));
        world.credentials.expect_take_refresh().returning(|_| Ok(RefreshTurn::Yours(stored("one", 1, 1))));
        world
            .oauth
            .expect_refresh()
            .times(1)
            .returning(|_, _| Err(GrantError::Refused { provider: "Google", detail: "invalid_grant".into() }));
        assert_eq!(text(world.tokens().current().await), Ok("two".into()));
    }

    #[tokio::test]
    async fn a_refusal_is_final_and_says_what_to_do() {
        let mut world = World::new();
        world.credentials.expect_credentials().returning(|_, _| Ok(stored("one", 1, 1)));
        world.credentials.expect_take_refresh().returning(|_| Ok(RefreshTurn::Yours(stored("one", 1, 1))));
        world
            .oauth
            .expect_refresh()
            .times(1)
            .returning(|_, _| Err(GrantError::Refused { provider: "Google", detail: "invalid_grant".into() }));
        world.credentials.expect_give_up().times(1).returning(|_| Ok(()));
        world.connections.expect_connections().returning(|_| Ok(vec![connection()]));
        let is_marked = |change: &ConnectionChange| matches!(&change.status, Some((ConnectionStatus::Expired, Some(problem))) if problem.contains("invalid_grant"));
        world.connections.expect_save().withf(is_marked).times(1).returning(|_| Ok(connection()));
        let said = text(world.tokens().current().await).unwrap_err();
        assert!(
            said.contains("Google must be connected again (invalid_grant") && said.contains("yarnnn connect google"),
            "{said}"
        );
    }

    #[tokio::test]
    async fn a_provider_that_is_down_ends_nothing() {
        let mut world = World::new();
        world.credentials.expect_credentials().returning(|_, _| Ok(stored("one", 1, 1)));
        world.credentials.expect_take_refresh().returning(|_| Ok(RefreshTurn::Yours(stored("one", 1, 1))));
        let down = || PlatformError::Unavailable { what: "google token".into(), source: "503".into() };
        world.oauth.expect_refresh().returning(move |_, _| Err(down().into()));
        world.credentials.expect_give_up().times(1).returning(|_| Ok(()));
        assert!(matches!(world.tokens().current().await, Err(PlatformError::Unavailable { .. })));
    }

    #[tokio::test]
    async fn a_refused_token_is_renewed_only_if_nobody_has() {
        let mut world = World::new();
        let mut reads = vec![stored("two", 60, 2), stored("one", 60, 1)];
        world.credentials.expect_credentials().times(2).returning(move |_, _| Ok(reads.pop().unwrap()));
        let tokens = world.tokens();
        let refused = tokens.current().await.unwrap();
        assert_eq!(text(tokens.renew(&refused).await), Ok("two".into()));
        assert_eq!(text(tokens.renew(&refused).await), Ok("two".into()), "what others fetched meanwhile is at hand");
    }

    fn bot_token() -> StoredCredentials {
        let credentials = Credentials { refresh: None, expires_at: None, ..stored("one", 60, 1).credentials };
        StoredCredentials { credentials, generation: 1 }
    }

    /// A world with a token that nothing renews, in which the connection may be marked so often.
    fn bot(marks: usize) -> World {
        let mut world = World::new();
        world.credentials.expect_credentials().returning(|_, _| Ok(bot_token()));
        world.credentials.expect_take_refresh().returning(|_| Ok(RefreshTurn::Yours(bot_token())));
        world.credentials.expect_give_up().returning(|_| Ok(()));
        world.connections.expect_connections().returning(|_| Ok(vec![connection()]));
        world.connections.expect_save().times(marks).returning(|_| Ok(connection()));
        world
    }

    #[tokio::test(start_paused = true)]
    async fn one_refusal_of_a_token_that_nothing_renews_is_no_end() {
        let tokens = bot(0).tokens();
        let token = tokens.current().await.unwrap();
        let all = futures::future::join_all((0..4).map(|_| tokens.renew(&token))).await;
        assert!(all.into_iter().all(|it| text(it) == Ok("one".into())), "all that were refused at once try once more");
        let tokens = bot(1).tokens();
        tokens.renew(&token).await.unwrap();
        assert!(matches!(tokens.renew(&token).await, Err(PlatformError::NeedsUser { .. })), "refused again after the pause");
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_connected_again_is_not_marked_and_what_was_only_changed_is() {
        for (generation, marked) in [(1, true), (2, false)] {
            let mut world = World::new();
            let reads = std::sync::atomic::AtomicUsize::new(0);
            world.credentials.expect_take_refresh().returning(|_| Ok(RefreshTurn::Yours(stored("one", 1, 1))));
            // Twice before the refusal is believed: what was read first, and whether somebody was faster.
            world.credentials.expect_credentials().returning(move |_, _| {
                let is_late = reads.fetch_add(1, std::sync::atomic::Ordering::Relaxed) >= 2;
                Ok(stored("one", 1, if is_late { generation } else { 1 }))
            });
            let refused = || GrantError::Refused { provider: "Google", detail: "invalid_grant".into() };
            world.oauth.expect_refresh().returning(move |_, _| Err(refused()));
            world.credentials.expect_give_up().returning(|_| Ok(()));
            world.connections.expect_connections().returning(|_| Ok(vec![connection()]));
            let mut answers = vec![Ok(connection()), Err(StoreError::Conflict { what: "the row".into() })];
            let times = if marked { 2 } else { 0 };
            world.connections.expect_save().times(times).returning(move |_| answers.pop().unwrap());
            assert!(world.tokens().current().await.is_err());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_bought_is_stored_although_the_store_failed_and_the_caller_went_away() {
        let mut world = World::new();
        world.credentials.expect_credentials().returning(|_, _| Ok(stored("one", 1, 1)));
        world.credentials.expect_take_refresh().returning(|_| Ok(RefreshTurn::Yours(stored("one", 1, 1))));
        world.oauth.expect_refresh().times(1).returning(|_, _| grants("two"));
        let replaced = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let count = replaced.clone();
        world.credentials.expect_replace().returning(move |_, bought| {
            match count.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
                0 | 1 => Err(StoreError::Unavailable { source: "busy".into() }),
                _ => Ok(StoredCredentials { credentials: bought, generation: 2 }),
            }
        });
        let tokens = world.tokens();
        assert!(tokio::time::timeout(Duration::from_millis(10), tokens.current()).await.is_err(), "the caller goes away");
        tokio::time::sleep(Duration::from_secs(30)).await;
        assert_eq!(replaced.load(std::sync::atomic::Ordering::Relaxed), 3);
    }

    #[tokio::test]
    async fn a_key_that_is_missing_is_named_once() {
        let mut world = World::new();
        let problem = "INTEGRATION_ENCRYPTION_KEY is not set; `yarnnn doctor --new-key` prints a key";
        let locked = move || StoreError::Locked { what: "it".into(), problem: problem.into() };
        world.credentials.expect_credentials().returning(move |_, _| Err(locked()));
        let said = text(world.tokens().current().await).unwrap_err();
        assert_eq!(said, "the setting INTEGRATION_ENCRYPTION_KEY is missing or wrong");
    }
}
