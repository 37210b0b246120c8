//! Writing the ends of jobs: in batches, without waiting for one to fill, and again until the store has answered.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;
use yarnnn_core::StoreError;
use yarnnn_core::id::RunToken;
use yarnnn_core::jobs::{Lease, Outcome, Written};

use super::backoff::Streak;
use super::refused::{Next, Refused};
use super::shared::Shared;
use super::slots::Done;

/// How long a batch may fail while all else goes well, before it is taken apart.
const SUSPICIOUS: Duration = Duration::from_secs(15);

/// Writes ends for as long as there may be any. While one batch is on its way the next one collects.
pub(super) async fn finish_all(shared: Arc<Shared>, mut ends: UnboundedReceiver<Done>) {
    let most = usize::try_from(shared.config.batch).unwrap_or(usize::MAX);
    let mut finisher = Finisher { shared: shared.clone(), aside: vec![] };
    let mut batch = Vec::with_capacity(most);
    loop {
        let hurry_up = !shared.is_stopping();
        tokio::select! {
            count = ends.recv_many(&mut batch, most) => {
                if count == 0 {
                    return;
                }
                finisher.write_all(std::mem::take(&mut batch)).await;
            }
            () = tokio::time::sleep_until(finisher.look_at()), if !finisher.aside.is_empty() => finisher.write_refused().await,
            () = shared.stopped(), if hurry_up => {}
        }
    }
}

struct Finisher {
    shared: Arc<Shared>,
    /// Ends that the store refused: tried one by one, between the others.
    aside: Vec<Refused>,
}

impl Finisher {
    /// Writes a batch, or puts it aside: an end that cannot be written must not keep back the others.
    async fn write_all(&mut self, mut batch: Vec<Done>) {
        let (mut streak, began) = (Streak::new("writing the ends of jobs"), Instant::now());
        loop {
            match write(&self.shared, &mut batch).await {
                Ok(()) => return streak.ended(),
                Err(error) if error.is_transient() && !(began.elapsed() > SUSPICIOUS && self.shared.is_steady()) => {
                    tokio::time::sleep(streak.failed(&error, self.shared.jobs.ids.as_ref())).await;
                }
                Err(error) => {
                    tracing::warn!(%error, ends = batch.len(), "ends of jobs were refused; trying each by itself");
                    return self.aside.extend(batch.into_iter().map(Refused::new));
                }
            }
        }
    }

    /// When the next of the refused ends is tried again. While the worker stops there is no time to be patient.
    fn look_at(&self) -> Instant {
        let is_stopping = self.shared.is_stopping();
        self.aside.iter().map(|it| it.retry_at(is_stopping)).min().unwrap_or_else(Instant::now)
    }

    /// Tries the one that waited longest.
    async fn write_refused(&mut self) {
        let is_stopping = self.shared.is_stopping();
        let first = (0..self.aside.len()).min_by_key(|it| self.aside[*it].retry_at(is_stopping));
        let Some(mut refused) = first.map(|it| self.aside.swap_remove(it)) else { return };
        let is_its_fault = refused.is_ripe() && self.takes_ends(&refused.done.lease).await;
        let Err(error) = write(&self.shared, &mut vec![refused.done.clone()]).await else { return };
        match refused.again(&error, is_its_fault, self.shared.jobs.ids.as_ref()) {
            Next::Retry => self.aside.push(refused),
            Next::Instead(done) => {
                tracing::error!(job = %done.lease.job, %error, "the store takes another end of the job, but not this one");
                if write(&self.shared, &mut vec![done]).await.is_err() {
                    self.aside.push(refused);
                }
            }
            Next::GiveUp => {
                tracing::error!(job = %refused.done.lease.job, %error, "the end of the job cannot be stored; its lease ends by itself");
                self.shared.counted(|it| it.lost += 1);
                self.shared.slots.settled([refused.done.lease.token]);
            }
        }
    }

    /// Whether the store takes ends at all: it is asked with one that changes nothing, since nobody holds that token.
    async fn takes_ends(&self, lease: &Lease) -> bool {
        let nobodys = Lease { token: RunToken::fresh(self.shared.jobs.ids.as_ref()), ..lease.clone() };
        self.shared.jobs.queue.finish(vec![(nobodys, Outcome::HandedBack)]).await.is_ok()
    }
}

/// What lost its lease changes nothing any more.
fn discard_lost(shared: &Shared, batch: &mut Vec<Done>) {
    let before = batch.len();
    let mut lost = vec![];
    batch.retain(|it| {
        let is_lost = shared.slots.is_lost(it.lease.token);
        if is_lost {
            tracing::warn!(job = %it.lease.job, "the lease was lost; the end of this run is discarded");
            lost.push(it.lease.token);
        }
        !is_lost
    });
    shared.counted(|it| it.lost += (before - batch.len()) as u64);
    if !lost.is_empty() {
        shared.slots.settled(lost);
    }
}

/// Writes what is still this worker's to write.
async fn write(shared: &Shared, batch: &mut Vec<Done>) -> Result<(), StoreError> {
    discard_lost(shared, batch);
    if batch.is_empty() {
        return Ok(());
    }
    let done: Vec<(Lease, Outcome)> = batch.iter().map(|it| (it.lease.as_ref().clone(), it.outcome.clone())).collect();
    let answers = shared.jobs.queue.finish(done).await?;
    shared.counted(|tally| {
        for (done, answer) in batch.iter().zip(&answers) {
            match answer {
                Written::Done => tally.count(done),
                Written::LeaseLost => tally.lost += 1,
            }
        }
    });
    for (done, _) in batch.iter().zip(&answers).filter(|(_, it)| **it == Written::LeaseLost) {
        tracing::warn!(job = %done.lease.job, "the lease was lost; the end of this run changed nothing");
    }
    shared.slots.settled(batch.iter().map(|it| it.lease.token));
    shared.wrote.notify_one();
    Ok(())
}
