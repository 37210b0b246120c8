//! Whether a connection works: its secrets can be read, each platform answers, and nothing that the clients need was refused.

use super::connect::missing;
use super::{Connection, ConnectionChange, ConnectionStatus, Connections};
use crate::error::{Error, StoreError};
use crate::platform::{Platform, PlatformError, Probe};

/// What was found of one connection.
#[derive(Debug)]
pub struct ConnectionHealth {
    /// Whether its secrets can be read with the keys at hand. If not, nobody was called.
    pub credentials: Result<(), StoreError>,
    /// Who answered, or why nobody did.
    pub platforms: Vec<(Platform, Result<Probe, PlatformError>)>,
    /// Scopes that the clients would use and that were not granted.
    pub missing_scopes: Vec<String>,
}

impl Connections {
    /// Reads the secrets of a connection and asks each of its platforms who answers.
    pub async fn health(&self, connection: &Connection) -> ConnectionHealth {
        let credentials = self.readable(connection).await;
        if credentials.is_err() {
            return ConnectionHealth { credentials, platforms: vec![], missing_scopes: vec![] };
        }
        let opened = self.open(connection);
        let mut platforms = Vec::new();
        for &platform in connection.provider.platforms() {
            platforms.push((platform, opened.client(platform).probe().await));
        }
        let stored: Vec<String> = connection.scopes().into_iter().map(str::to_owned).collect();
        let probed = platforms.iter().filter_map(|(_, it)| it.as_ref().ok()).flat_map(|it| it.scopes.clone());
        let granted: Vec<String> = probed.collect();
        let granted = if granted.is_empty() { stored } else { granted };
        let missing_scopes = missing(&self.parts.oauth.required_scopes(connection.provider), &granted);
        ConnectionHealth { credentials, platforms, missing_scopes }
    }

    /// Whether the secrets of a connection can be read.
    ///
    /// # Errors
    /// `Locked` names the setting; others of the store.
    async fn readable(&self, connection: &Connection) -> Result<(), StoreError> {
        self.parts.credentials.credentials(connection.user, connection.id).await.map(|_| ())
    }

    /// Whether the keys at hand open anything of what is connected, by anybody.
    ///
    /// # Errors
    /// `Locked` says which key is needed; others of the store.
    pub async fn try_keys(&self) -> Result<(), StoreError> {
        self.parts.credentials.try_keys().await
    }

    /// Marks a connection: it is no longer synced, and what it brought stays.
    ///
    /// # Errors
    /// `NotFound` when it is gone; those of the store.
    pub async fn suspend(&self, connection: &Connection, reason: &str) -> Result<Connection, Error> {
        self.update(connection, |now| {
            let status = Some((ConnectionStatus::Disconnected, Some(reason.to_owned())));
            Some(ConnectionChange { status, ..ConnectionChange::of(now, self.parts.clock.now()) })
        })
        .await
    }
}
