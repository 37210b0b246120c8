//! What facts about connections are told with: an account at a provider, its secrets, a turn to refresh them.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};

use super::Ports;
use super::fixtures::{ANA, fresh, line, minute};
use crate::activity::ActivityKind;
use crate::connections::{
    Connection, Credentials, Landscape, NewConnection, Provider, RefreshTurn, StoredCredentials, TakeRefresh,
};
use crate::id::{ConnectionId, UserId};
use crate::platform::{Resource, ResourceKind};

/// How long a turn lasts.
pub const TURN: Duration = Duration::from_secs(30);

/// Secrets with these texts, the access token good until minute 60.
pub fn secrets(access: &str, refresh: &str) -> Credentials {
    let secret = |text: &str| Some(SecretString::from(text)).filter(|_| !text.is_empty());
    Credentials { access: secret(access), refresh: secret(refresh), expires_at: Some(minute(60)) }
}

/// The text of a secret.
pub fn shown(secret: Option<&SecretString>) -> Option<String> {
    secret.map(|it| it.expose_secret().to_owned())
}

/// Access and refresh token as text.
pub fn both(stored: &StoredCredentials) -> (Option<String>, Option<String>) {
    (shown(stored.credentials.access.as_ref()), shown(stored.credentials.refresh.as_ref()))
}

/// A JSON object.
pub fn object(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).unwrap()
}

/// A landscape with two calendars, of which one is selected.
pub fn landscape() -> Landscape {
    let calendar = |id: &str| Resource::new(format!("calendar:{id}").parse().unwrap(), id.to_uppercase(), ResourceKind::Calendar);
    let resources = vec![calendar("team"), calendar("private")];
    Landscape { selected: vec![resources[1].id.clone()], resources }
}

/// A connection of a user to an account, at minute 0.
pub fn account(user: UserId, provider: Provider, account_id: &str) -> NewConnection {
    NewConnection {
        id: ConnectionId::from_uuid(fresh()),
        user,
        provider,
        credentials: secrets(&format!("access of {account_id}"), &format!("refresh of {account_id}")),
        account_id: account_id.to_owned(),
        metadata: object(json!({"account_name": format!("The {account_id}"), "scope": "read,write"})),
        landscape: landscape(),
        activity: line(ActivityKind::IntegrationConnected, fresh(), "Connected"),
        at: minute(0),
    }
}

/// Connects the local user to an account of Google's.
pub async fn connected(ports: &Ports, account_id: &str) -> Connection {
    ports.connections.connect(account(ANA, Provider::Google, account_id)).await.unwrap().connection
}

/// Asks to refresh the first credentials of a connection.
pub fn take(connection: &Connection) -> TakeRefresh {
    TakeRefresh { connection: connection.id, user: connection.user, generation: 1, holder: fresh(), lease: TURN }
}

/// The turn, which must be the caller's.
pub async fn taken(ports: &Ports, take: &TakeRefresh) -> StoredCredentials {
    match ports.credentials.take_refresh(take).await.unwrap() {
        RefreshTurn::Yours(stored) => stored,
        other => panic!("not the caller's turn: {other:?}"),
    }
}

/// How long the caller has to wait, if they have to.
pub async fn wait(ports: &Ports, take: &TakeRefresh) -> Option<Duration> {
    match ports.credentials.take_refresh(take).await.unwrap() {
        RefreshTurn::Wait { retry_after } => Some(retry_after),
        _ => None,
    }
}
