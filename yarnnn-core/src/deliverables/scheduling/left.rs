//! Left: runs that their workers ended for good, of which nobody was told, and versions that nobody goes on with.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::super::advance::Advance;
use super::super::job::RunDeliverable;
use super::super::run::Deliverables;
use super::super::sending::notice::LOOKED_AT;
use super::super::version::VersionStatus;
use crate::error::Error;
use crate::id::{DeliverableId, JobId, UserId, VersionId};
use crate::scheduler::PhaseCx;

/// Rows that are looked for at once.
const PAGE: u32 = 500;
/// Of a run that ended longer ago nobody is told any more.
const TOLD_WITHIN: TimeDelta = TimeDelta::days(7);
/// For so long may a version be gone on with that nobody was at: as long as jobs are kept that a person may take up again.
const KEPT_OPEN: TimeDelta = TimeDelta::days(90);
const NOBODY_WENT_ON: &str = "nobody went on with it for 90 days";

/// A job that is dead: its worker ended it, and its own code had no chance to tell.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadRun {
    /// Which.
    pub job: JobId,
    /// Whose.
    pub owner: UserId,
    /// The run, as the job has it.
    pub payload: Value,
    /// Why it was given up.
    pub error: String,
    /// When.
    pub ended_at: DateTime<Utc>,
}

/// A version whose run has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftVersion {
    /// Whose.
    pub user: UserId,
    /// Of which deliverable.
    pub deliverable: DeliverableId,
    /// Which.
    pub version: VersionId,
    /// When somebody was at it last.
    pub since: DateTime<Utc>,
}

impl Deliverables {
    /// Tells owners of runs by hand, by signals and by events that were given up at an instant or before without anybody having been
    /// told; answers how many. Who cannot be told now is told by the next round.
    ///
    /// # Errors
    /// Those of the store when it cannot say what was given up, and cancellation.
    pub async fn tell_of_dead(&self, cx: &PhaseCx, before: DateTime<Utc>) -> Result<u64, Error> {
        let (mut told, mut after) = (0, None);
        loop {
            let page = self.parts.left_runs.untold(before - TOLD_WITHIN, before, after, PAGE).await?;
            for dead in &page {
                cx.check()?;
                match self.tell_of(dead).await {
                    Ok(is_told) => told += u64::from(is_told),
                    Err(error) => tracing::warn!(job = %dead.job, %error, "nobody could be told that a run was given up"),
                }
            }
            after = page.last().map(|it| (it.ended_at, it.job));
            if page.len() < PAGE as usize {
                return Ok(told);
            }
        }
    }

    async fn tell_of(&self, dead: &DeadRun) -> Result<bool, Error> {
        let run: RunDeliverable =
            serde_json::from_value(dead.payload.clone()).map_err(|error| Error::Failed(format!("it cannot be read: {error}")))?;
        if run.user != dead.owner || self.is_taken_up(&run).await? {
            return Ok(false);
        }
        match self.tell_of_giving_up(&run, dead.job, &dead.error).await {
            // It went with its user.
            Err(Error::NotFound(_)) => Ok(false),
            told => told,
        }
    }

    /// Whether somebody is at its report now. That one has ended it since, of a run that is known by no key, the store looks for.
    async fn is_taken_up(&self, run: &RunDeliverable) -> Result<bool, Error> {
        let (versions, now) = (&self.parts.versions, self.parts.clock.now());
        if let Some(key) = run.version_key() {
            return Ok(versions.by_key(run.user, run.deliverable, &key).await?.is_some_and(|it| it.is_held(now)));
        }
        let recent = versions.recent(run.user, run.deliverable, LOOKED_AT).await?;
        Ok(recent.iter().any(|it| it.is_held(now)))
    }

    /// Ends versions as failed that nobody was at for a long time; answers how many. Nobody is told: owners were when the run was given
    /// up, and who cancelled it knows.
    ///
    /// # Errors
    /// Those of the store when it cannot say what was left, and cancellation.
    pub async fn end_left(&self, cx: &PhaseCx) -> Result<u64, Error> {
        let (mut ended, mut after) = (0, None);
        loop {
            let page = self.parts.left_runs.left(cx.now - KEPT_OPEN, after, PAGE).await?;
            for left in &page {
                cx.check()?;
                match self.end_one_left(left, cx.now - KEPT_OPEN).await {
                    Ok(has_ended) => ended += u64::from(has_ended),
                    Err(error) => tracing::warn!(version = %left.version, %error, "a version that was left could not be ended"),
                }
            }
            after = page.last().map(|it| (it.since, it.version));
            if page.len() < PAGE as usize {
                return Ok(ended);
            }
        }
    }

    /// Whoever goes on with it at this moment, or did since it was found, keeps it.
    async fn end_one_left(&self, left: &LeftVersion, before: DateTime<Utc>) -> Result<bool, Error> {
        let deliverable = self.parts.deliverables.get(left.user, left.deliverable).await?;
        let found = self.parts.versions.version(left.user, left.version).await?;
        if found.is_held(before) {
            return Ok(false);
        }
        let me = self.parts.liveness.me().of_run(self.parts.ids.uuid());
        let version = self.hold(&found, me, None).await?;
        if version.status != VersionStatus::Generating {
            self.release(&version).await;
            return Ok(false);
        }
        let advance = Advance { parts: self.parts.clone() };
        let has_ended = advance.leave(&deliverable, &version, NOBODY_WENT_ON.to_owned()).await;
        if has_ended.is_err() {
            self.release(&version).await;
        }
        has_ended.map(|()| true)
    }
}
