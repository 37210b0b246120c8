//! Access to what a user has connected, for what is no sync: delivery posts with the person's own account.

use async_trait::async_trait;

use super::{ConnectionStatus, Connections, Provider};
use crate::error::Error;
use crate::id::UserId;
use crate::platform::{Access, OpenAccess, Platform, PlatformError};

#[async_trait]
impl OpenAccess for Connections {
    async fn access(&self, user: UserId, platform: Platform) -> Result<Access, PlatformError> {
        let provider = Provider::of(platform);
        let unavailable = |error: Error| {
            let what = format!("the connection to {}", provider.name());
            PlatformError::Unavailable { what, source: error.into() }
        };
        let all = self.list(user).await.map_err(unavailable)?;
        let connection = all.iter().find(|it| it.provider == provider && it.status != ConnectionStatus::Disconnected);
        let (name, word) = (provider.name(), provider.as_str());
        let needs = |state: String| PlatformError::NeedsUser { action: format!("{state}: yarnnn connect {word}") };
        match connection {
            None => Err(needs(format!("{name} is not connected"))),
            Some(it) if matches!(it.status, ConnectionStatus::Expired | ConnectionStatus::Revoked) => {
                Err(needs(format!("the connection to {name} is {}", it.status.as_str())))
            }
            Some(it) => Ok(self.open(it).access),
        }
    }
}
