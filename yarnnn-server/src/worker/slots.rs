//! What a worker holds: the jobs that run and the ends that are not written yet, each with its lease.
//!
//! A slot is free when the job's code has ended; a lease is held until the end is written or the lease is lost. Both are kept
//! apart, so that new jobs are claimed while the ends of others are on their way, and none is forgotten.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::Instant;
use yarnnn_core::clock::Clock;
use yarnnn_core::id::{JobId, RunToken};
use yarnnn_core::jobs::{Lease, Outcome, Renewed};
use yarnnn_core::pipeline::{CancelHandle, CancelToken};

use super::WorkerConfig;
use super::groups::Group;
use super::held::{Fate, Held, Hold};
use super::limits::Stop;

/// For how long the lease of a job is renewed whose end cannot be written.
pub(super) const KEPT_UNWRITTEN: Duration = Duration::from_mins(10);

/// An end to be written.
#[derive(Debug, Clone)]
pub(super) struct Done {
    pub(super) lease: Arc<Lease>,
    pub(super) outcome: Outcome,
}

struct State {
    held: HashMap<RunToken, Held>,
    used: u32,
    running: Vec<u32>,
    unwritten: u32,
    alone: Option<RunToken>,
}

/// What a worker holds.
pub(super) struct Slots {
    state: Mutex<State>,
    total: u32,
    unwritten_limit: u32,
    cancel_grace: Duration,
    clock: Arc<dyn Clock>,
    /// Told whenever a slot is free or an end is written.
    pub(super) freed: Notify,
}

impl Slots {
    /// As many slots as the worker is to have.
    pub(super) fn new(config: &WorkerConfig, groups: usize, clock: Arc<dyn Clock>) -> Self {
        // Enough that the next jobs run while a batch is written, and not so many that a slow store lets them pile up.
        let unwritten_limit = (config.batch * 2).max(config.concurrency);
        let state = State { held: HashMap::new(), used: 0, running: vec![0; groups], unwritten: 0, alone: None };
        let (total, cancel_grace) = (config.concurrency, config.cancel_grace);
        Self { state: Mutex::new(state), total, unwritten_limit, cancel_grace, clock, freed: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many jobs of a group may be claimed, if so many slots are kept free for others.
    pub(super) fn room(&self, group: &Group, keep_free: u32) -> u32 {
        let state = self.state();
        if state.unwritten >= self.unwritten_limit {
            return 0;
        }
        let by_slots = self.total.saturating_sub(state.used + keep_free) / group.weight;
        let running = state.running.get(group.index).copied().unwrap_or_default();
        group.concurrency.map_or(by_slots, |it| it.saturating_sub(running).min(by_slots))
    }

    /// Whether only other groups keep the group from its next job.
    pub(super) fn is_crowded_out(&self, group: &Group) -> bool {
        let state = self.state();
        let running = state.running.get(group.index).copied().unwrap_or_default();
        group.concurrency.is_none_or(|it| running < it) && self.total - state.used < group.weight
    }

    /// Slots in use.
    pub(super) fn used(&self) -> u32 {
        self.state().used
    }

    /// Jobs whose code runs.
    pub(super) fn running(&self) -> u32 {
        self.state().running.iter().sum()
    }

    /// Whether nothing runs and nothing waits to be written.
    pub(super) fn is_empty(&self) -> bool {
        self.state().held.is_empty()
    }

    /// How many leases are still to be ended.
    pub(super) fn unsettled(&self) -> usize {
        self.state().held.values().filter(|it| it.is_ours()).count()
    }

    /// The longest that one of the running jobs may take.
    pub(super) fn longest_limit(&self) -> Option<Duration> {
        self.state().held.values().filter(|it| !it.ended).map(|it| it.hold.lease.policy.time_limit()).max()
    }

    /// How long the oldest of the ends that wait to be written has been waiting.
    pub(super) fn oldest_unwritten(&self) -> Option<Duration> {
        self.state().held.values().filter_map(Held::unwritten_for).max()
    }

    /// Whether a job in quarantine runs, beside which nothing may.
    pub(super) fn is_alone(&self) -> bool {
        self.state().alone.is_some()
    }

    /// Whether code runs that cannot be ended.
    pub(super) fn has_stuck(&self) -> bool {
        let now = Instant::now();
        self.state().held.values().any(|it| !it.ended && it.is_stuck(now))
    }

    /// Holds a job; answers what tells it to stop.
    pub(super) fn take(&self, hold: Hold) -> CancelToken {
        let (now, token, cancel) = (Instant::now(), hold.lease.token, CancelHandle::default());
        let sign = cancel.token();
        let mut state = self.state();
        state.used = state.used.saturating_add(hold.weight);
        if let Some(running) = state.running.get_mut(hold.group) {
            *running += 1;
        }
        if hold.alone {
            state.alone = Some(token);
        }
        state.held.insert(token, Held::new(hold, cancel, now));
        sign
    }

    /// What ends its code by force.
    pub(super) fn started(&self, token: RunToken, task: AbortHandle) {
        if let Some(held) = self.state().held.get_mut(&token) {
            held.task = Some(task);
        }
    }

    /// The code of a job has ended, with an outcome or by force; answers what is to be written.
    pub(super) fn ended(&self, token: RunToken, outcome: Option<Outcome>) -> Option<Done> {
        let now = self.clock.now();
        let done = self.state().ended(token, outcome, now);
        self.freed.notify_one();
        done
    }

    /// The store has answered for a lease: its end is written, or the lease is lost.
    pub(super) fn settled(&self, tokens: impl IntoIterator<Item = RunToken>) {
        let mut state = self.state();
        for token in tokens {
            state.settled(token);
        }
        drop(state);
        self.freed.notify_one();
    }

    /// Leases may have ended unnoticed.
    pub(super) fn doubt(&self) {
        self.state().held.values().for_each(|it| it.hold.ends.doubt());
    }

    /// Asks one job to stop.
    pub(super) fn stop(&self, token: RunToken, why: Stop) {
        if let Some(held) = self.state().held.get_mut(&token) {
            held.request(why, Instant::now());
        }
        // One whose lease is lost is no longer waited for.
        self.freed.notify_one();
    }

    /// Asks all jobs to stop.
    pub(super) fn stop_all(&self, why: Stop) {
        let now = Instant::now();
        self.state().held.values_mut().for_each(|it| it.request(why, now));
    }

    /// Ends all code by force.
    pub(super) fn abort_all(&self) {
        let now = Instant::now();
        self.state().held.values_mut().for_each(|it| it.abort(now));
    }

    /// Decides the end of all jobs whose code does not stop; answers what is to be written.
    pub(super) fn give_up_all(&self) -> Vec<Done> {
        let now = self.clock.now();
        self.state().give_up(now, |_| true)
    }

    /// Whether the lease is known to be lost.
    pub(super) fn is_lost(&self, token: RunToken) -> bool {
        self.state().held.get(&token).is_none_or(|it| it.stop == Some(Stop::Lost))
    }

    /// The leases to renew: of running jobs, and of those whose end is not written yet.
    pub(super) fn leases(&self) -> Vec<(JobId, RunToken)> {
        let state = self.state();
        let kept = |it: &&Held| it.is_ours() && it.unwritten_for().is_none_or(|it| it <= KEPT_UNWRITTEN);
        state.held.values().filter(kept).map(|it| (it.hold.lease.job, it.hold.lease.token)).collect()
    }

    /// What became of leases that a call renewed that began at `asked`.
    pub(super) fn renewed(&self, leases: &[(JobId, RunToken)], answers: &[Renewed], asked: Instant, lease: Duration) {
        let mut state = self.state();
        for ((_, token), answer) in leases.iter().zip(answers) {
            let Some(held) = state.held.get_mut(token) else { continue };
            match answer {
                Renewed::Held => held.hold.ends.renewed(asked, lease),
                Renewed::CancelRequested => {
                    held.hold.ends.renewed(asked, lease);
                    held.request(Stop::Asked, asked);
                }
                // The next beat asks again; until then it ends when it would have.
                Renewed::Unanswered => {}
                Renewed::Lost => held.request(Stop::Lost, asked),
            }
        }
        drop(state);
        if answers.contains(&Renewed::Lost) {
            self.freed.notify_one();
        }
    }

    /// Enforces the limits of running jobs; answers the ends of those whose code does not stop.
    pub(super) fn check(&self) -> Vec<Done> {
        let (now, shown) = (Instant::now(), self.clock.now());
        let mut state = self.state();
        state.held.values_mut().filter(|it| !it.ended).for_each(|it| it.check(now, self.cancel_grace));
        state.give_up(shown, |it| it.is_stuck(now))
    }
}

impl State {
    fn ended(&mut self, token: RunToken, outcome: Option<Outcome>, now: DateTime<Utc>) -> Option<Done> {
        let held = self.held.get_mut(&token)?;
        if std::mem::replace(&mut held.ended, true) {
            return None;
        }
        self.used = self.used.saturating_sub(held.hold.weight);
        if let Some(running) = self.running.get_mut(held.hold.group) {
            *running = running.saturating_sub(1);
        }
        if held.fate == Fate::Open && held.stop != Some(Stop::Lost) {
            self.unwritten += 1;
            return Some(held.decide(outcome, now));
        }
        if held.fate != Fate::Unwritten {
            self.forget(token);
        }
        None
    }

    fn settled(&mut self, token: RunToken) {
        let Some(held) = self.held.get_mut(&token) else { return };
        if std::mem::replace(&mut held.fate, Fate::Over) == Fate::Unwritten {
            self.unwritten = self.unwritten.saturating_sub(1);
        }
        if held.ended {
            self.forget(token);
        }
    }

    fn forget(&mut self, token: RunToken) {
        self.held.remove(&token);
        if self.alone == Some(token) {
            self.alone = None;
        }
    }

    fn give_up(&mut self, now: DateTime<Utc>, which: impl Fn(&Held) -> bool) -> Vec<Done> {
        let stuck = self.held.values_mut().filter(|it| it.fate == Fate::Open && it.is_ours() && which(it));
        let done: Vec<Done> = stuck.map(|it| it.decide(None, now)).collect();
        self.unwritten += u32::try_from(done.len()).unwrap_or_default();
        done
    }
}
