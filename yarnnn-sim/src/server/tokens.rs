//! The tokens of three authorization servers, and the keys of the other providers: issued, expired, refreshed, revoked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use yarnnn_core::clock::Clock;
use yarnnn_core::hash::Sha256;

use super::auth::{Access, Provider, Refusal};

/// The client id that every provider knows.
pub const CLIENT_ID: &str = "yarnnn-sim.client";
/// The secret that belongs to it.
pub const CLIENT_SECRET: &str = "yarnnn-sim-client-secret";

const CODE_LIFE: TimeDelta = TimeDelta::minutes(10);

/// A Slack token that has to be renewed, with the token that renews it once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotating {
    /// Good for twelve hours.
    pub access: String,
    /// Good for one renewal.
    pub refresh: String,
}

/// What a person or an administrator once agreed to. All its tokens share its fate.
#[derive(Debug)]
struct Grant {
    provider: Provider,
    scopes: Vec<String>,
    revoked: bool,
    inactive: bool,
}

#[derive(Debug)]
struct AccessToken {
    grant: usize,
    expires: Option<DateTime<Utc>>,
}

#[derive(Debug)]
struct RefreshToken {
    grant: usize,
    used: bool,
}

#[derive(Debug)]
struct Code {
    provider: Provider,
    scopes: Vec<String>,
    redirect_uri: String,
    expires: DateTime<Utc>,
}

#[derive(Debug, Default)]
struct State {
    grants: Vec<Grant>,
    access: HashMap<String, AccessToken>,
    refresh: HashMap<String, RefreshToken>,
    codes: HashMap<String, Code>,
    slack_rotation: bool,
    refreshes: HashMap<Provider, u64>,
    issued: u64,
}

/// Why the authorization server issues nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Denied {
    Code,
    RedirectUri,
    Refresh,
}

/// What the authorization server issues.
#[derive(Debug)]
pub(super) struct Issued {
    pub(super) access: String,
    pub(super) refresh: Option<String>,
    /// Seconds.
    pub(super) life: Option<i64>,
    pub(super) scopes: Vec<String>,
}

/// All tokens. Each has the form that its provider gives it.
#[derive(Debug)]
pub struct Tokens {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

impl Tokens {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A Slack bot token that lives until it is revoked.
    pub fn slack(&self, scopes: &[&str]) -> String {
        let mut state = self.state();
        let grant = state.grant(Provider::Slack, &owned(scopes));
        state.access("xoxb-", grant, None)
    }

    /// A Slack bot token of an app with token rotation.
    pub fn slack_rotating(&self, scopes: &[&str]) -> Rotating {
        let mut state = self.state();
        let grant = state.grant(Provider::Slack, &owned(scopes));
        let expires = self.clock.now() + life(Provider::Slack);
        Rotating { access: state.access("xoxe.xoxb-1-", grant, Some(expires)), refresh: state.refresh("xoxe-1-", grant) }
    }

    /// Whether codes are exchanged for Slack tokens that have to be renewed.
    pub fn rotate_slack(&self, rotate: bool) {
        self.state().slack_rotation = rotate;
    }

    /// The token of an internal Notion integration.
    pub fn notion(&self) -> String {
        let mut state = self.state();
        let grant = state.grant(Provider::Notion, &[]);
        state.access("ntn_", grant, None)
    }

    /// A key of a provider that issues keys: a model provider, the mail service, web search. Good until it is revoked.
    pub fn key(&self, provider: Provider) -> String {
        let mut state = self.state();
        let grant = state.grant(provider, &[]);
        state.access(prefix(provider, false), grant, None)
    }

    /// A Google refresh token. Access tokens are issued for it over HTTP.
    pub fn google_refresh(&self, scopes: &[&str]) -> String {
        let mut state = self.state();
        let grant = state.grant(Provider::Google, &owned(scopes));
        state.refresh("1//", grant)
    }

    /// A Google access token of its own, good for an hour, for tests that are not about tokens.
    pub fn google(&self, scopes: &[&str]) -> String {
        let expires = self.clock.now() + life(Provider::Google);
        let mut state = self.state();
        let grant = state.grant(Provider::Google, &owned(scopes));
        state.access("ya29.", grant, Some(expires))
    }

    /// A code as the browser brings it back: good once, for ten minutes and for the same redirect address.
    pub fn authorization_code(&self, provider: Provider, scopes: &[&str], redirect_uri: &str) -> String {
        let expires = self.clock.now() + CODE_LIFE;
        let mut state = self.state();
        let code = state.fresh("code-");
        let agreed = Code { provider, scopes: owned(scopes), redirect_uri: redirect_uri.to_owned(), expires };
        state.codes.insert(code.clone(), agreed);
        code
    }

    /// Revokes what this access or refresh token stands for, with all its other tokens.
    pub fn revoke(&self, token: &str) {
        self.with_grant(token, |grant| grant.revoked = true);
    }

    /// The account or workspace behind the token is closed.
    pub fn deactivate(&self, token: &str) {
        self.with_grant(token, |grant| grant.inactive = true);
    }

    /// Replaces the scopes that were granted.
    pub fn set_scopes(&self, token: &str, scopes: &[&str]) {
        self.with_grant(token, |grant| grant.scopes = owned(scopes));
    }

    /// Ends an access token's life now; a refresh token stays good.
    pub fn expire(&self, access: &str) {
        let now = self.clock.now();
        if let Some(token) = self.state().access.get_mut(access) {
            token.expires = Some(now);
        }
    }

    /// How many access tokens were issued for refresh tokens.
    pub fn refreshes(&self, provider: Provider) -> u64 {
        self.state().refreshes.get(&provider).copied().unwrap_or_default()
    }

    fn with_grant(&self, token: &str, change: impl FnOnce(&mut Grant)) {
        let mut state = self.state();
        if let Some(index) = state.grant_of(token)
            && let Some(grant) = state.grants.get_mut(index)
        {
            change(grant);
        }
    }

    /// Whom calls with this token are counted for: everybody with a token of the same grant.
    pub(super) fn holder(&self, token: &str) -> String {
        self.state().grant_of(token).map_or_else(|| token.to_owned(), |grant| format!("#{grant}"))
    }

    /// What the token stands for now.
    pub(crate) fn check(&self, provider: Provider, token: Option<&str>) -> Result<Access, Refusal> {
        let now = self.clock.now();
        let state = self.state();
        let token = state.access.get(token.ok_or(Refusal::Missing)?).ok_or(Refusal::Unknown)?;
        let grant = state.grants.get(token.grant).filter(|it| it.provider == provider).ok_or(Refusal::Unknown)?;
        match () {
            () if grant.inactive => Err(Refusal::Inactive),
            () if grant.revoked => Err(Refusal::Revoked),
            () if token.expires.is_some_and(|it| it <= now) => Err(Refusal::Expired),
            () => Ok(Access { scopes: grant.scopes.clone() }),
        }
    }

    /// Exchanges a code. It is used up even when the address is wrong.
    pub(super) fn exchange(&self, provider: Provider, code: &str, redirect_uri: &str) -> Result<Issued, Denied> {
        let now = self.clock.now();
        let mut state = self.state();
        let code = state.codes.remove(code).filter(|it| it.provider == provider && now < it.expires).ok_or(Denied::Code)?;
        if code.redirect_uri != redirect_uri {
            return Err(Denied::RedirectUri);
        }
        let grant = state.grant(provider, &code.scopes);
        let rotates = provider == Provider::Slack && state.slack_rotation;
        let refresh = match provider {
            Provider::Google => Some(state.refresh("1//", grant)),
            Provider::Slack if rotates => Some(state.refresh("xoxe-1-", grant)),
            _ => None,
        };
        let life = refresh.is_some().then(|| life(provider));
        let access = state.access(prefix(provider, rotates), grant, life.map(|it| now + it));
        Ok(Issued { access, refresh, life: life.map(|it| it.num_seconds()), scopes: code.scopes })
    }

    /// Issues an access token for a refresh token. Slack's refresh token is replaced with it; Google's stays.
    pub(super) fn refresh(&self, provider: Provider, refresh: &str) -> Result<Issued, Denied> {
        let now = self.clock.now();
        let mut state = self.state();
        let state = &mut *state;
        let token = state.refresh.get_mut(refresh).ok_or(Denied::Refresh)?;
        let index = token.grant;
        let grant = state.grants.get(index).filter(|it| it.provider == provider && !it.revoked && !it.inactive);
        let scopes = grant.ok_or(Denied::Refresh)?.scopes.clone();
        if token.used {
            return Err(Denied::Refresh);
        }
        let rotates = provider == Provider::Slack;
        token.used = rotates;
        let refresh = rotates.then(|| state.refresh("xoxe-1-", index));
        let access = state.access(prefix(provider, rotates), index, Some(now + life(provider)));
        *state.refreshes.entry(provider).or_default() += 1;
        Ok(Issued { access, refresh, life: Some(life(provider).num_seconds()), scopes })
    }
}

impl State {
    fn grant(&mut self, provider: Provider, scopes: &[String]) -> usize {
        self.grants.push(Grant { provider, scopes: scopes.to_vec(), revoked: false, inactive: false });
        self.grants.len() - 1
    }

    fn grant_of(&self, token: &str) -> Option<usize> {
        let access = self.access.get(token).map(|it| it.grant);
        access.or_else(|| self.refresh.get(token).map(|it| it.grant))
    }

    fn access(&mut self, prefix: &str, grant: usize, expires: Option<DateTime<Utc>>) -> String {
        let token = self.fresh(prefix);
        self.access.insert(token.clone(), AccessToken { grant, expires });
        token
    }

    fn refresh(&mut self, prefix: &str, grant: usize) -> String {
        let token = self.fresh(prefix);
        self.refresh.insert(token.clone(), RefreshToken { grant, used: false });
        token
    }

    /// A token that was never issued before. Nothing secret: the same run issues the same tokens.
    fn fresh(&mut self, prefix: &str) -> String {
        self.issued += 1;
        let digits = Sha256::of(format!("{prefix}{}", self.issued)).to_string();
        format!("{prefix}{:06}{}", self.issued, digits.get(..32).unwrap_or_default())
    }
}

fn owned(scopes: &[&str]) -> Vec<String> {
    scopes.iter().map(|&it| it.to_owned()).collect()
}

fn prefix(provider: Provider, rotates: bool) -> &'static str {
    match provider {
        Provider::Slack if rotates => "xoxe.xoxb-1-",
        Provider::Slack => "xoxb-",
        Provider::Google => "ya29.",
        Provider::Notion => "ntn_",
        Provider::Anthropic => "sk-ant-api03-",
        Provider::OpenAi => "sk-proj-",
        Provider::Resend => "re_",
        Provider::CustomSearch => "AIza",
    }
}

fn life(provider: Provider) -> TimeDelta {
    match provider {
        Provider::Slack => TimeDelta::hours(12),
        // Keys do not end by themselves; nothing asks how long they live.
        _ => TimeDelta::hours(1),
    }
}
