//! The role of a process that needs a good token: it calls Slack once for each instant that it is told.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::runtime;
use yarnnn::clock::Clock as _;
use yarnnn::connections::{CredentialStore, Credentials, Provider, RefreshTurn, StoredCredentials, TakeRefresh};
use yarnnn::id::{ConnectionId, UserId};
use yarnnn::platform::Platform;
use yarnnn::platforms::http::HttpTransport;
use yarnnn::store::SqlStore;
use yarnnn::{Config, StoreError, Stores};
use yarnnn_sim::VirtualClock;

use crate::cli::RenewArguments;
use crate::model::Opening;
use crate::plant::Plant;

/// Reads instants until its input ends; says `ok` for each, or what went wrong.
pub(crate) fn run(arguments: &RenewArguments) -> Result<ExitCode> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(renew(arguments))?;
    Ok(ExitCode::SUCCESS)
}

async fn renew(arguments: &RenewArguments) -> Result<()> {
    let config = Config::from_env()?;
    let clock = Arc::new(VirtualClock::at(DateTime::UNIX_EPOCH));
    let opening = Opening {
        // Turns last as long as the database says: the clock of the tokens is another one.
        store: SqlStore::connect(config.database.url()).await?,
        keys: config.secrets.seal_keys.clone(),
        bases: config.platforms.bases.clone(),
        transport: HttpTransport::new()?,
        clock: clock.clone(),
        app: config.secrets.slack.clone(),
        plant: None,
    };
    let mut stores = opening.stores();
    if arguments.plant == Some(Plant::EagerRefresh) {
        stores = Stores { credentials: Arc::new(Eager(stores.credentials)), ..stores };
    }
    let connections = opening.handle_over(stores).connections().context("nothing reaches platforms")?;
    let known = connections.list(UserId::LOCAL).await?;
    let connection = known.iter().find(|it| it.provider == Provider::Slack).context("Slack is not connected")?;
    let client = connections.open(connection).client(Platform::Slack);
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let now: DateTime<Utc> = line.parse()?;
        clock.advance(now - clock.now());
        match client.probe().await {
            Ok(_) => println!("ok"),
            Err(error) => println!("{error}"),
        }
    }
    Ok(())
}

/// Gives everybody a turn: the planted bug.
struct Eager(Arc<dyn CredentialStore>);

#[async_trait]
impl CredentialStore for Eager {
    async fn credentials(&self, user: UserId, connection: ConnectionId) -> Result<StoredCredentials, StoreError> {
        self.0.credentials(user, connection).await
    }

    async fn take_refresh(&self, take: &TakeRefresh) -> Result<RefreshTurn, StoreError> {
        match self.0.take_refresh(take).await? {
            RefreshTurn::Wait { .. } => Ok(RefreshTurn::Yours(self.0.credentials(take.user, take.connection).await?)),
            turn => Ok(turn),
        }
    }

    async fn replace(&self, take: &TakeRefresh, bought: Credentials) -> Result<StoredCredentials, StoreError> {
        self.0.replace(take, bought).await
    }

    async fn try_keys(&self) -> Result<(), StoreError> {
        self.0.try_keys().await
    }

    async fn give_up(&self, take: &TakeRefresh) -> Result<(), StoreError> {
        self.0.give_up(take).await
    }
}
