//! A queue in memory that follows the contract of the ports, counts calls, and fails when told to.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use tokio::sync::Notify;
use tokio::time::Instant;
use yarnnn_core::StoreError;
use yarnnn_core::clock::Clock;
use yarnnn_core::id::{IdGen as _, JobId, RandomIds, RunToken, UserId};
use yarnnn_core::jobs::{
    Again, Claim, Claimed, Depth, EnqueueError, Enqueued, JobAdmin, JobEvent, JobFilter, JobPolicy, JobProgress, JobQueue,
    JobRecord, JobStatus, Jobs, Lease, LeaseKeeper, MockCapacity, NewJob, NextDue, OpenLeaseKeeper, Outcome, Presence, Renewed,
    Rescued, Settlement, WakeUpListener, WakeUps, WorkerId, WorkerPresence, Written,
};
use yarnnn_core::pipeline::{Holder, Liveness};

use crate::worker::WorkerConfig;

/// Time that goes with tokio's, but for jumps.
#[derive(Debug)]
pub(super) struct TokioClock {
    began: Instant,
    jumped: Mutex<Duration>,
}

impl Clock for TokioClock {
    fn now(&self) -> DateTime<Utc> {
        let jumped = *self.jumped.lock().unwrap_or_else(PoisonError::into_inner);
        DateTime::UNIX_EPOCH + TimeDelta::from_std(self.began.elapsed() + jumped).unwrap()
    }
}

/// A host on which the processes called `gone` are gone.
#[derive(Debug)]
struct Host;

impl Liveness for Host {
    fn me(&self) -> Holder {
        Holder::new("me")
    }

    fn is_gone(&self, other: &Holder) -> bool {
        other.process() == "gone"
    }
}

struct Row {
    record: JobRecord,
    due: Instant,
    lease: Option<(RunToken, Instant)>,
}

#[derive(Default)]
struct State {
    rows: Vec<Row>,
    claims: Vec<(Claim, usize)>,
    finishes: Vec<usize>,
    finish_errors: VecDeque<StoreError>,
    renewed_on: Vec<Option<String>>,
    workers: Vec<WorkerPresence>,
    purges: u32,
    questions: u32,
    depths: u32,
    down: bool,
    keeper_down: bool,
    /// What the next end brings with it.
    follow_ups: Vec<u32>,
    /// The call that panics.
    panics: Option<&'static str>,
    /// The call that is never answered.
    hangs: Option<&'static str>,
    /// What the keeper's runtime waits for in vain.
    block: Option<mpsc::Receiver<()>>,
}

/// The queue.
pub(super) struct Board {
    state: Mutex<State>,
    clock: Arc<TokioClock>,
    woken: Notify,
}

pub(super) fn unavailable() -> StoreError {
    StoreError::Unavailable { source: "down".into() }
}

impl Board {
    pub(super) fn new() -> Arc<Self> {
        let clock = Arc::new(TokioClock { began: Instant::now(), jumped: Mutex::default() });
        Arc::new(Self { state: Mutex::default(), clock, woken: Notify::new() })
    }

    pub(super) fn jobs(self: &Arc<Self>) -> Jobs {
        Jobs {
            queue: self.clone(),
            admin: self.clone(),
            capacity: Arc::new(MockCapacity::new()),
            presence: self.clone(),
            keeper: Arc::new(Opens(self.clone())),
            wake_ups: Arc::new(Wakes(self.clone())),
            liveness: Arc::new(Host),
            clock: self.clock.clone(),
            ids: Arc::new(RandomIds),
        }
    }

    pub(super) fn config(concurrency: u32) -> WorkerConfig {
        WorkerConfig { owner_limit: None, ..WorkerConfig::new("test", &RandomIds).with_concurrency(concurrency) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn put(&self, kind: &str, n: u32) -> JobId {
        self.put_with(kind, n, |_| {})
    }

    /// As if the machine had been suspended: time passed that this process's own clock did not count.
    pub(super) fn jump(&self, time: Duration) {
        *self.clock.jumped.lock().unwrap_or_else(PoisonError::into_inner) += time;
    }

    /// A job that is there as soon as the next end is written.
    pub(super) fn put_with_the_next_end(&self, n: u32) {
        self.state().follow_ups.push(n);
    }

    /// This call panics from now on.
    pub(super) fn panic_in(&self, call: &'static str) {
        self.state().panics = Some(call);
    }

    /// This call is never answered from now on.
    pub(super) fn hang_in(&self, call: &'static str) {
        self.state().hangs = Some(call);
    }

    /// The keeper begins a call that blocks until the other end is dropped.
    pub(super) fn block_the_keeper(&self, held: mpsc::Receiver<()>) {
        self.state().block = Some(held);
    }

    /// Returns if this call is answered.
    async fn reached(&self, call: &str) {
        let hangs = self.state().hangs == Some(call);
        if hangs {
            std::future::pending::<()>().await;
        }
    }

    pub(super) fn put_all(&self, kind: &str, all: impl IntoIterator<Item = u32>) {
        for n in all {
            self.put(kind, n);
        }
    }

    pub(super) fn put_with(&self, kind: &str, n: u32, change: impl FnOnce(&mut JobRecord)) -> JobId {
        let now = self.clock.now();
        let mut record = JobRecord {
            id: JobId::from_uuid(RandomIds.uuid()),
            kind: kind.to_owned(),
            lane: "default".to_owned(),
            priority: 5,
            owner: None,
            payload: json!({ "n": n }),
            status: JobStatus::Queued,
            attempt: 0,
            crashes: 0,
            reschedules: 0,
            policy: JobPolicy::default(),
            run_at: now,
            started_at: None,
            finished_at: None,
            worker: None,
            lease_until: None,
            key: None,
            correlation: String::new(),
            parent: None,
            progress: None,
            result: None,
            error: None,
            cause: None,
            cancel_requested: false,
            expired: false,
            created_at: now,
        };
        change(&mut record);
        let (id, due) = (record.id, Instant::now() + (record.run_at - now).to_std().unwrap_or_default());
        self.state().rows.push(Row { record, due, lease: None });
        self.woken.notify_one();
        id
    }

    /// As if a worker had claimed it that is no longer on the board.
    pub(super) fn claimed_late_by(&self, job: JobId, worker: &str, lease: Duration) {
        let mut state = self.state();
        let until = Instant::now() + lease;
        let row = state.rows.iter_mut().find(|it| it.record.id == job).unwrap();
        row.lease = Some((RunToken::fresh(&RandomIds), until));
        row.record.status = JobStatus::Running;
        row.record.worker = Some(WorkerId::new(worker));
        row.record.lease_until = Some(self.clock.now() + TimeDelta::from_std(lease).unwrap());
    }

    /// As if another worker had claimed it.
    pub(super) fn taken_by(&self, job: JobId, worker: &str, process: &str, lease: Duration) {
        self.claimed_late_by(job, worker, lease);
        let mut state = self.state();
        state.workers.retain(|it| it.worker.as_str() != worker);
        state.workers.push(WorkerPresence {
            worker: WorkerId::new(worker),
            name: "other".to_owned(),
            process: Holder::new(process),
            version: String::new(),
            concurrency: 1,
            running: 1,
            draining: false,
            started_at: DateTime::UNIX_EPOCH,
            last_claim_at: None,
            beat_at: None,
        });
    }

    /// As if the lease had ended and the job been rescued and claimed by another worker.
    pub(super) fn steal(&self, job: JobId) {
        self.taken_by(job, "thief", "thief", Duration::from_hours(1));
    }

    /// As if the worker that has it had ended it so.
    pub(super) fn end(&self, job: JobId, status: JobStatus) {
        let mut state = self.state();
        let row = state.rows.iter_mut().find(|it| it.record.id == job).unwrap();
        (row.lease, row.record.status) = (None, status);
    }

    /// As if the store's clock were so far ahead: what it dates does not change what holds.
    pub(super) fn date_leases(&self, job: JobId, ahead: Duration) {
        let mut state = self.state();
        let row = state.rows.iter_mut().find(|it| it.record.id == job).unwrap();
        row.record.lease_until = row.record.lease_until.map(|it| it + TimeDelta::from_std(ahead).unwrap());
    }

    pub(super) fn ask_to_cancel(&self, job: JobId) {
        self.state().rows.iter_mut().find(|it| it.record.id == job).unwrap().record.cancel_requested = true;
    }

    pub(super) fn fail_next_finish(&self, error: StoreError) {
        self.state().finish_errors.push_back(error);
    }

    pub(super) fn set_down(&self, down: bool) {
        self.state().down = down;
    }

    pub(super) fn set_keeper_down(&self, down: bool) {
        self.state().keeper_down = down;
    }

    pub(super) fn take_finish_errors(&self) {
        self.state().finish_errors.clear();
    }

    pub(super) fn job(&self, id: JobId) -> JobRecord {
        self.state().rows.iter().find(|it| it.record.id == id).unwrap().record.clone()
    }

    pub(super) fn count(&self, status: JobStatus) -> usize {
        self.state().rows.iter().filter(|it| it.record.status == status).count()
    }

    pub(super) fn claims(&self) -> Vec<(Claim, usize)> {
        self.state().claims.clone()
    }

    pub(super) fn finishes(&self) -> Vec<usize> {
        self.state().finishes.clone()
    }

    pub(super) fn renewed_on(&self) -> Vec<Option<String>> {
        self.state().renewed_on.clone()
    }

    pub(super) fn purges(&self) -> u32 {
        self.state().purges
    }

    /// How often what waits was counted.
    pub(super) fn depths(&self) -> u32 {
        self.state().depths
    }

    /// Reads that found nothing to do.
    pub(super) fn questions(&self) -> u32 {
        self.state().questions
    }

    /// Until so many jobs stand so; for ever if they never do, which paused time turns into a failure.
    pub(super) async fn until(&self, status: JobStatus, count: usize) {
        let reached = async {
            while self.count(status) != count {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let in_time = tokio::time::timeout(Duration::from_mins(10), reached).await.is_ok();
        assert!(in_time, "{} jobs are {status}, not {count}", self.count(status));
    }
}

fn is_waiting(row: &Row) -> bool {
    matches!(row.record.status, JobStatus::Queued | JobStatus::Retrying)
}

fn among(list: Option<&Vec<String>>, it: &String) -> bool {
    list.is_none_or(|list| list.contains(it))
}

impl State {
    /// Whether the store answers this call.
    fn answers(&self, call: &str) -> Result<(), StoreError> {
        assert!(self.panics != Some(call), "{call} panics");
        self.up()
    }

    fn up(&self) -> Result<(), StoreError> {
        if self.down { Err(unavailable()) } else { Ok(()) }
    }

    fn leased(&mut self, job: JobId, token: RunToken) -> Option<&mut Row> {
        let row = self.rows.iter_mut().find(|it| it.record.id == job)?;
        let holds = row.record.status == JobStatus::Running && row.lease.is_some_and(|it| it.0 == token);
        holds.then_some(row)
    }

    fn running_of(&self, worker: &WorkerId, owner: UserId) -> u32 {
        let running = self.rows.iter().map(|it| &it.record).filter(|it| it.status == JobStatus::Running);
        u32::try_from(running.filter(|it| it.worker.as_ref() == Some(worker) && it.owner == Some(owner)).count()).unwrap()
    }
}

#[async_trait]
impl JobQueue for Board {
    async fn enqueue(&self, _jobs: Vec<NewJob>) -> Result<Vec<Enqueued>, EnqueueError> {
        unreachable!("tests put rows")
    }

    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>, StoreError> {
        self.reached("claim").await;
        // A round trip: others run meanwhile.
        tokio::time::sleep(Duration::from_millis(1)).await;
        let (now, shown) = (Instant::now(), self.clock.now());
        let mut state = self.state();
        state.answers("claim")?;
        let mut claimed = vec![];
        for index in 0..state.rows.len() {
            let row = &state.rows[index];
            let record = &row.record;
            let in_order = claim.only.is_some() || claim.alone == (record.crashes >= 2);
            let filtered = among(claim.kinds.as_ref(), &record.kind) && among(claim.lanes.as_ref(), &record.lane) && in_order;
            let fits = claim.owner_limit.zip(record.owner).is_none_or(|(most, it)| state.running_of(&claim.worker, it) < most);
            let full = claimed.len() >= usize::try_from(claim.limit).unwrap();
            if full || !is_waiting(row) || row.due > now || !filtered || !fits || claim.only.is_some_and(|it| it != record.id) {
                continue;
            }
            let token = RunToken::fresh(&RandomIds);
            let row = &mut state.rows[index];
            row.lease = Some((token, now + claim.lease));
            row.record.status = JobStatus::Running;
            row.record.attempt += 1;
            row.record.worker = Some(claim.worker.clone());
            row.record.lease_until = Some(shown + TimeDelta::from_std(claim.lease).unwrap());
            let lease = Lease {
                job: row.record.id,
                token,
                worker: claim.worker.clone(),
                attempt: row.record.attempt,
                reschedules: row.record.reschedules,
                policy: row.record.policy.clone(),
            };
            claimed.push(Claimed { lease, job: row.record.clone() });
        }
        state.claims.push((claim, claimed.len()));
        Ok(claimed)
    }

    async fn finish(&self, done: Vec<(Lease, Outcome)>) -> Result<Vec<Written>, StoreError> {
        self.reached("finish").await;
        tokio::time::sleep(Duration::from_millis(1)).await;
        let mut state = self.state();
        state.answers("finish")?;
        state.finishes.push(done.len());
        // What no store takes, in these tests.
        let is_bad = |it: &Outcome| matches!(it, Outcome::Succeeded { result, .. } | Outcome::Failed { report: Some(result), .. } if result == "bad");
        if done.iter().any(|it| is_bad(&it.1)) {
            return Err(StoreError::Corrupt { what: "an end".to_owned(), source: "bad".into() });
        }
        if let Some(error) = state.finish_errors.pop_front() {
            return Err(error);
        }
        let mut answers = vec![];
        for (lease, outcome) in done {
            let Some(row) = state.leased(lease.job, lease.token) else {
                answers.push(Written::LeaseLost);
                continue;
            };
            let settled = Settlement::of(outcome, &lease, 0.0);
            let wait = match settled.again {
                Again::Now => Duration::ZERO,
                Again::After(wait) => wait,
                Again::At(at) => (at - self.clock.now()).to_std().unwrap_or_default(),
            };
            row.lease = None;
            row.due = Instant::now() + wait;
            row.record.run_at = self.clock.now() + TimeDelta::from_std(wait).unwrap();
            row.record.status = settled.status;
            row.record.attempt -= u32::from(!settled.charged);
            (row.record.error, row.record.result) = (settled.error, settled.result);
            answers.push(Written::Done);
        }
        let follow_ups = std::mem::take(&mut state.follow_ups);
        drop(state);
        self.put_all("plain", follow_ups);
        Ok(answers)
    }

    async fn progress(&self, lease: &Lease, progress: JobProgress) -> Result<Written, StoreError> {
        let mut state = self.state();
        let Some(row) = state.leased(lease.job, lease.token) else { return Ok(Written::LeaseLost) };
        row.record.progress = Some(progress);
        Ok(Written::Done)
    }

    async fn rescue(&self, gone: &[WorkerId]) -> Result<Vec<Rescued>, StoreError> {
        let mut state = self.state();
        state.up()?;
        state.questions += 1;
        let now = Instant::now();
        let mut rescued = vec![];
        for row in &mut state.rows {
            let Some(((_, until), worker)) = row.lease.zip(row.record.worker.clone()) else { continue };
            if until < now || gone.contains(&worker) {
                row.lease = None;
                row.due = now;
                row.record.status = JobStatus::Retrying;
                row.record.crashes += 1;
                row.record.attempt = row.record.attempt.saturating_sub(1);
                let (crashes, status) = (row.record.crashes, row.record.status);
                rescued.push(Rescued { job: row.record.id, worker, crashes, status });
            }
        }
        state.workers.retain(|it| !gone.contains(&it.worker));
        Ok(rescued)
    }

    async fn get(&self, job: JobId) -> Result<Option<JobRecord>, StoreError> {
        self.reached("get").await;
        self.state().up()?;
        Ok(self.state().rows.iter().find(|it| it.record.id == job).map(|it| it.record.clone()))
    }

    async fn next_due(&self, due: &NextDue) -> Result<Option<Duration>, StoreError> {
        self.reached("next_due").await;
        let mut state = self.state();
        state.up()?;
        state.questions += 1;
        let meant = state.rows.iter().filter(|it| is_waiting(it) && due.alone == (it.record.crashes >= 2));
        let meant = meant.filter(|it| among(due.kinds.as_ref(), &it.record.kind) && among(due.lanes.as_ref(), &it.record.lane));
        Ok(meant.map(|it| it.due.saturating_duration_since(Instant::now())).min())
    }
}

#[async_trait]
impl JobAdmin for Board {
    async fn list(&self, _filter: &JobFilter) -> Result<Vec<JobRecord>, StoreError> {
        Ok(vec![])
    }

    async fn events(&self, _job: JobId) -> Result<Vec<JobEvent>, StoreError> {
        Ok(vec![])
    }

    async fn retry(&self, _job: JobId, _actor: &str) -> Result<(), StoreError> {
        Ok(())
    }

    async fn hurry(&self, _job: JobId, _actor: &str) -> Result<(), StoreError> {
        Ok(())
    }

    async fn cancel(&self, job: JobId, _actor: &str) -> Result<JobStatus, StoreError> {
        Ok(self.job(job).status)
    }

    async fn purge(&self, _before: DateTime<Utc>, _statuses: &[JobStatus], _limit: u32) -> Result<u64, StoreError> {
        self.state().purges += 1;
        Ok(0)
    }

    async fn depth(&self) -> Result<Vec<Depth>, StoreError> {
        let answer = self.depth_now();
        // The way back: others run meanwhile.
        tokio::time::sleep(Duration::from_millis(2)).await;
        answer
    }
}

impl Board {
    fn depth_now(&self) -> Result<Vec<Depth>, StoreError> {
        let mut state = self.state();
        state.depths += 1;
        state.up()?;
        let one = |it: &Row| Depth {
            kind: it.record.kind.clone(),
            status: it.record.status,
            count: 1,
            quarantined: 0,
            oldest_seconds: 0,
        };
        Ok(state.rows.iter().filter(|it| it.record.status != JobStatus::Succeeded).map(one).collect())
    }
}

#[async_trait]
impl Presence for Board {
    async fn workers(&self) -> Result<Vec<WorkerPresence>, StoreError> {
        self.reached("workers").await;
        let mut state = self.state();
        state.answers("workers")?;
        state.questions += 1;
        Ok(state.workers.clone())
    }

    async fn leave(&self, worker: &WorkerId) -> Result<(), StoreError> {
        self.reached("leave").await;
        self.state().workers.retain(|it| it.worker != *worker);
        Ok(())
    }
}

struct Opens(Arc<Board>);

#[async_trait]
impl OpenLeaseKeeper for Opens {
    async fn open(&self) -> Result<Box<dyn LeaseKeeper>, StoreError> {
        let mut state = self.0.state();
        if let Some(held) = state.block.take() {
            tokio::task::spawn_blocking(move || held.recv());
        }
        if state.keeper_down {
            return Err(unavailable());
        }
        state.up()?;
        Ok(Box::new(Keeps(self.0.clone())))
    }
}

struct Keeps(Arc<Board>);

#[async_trait]
impl LeaseKeeper for Keeps {
    async fn renew(&mut self, _worker: &WorkerId, leases: &[(JobId, RunToken)]) -> Result<Vec<Renewed>, StoreError> {
        self.0.reached("renew").await;
        let mut state = self.0.state();
        state.answers("renew")?;
        state.renewed_on.push(thread::current().name().map(str::to_owned));
        let one = |(job, token): &(JobId, RunToken)| match state.leased(*job, *token) {
            Some(row) => {
                row.lease = Some((*token, Instant::now() + Duration::from_secs(15)));
                if row.record.cancel_requested { Renewed::CancelRequested } else { Renewed::Held }
            }
            None => Renewed::Lost,
        };
        Ok(leases.iter().map(one).collect())
    }

    async fn beat(&mut self, presence: &WorkerPresence) -> Result<(), StoreError> {
        self.0.reached("beat").await;
        let mut state = self.0.state();
        state.answers("beat")?;
        state.workers.retain(|it| it.worker != presence.worker);
        state.workers.push(presence.clone());
        Ok(())
    }
}

struct Wakes(Arc<Board>);

#[async_trait]
impl WakeUps for Wakes {
    async fn listen(&self) -> Result<Box<dyn WakeUpListener>, StoreError> {
        Ok(Box::new(Wakes(self.0.clone())))
    }
}

#[async_trait]
impl WakeUpListener for Wakes {
    async fn woken(&mut self) -> Result<(), StoreError> {
        self.0.state().answers("woken")?;
        self.0.woken.notified().await;
        Ok(())
    }
}
