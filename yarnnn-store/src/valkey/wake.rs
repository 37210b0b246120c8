//! Wake-ups from Valkey and from the store's own source, whichever comes first.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt as _;
use redis::Client;
use redis::aio::{PubSubSink, PubSubStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, interval, sleep, sleep_until, timeout};
use yarnnn_core::StoreError;
use yarnnn_core::jobs::{WakeUpListener, WakeUps};

use super::client::{CHANNEL, PATIENCE};
use super::{Valkey, ValkeyError};

/// A server that vanished without a word would never be missed: nobody speaks on a subscription but the server.
const ASK_EVERY: Duration = Duration::from_secs(15);
/// Between two attempts to subscribe.
const PAUSE: Duration = Duration::from_secs(1);
/// Between two attempts to listen to the store's own source, which may be unable to (a pooler without LISTEN).
const INNER_PAUSE: Duration = Duration::from_secs(30);

/// Listens to Valkey beside the store's own wake-ups. Either may fail as long as it likes.
#[derive(Clone)]
pub struct ValkeyWakeUps {
    inner: Arc<dyn WakeUps>,
    valkey: Valkey,
}

impl ValkeyWakeUps {
    /// Adds wake-ups from Valkey.
    pub fn new(inner: Arc<dyn WakeUps>, valkey: Valkey) -> Self {
        Self { inner, valkey }
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl WakeUps for ValkeyWakeUps {
    async fn listen(&self) -> Result<Box<dyn WakeUpListener>, StoreError> {
        let (said, mut heard) = watch::channel(());
        let subscriber = Subscriber(tokio::spawn(subscribe_for_ever(self.valkey.client.clone(), said)));
        let listener = self.inner.listen().await.ok();
        // The first news is that the first attempt is over: whatever is said from now on is heard, if anything is.
        _ = heard.changed().await;
        let inner = Inner { source: self.inner.clone(), listener, again_at: Instant::now() + INNER_PAUSE };
        Ok(Box::new(Listener { heard, inner, _subscriber: subscriber }))
    }
}

struct Listener {
    heard: watch::Receiver<()>,
    inner: Inner,
    _subscriber: Subscriber,
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl WakeUpListener for Listener {
    async fn woken(&mut self) -> Result<(), StoreError> {
        let Self { heard, inner, .. } = self;
        tokio::select! {
            Ok(()) = heard.changed() => {}
            () = inner.woken() => {}
        }
        Ok(())
    }
}

/// The store's own source, listened to again after it failed.
struct Inner {
    source: Arc<dyn WakeUps>,
    listener: Option<Box<dyn WakeUpListener>>,
    again_at: Instant,
}

impl Inner {
    /// Returns when it wakes, when it fails, and when it is back: in all three there may be something that nobody told us of.
    /// Dropping the future loses nothing.
    async fn woken(&mut self) {
        if let Some(listener) = &mut self.listener {
            if let Err(error) = listener.woken().await {
                tracing::warn!(%error, "the store wakes nobody; Valkey still does");
                self.listener = None;
                self.again_at = Instant::now() + PAUSE;
            }
            return;
        }
        while self.listener.is_none() {
            sleep_until(self.again_at).await;
            self.again_at = Instant::now() + INNER_PAUSE;
            self.listener = self.source.listen().await.ok();
        }
    }
}

/// Ends the task with its listener.
struct Subscriber(JoinHandle<()>);

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Passes on what is published, and says so once when it begins to hear again: something may have been missed.
async fn subscribe_for_ever(client: Client, said: watch::Sender<()>) {
    let mut is_down = false;
    loop {
        let subscribed = timeout(PATIENCE, subscribe(&client)).await.unwrap_or_else(|_| Err(ValkeyError::silent()));
        if !is_down || subscribed.is_ok() {
            said.send_modify(|()| {});
        }
        match subscribed {
            Ok((sink, stream)) => {
                pass_on(sink, stream, &said).await;
                is_down = true;
                tracing::warn!("Valkey wakes nobody any more; workers look by themselves until it is back");
            }
            Err(error) if !is_down => {
                is_down = true;
                tracing::warn!(%error, "Valkey wakes nobody; workers look by themselves until it is back");
            }
            Err(_) => {}
        }
        sleep(PAUSE).await;
    }
}

async fn subscribe(client: &Client) -> Result<(PubSubSink, PubSubStream), ValkeyError> {
    let mut subscription = client.get_async_pubsub().await?;
    subscription.subscribe(CHANNEL).await?;
    Ok(subscription.split())
}

/// Until the server is gone or no longer answers.
async fn pass_on(mut sink: PubSubSink, mut stream: PubSubStream, said: &watch::Sender<()>) {
    let mut ask = interval(ASK_EVERY);
    loop {
        tokio::select! {
            message = stream.next() => match message {
                Some(_) => said.send_modify(|()| {}),
                None => return,
            },
            _ = ask.tick() => {
                if !matches!(timeout(PATIENCE, sink.ping::<redis::Value>()).await, Ok(Ok(_))) {
                    return;
                }
            }
        }
    }
}
