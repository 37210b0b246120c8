//! Connecting an account: with a token of one's own, or by signing in at the provider.

use std::fmt;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

use super::tokens::TokenParts;
use super::{
    Connected, Connection, ConnectionChange, ConnectionStore, ConnectionTokens, CredentialStore, Credentials, GrantError,
    Granted, Landscape, NewConnection, OAuth, OAuthState, OAuthStates, Provider, UnreadableConnection, source_limit,
};
use crate::accounts::{AccountStore, User};
use crate::activity::{ActivityKind, NewActivity};
use crate::clock::Clock;
use crate::error::{Error, StoreError};
use crate::hash::Sha256;
use crate::id::{ActivityId, ConnectionId, IdGen, UserId};
use crate::jobs::{Capacity, WorkerId};
use crate::platform::{
    Access, AccessTokens, CapacityGate, OpenPlatform, Platform, PlatformClient, PlatformError, Probe, Quarantined, Resource,
};

/// How often a change is tried again when somebody else changed the row meanwhile.
const TRIES: usize = 5;

/// What the feature needs.
#[derive(Clone)]
pub struct ConnectionsParts {
    /// Users and tiers.
    pub accounts: Arc<dyn AccountStore>,
    /// Connections.
    pub connections: Arc<dyn ConnectionStore>,
    /// Their secrets.
    pub credentials: Arc<dyn CredentialStore>,
    /// Sign-ins under way.
    pub states: Arc<dyn OAuthStates>,
    /// Authorization servers.
    pub oauth: Arc<dyn OAuth>,
    /// Live clients.
    pub platforms: Arc<dyn OpenPlatform>,
    /// Permits.
    pub capacity: Arc<dyn Capacity>,
    /// In whose name permits are asked for.
    pub worker: WorkerId,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub ids: Arc<dyn IdGen>,
}

/// The feature. Cheap to clone.
#[derive(Clone)]
pub struct Connections {
    pub(super) parts: ConnectionsParts,
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").field("platforms", &self.parts.platforms).finish_non_exhaustive()
    }
}

/// What became of connecting.
#[derive(Debug)]
pub struct ConnectReport {
    /// The connection and what storing it did.
    pub connected: Connected,
    /// What each platform shows.
    pub platforms: Vec<PlatformReport>,
    /// Scopes that the clients would use and that were not granted.
    pub missing_scopes: Vec<String>,
}

/// What one platform of a new connection shows.
#[derive(Debug)]
pub struct PlatformReport {
    /// Which one.
    pub platform: Platform,
    /// Resources that can be read.
    pub resources: usize,
    /// Those that are synced from now on.
    pub selected: usize,
    /// Why it cannot be read.
    pub problem: Option<PlatformError>,
}

/// The clients of one connection.
#[derive(Debug, Clone)]
pub struct OpenConnection {
    pub(super) access: Access,
    platforms: Arc<dyn OpenPlatform>,
}

impl OpenConnection {
    /// The client of one platform.
    pub fn client(&self, platform: Platform) -> Arc<dyn PlatformClient> {
        self.platforms.open(platform, self.access.clone())
    }
}

impl Connections {
    /// Connects with these.
    pub const fn new(parts: ConnectionsParts) -> Self {
        Self { parts }
    }

    /// A user's connections.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn list(&self, user: UserId) -> Result<Vec<Connection>, Error> {
        Ok(self.parts.connections.connections(user).await?)
    }

    /// Active connections of all users, page by page.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn live(
        &self,
        after: Option<ConnectionId>,
        limit: u32,
    ) -> Result<Vec<Result<Connection, UnreadableConnection>>, Error> {
        Ok(self.parts.connections.live(after, limit).await?)
    }

    /// Connects with a token of the person's own: a bot token of Slack, a secret of a Notion integration, a refresh token of Google.
    ///
    /// # Errors
    /// What the provider says to the token; nothing is stored then.
    pub async fn connect(&self, user: &User, provider: Provider, token: SecretString) -> Result<ConnectReport, Error> {
        let granted = match provider {
            Provider::Google => {
                let granted = self.parts.oauth.refresh(provider, &token).await.map_err(refusal)?;
                let refresh = granted.credentials.refresh.clone().or(Some(token));
                Granted { credentials: Credentials { refresh, ..granted.credentials.clone() }, ..granted }
            }
            Provider::Slack | Provider::Notion => {
                let credentials = Credentials { access: Some(token), refresh: None, expires_at: None };
                Granted { credentials, scopes: vec![], metadata: Map::new() }
            }
        };
        self.store(user, provider, granted).await
    }

    /// Begins a sign-in: where to send the person.
    ///
    /// # Errors
    /// `NeedsOperator` when the client id or secret is not set; those of the store.
    pub async fn authorize(&self, user: UserId, provider: Provider) -> Result<String, Error> {
        // Settings first: a sign-in that cannot be is not begun.
        self.parts.oauth.authorize_url(provider, &OAuthState::new(""))?;
        let state = self.parts.states.issue(user, provider, self.parts.clock.now()).await?;
        Ok(self.parts.oauth.authorize_url(provider, &state)?)
    }

    /// Ends a sign-in with what the person came back with. A state is good once, for the one who began, for ten minutes;
    /// brought by somebody else it is used up and connects nothing.
    ///
    /// # Errors
    /// `Invalid` for a state that is not, or not of this user; what the provider says to the code.
    pub async fn callback(
        &self,
        user: UserId,
        provider: Provider,
        state: &OAuthState,
        code: &SecretString,
    ) -> Result<ConnectReport, Error> {
        let began = self.parts.states.redeem(state, provider, self.parts.clock.now()).await?;
        let expired = || Error::Invalid("the sign-in has expired or was already used; begin again".into());
        let began = began.filter(|it| *it == user).ok_or_else(expired)?;
        let user = self.parts.accounts.user(began).await?;
        let granted = self.parts.oauth.exchange(provider, code).await.map_err(refusal)?;
        self.store(&user, provider, granted).await
    }

    /// Removes a connection and what came from it; what reports cite stays as withdrawn. Answers how many rows went.
    ///
    /// # Errors
    /// `NotFound` when there is none; those of the store.
    pub async fn disconnect(&self, user: UserId, provider: Provider) -> Result<u64, Error> {
        let activity =
            self.activity(ActivityKind::IntegrationDisconnected, provider, format!("Disconnected {}", provider.name()));
        let gone = self.parts.connections.disconnect(user, provider, activity, self.parts.clock.now()).await?;
        gone.ok_or_else(|| Error::NotFound(format!("a connection to {}", provider.name())))
    }

    /// Opens the clients of a stored connection.
    pub fn open(&self, connection: &Connection) -> OpenConnection {
        let ConnectionsParts { connections, credentials, oauth, clock, ids, .. } = self.parts.clone();
        let parts = TokenParts { connections, credentials, oauth, clock, ids };
        let tokens = ConnectionTokens::new((connection.user, connection.id, connection.provider), parts);
        let account = connection.account_id().map_or_else(|| connection.id.to_string(), str::to_owned);
        let at = |path| connection.metadata.get("authed_user_id").or_else(|| connection.metadata.get("owner")?.pointer(path));
        let person = at("/user/id").and_then(Value::as_str).map(str::to_owned);
        let mut opened = self.opened(Arc::new(tokens), person, (connection.provider, &account));
        opened.access.scopes = connection.scopes().into_iter().map(str::to_owned).collect();
        opened
    }

    /// Changes a connection that others may be changing; `change` is given what it is now, and says nothing to leave it so.
    ///
    /// # Errors
    /// `NotFound` when it is gone, `Busy` when it stands for another account now; those of the store.
    pub async fn update(
        &self,
        connection: &Connection,
        change: impl Fn(&Connection) -> Option<ConnectionChange> + Send + Sync,
    ) -> Result<Connection, Error> {
        let mut current = connection.clone();
        for _ in 0..TRIES {
            let Some(next) = change(&current) else { return Ok(current) };
            match self.parts.connections.save(next).await {
                Ok(saved) => return Ok(saved),
                Err(StoreError::Conflict { .. }) => current = self.current(connection).await?,
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Busy(format!("the connection to {} is being changed by others; try again", connection.provider.name())))
    }

    async fn current(&self, connection: &Connection) -> Result<Connection, Error> {
        let all = self.parts.connections.connections(connection.user).await?;
        let gone = || Error::NotFound(format!("the connection to {}", connection.provider.name()));
        let now = all.into_iter().find(|it| it.id == connection.id).ok_or_else(gone)?;
        let another = || Error::Busy(format!("{} was connected to another account meanwhile", connection.provider.name()));
        if now.epoch == connection.epoch { Ok(now) } else { Err(another()) }
    }

    fn opened(
        &self,
        tokens: Arc<dyn AccessTokens>,
        person: Option<String>,
        (provider, account): (Provider, &str),
    ) -> OpenConnection {
        let ConnectionsParts { capacity, clock, worker, platforms, .. } = self.parts.clone();
        let gate = CapacityGate::new(capacity, clock, (provider.as_str(), account), worker);
        OpenConnection { access: Access { tokens, gate: Arc::new(gate), person, scopes: vec![] }, platforms }
    }

    /// Looks at what the grant shows, and stores it if it shows anything.
    async fn store(&self, user: &User, provider: Provider, granted: Granted) -> Result<ConnectReport, Error> {
        let id = ConnectionId::fresh(self.parts.ids.as_ref());
        let handed = Arc::new(HandedToken { provider, access: granted.credentials.access.clone() });
        let opened = self.opened(handed, None, (provider, &pool(provider, granted.credentials.access.as_ref())));
        let shown = look(&opened, provider).await?;
        let known = self.list(user.id).await?.into_iter().find(|it| it.provider == provider);
        let same = known.as_ref().filter(|it| it.is_account(&shown.probe.account_id, &granted.metadata));
        let mut landscape = match same {
            Some(same) => same.landscape.clone(),
            None => self.chosen_before(user.id, provider, &shown).await?,
        };
        for &platform in provider.platforms() {
            let of_platform = shown.resources.iter().filter(|it| it.id.platform() == platform);
            landscape.replace(platform, of_platform.cloned().collect(), &[]);
        }
        let mut platforms = shown.platforms;
        for report in &mut platforms {
            if landscape.selected_of(report.platform).is_empty() {
                landscape.choose_defaults(report.platform, source_limit(user.tier, report.platform));
            }
            report.selected = landscape.selected_of(report.platform).len();
        }
        let granted_scopes = if granted.scopes.is_empty() { shown.probe.scopes.clone() } else { granted.scopes };
        let missing_scopes = missing(&self.parts.oauth.required_scopes(provider), &granted_scopes);
        let name = shown.probe.account_name.clone().unwrap_or_else(|| shown.probe.account_id.clone());
        let new = NewConnection {
            id,
            user: user.id,
            provider,
            credentials: granted.credentials,
            metadata: metadata(granted.metadata, &shown.probe, &granted_scopes, &platforms),
            account_id: shown.probe.account_id,
            landscape,
            activity: self.activity(
                ActivityKind::IntegrationConnected,
                provider,
                format!("Connected {} ({name})", provider.name()),
            ),
            at: self.parts.clock.now(),
        };
        let connected = self.parts.connections.connect(new).await?;
        Ok(ConnectReport { connected, platforms, missing_scopes })
    }

    /// What was chosen of an account when it was connected last, as far as it is shown now. Another account begins anew.
    async fn chosen_before(&self, user: UserId, provider: Provider, shown: &Shown) -> Result<Landscape, Error> {
        let mut selected = self.parts.connections.selected_before(user, provider, &shown.probe.account_id).await?;
        selected.retain(|id| shown.resources.iter().any(|it| it.id == *id));
        Ok(Landscape { selected, ..Landscape::default() })
    }

    fn activity(&self, kind: ActivityKind, provider: Provider, summary: String) -> NewActivity {
        let ids = self.parts.ids.as_ref();
        let metadata = json!({ "provider": provider });
        NewActivity { id: ActivityId::fresh(ids), kind, key: ids.uuid(), summary, metadata }
    }
}

/// Under which name a token shares its permits before anybody knows whose it is: the same token, the same permits.
fn pool(provider: Provider, token: Option<&SecretString>) -> String {
    let digest = Sha256::of(token.map(ExposeSecret::expose_secret).unwrap_or_default()).to_string();
    format!("{provider} {}", digest.chars().take(8).collect::<String>())
}

/// A token that was just handed over and cannot be renewed.
#[derive(Debug)]
struct HandedToken {
    provider: Provider,
    access: Option<SecretString>,
}

#[async_trait::async_trait]
impl AccessTokens for HandedToken {
    async fn current(&self) -> Result<SecretString, PlatformError> {
        let none = || PlatformError::NeedsUser { action: format!("{} handed out no access token", self.provider.name()) };
        self.access.clone().ok_or_else(none)
    }

    async fn renew(&self, _: &SecretString) -> Result<SecretString, PlatformError> {
        let action =
            format!("{} does not take this token; check that it was copied whole and is still good", self.provider.name());
        Err(PlatformError::NeedsUser { action })
    }
}

/// What a grant shows.
struct Shown {
    probe: Probe,
    resources: Vec<Resource>,
    platforms: Vec<PlatformReport>,
}

/// Probes every platform of a provider and lists what it has. One that was not granted is reported; if none was, it is an error.
async fn look(opened: &OpenConnection, provider: Provider) -> Result<Shown, Error> {
    let mut shown: Option<(Probe, Vec<Resource>)> = None;
    let mut platforms = Vec::new();
    for &platform in provider.platforms() {
        let client = opened.client(platform);
        match discover(client.as_ref()).await {
            Ok((probe, found)) => {
                platforms.push(PlatformReport { platform, resources: found.len(), selected: 0, problem: None });
                let (_, all) = shown.get_or_insert((probe, vec![]));
                all.extend(found);
            }
            Err(error @ PlatformError::NeedsUser { .. }) if provider.platforms().len() > 1 => {
                platforms.push(PlatformReport { platform, resources: 0, selected: 0, problem: Some(error) });
            }
            Err(error) => return Err(error.into()),
        }
    }
    match shown {
        Some((probe, resources)) => Ok(Shown { probe, resources, platforms }),
        None => match platforms.into_iter().find_map(|it| it.problem) {
            Some(error) => Err(error.into()),
            None => Err(Error::Failed(format!("{} has no platform", provider.name()))),
        },
    }
}

/// Who answers, and everything that can be read.
///
/// # Errors
/// Those of the client.
async fn discover(client: &dyn PlatformClient) -> Result<(Probe, Vec<Resource>), PlatformError> {
    let probe = client.probe().await?;
    Ok((probe, listed(client).await?))
}

/// Everything that can be read, for who knows who answers.
///
/// # Errors
/// Those of the client.
pub(crate) async fn listed(client: &dyn PlatformClient) -> Result<Vec<Resource>, PlatformError> {
    let (mut resources, mut page) = (Vec::new(), None);
    loop {
        let listed = client.resources(page).await?;
        resources.extend(listed.resources);
        for Quarantined { item, reason } in listed.quarantined {
            tracing::warn!(platform = %client.platform(), item, reason, "a source cannot be read");
        }
        page = listed.next;
        if page.is_none() {
            return Ok(resources);
        }
    }
}

fn metadata(
    mut metadata: Map<String, Value>,
    probe: &Probe,
    scopes: &[String],
    platforms: &[PlatformReport],
) -> Map<String, Value> {
    metadata.insert("account_id".into(), json!(probe.account_id));
    metadata.insert("account_name".into(), json!(probe.account_name));
    if !scopes.is_empty() {
        metadata.insert("scope".into(), json!(scopes.join(" ")));
    }
    let works: Vec<_> = platforms.iter().filter(|it| it.problem.is_none()).map(|it| it.platform).collect();
    metadata.insert("capabilities".into(), json!(works));
    metadata
}

pub(super) fn missing(required: &[String], granted: &[String]) -> Vec<String> {
    let is_missing = |it: &&String| !granted.is_empty() && !granted.contains(it);
    required.iter().filter(is_missing).cloned().collect()
}

fn refusal(error: GrantError) -> Error {
    match error {
        GrantError::Platform(error) => error.into(),
        refused @ GrantError::Refused { .. } => PlatformError::NeedsUser { action: refused.to_string() }.into(),
    }
}
