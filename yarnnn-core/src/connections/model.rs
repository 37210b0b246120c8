//! A person's account at a provider: who it is, what was granted, and in which state it is.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::Landscape;
use crate::activity::NewActivity;
use crate::id::{ConnectionId, UserId};
use crate::platform::Platform;

/// Who a person signs in at. `google` yields two platforms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// A Slack workspace.
    Slack,
    /// A Notion workspace.
    Notion,
    /// A Google account: Gmail and Calendar.
    Google,
}

impl Provider {
    /// All providers.
    pub const ALL: [Self; 3] = [Self::Slack, Self::Google, Self::Notion];

    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::Notion => "notion",
            Self::Google => "google",
        }
    }

    /// The name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Slack => "Slack",
            Self::Notion => "Notion",
            Self::Google => "Google",
        }
    }

    /// What it yields.
    pub const fn platforms(self) -> &'static [Platform] {
        match self {
            Self::Slack => &[Platform::Slack],
            Self::Notion => &[Platform::Notion],
            Self::Google => &[Platform::Gmail, Platform::Calendar],
        }
    }

    /// Who yields it.
    pub const fn of(platform: Platform) -> Self {
        match platform {
            Platform::Slack => Self::Slack,
            Platform::Notion => Self::Notion,
            Platform::Gmail | Platform::Calendar => Self::Google,
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no provider.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no provider; the providers are slack, notion and google (also gmail and calendar)")]
pub struct UnknownProvider(pub String);

impl FromStr for Provider {
    type Err = UnknownProvider;

    /// `gmail` and `calendar` are aliases of `google`, also in stored rows of older installations.
    fn from_str(text: &str) -> Result<Self, UnknownProvider> {
        match text {
            "slack" => Ok(Self::Slack),
            "notion" => Ok(Self::Notion),
            "google" | "gmail" | "calendar" => Ok(Self::Google),
            other => Err(UnknownProvider(other.to_owned())),
        }
    }
}

/// The state of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConnectionStatus {
    /// It is synced. Older installations also wrote `connected`.
    Active,
    /// The provider no longer takes its token: the person must connect again.
    Expired,
    /// The person took the grant back.
    Revoked,
    /// Something else is wrong with it; `last_error` says what.
    Error,
    /// The person disconnected it.
    Disconnected,
}

impl ConnectionStatus {
    const ALL: [Self; 5] = [Self::Active, Self::Expired, Self::Revoked, Self::Error, Self::Disconnected];

    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Error => "error",
            Self::Disconnected => "disconnected",
        }
    }

    /// Reads a stored name.
    pub fn parse(text: &str) -> Option<Self> {
        let text = if text == "connected" { "active" } else { text };
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }
}

/// A connection as stored, without its secrets.
#[derive(Debug, Clone, PartialEq)]
pub struct Connection {
    /// Row id.
    pub id: ConnectionId,
    /// Whose.
    pub user: UserId,
    /// At whom.
    pub provider: Provider,
    /// Its state.
    pub status: ConnectionStatus,
    /// What the provider says of account and grant, with the dossier's keys (§2.1): `team_id`, `email`, `workspace_id`, `scope`, …
    /// and ours, `account_id` and `account_name`.
    pub metadata: serde_json::Map<String, serde_json::Value>,
    /// What it can see, and what of that is synced.
    pub landscape: Landscape,
    /// When that was last looked at.
    pub landscape_discovered_at: Option<DateTime<Utc>>,
    /// When a sync of it last succeeded.
    pub last_synced_at: Option<DateTime<Utc>>,
    /// What is wrong with it.
    pub last_error: Option<String>,
    /// Counts the changes of the row: a change names the one it was made from.
    pub version: i64,
    /// Counts the accounts that the row stood for: what is read in the name of a former one is not stored.
    pub epoch: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl Connection {
    /// The account, workspace or team, as the provider names it.
    pub fn account_id(&self) -> Option<&str> {
        self.metadata.get("account_id").and_then(serde_json::Value::as_str)
    }

    /// Whether the row is of this account, given what the provider says of it. Where a provider tells an id beside the name by
    /// which its platforms answer (Google's `sub`, beside an address that can be changed, and handed to somebody else), that id
    /// decides. Rows of older installations name theirs by the provider's own key; what names none is another one: mixing two
    /// accounts is worse than reading one again.
    pub fn is_account(&self, account_id: &str, said: &serde_json::Map<String, serde_json::Value>) -> bool {
        let lasting = |of: &serde_json::Map<String, serde_json::Value>| of.get("sub").filter(|it| it.is_string()).cloned();
        if let (Provider::Google, Some(known), Some(told)) = (self.provider, lasting(&self.metadata), lasting(said)) {
            return known == told;
        }
        if let Some(account) = self.account_id() {
            return account == account_id;
        }
        let key = match self.provider {
            Provider::Slack => "team_id",
            Provider::Notion => "workspace_id",
            Provider::Google => "email",
        };
        let account = self.metadata.get(key).and_then(serde_json::Value::as_str);
        account.is_some_and(|it| it == account_id || said.get(key).and_then(serde_json::Value::as_str) == Some(it))
    }

    /// The account's name for people.
    pub fn account_name(&self) -> Option<&str> {
        self.metadata.get("account_name").and_then(serde_json::Value::as_str)
    }

    /// The scopes that were granted, where the provider says so.
    pub fn scopes(&self) -> Vec<&str> {
        let scope = self.metadata.get("scope").and_then(serde_json::Value::as_str).unwrap_or_default();
        scope.split([' ', ',']).filter(|it| !it.is_empty()).collect()
    }
}

/// A stored connection that this version cannot read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("connection {id} cannot be read: {problem}")]
pub struct UnreadableConnection {
    /// Which one.
    pub id: ConnectionId,
    /// Why.
    pub problem: String,
}

/// What a provider handed out. It is sealed before it is stored, and shown nowhere.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// Sent with every call; none before the first refresh.
    pub access: Option<SecretString>,
    /// Buys the next access token.
    pub refresh: Option<SecretString>,
    /// When the access token ends; none if it does not.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A connection to be stored. A row of the same user and provider is replaced: its settings stay, and if the account is another
/// one, everything that came from the old one goes (design §11 "reconnect").
#[derive(Debug)]
pub struct NewConnection {
    /// Id if there is no row yet.
    pub id: ConnectionId,
    /// Whose.
    pub user: UserId,
    /// At whom.
    pub provider: Provider,
    /// Secrets. A missing refresh token leaves a stored one as it is, if the account is the same.
    pub credentials: Credentials,
    /// The account, as the provider names it.
    pub account_id: String,
    /// What the provider says of account and grant.
    pub metadata: serde_json::Map<String, serde_json::Value>,
    /// What it can see.
    pub landscape: Landscape,
    /// The line for the activity log.
    pub activity: NewActivity,
    /// Now.
    pub at: DateTime<Utc>,
}

/// What storing a connection did.
#[derive(Debug, Clone, PartialEq)]
pub struct Connected {
    /// As it is now.
    pub connection: Connection,
    /// Whether there was one before.
    pub replaced: bool,
    /// Rows of the former account that went away or were withdrawn.
    pub purged: u64,
}

/// A change of a connection that was read before. What is none stays.
#[derive(Debug, Clone)]
pub struct ConnectionChange {
    /// Which one.
    pub id: ConnectionId,
    /// Whose.
    pub user: UserId,
    /// The version that was read.
    pub version: i64,
    /// Its state, with what is wrong with it.
    pub status: Option<(ConnectionStatus, Option<String>)>,
    /// What it can see, as of now.
    pub landscape: Option<Landscape>,
    /// Now, if a sync succeeded.
    pub last_synced_at: Option<DateTime<Utc>>,
    /// The line for the activity log.
    pub activity: Option<NewActivity>,
    /// Now.
    pub at: DateTime<Utc>,
}

impl ConnectionChange {
    /// No change yet.
    pub const fn of(connection: &Connection, at: DateTime<Utc>) -> Self {
        let Connection { id, user, version, .. } = connection;
        Self { id: *id, user: *user, version: *version, status: None, landscape: None, last_synced_at: None, activity: None, at }
    }
}
