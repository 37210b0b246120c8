//! Writing the ends of jobs: in batches, without waiting for one to fill, and again until the store has answered.

use std::sync::Arc;

use tokio::sync::mpsc::UnboundedReceiver;
use yarnnn_core::StoreError;
use yarnnn_core::jobs::{Lease, Outcome, Written};

use super::backoff::Streak;
use super::shared::Shared;
use super::slots::Done;

/// Writes ends for as long as there may be any. While one batch is on its way the next one collects.
pub(super) async fn finish_all(shared: Arc<Shared>, mut ends: UnboundedReceiver<Done>) {
    let most = usize::try_from(shared.config.batch).unwrap_or(usize::MAX);
    let mut batch = Vec::with_capacity(most);
    while ends.recv_many(&mut batch, most).await > 0 {
        finish(&shared, &mut batch).await;
        batch.clear();
    }
}

async fn finish(shared: &Shared, batch: &mut Vec<Done>) {
    let mut streak = Streak::new("writing the ends of jobs");
    loop {
        discard_lost(shared, batch);
        if batch.is_empty() {
            return;
        }
        match write(shared, batch).await {
            Ok(()) => return streak.ended(),
            Err(error) if !error.is_transient() && batch.len() > 1 => {
                // One end that cannot be written must not keep back the others.
                for done in std::mem::take(batch) {
                    Box::pin(finish(shared, &mut vec![done])).await;
                }
                return;
            }
            Err(error) => {
                refused(batch, &error);
                tokio::time::sleep(streak.failed(&error, shared.jobs.ids.as_ref())).await;
            }
        }
    }
}

/// An end that the store cannot hold (a follow-up job that breaks a rule, say) becomes one that it can.
fn refused(batch: &mut [Done], error: &StoreError) {
    if !error.is_transient()
        && let [done] = batch
        && matches!(done.outcome, Outcome::Succeeded { .. } | Outcome::NeedsUser { .. } | Outcome::NeedsOperator { .. })
    {
        done.outcome = Outcome::failed(format!("its end could not be stored: {error}"));
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

async fn write(shared: &Shared, batch: &[Done]) -> Result<(), StoreError> {
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
