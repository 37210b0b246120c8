//! What is done once a minute: deleting what nobody needs any more, and naming kinds that wait and nobody here knows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use yarnnn_core::StoreError;
use yarnnn_core::jobs::{Depth, JobStatus, KEPT_AFTER_END};

use super::backoff::{Streak, jittered};
use super::shared::Shared;

const EVERY: Duration = Duration::from_mins(1);
/// Rows of one transaction.
const PURGE: u32 = 1_000;

/// Keeps house until the worker stops.
pub(super) async fn keep_house(shared: Arc<Shared>) {
    let mut streak = Streak::new("housekeeping");
    // The first round comes early, yet not while many workers start together.
    shared.sleep(jittered(EVERY / 10, shared.jobs.ids.as_ref())).await;
    while !shared.is_stopping() {
        match round(&shared).await {
            Ok(()) => streak.ended(),
            Err(error) => {
                streak.failed(&error, shared.jobs.ids.as_ref());
            }
        }
        shared.sleep(jittered(EVERY, shared.jobs.ids.as_ref())).await;
    }
}

async fn round(shared: &Shared) -> Result<(), StoreError> {
    purge(shared).await?;
    let unknown = unknown_kinds(&shared.jobs.admin.depth().await?, &shared.groups.names());
    if !unknown.is_empty() {
        let kinds = unknown.iter().map(|(kind, count)| format!("{kind} ({count})")).collect::<Vec<_>>().join(", ");
        tracing::warn!(kinds, "jobs wait whose kind this worker does not know");
    }
    Ok(())
}

async fn purge(shared: &Shared) -> Result<(), StoreError> {
    let mut purged = 0;
    for (ends, kept) in KEPT_AFTER_END {
        let before = shared.jobs.clock.now() - *kept;
        while !shared.is_stopping() {
            let count = shared.jobs.admin.purge(before, ends, PURGE).await?;
            purged += count;
            if count < u64::from(PURGE) {
                break;
            }
        }
    }
    if purged > 0 {
        tracing::info!(purged, "deleted jobs that ended long ago");
    }
    Ok(())
}

/// Kinds that wait and are not among the known ones, with how many of each.
pub(crate) fn unknown_kinds(depth: &[Depth], known: &[String]) -> BTreeMap<String, u64> {
    let mut unknown = BTreeMap::new();
    for it in depth.iter().filter(|it| is_waiting(it.status) && !known.contains(&it.kind)) {
        *unknown.entry(it.kind.clone()).or_default() += it.count;
    }
    unknown
}

/// Whether a job in this state waits for a worker.
pub(crate) const fn is_waiting(status: JobStatus) -> bool {
    matches!(status, JobStatus::Queued | JobStatus::Retrying)
}
