//! The phase of a tick that deletes, once in an hour, what has expired and what was kept for long enough: content, jobs, and what is
//! known of old sign-ins, signals, events, slots and ticks.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::old::{PASS, TICKS};
use super::run::BATCH;
use super::{Cleanup, Old};
use crate::deliverables::Deliverables;
use crate::error::Error;
use crate::id::UserId;
use crate::jobs::{JobAdmin, KEPT_AFTER_END};
use crate::scheduler::{Counters, Gate, Phase, PhaseCx, PhaseStore, cycle_key};

/// Users that are looked for at once.
const PAGE: u32 = 500;
/// Users in a row whose content cannot be deleted: it is not about them then.
const IN_VAIN: u32 = 5;
/// A job that ended badly before is not tried again by a person in the same breath.
const TRIED: TimeDelta = TimeDelta::hours(1);

/// Cleans up. What one part of it cannot do keeps no other from being done.
pub struct CleanUp {
    cleanup: Cleanup,
    ticks: Arc<dyn PhaseStore>,
    jobs: Arc<dyn JobAdmin>,
    slots: Arc<dyn EndLost>,
}

/// Ends slots whose run nobody is at any more.
#[async_trait]
trait EndLost: Send + Sync + 'static {
    /// Those that were fired at an instant or before; answers how many.
    async fn end_lost(&self, cx: &PhaseCx, before: DateTime<Utc>) -> Result<u64, Error>;
}

#[async_trait]
impl EndLost for Deliverables {
    async fn end_lost(&self, cx: &PhaseCx, before: DateTime<Utc>) -> Result<u64, Error> {
        Self::end_lost(self, cx, before).await
    }
}

impl std::fmt::Debug for CleanUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CleanUp").finish_non_exhaustive()
    }
}

/// What the parts counted, and what kept some of them from being done.
#[derive(Default)]
struct Parts {
    counters: Counters,
    problems: Vec<String>,
}

impl Parts {
    /// Adds what a part did. Only a program that was told to stop leaves out what comes after.
    fn add(&mut self, name: &str, done: Result<u64, Error>) -> Result<(), Error> {
        match done {
            Ok(count) => self.counters.add(name, count),
            Err(Error::Cancelled) => return Err(Error::Cancelled),
            Err(error) => self.problems.push(format!("{name}: {error}")),
        }
        Ok(())
    }

    fn end(self) -> Result<Counters, Error> {
        if self.problems.is_empty() { Ok(self.counters) } else { Err(Error::Failed(self.problems.join("; "))) }
    }
}

/// Users whose content could not be deleted.
#[derive(Default)]
struct Failed {
    users: u32,
    in_a_row: u32,
    first: Option<Error>,
}

impl CleanUp {
    /// The name of the phase.
    pub const NAME: &'static str = "cleanup";
    /// The counters that tell what users had, and lost: of everything else nobody need be told.
    pub const TOLD: [&'static str; 2] = ["deleted", "slots_ended"];

    /// Cleans up by this feature, in this table of ticks and in this one of jobs, and what was fired of these and nobody is at any more.
    pub fn new(cleanup: Cleanup, ticks: Arc<dyn PhaseStore>, jobs: Arc<dyn JobAdmin>, deliverables: Deliverables) -> Self {
        Self { cleanup, ticks, jobs, slots: Arc::new(deliverables) }
    }

    /// All content that has expired, user by user. What cannot be deleted of one keeps nobody else's.
    async fn content(&self, cx: &PhaseCx, counters: &mut Counters) -> Result<u64, Error> {
        let (mut deleted, mut failed, mut after) = (0, Failed::default(), None);
        loop {
            let owners = self.cleanup.retention.owners(cx.now, after, PAGE).await?;
            for owner in &owners {
                let of_user = self.of_user(cx, *owner, &mut failed).await?;
                counters.add("users", u64::from(of_user > 0));
                deleted += of_user;
            }
            after = owners.last().copied();
            if owners.len() < PAGE as usize {
                return failed.end().map(|()| deleted);
            }
        }
    }

    async fn of_user(&self, cx: &PhaseCx, user: UserId, failed: &mut Failed) -> Result<u64, Error> {
        match self.cleanup.clean(user, cx.now, cycle_key(cx.cycle), || cx.check()).await {
            Ok(deleted) => {
                failed.in_a_row = 0;
                Ok(deleted)
            }
            Err(Error::Cancelled) => Err(Error::Cancelled),
            Err(error) => {
                tracing::warn!(%user, %error, "what has expired of a user could not be deleted");
                failed.add(error).map(|()| 0)
            }
        }
    }

    /// What is old of a sort.
    async fn forget(&self, cx: &PhaseCx, old: Old) -> Result<u64, Error> {
        let mut forgotten = 0;
        loop {
            cx.check()?;
            let batch = self.cleanup.retention.forget(old, cx.now - old.kept(), BATCH).await?;
            forgotten += batch;
            if batch < u64::from(BATCH) {
                return Ok(forgotten);
            }
        }
    }

    /// Jobs that ended long ago. Workers do the same; where there are none, nobody else does.
    async fn jobs(&self, cx: &PhaseCx) -> Result<u64, Error> {
        let mut purged = 0;
        for (ends, kept) in KEPT_AFTER_END {
            loop {
                cx.check()?;
                let batch = self.jobs.purge(cx.now - *kept, ends, BATCH).await?;
                purged += batch;
                if batch < u64::from(BATCH) {
                    break;
                }
            }
        }
        Ok(purged)
    }
}

impl Failed {
    /// Goes on with the others, unless nobody's can be deleted.
    fn add(&mut self, error: Error) -> Result<(), Error> {
        self.users += 1;
        self.in_a_row += 1;
        if self.in_a_row >= IN_VAIN {
            return Err(error);
        }
        self.first.get_or_insert(error);
        Ok(())
    }

    fn end(self) -> Result<(), Error> {
        match self.first {
            None => Ok(()),
            Some(error) => Err(Error::Failed(format!("of {} users, the first: {error}", self.users))),
        }
    }
}

#[async_trait]
impl Phase for CleanUp {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn gate(&self) -> Gate {
        Gate::Hourly
    }

    async fn run(&self, cx: &PhaseCx) -> Result<Counters, Error> {
        let (retention, mut parts) = (&self.cleanup.retention, Parts::default());
        let content = self.content(cx, &mut parts.counters).await;
        parts.add("deleted", content)?;
        parts.add("slots_ended", self.slots.end_lost(cx, cx.now - TRIED).await)?;
        parts.add("passes_ended", retention.end_passes(cx.now - PASS, cx.now).await.map_err(Error::from))?;
        for old in Old::ALL {
            parts.add(old.name(), self.forget(cx, old).await)?;
        }
        parts.add("jobs", self.jobs(cx).await)?;
        parts.add("ticks", self.ticks.prune(cx.now - TICKS).await.map_err(Error::from))?;
        parts.end()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::cleanup::{Clean, MockRetention};
    use crate::error::StoreError;
    use crate::id::{IdGen as _, RandomIds};
    use crate::jobs::{JobStatus, MockJobAdmin};
    use crate::pipeline::{CancelHandle, CancelToken};
    use crate::scheduler::{MockPhaseStore, PhaseLease};
    use crate::testing::FixedClock;

    fn now() -> DateTime<Utc> {
        "2026-11-23T09:00:00Z".parse().unwrap()
    }

    fn corrupt(what: &str) -> StoreError {
        StoreError::Corrupt { what: what.to_owned(), source: "no".into() }
    }

    fn cx(cancel: CancelToken) -> PhaseCx {
        let (slot, lease) = (now(), PhaseLease { phase: "cleanup".to_owned(), slot: now(), token: RandomIds.uuid() });
        PhaseCx { now: slot, cycle: slot, slot, previous: None, late: false, missed: 0, in_advance: false, lease, cancel }
    }

    /// Some users, and what they and the parts answer; what was asked for is noted by name.
    #[derive(Clone, Default)]
    struct House {
        users: Vec<UserId>,
        broken: Vec<UserId>,
        parts: Vec<&'static str>,
        asked: Arc<Mutex<Vec<String>>>,
    }

    impl House {
        fn of(users: usize, broken: &[usize], parts: &[&'static str]) -> Self {
            let users: Vec<_> = (0..users).map(|_| UserId::fresh(&RandomIds)).collect();
            let broken = broken.iter().map(|it| users[*it]).collect();
            Self { users, broken, parts: parts.to_vec(), asked: Arc::default() }
        }

        fn answer(&self, part: &str, count: u64) -> Result<u64, StoreError> {
            self.asked.lock().unwrap().push(part.to_owned());
            if self.parts.contains(&part) { Err(corrupt(part)) } else { Ok(count) }
        }

        fn retention(&self) -> MockRetention {
            let mut retention = MockRetention::new();
            let it = self.clone();
            retention.expect_owners().returning(move |_, _, _| it.answer("owners", 0).map(|_| it.users.clone()));
            let it = self.clone();
            retention.expect_clean().returning(move |clean: Clean| {
                if it.broken.contains(&clean.user) { Err(corrupt("a user's")) } else { it.answer("clean", 2) }
            });
            let it = self.clone();
            retention.expect_end_passes().returning(move |_, _| it.answer("passes_ended", 1));
            let it = self.clone();
            retention.expect_forget().returning(move |old, before, _| {
                assert_eq!(before, now() - old.kept());
                it.answer(old.name(), 3)
            });
            retention
        }

        async fn run(&self, cancel: CancelToken) -> Result<Counters, Error> {
            let (mut ticks, mut jobs) = (MockPhaseStore::new(), MockJobAdmin::new());
            let it = self.clone();
            ticks.expect_prune().returning(move |_| it.answer("ticks", 0));
            let it = self.clone();
            jobs.expect_purge().returning(move |before, ends, _| {
                let days = if ends.contains(&JobStatus::Succeeded) { 7 } else { 90 };
                assert_eq!(before, now() - TimeDelta::days(days));
                it.answer("jobs", 5)
            });
            let clock = Arc::new(FixedClock::parse("2026-11-23T09:00:00Z"));
            let cleanup = Cleanup::new(Arc::new(self.retention()), clock, Arc::new(RandomIds));
            let phase = CleanUp { cleanup, ticks: Arc::new(ticks), jobs: Arc::new(jobs), slots: Arc::new(self.clone()) };
            phase.run(&cx(cancel)).await
        }

        /// How often a part was asked.
        fn asked(&self, part: &str) -> usize {
            self.asked.lock().unwrap().iter().filter(|it| *it == part).count()
        }
    }

    #[async_trait]
    impl EndLost for House {
        async fn end_lost(&self, _: &PhaseCx, before: DateTime<Utc>) -> Result<u64, Error> {
            assert_eq!(before, now() - TimeDelta::hours(1));
            Ok(self.answer("slots_ended", 0)?)
        }
    }

    #[tokio::test]
    async fn every_part_is_done_and_counted() {
        let house = House::of(3, &[], &[]);
        let counters = house.run(CancelToken::default()).await.unwrap();
        assert_eq!((counters.get("deleted"), counters.get("users"), counters.get("jobs")), (6, 3, 10));
        assert!(Old::ALL.iter().all(|it| counters.get(it.name()) == 3), "{counters:?}");
        assert_eq!((counters.get("passes_ended"), house.asked("ticks")), (1, 1));
    }

    #[tokio::test]
    async fn what_one_part_cannot_do_keeps_no_other_from_being_done() {
        for part in ["owners", "slots_ended", "passes_ended", "passes", "notices", "jobs", "ticks"] {
            let house = House::of(1, &[], &[part]);
            let error = house.run(CancelToken::default()).await.unwrap_err().to_string();
            let name = if part == "owners" { "deleted" } else { part };
            assert!(error.starts_with(&format!("{name}: ")) && !error.contains("; "), "{error}");
            assert!(["slots_ended", "passes_ended", "jobs", "ticks"].iter().all(|it| house.asked(it) > 0), "{part}");
            assert!(Old::ALL.iter().all(|it| house.asked(it.name()) == 1), "{part}");
        }
        let error = House::of(1, &[], &["slots_ended", "ticks"]).run(CancelToken::default()).await.unwrap_err().to_string();
        assert!(error.contains("slots_ended: ") && error.contains("; ticks: "), "{error}");
    }

    #[tokio::test]
    async fn what_cannot_be_deleted_of_some_users_is_deleted_of_the_others() {
        let house = House::of(9, &[0, 1, 2, 3, 6], &[]);
        let error = house.run(CancelToken::default()).await.unwrap_err().to_string();
        assert!(error.contains("of 5 users"), "{error}");
        assert_eq!((house.asked("clean"), house.asked("ticks")), (4, 1));
        let nobody = House::of(9, &[0, 1, 2, 3, 4], &[]);
        nobody.run(CancelToken::default()).await.unwrap_err();
        assert_eq!((nobody.asked("clean"), nobody.asked("ticks")), (0, 1), "five in a row: it is not about them");
    }

    #[tokio::test]
    async fn who_is_told_to_stop_stops() {
        let (house, stop) = (House::of(2, &[], &[]), CancelHandle::default());
        stop.cancel();
        assert!(matches!(house.run(stop.token()).await, Err(Error::Cancelled)));
        assert_eq!((house.asked("clean"), house.asked("slots_ended"), house.asked("ticks")), (0, 0, 0));
    }
}
