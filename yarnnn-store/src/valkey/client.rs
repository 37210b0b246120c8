//! The way to the server: a handle that never makes its user wait, and a connection that comes back by itself.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Client, FromRedisValue, Pipeline};
use tokio::sync::mpsc;
use tokio::time::timeout;
use yarnnn_core::Stores;
use yarnnn_core::clock::Clock;

use super::{ValkeyAdmin, ValkeyError, ValkeyKeeper, ValkeyPresence, ValkeyQueue, ValkeyWakeUps};

/// How long any one attempt may take, connecting included.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// Where producers say that there is something to claim.
pub(super) const CHANNEL: &str = "yarnnn:jobs";

/// A Valkey or Redis server. Cheap to clone.
#[derive(Clone)]
pub struct Valkey {
    pub(super) client: Client,
    pub(super) clock: Arc<dyn Clock>,
    asked: mpsc::Sender<()>,
}

impl fmt::Debug for Valkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Valkey").field("server", self.client.get_connection_info().addr()).finish_non_exhaustive()
    }
}

impl Valkey {
    /// Opens `redis://…` or `rediss://…` and asks the server whether it is there. To be called on the runtime that lives as long
    /// as the handle is used.
    ///
    /// # Errors
    /// When the URL is not one, or the server cannot be reached or refuses us.
    pub async fn connect(url: &str, clock: Arc<dyn Clock>) -> Result<Self, ValkeyError> {
        let client = Client::open(url)?;
        Link::new(client.clone()).call::<()>(redis::pipe().cmd("PING").ignore()).await?;
        // Room for one: whoever asks while another waits to be told has been asked for already.
        let (asked, asks) = mpsc::channel(1);
        tokio::spawn(publish(Link::new(client.clone()), asks));
        Ok(Self { client, clock, asked })
    }

    /// The ports of a store, with this server's hints on top.
    #[must_use]
    pub fn over(&self, stores: Stores) -> Stores {
        Stores {
            jobs: Arc::new(ValkeyQueue::new(stores.jobs, self.clone())),
            job_admin: Arc::new(ValkeyAdmin::new(stores.job_admin, self.clone())),
            presence: Arc::new(ValkeyPresence::new(stores.presence, self.clone())),
            lease_keeper: Arc::new(ValkeyKeeper::new(stores.lease_keeper, self.clone())),
            wake_ups: Arc::new(ValkeyWakeUps::new(stores.wake_ups, self.clone())),
            ..stores
        }
    }

    /// Says that there may be something to claim: soon, once for all who ask meanwhile, and without waiting.
    pub(super) fn wake(&self) {
        // Full is as good as sent, and with the runtime gone there is nobody left to say it.
        _ = self.asked.try_send(());
    }
}

/// Publishes until the last handle is gone.
async fn publish(mut link: Link, mut asks: mpsc::Receiver<()>) {
    while asks.recv().await.is_some() {
        let call = redis::cmd("PUBLISH").arg(CHANNEL).arg("").to_owned();
        link.best_effort("wake-ups", redis::pipe().add_command(call).ignore()).await;
    }
}

/// A connection that is made when it is needed, and again after a failure.
pub(super) struct Link {
    client: Client,
    connection: Option<MultiplexedConnection>,
    is_down: bool,
}

impl Link {
    pub(super) const fn new(client: Client) -> Self {
        Self { client, connection: None, is_down: false }
    }

    /// Makes a call. The server may have closed a connection that lay idle: then once more, on a new one.
    pub(super) async fn call<T: FromRedisValue>(&mut self, call: &Pipeline) -> Result<T, ValkeyError> {
        let was_open = self.connection.is_some();
        let answer = self.attempt(call).await;
        if was_open && answer.is_err() { self.attempt(call).await } else { answer }
    }

    /// Makes a call whose failure nobody needs to know but whoever reads the log, once an outage.
    pub(super) async fn best_effort(&mut self, what: &str, call: &Pipeline) {
        let answer = self.call::<()>(call).await;
        match (&answer, self.is_down) {
            (Err(error), false) => tracing::warn!(%error, "{what} do not reach Valkey; until it is back nobody is told"),
            (Ok(()), true) => tracing::info!("{what} reach Valkey again"),
            _ => {}
        }
        self.is_down = answer.is_err();
    }

    async fn attempt<T: FromRedisValue>(&mut self, call: &Pipeline) -> Result<T, ValkeyError> {
        let answer = timeout(PATIENCE, self.send(call)).await.unwrap_or_else(|_| Err(ValkeyError::silent()));
        if answer.is_err() {
            self.connection = None;
        }
        answer
    }

    async fn send<T: FromRedisValue>(&mut self, call: &Pipeline) -> Result<T, ValkeyError> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(self.client.get_multiplexed_async_connection().await?),
        };
        Ok(call.query_async(connection).await?)
    }
}
