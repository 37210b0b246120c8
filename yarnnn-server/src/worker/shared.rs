//! What the parts of one worker share.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;
use yarnnn_core::StoreError;
use yarnnn_core::jobs::{Claim, Claimed, JobKinds, JobProgressSink, Jobs, WorkerId, WorkerPresence};

use super::WorkerConfig;
use super::groups::Groups;
use super::handle::Tally;
use super::progress::Progress;
use super::pulse::Pulse;
use super::sleep::Sleep;
use super::slots::{Done, Slots};

/// One job of a command, and who sees its progress besides the store.
pub(super) struct Watched(pub(super) Option<JobProgressSink>);

/// How many claims have begun and ended: odd while one is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Claims(u64);

impl Claims {
    pub(super) const fn is_under_way(self) -> bool {
        self.0 % 2 == 1
    }
}

/// When something last went well.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    /// By this process's own clock.
    pub(super) at: Instant,
    /// For people.
    pub(super) shown: DateTime<Utc>,
}

#[derive(Debug, Default)]
struct Facts {
    tally: Tally,
    last_beat: Option<Seen>,
    is_failing: bool,
    /// Whether leases may have ended unnoticed since the last beat.
    in_doubt: bool,
    /// When beats went well again after some had failed.
    recovered: Option<Instant>,
    last_look: Option<Instant>,
    last_claim: Option<DateTime<Utc>>,
}

/// What the parts of one worker share.
pub(super) struct Shared {
    pub(super) jobs: Jobs,
    pub(super) config: WorkerConfig,
    pub(super) groups: Groups,
    pub(super) slots: Slots,
    pub(super) progress: Progress,
    /// There may be work.
    pub(super) wake: Notify,
    /// An end was written, which may make room for an owner.
    pub(super) wrote: Notify,
    /// A beat went well.
    pub(super) beaten: Notify,
    /// Sees the progress of all jobs besides the store.
    pub(super) observe: Option<JobProgressSink>,
    /// Whether it runs one job for a command and takes no others.
    is_single: bool,
    pub(super) began: Instant,
    started_at: DateTime<Utc>,
    stopping: watch::Sender<bool>,
    draining: AtomicBool,
    claims: AtomicU64,
    /// Whether its parts are being ended.
    closed: AtomicBool,
    /// The first part that ended before that.
    pub(super) broken: watch::Sender<Option<&'static str>>,
    /// When it was told to stop.
    pub(super) stopped_at: OnceLock<Instant>,
    pub(super) pulse: Pulse,
    pub(super) sleep: Sleep,
    /// Leases are to be renewed at once.
    pub(super) beat_now: Notify,
    done: mpsc::UnboundedSender<Done>,
    facts: Mutex<Facts>,
}

impl Shared {
    /// With the other end of the ends to be written; for one job of a command, or for all.
    pub(super) fn new(
        jobs: Jobs,
        kinds: &JobKinds,
        config: WorkerConfig,
        single: Option<Watched>,
    ) -> (Arc<Self>, mpsc::UnboundedReceiver<Done>) {
        let config = config.sound();
        let (is_single, observe) = (single.is_some(), single.and_then(|it| it.0));
        let groups = Groups::of(kinds, config.concurrency);
        let slots = Slots::new(&config, groups.all.len(), jobs.clock.clone());
        let (done, receiver) = mpsc::unbounded_channel();
        let sleep = Sleep::new(jobs.clock.clone());
        let shared = Self {
            started_at: jobs.clock.now(),
            jobs,
            config,
            groups,
            slots,
            progress: Progress::default(),
            wake: Notify::new(),
            wrote: Notify::new(),
            beaten: Notify::new(),
            observe,
            is_single,
            began: Instant::now(),
            stopping: watch::Sender::new(false),
            draining: AtomicBool::new(false),
            claims: AtomicU64::new(0),
            closed: AtomicBool::new(false),
            broken: watch::Sender::new(None),
            stopped_at: OnceLock::new(),
            pulse: Pulse::new(),
            sleep,
            beat_now: Notify::new(),
            done,
            facts: Mutex::default(),
        };
        (Arc::new(shared), receiver)
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn worker(&self) -> &WorkerId {
        &self.config.id
    }

    /// Sends an end to be written.
    pub(super) fn write(&self, done: Done) {
        // The receiver lives as long as the finisher, which ends last; what comes later ends with its lease.
        let _ = self.done.send(done);
    }

    /// Takes no new jobs from now on.
    pub(super) fn stop(&self) {
        self.stopped_at.get_or_init(Instant::now);
        self.draining.store(true, Ordering::Release);
        self.stopping.send_replace(true);
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Nothing more is to be done.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Sleeps, unless the worker stops.
    pub(super) async fn sleep(&self, time: Duration) {
        tokio::select! {
            () = self.stopped() => {}
            () = tokio::time::sleep(time) => {}
        }
    }

    /// Returns when the worker stops.
    pub(super) async fn stopped(&self) {
        // The sender lives as long as this.
        let _ = self.stopping.subscribe().wait_for(|it| *it).await;
    }

    /// Returns when a slot is free or an end is written.
    pub(super) async fn freed(&self) {
        self.slots.freed.notified().await;
    }

    pub(super) fn tally(&self) -> Tally {
        self.facts().tally
    }

    pub(super) fn counted(&self, count: impl FnOnce(&mut Tally)) {
        count(&mut self.facts().tally);
    }

    /// Takes jobs. One call at a time.
    pub(super) async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>, StoreError> {
        self.claims.fetch_add(1, Ordering::AcqRel);
        let claimed = self.ask(claim).await;
        self.claims.fetch_add(1, Ordering::AcqRel);
        let claimed = claimed?;
        self.looked(!claimed.is_empty());
        Ok(claimed)
    }

    /// One question, or for many jobs two at once, which a database answers side by side. Each keeps to the limits of owners, so
    /// one may get up to twice its limit where there is room for hundreds.
    async fn ask(&self, claim: Claim) -> Result<Vec<Claimed>, StoreError> {
        /// From how many on.
        const MANY: u32 = 200;
        if claim.limit < MANY {
            return self.jobs.queue.claim(claim).await;
        }
        let half = Claim { limit: claim.limit / 2, ..claim.clone() };
        let rest = Claim { limit: claim.limit - half.limit, ..claim };
        match tokio::join!(self.jobs.queue.claim(half), self.jobs.queue.claim(rest)) {
            (Ok(mut first), Ok(second)) => {
                first.extend(second);
                Ok(first)
            }
            // What one of them got is worked, also when the other failed.
            (Ok(claimed), Err(error)) | (Err(error), Ok(claimed)) => {
                if claimed.is_empty() {
                    Err(error)
                } else {
                    Ok(claimed)
                }
            }
            (Err(error), Err(_)) => Err(error),
        }
    }

    pub(super) fn claims(&self) -> Claims {
        Claims(self.claims.load(Ordering::Acquire))
    }

    /// The store answered a claim, or a question for work.
    pub(super) fn looked(&self, claimed: bool) {
        let shown = claimed.then(|| self.jobs.clock.now());
        let mut facts = self.facts();
        facts.last_look = Some(Instant::now());
        facts.last_claim = shown.or(facts.last_claim);
    }

    /// The keeper renewed all leases, or could not.
    pub(super) fn beat(&self, ok: bool) {
        let now = Instant::now();
        let seen = Seen { at: now, shown: self.jobs.clock.now() };
        let mut facts = self.facts();
        let has_recovered = ok && facts.is_failing;
        facts.is_failing = !ok;
        if ok {
            facts.in_doubt = false;
            facts.last_beat = Some(seen);
        }
        if has_recovered {
            facts.recovered = Some(now);
        }
        drop(facts);
        if ok {
            self.beaten.notify_one();
        }
    }

    /// Leases may have ended unnoticed: as after failed beats, until one goes well.
    pub(super) fn doubt(&self) {
        let mut facts = self.facts();
        (facts.is_failing, facts.in_doubt) = (true, true);
        drop(facts);
        self.beat_now.notify_one();
    }

    pub(super) fn last_beat(&self) -> Option<Seen> {
        self.facts().last_beat
    }

    /// How long ago the store last answered a look for work; before the first, since the start.
    pub(super) fn since_look(&self) -> Duration {
        self.facts().last_look.unwrap_or(self.began).elapsed()
    }

    /// Whether leases are being renewed: without that, what is claimed would only be lost.
    pub(super) fn is_kept(&self) -> bool {
        let facts = self.facts();
        !facts.in_doubt && facts.last_beat.is_some_and(|it| it.at.elapsed() <= self.config.beat * 3)
    }

    /// Whether the keeper has not failed lately. After an outage of the store others need a moment to renew their leases;
    /// whoever comes back first must not take them for dead.
    pub(super) fn is_steady(&self) -> bool {
        let (is_failing, recovered) = {
            let facts = self.facts();
            (facts.is_failing, facts.recovered)
        };
        self.is_kept() && !is_failing && recovered.is_none_or(|it| it.elapsed() > self.config.beat * 2)
    }

    /// What the worker shows of itself.
    pub(super) fn presence(&self) -> WorkerPresence {
        WorkerPresence {
            worker: self.config.id.clone(),
            name: self.config.name.clone(),
            process: self.jobs.liveness.me(),
            version: self.config.version.clone(),
            concurrency: if self.is_single { 0 } else { self.config.concurrency },
            running: self.slots.running(),
            draining: self.is_stopping(),
            started_at: self.started_at,
            last_claim_at: self.facts().last_claim,
            beat_at: None,
        }
    }
}
