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
/// Users in a row at whom the store seemed to be away, after which it is asked whether it is.
const AWAY: u32 = 5;
/// Users that are named in the text of an error.
const NAMED: usize = 3;
/// Passes that are ended between two looks at whether to stop.
const PASSES: u32 = 50;
/// A job that ended badly before is not tried again by a person in the same breath.
const TRIED: TimeDelta = TimeDelta::hours(1);

/// Cleans up. What one part of it cannot do keeps no other from being done.
pub struct CleanUp {
    cleanup: Cleanup,
    ticks: Arc<dyn PhaseStore>,
    jobs: Arc<dyn JobAdmin>,
    slots: Arc<dyn EndLost>,
}

/// Ends what nobody is at any more, and tells its owners.
#[async_trait]
trait EndLost: Send + Sync + 'static {
    /// Those that were fired at an instant or before; answers how many.
    async fn end_lost(&self, cx: &PhaseCx, before: DateTime<Utc>) -> Result<u64, Error>;

    /// Tells of runs that were given up at an instant or before; answers of how many.
    async fn tell_of_dead(&self, cx: &PhaseCx, before: DateTime<Utc>) -> Result<u64, Error>;

    /// Ends versions that nobody goes on with; answers how many.
    async fn end_left(&self, cx: &PhaseCx) -> Result<u64, Error>;
}

#[async_trait]
impl EndLost for Deliverables {
    async fn end_lost(&self, cx: &PhaseCx, before: DateTime<Utc>) -> Result<u64, Error> {
        Self::end_lost(self, cx, before).await
    }

    async fn tell_of_dead(&self, cx: &PhaseCx, before: DateTime<Utc>) -> Result<u64, Error> {
        Self::tell_of_dead(self, cx, before).await
    }

    async fn end_left(&self, cx: &PhaseCx) -> Result<u64, Error> {
        Self::end_left(self, cx).await
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
    /// At so many of the last in a row the store seemed to be away.
    away: u32,
    named: Vec<String>,
}

impl CleanUp {
    /// The name of the phase.
    pub const NAME: &'static str = "cleanup";
    /// The counters that tell what users had, and lost: of everything else nobody need be told.
    pub const TOLD: [&'static str; 3] = ["deleted", "slots_ended", "runs_told"];

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
                failed.away = 0;
                Ok(deleted)
            }
            Err(Error::Cancelled) => Err(Error::Cancelled),
            Err(error) => {
                tracing::warn!(%user, %error, "what has expired of a user could not be deleted");
                failed.add(user, &error);
                self.unless_away(cx, user, failed).await.map(|()| 0)
            }
        }
    }

    /// Goes on with the others, unless it is not about some of them.
    async fn unless_away(&self, cx: &PhaseCx, user: UserId, failed: &mut Failed) -> Result<(), Error> {
        if failed.away < AWAY {
            return Ok(());
        }
        failed.away = 0;
        let answers = self.cleanup.retention.owners(cx.now, Some(user), 1).await;
        answers.map(drop).map_err(|error| Error::Failed(format!("left before the others: {error}; {}", failed.told())))
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

    /// Passes that nobody is at any more.
    async fn passes(&self, cx: &PhaseCx) -> Result<u64, Error> {
        let (mut ended, mut after) = (0, None);
        loop {
            cx.check()?;
            let batch = self.cleanup.retention.end_passes(cx.now - PASS, cx.now, after, PASSES).await?;
            ended += batch.ended;
            after = batch.next;
            if after.is_none() {
                return Ok(ended);
            }
        }
    }

    /// Ticks that were long ago.
    async fn ticks(&self, cx: &PhaseCx) -> Result<u64, Error> {
        let mut pruned = 0;
        loop {
            cx.check()?;
            let batch = self.ticks.prune(cx.now - TICKS, BATCH).await?;
            pruned += batch;
            if batch < u64::from(BATCH) {
                return Ok(pruned);
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
    /// One more. What the store says of one user's rows says nothing of anybody else's; only that it is away does.
    fn add(&mut self, user: UserId, error: &Error) {
        self.users += 1;
        if self.named.len() < NAMED {
            self.named.push(format!("{user}: {error}"));
        }
        let is_away = matches!(error, Error::Store(error) if error.is_transient());
        self.away = if is_away { self.away + 1 } else { 0 };
    }

    fn end(self) -> Result<(), Error> {
        if self.users == 0 { Ok(()) } else { Err(Error::Failed(self.told())) }
    }

    /// How many, and some of them with what was wrong.
    fn told(&self) -> String {
        let more = if self.users as usize > self.named.len() { ", ..." } else { "" };
        let word = if self.users == 1 { "user" } else { "users" };
        format!("of {} {word}: {}{more}", self.users, self.named.join(", "))
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
        let mut parts = Parts::default();
        let content = self.content(cx, &mut parts.counters).await;
        parts.add("deleted", content)?;
        parts.add("slots_ended", self.slots.end_lost(cx, cx.now - TRIED).await)?;
        parts.add("runs_told", self.slots.tell_of_dead(cx, cx.now - TRIED).await)?;
        parts.add("versions_ended", self.slots.end_left(cx).await)?;
        parts.add("passes_ended", self.passes(cx).await)?;
        for old in Old::ALL {
            parts.add(old.name(), self.forget(cx, old).await)?;
        }
        parts.add("jobs", self.jobs(cx).await)?;
        parts.add("ticks", self.ticks(cx).await)?;
        parts.end()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::cleanup::{Clean, EndedPasses, MockRetention};
    use crate::error::StoreError;
    use crate::id::{IdGen as _, PassId, RandomIds};
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

    fn away() -> StoreError {
        StoreError::Unavailable { source: "gone".into() }
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
        /// Whether the store answers nobody at whom it seems to be away.
        is_away: Option<bool>,
        /// Told to stop while passes are ended.
        stops: Option<Arc<CancelHandle>>,
        asked: Arc<Mutex<Vec<String>>>,
    }

    impl House {
        fn of(users: usize, broken: &[usize], parts: &[&'static str]) -> Self {
            let users: Vec<_> = (0..users).map(|_| UserId::fresh(&RandomIds)).collect();
            let broken = broken.iter().map(|it| users[*it]).collect();
            Self { users, broken, parts: parts.to_vec(), is_away: None, stops: None, asked: Arc::default() }
        }

        fn answer(&self, part: &str, count: u64) -> Result<u64, StoreError> {
            self.asked.lock().unwrap().push(part.to_owned());
            if self.parts.contains(&part) { Err(corrupt(part)) } else { Ok(count) }
        }

        fn retention(&self) -> MockRetention {
            let mut retention = MockRetention::new();
            let it = self.clone();
            retention.expect_owners().returning(move |_, _, limit| match it.is_away {
                Some(true) if limit == 1 => Err(away()),
                _ => it.answer("owners", 0).map(|_| it.users.clone()),
            });
            let it = self.clone();
            retention.expect_clean().returning(move |clean: Clean| match it.broken.contains(&clean.user) {
                true if it.is_away.is_some() => Err(away()),
                true => Err(corrupt("a user's")),
                false => it.answer("clean", 2),
            });
            let it = self.clone();
            retention.expect_end_passes().returning(move |before, at, after, _| {
                assert_eq!((before, at), (now() - TimeDelta::days(1), now()));
                it.stops.iter().for_each(|it| it.cancel());
                let next = after.is_none().then(|| (now(), PassId::from_uuid(RandomIds.uuid())));
                it.answer("passes_ended", 1).map(|ended| EndedPasses { ended, next })
            });
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
            ticks.expect_prune().returning(move |before, limit| {
                assert_eq!(before, now() - TimeDelta::days(30));
                it.answer("ticks", if it.asked("ticks") == 0 { limit.into() } else { 4 })
            });
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

        async fn tell_of_dead(&self, _: &PhaseCx, before: DateTime<Utc>) -> Result<u64, Error> {
            assert_eq!(before, now() - TimeDelta::hours(1));
            Ok(self.answer("runs_told", 0)?)
        }

        async fn end_left(&self, _: &PhaseCx) -> Result<u64, Error> {
            Ok(self.answer("versions_ended", 0)?)
        }
    }

    #[tokio::test]
    async fn every_part_is_done_and_counted() {
        let house = House::of(3, &[], &[]);
        let counters = house.run(CancelToken::default()).await.unwrap();
        assert_eq!((counters.get("deleted"), counters.get("users"), counters.get("jobs")), (6, 3, 10));
        assert!(Old::ALL.iter().all(|it| counters.get(it.name()) == 3), "{counters:?}");
        assert_eq!((counters.get("passes_ended"), counters.get("ticks"), house.asked("ticks")), (2, u64::from(BATCH) + 4, 2));
    }

    #[tokio::test]
    async fn what_one_part_cannot_do_keeps_no_other_from_being_done() {
        for part in ["owners", "slots_ended", "runs_told", "versions_ended", "passes_ended", "passes", "notices", "jobs", "ticks"]
        {
            let house = House::of(1, &[], &[part]);
            let error = house.run(CancelToken::default()).await.unwrap_err().to_string();
            let name = if part == "owners" { "deleted" } else { part };
            assert!(error.starts_with(&format!("{name}: ")) && !error.contains("; "), "{error}");
            assert!(
                ["slots_ended", "runs_told", "versions_ended", "passes_ended", "jobs", "ticks"]
                    .iter()
                    .all(|it| house.asked(it) > 0),
                "{part}"
            );
            assert!(Old::ALL.iter().all(|it| house.asked(it.name()) == 1), "{part}");
        }
        let error = House::of(1, &[], &["slots_ended", "ticks"]).run(CancelToken::default()).await.unwrap_err().to_string();
        assert!(error.contains("slots_ended: ") && error.contains("; ticks: "), "{error}");
    }

    #[tokio::test]
    async fn what_cannot_be_deleted_of_some_users_is_deleted_of_the_others() {
        let house = House::of(20, &[0, 1, 2, 3, 4, 5, 6, 7, 9], &[]);
        let error = house.run(CancelToken::default()).await.unwrap_err().to_string();
        assert!(error.contains("of 9 users: ") && error.ends_with(", ..."), "{error}");
        let named: Vec<_> = house.users.iter().filter(|it| error.contains(&it.to_string())).collect();
        assert_eq!(named, house.broken[..3].iter().collect::<Vec<_>>(), "{error}");
        assert_eq!((house.asked("clean"), house.asked("ticks")), (11, 2));
        let error = House::of(2, &[1], &[]).run(CancelToken::default()).await.unwrap_err().to_string();
        assert!(error.contains("of 1 user: ") && !error.ends_with(", ..."), "{error}");
    }

    #[tokio::test]
    async fn nobody_else_is_tried_when_the_store_is_away() {
        let away = |is_away, broken| House { is_away: Some(is_away), ..House::of(9, broken, &[]) };
        for (is_away, broken, cleaned) in
            [(true, &[0, 1, 2, 3, 4][..], 0), (true, &[0, 1, 2, 3, 5], 4), (false, &[0, 1, 2, 3, 4], 4)]
        {
            let house = away(is_away, broken);
            let error = house.run(CancelToken::default()).await.unwrap_err().to_string();
            assert_eq!((house.asked("clean"), error.contains("before the others")), (cleaned, cleaned == 0), "{error}");
            assert_eq!(house.asked("ticks"), 2, "the other parts are tried");
        }
    }

    #[tokio::test]
    async fn passes_end_no_longer_when_told_to_stop() {
        let (house, stop) = (House::of(0, &[], &[]), CancelHandle::default());
        let token = stop.token();
        let house = House { stops: Some(Arc::new(stop)), ..house };
        assert!(matches!(house.run(token).await, Err(Error::Cancelled)));
        assert_eq!((house.asked("passes_ended"), house.asked("ticks")), (1, 0));
    }

    #[tokio::test]
    async fn who_is_told_to_stop_stops() {
        let (house, stop) = (House::of(2, &[], &[]), CancelHandle::default());
        stop.cancel();
        assert!(matches!(house.run(stop.token()).await, Err(Error::Cancelled)));
        assert_eq!((house.asked("clean"), house.asked("slots_ended"), house.asked("ticks")), (0, 0, 0));
    }
}
