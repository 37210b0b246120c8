//! The parts of a worker that run whether or not it claims: what keeps leases, writes ends and stores progress; and stopping.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout_at};
use yarnnn_core::Error;

use super::alarm::{Alarm, Until};
use super::finisher::finish_all;
use super::keeper::Keeper;
use super::limits::Stop;
use super::progress::store_progress;
use super::pulse::stamp;
use super::shared::Shared;
use super::slots::Done;

/// How long ending the parts may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// Where leases are renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeeperPlace {
    /// On a thread of its own.
    Thread,
    /// On the runtime of the jobs: for tests whose time stands still.
    #[cfg_attr(not(test), expect(dead_code, reason = "only tests may do without the thread"))]
    Runtime,
}

/// How a worker ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Drained {
    /// Jobs that ended by themselves while the worker stopped.
    pub finished: u64,
    /// Jobs that were given back.
    pub handed_back: u64,
    /// Ends that could not be written in time; those jobs are rescued when their leases end.
    pub unwritten: u64,
}

/// The running parts.
pub(super) struct Engine {
    shared: Arc<Shared>,
    keeper: Keeper,
    finisher: JoinHandle<()>,
    progress: JoinHandle<()>,
    pub(super) pulse: JoinHandle<()>,
}

impl Engine {
    pub(super) fn start(shared: &Arc<Shared>, ends: UnboundedReceiver<Done>, place: KeeperPlace) -> Result<Self, Error> {
        let keeper = match place {
            KeeperPlace::Thread => Keeper::on_its_own_thread(shared.clone())?,
            KeeperPlace::Runtime => Keeper::beside_the_jobs(shared.clone()),
        };
        let part = |name| Alarm::of(shared.clone(), name, Until::Closed);
        let finisher = tokio::spawn(part("writing ends").over(finish_all(shared.clone(), ends)));
        let progress = tokio::spawn(part("storing progress").over(store_progress(shared.clone())));
        let pulse = tokio::spawn(stamp(shared.clone()));
        Ok(Self { shared: shared.clone(), keeper, finisher, progress, pulse })
    }

    /// Lets jobs end, then asks them to, then gives back what is left; all within the time given. A claim that is under way is
    /// waited for: dropped, its jobs would be nobody's until their leases end.
    pub(super) async fn drain(&self, patience: Patience, claim: impl Future<Output = ()>) -> Drained {
        let before = self.shared.tally();
        let claimed = async {
            let _ = timeout_at(patience.abort, claim).await;
        };
        tokio::join!(claimed, self.end_all(patience));
        self.settled(patience.end).await;
        let (after, unwritten) = (self.shared.tally(), self.shared.slots.unsettled() as u64);
        if unwritten > 0 {
            tracing::warn!(
                unwritten,
                "stopped before the ends of all jobs could be written; they are rescued when their leases end"
            );
        }
        let finished = after.finished() - before.finished();
        Drained { finished, handed_back: after.handed_back - before.handed_back, unwritten }
    }

    async fn end_all(&self, patience: Patience) {
        let slots = &self.shared.slots;
        if !self.settled(patience.ask).await {
            slots.stop_all(Stop::Draining);
        }
        if !self.settled(patience.abort).await {
            slots.abort_all();
            // A moment for code to end; what never yields is not waited for.
            self.settled(patience.abort + (patience.end - patience.abort) / 8).await;
            slots.give_up_all().into_iter().for_each(|it| self.shared.write(it));
        }
    }

    /// Waits until every end is written; says whether that was in time.
    pub(super) async fn settled(&self, until: Instant) -> bool {
        loop {
            if self.shared.slots.unsettled() == 0 {
                return true;
            }
            tokio::select! {
                () = self.shared.freed() => {}
                () = sleep_until(until) => return self.shared.slots.unsettled() == 0,
            }
        }
    }

    /// Ends the parts, leases last, and takes the worker off the board; in what is left of the time to stop.
    pub(super) async fn stop(self, until: Instant) {
        self.shared.close();
        self.finisher.abort();
        self.progress.abort();
        self.pulse.abort();
        let gone = async {
            self.keeper.stop().await;
            self.shared.jobs.presence.leave(self.shared.worker()).await
        };
        match timeout_at(until.min(Instant::now() + FAREWELL), gone).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "the worker stays on the board until it is forgotten"),
            Err(_) => tracing::debug!("the worker stays on the board until it is forgotten: the store does not answer"),
        }
    }
}

/// When stopping becomes more insistent: when jobs are asked to stop, when they are made to, when nothing is waited for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    ask: Instant,
    abort: Instant,
    end: Instant,
    over: Instant,
}

impl Patience {
    /// Of 25 s: 20 s to end by themselves, 2 s when asked to, the rest to write what came of it.
    pub(super) fn of(drain: Duration) -> Self {
        let now = Instant::now();
        Self {
            ask: now + drain.mul_f64(0.8),
            abort: now + drain.mul_f64(0.88),
            end: now + drain.mul_f64(0.96),
            over: now + drain,
        }
    }

    /// When everything is over.
    pub(super) const fn over(self) -> Instant {
        self.over
    }

    /// Asks at once: somebody waits in front of it.
    pub(super) fn asking_now(drain: Duration) -> Self {
        Self { ask: Instant::now(), ..Self::of(drain) }
    }
}
