//! Keeping leases: on a thread and a runtime of their own, so that no job, however busy, can make the worker look dead.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::runtime;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use yarnnn_core::jobs::LeaseKeeper;
use yarnnn_core::{Error, StoreError};

use super::alarm::{Alarm, Until};
use super::backoff::Streak;
use super::limits::watch_limits;
use super::shared::Shared;

/// The running keeper.
pub(super) struct Keeper {
    stop: watch::Sender<bool>,
    place: Place,
}

enum Place {
    Thread(oneshot::Receiver<()>),
    /// For tests whose time stands still: on the runtime of the jobs.
    Task(JoinHandle<()>),
}

impl Keeper {
    /// Starts it on a thread of its own.
    pub(super) fn on_its_own_thread(shared: Arc<Shared>) -> Result<Self, Error> {
        let (stop, stopped) = watch::channel(false);
        let (over, ended) = oneshot::channel();
        let failed =
            |error: std::io::Error| Error::Failed(format!("the thread that renews leases could not be started: {error}"));
        let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let body = move || {
            runtime.block_on(keep(shared, stopped));
            // Connections end with their runtime, so it goes before anyone is told; but a call that blocks is not waited for.
            runtime.shutdown_background();
            let _ = over.send(());
        };
        thread::Builder::new().name("lease-keeper".to_owned()).spawn(body).map_err(failed)?;
        Ok(Self { stop, place: Place::Thread(ended) })
    }

    /// Starts it beside the jobs.
    pub(super) fn beside_the_jobs(shared: Arc<Shared>) -> Self {
        let (stop, stopped) = watch::channel(false);
        Self { stop, place: Place::Task(tokio::spawn(keep(shared, stopped))) }
    }

    /// Renews nothing any more.
    pub(super) async fn stop(self) {
        self.stop.send_replace(true);
        match self.place {
            Place::Thread(ended) => drop(ended.await),
            Place::Task(task) => drop(task.await),
        }
    }
}

async fn keep(shared: Arc<Shared>, stop: watch::Receiver<bool>) {
    let _alarm = Alarm::of(shared.clone(), "renewing leases", Until::Closed);
    let mut stopped = stop.clone();
    let beats = async {
        tokio::select! {
            _ = stopped.wait_for(|it| *it) => {}
            () = beat_on(&shared) => {}
        }
    };
    tokio::join!(beats, watch_limits(shared.clone(), stop));
}

async fn beat_on(shared: &Shared) {
    let config = &shared.config;
    let mut streak = Streak::new("renewing leases");
    let mut keeper = None;
    loop {
        if !shared.is_able() {
            tracing::error!("nobody is left to end the jobs at hand; their leases are no longer renewed");
            keeper = None;
            shared.beat(false);
            shared.until_able().await;
        }
        let began = Instant::now();
        // A connection that no longer answers is given up while there is time for another.
        let beat = timeout(config.beat, beat(shared, &mut keeper)).await;
        let pause = match beat.unwrap_or_else(|_| Err(too_slow(config.beat))) {
            Ok(()) => {
                streak.ended();
                shared.beat(true);
                config.beat.saturating_sub(began.elapsed())
            }
            Err(error) => {
                keeper = None;
                shared.beat(false);
                streak.failed(&error, shared.jobs.ids.as_ref()).min(config.beat)
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = shared.beat_now.notified() => {}
        }
    }
}

async fn beat(shared: &Shared, keeper: &mut Option<Box<dyn LeaseKeeper>>) -> Result<(), StoreError> {
    let keeper = match keeper {
        Some(keeper) => keeper,
        None => keeper.insert(shared.jobs.keeper.open().await?),
    };
    let (leases, sleeps) = (shared.slots.leases(), shared.slept());
    if !leases.is_empty() {
        let asked = Instant::now();
        let answers = keeper.renew(shared.worker(), &leases).await?;
        if shared.slept() != sleeps {
            return Err(slept());
        }
        shared.slots.renewed(&leases, &answers, asked, shared.config.lease);
    }
    keeper.beat(&shared.presence()).await?;
    if shared.slept() == sleeps { Ok(()) } else { Err(slept()) }
}

/// An answer from before it tells nothing of what holds now.
fn slept() -> StoreError {
    StoreError::Unavailable { source: "the machine slept meanwhile".into() }
}

fn too_slow(limit: Duration) -> StoreError {
    StoreError::Unavailable { source: format!("it did not answer within {} ms", limit.as_millis()).into() }
}
