//! A phase that is one job for each user whose turn it is.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Counters, Gate, Phase, PhaseCx};
use crate::error::Error;
use crate::id::{IdGen, UserId};
use crate::jobs::{EnqueueError, Enqueued, Job, JobQueue, new_job};

/// Jobs that are stored at once.
const BATCH: usize = 500;

/// After the key of a job of a slot that has not come yet.
const IN_ADVANCE: &str = "/in advance";

/// What a feature does once per slot for each of its users, as a job.
#[async_trait]
pub trait PerUser: Send + Sync + 'static {
    /// The job.
    type Job: Job;

    /// The phase's name.
    fn name(&self) -> &'static str;

    /// How often.
    fn gate(&self) -> Gate;

    /// Whose turn it is at an instant.
    async fn due(&self, now: DateTime<Utc>) -> Result<Vec<UserId>, Error>;

    /// The job of one of them. Its key is made of the slot and holds for longer than the slot is the newest.
    fn job(&self, user: UserId, slot: DateTime<Utc>) -> Self::Job;
}

/// Enqueues those jobs. However often a slot is run, a user has one job for it: its key outlasts the slot. A slot that is run in advance
/// has jobs under keys of their own, so that they do not stand for those of its time.
pub struct PerUserPhase<P> {
    feature: P,
    queue: Arc<dyn JobQueue>,
    ids: Arc<dyn IdGen>,
}

impl<P> std::fmt::Debug for PerUserPhase<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PerUserPhase").finish_non_exhaustive()
    }
}

impl<P: PerUser> PerUserPhase<P> {
    /// The phase of a feature.
    pub const fn new(feature: P, queue: Arc<dyn JobQueue>, ids: Arc<dyn IdGen>) -> Self {
        Self { feature, queue, ids }
    }

    async fn enqueue(&self, users: &[UserId], cx: &PhaseCx) -> Result<u64, Error> {
        let mut jobs = Vec::with_capacity(users.len());
        for user in users {
            let job = new_job(self.ids.as_ref(), Some(*user), &self.feature.job(*user, cx.slot));
            let mut job = job.map_err(|error| Error::Failed(format!("a job cannot be written: {error}")))?;
            if let Some(key) = job.key.as_mut().filter(|_| cx.in_advance) {
                key.key.push_str(IN_ADVANCE);
            }
            jobs.push(job);
        }
        let enqueued = self.queue.enqueue(jobs).await.map_err(|error| match error {
            EnqueueError::Store(error) => error.into(),
            refused => Error::Failed(refused.to_string()),
        })?;
        Ok(enqueued.iter().filter(|it| matches!(it, Enqueued::New(_))).count() as u64)
    }
}

#[async_trait]
impl<P: PerUser> Phase for PerUserPhase<P> {
    fn name(&self) -> &'static str {
        self.feature.name()
    }

    fn gate(&self) -> Gate {
        self.feature.gate()
    }

    async fn run(&self, cx: &PhaseCx) -> Result<Counters, Error> {
        let (users, mut counters) = (self.feature.due(cx.now).await?, Counters::default());
        counters.add("users", users.len() as u64);
        for batch in users.chunks(BATCH) {
            cx.check()?;
            counters.add("enqueued", self.enqueue(batch, cx).await?);
        }
        Ok(counters)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::id::{JobId, RandomIds};
    use crate::jobs::{JobCx, JobKey, JobPolicy, KeyHolds, MockJobQueue, Outcome};
    use crate::pipeline::CancelToken;
    use crate::scheduler::PhaseLease;

    #[derive(Debug, Serialize, Deserialize)]
    struct Look {
        user: UserId,
        slot: DateTime<Utc>,
    }

    #[async_trait]
    impl Job for Look {
        type Context = ();
        const KIND: &'static str = "look";

        fn policy() -> JobPolicy {
            JobPolicy::work()
        }

        fn key(&self) -> Option<JobKey> {
            Some(JobKey { key: format!("look/{}", self.slot), holds: KeyHolds::Forever })
        }

        async fn run(self, (): &(), _: &JobCx) -> Outcome {
            Outcome::done(serde_json::Value::Null)
        }
    }

    struct Looks(Vec<UserId>);

    #[async_trait]
    impl PerUser for Looks {
        type Job = Look;

        fn name(&self) -> &'static str {
            "looks"
        }

        fn gate(&self) -> Gate {
            Gate::Hourly
        }

        async fn due(&self, _: DateTime<Utc>) -> Result<Vec<UserId>, Error> {
            Ok(self.0.clone())
        }

        fn job(&self, user: UserId, slot: DateTime<Utc>) -> Look {
            Look { user, slot }
        }
    }

    #[tokio::test]
    async fn each_user_has_one_job_for_a_slot() {
        let users: Vec<_> = (0..1_234).map(|_| UserId::fresh(&RandomIds)).collect();
        for (in_advance, key) in [(false, ""), (true, "/in advance")] {
            has_one_job(&users, in_advance, key).await;
        }
    }

    async fn has_one_job(users: &[UserId], in_advance: bool, ending: &str) {
        let (slot, seen) = ("2026-11-23T09:00:00Z".parse().unwrap(), Arc::new(Mutex::new(vec![])));
        let (mut queue, told) = (MockJobQueue::new(), seen.clone());
        queue.expect_enqueue().returning(move |jobs| {
            told.lock().unwrap().extend(jobs.iter().map(|it| (it.owner.unwrap(), it.key.clone().unwrap().key)));
            // One of each batch was there already.
            let answer = |(index, it): (usize, &crate::jobs::NewJob)| match index {
                0 => Enqueued::Existing(JobId::fresh(&RandomIds)),
                _ => Enqueued::New(it.id),
            };
            Ok(jobs.iter().enumerate().map(answer).collect())
        });
        let phase = PerUserPhase::new(Looks(users.to_vec()), Arc::new(queue), Arc::new(RandomIds));
        let lease = PhaseLease { phase: "looks".to_owned(), slot, token: RandomIds.uuid() };
        let cancel = CancelToken::default();
        let cx = PhaseCx { now: slot, cycle: slot, slot, previous: None, late: false, missed: 0, in_advance, lease, cancel };
        let counters = phase.run(&cx).await.unwrap();
        assert_eq!((counters.get("users"), counters.get("enqueued")), (1_234, 1_231));
        let expected: Vec<_> = users.iter().map(|it| (*it, format!("look/{slot}{ending}"))).collect();
        assert_eq!(*seen.lock().unwrap(), expected);
    }
}
