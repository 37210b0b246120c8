//! What a person decides about sources: which are synced, which never.

use serde::Serialize;

use super::PlatformSync;
use crate::accounts::User;
use crate::connections::{Connection, ConnectionChange, Provider, Selection, source_limit};
use crate::error::Error;
use crate::platform::{Platform, ResourceId};

/// What filling up a connection's selection did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Backfilled {
    /// Which platform.
    pub platform: Platform,
    /// Sources that were synced before.
    pub previous: usize,
    /// What was added.
    pub added: Vec<ResourceId>,
    /// The tier's limit; none = unlimited.
    pub limit: Option<usize>,
    /// Why nothing was added: `no_landscape` or `at_limit`.
    pub skipped: Option<&'static str>,
}

impl PlatformSync {
    /// Syncs these sources of a provider and no others, as far as the tier allows.
    ///
    /// # Errors
    /// `NotFound` without a connection; those of the store.
    pub async fn choose(&self, user: &User, provider: Provider, wanted: &[ResourceId]) -> Result<Selection, Error> {
        let connection = self.connection(user.id, provider).await?;
        let selection = connection.landscape.clone().choose(provider, user.tier, wanted);
        self.change(&connection, |landscape| {
            landscape.choose(provider, user.tier, wanted);
        })
        .await?;
        Ok(selection)
    }

    /// Keeps a source from being synced, or lets it be synced again.
    ///
    /// # Errors
    /// `NotFound` without the connection, or when it does not show the source; those of the store.
    pub async fn exclude(&self, user: &User, source: &ResourceId, excluded: bool) -> Result<(), Error> {
        let connection = self.connection(user.id, Provider::of(source.platform())).await?;
        let unknown = || Error::NotFound(format!("the source {source}"));
        let resource = connection.landscape.resource(source).ok_or_else(unknown)?;
        Ok(self.content.exclude(user.id, resource, excluded, self.clock.now()).await?)
    }

    /// Keeps what is chosen and fills up by default to the tier's limit; for tiers that were raised and for older installations.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn backfill(&self, user: &User) -> Result<Vec<Backfilled>, Error> {
        let mut report = Vec::new();
        for connection in self.connections.list(user.id).await? {
            let mut landscape = connection.landscape.clone();
            for &platform in connection.provider.platforms() {
                let previous = landscape.selected_of(platform).len();
                let limit = source_limit(user.tier, platform);
                let is_blank = landscape.resources.iter().all(|it| it.id.platform() != platform);
                let added = landscape.choose_defaults(platform, limit);
                let skipped = if is_blank { Some("no_landscape") } else { added.is_empty().then_some("at_limit") };
                report.push(Backfilled { platform, previous, added, limit, skipped });
            }
            self.change(&connection, |now| {
                for &platform in connection.provider.platforms() {
                    now.choose_defaults(platform, source_limit(user.tier, platform));
                }
            })
            .await?;
        }
        Ok(report)
    }

    async fn change(
        &self,
        connection: &Connection,
        change: impl Fn(&mut crate::connections::Landscape) + Send + Sync,
    ) -> Result<Connection, Error> {
        let change = |now: &Connection| {
            let mut landscape = now.landscape.clone();
            change(&mut landscape);
            let at = self.clock.now();
            let changed = landscape != now.landscape;
            changed.then(|| ConnectionChange { landscape: Some(landscape), ..ConnectionChange::of(now, at) })
        };
        self.connections.update(connection, change).await
    }
}
