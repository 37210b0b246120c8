//! Claiming: as long as slots are free and work may be there, else waiting for a sign; never in a busy loop.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use yarnnn_core::StoreError;
use yarnnn_core::jobs::{Claim, NextDue};

use super::backoff::{Streak, jittered};
use super::quarantine::{Quarantine, Turn};
use super::shared::Shared;
use super::start::start;

/// How often to see whether a heavy job waits for slots that light ones keep taking.
const HUNGER: Duration = Duration::from_secs(1);
/// How long slots are kept free for one.
const KEEP_FREE: Duration = Duration::from_secs(30);
/// After they were in vain.
const REST: Duration = Duration::from_mins(1);

/// How it stands with one group.
#[derive(Debug, Clone, Copy)]
struct Line {
    /// Whether there may be work.
    due: bool,
    /// In which turn it was last given some; the group that waited longest comes first.
    served: u64,
    /// Whether jobs of it are due that could not be claimed though there was room: their owners have as many running as allowed.
    is_blocked: bool,
    /// Until when no slots are kept free for it.
    rests_until: Instant,
}

/// The group for whose weight slots are kept free.
#[derive(Debug, Clone, Copy)]
struct Hunger {
    index: usize,
    until: Instant,
}

pub(super) struct Claimer {
    shared: Arc<Shared>,
    lines: Vec<Line>,
    turn: u64,
    quarantine: Quarantine,
    hungry: Option<Hunger>,
    hunger_at: Instant,
    look_at: Instant,
    /// Whether something is due at `look_at`, so that there is no need to ask.
    is_planned: bool,
    /// Whether something was claimed since it was last asked what is left.
    is_unsure: bool,
    /// Whether it was doubted already that what is due is withheld.
    is_doubted: bool,
}

/// Claims until the worker stops.
pub(super) async fn claim_all(shared: Arc<Shared>) {
    let mut streak = Streak::new("claiming jobs");
    let mut claimer = Claimer::new(shared.clone());
    while !shared.is_stopping() {
        match claimer.round().await {
            Ok(true) => claimer.gather().await,
            Ok(false) => {
                streak.ended();
                claimer.wait().await;
            }
            Err(error) => shared.sleep(streak.failed(&error, shared.jobs.ids.as_ref())).await,
        }
    }
}

impl Claimer {
    fn new(shared: Arc<Shared>) -> Self {
        let now = Instant::now();
        Self {
            lines: vec![Line { due: true, served: 0, is_blocked: false, rests_until: now }; shared.groups.all.len()],
            shared,
            turn: 0,
            quarantine: Quarantine::new(),
            hungry: None,
            hunger_at: now,
            look_at: now,
            is_planned: false,
            is_unsure: false,
            is_doubted: false,
        }
    }

    /// One look at everything; says whether another may claim more at once.
    async fn round(&mut self) -> Result<bool, StoreError> {
        if !self.shared.is_kept() {
            return Ok(false);
        }
        self.look().await?;
        if self.quarantine.step(&self.shared, self.hungry.is_none()).await? == Turn::Held {
            return Ok(false);
        }
        self.find_the_hungry().await?;
        self.turn += 1;
        let (mut more, mut got) = (false, 0);
        for index in self.order() {
            if self.shared.is_stopping() {
                return Ok(false);
            }
            let Some(limit) = self.limit(index) else { continue };
            let count = self.claim(index, limit).await?;
            (self.is_unsure, got) = (true, got + count);
            more |= count == limit;
        }
        // A group without room stays due; it must not keep the others from being asked for.
        let is_open = |it: &usize| self.lines[*it].due && self.limit(*it).is_some();
        if self.is_unsure && !more && !(0..self.lines.len()).any(|it| is_open(&it)) {
            return self.after_the_last(got > 0).await;
        }
        Ok(more)
    }

    /// The groups with work, longest without any first.
    fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.lines.len()).filter(|it| self.lines[*it].due).collect();
        order.sort_by_key(|it| self.lines[*it].served);
        order
    }

    fn limit(&self, index: usize) -> Option<u32> {
        let all = &self.shared.groups.all;
        let keep_free = self.hungry.filter(|it| it.index != index).and_then(|it| all.get(it.index)).map_or(0, |it| it.weight);
        let room = all.get(index).map_or(0, |it| self.shared.slots.room(it, keep_free));
        (room > 0).then(|| room.min(self.shared.config.batch))
    }

    async fn claim(&mut self, index: usize, limit: u32) -> Result<u32, StoreError> {
        let config = &self.shared.config;
        let claim = Claim {
            kinds: self.shared.groups.all.get(index).map(|it| it.kinds.clone()),
            lanes: config.lanes.clone(),
            owner_limit: config.owner_limit,
            ..Claim::any(config.id.clone(), limit, config.lease)
        };
        let asked = Instant::now();
        let claimed = self.shared.claim(claim).await?;
        let count = u32::try_from(claimed.len()).unwrap_or(u32::MAX);
        self.lines[index].due = count >= limit;
        if count > 0 {
            self.lines[index].served = self.turn;
        }
        if self.hungry.is_some_and(|it| it.index == index) {
            self.hungry = None;
        }
        for it in claimed {
            start(&self.shared, it, asked, false);
        }
        Ok(count)
    }

    /// Asks for work when it is time to.
    async fn look(&mut self) -> Result<(), StoreError> {
        if Instant::now() < self.look_at {
            return Ok(());
        }
        if std::mem::take(&mut self.is_planned) {
            self.all_due();
            self.look_at = Instant::now() + self.poll();
            return Ok(());
        }
        match self.next_due(self.shared.groups.names()).await? {
            Some(Duration::ZERO) => {
                self.all_due();
                self.look_at = Instant::now() + self.poll();
            }
            wait => self.plan(wait),
        }
        Ok(())
    }

    /// Nothing more could be claimed: finds out when to try again. True if that is now.
    async fn after_the_last(&mut self, got: bool) -> Result<bool, StoreError> {
        let open: Vec<usize> = (0..self.lines.len()).filter(|it| self.limit(*it).is_some()).collect();
        if open.is_empty() {
            return Ok(false);
        }
        let kinds = open.iter().flat_map(|it| self.shared.groups.all[*it].kinds.clone()).collect();
        let wait = self.next_due(kinds).await?;
        self.is_unsure = false;
        let is_blocked = wait == Some(Duration::ZERO);
        for it in &open {
            self.lines[*it].is_blocked = is_blocked;
        }
        if is_blocked {
            self.look_at = Instant::now() + self.poll();
            self.is_planned = true;
        } else {
            self.plan(wait);
        }
        // What came between the claim and the question is worth one more claim; what the store withholds is not.
        let withheld = is_blocked && !got;
        let is_new = withheld && !self.is_doubted;
        self.is_doubted = withheld;
        if is_new {
            self.blocked_due();
        }
        Ok(is_new)
    }

    fn plan(&mut self, wait: Option<Duration>) {
        let poll = self.poll();
        self.is_planned = wait.is_some_and(|it| it < poll);
        self.look_at = Instant::now() + wait.map_or(poll, |it| it.min(poll));
    }

    async fn next_due(&self, kinds: Vec<String>) -> Result<Option<Duration>, StoreError> {
        let due = NextDue { kinds: Some(kinds), lanes: self.shared.config.lanes.clone(), alone: false };
        let wait = self.shared.jobs.queue.next_due(&due).await?;
        self.shared.looked(false);
        Ok(wait)
    }

    /// A heavy job needs several slots at once, and light ones would take each as it comes free.
    async fn find_the_hungry(&mut self) -> Result<(), StoreError> {
        let now = Instant::now();
        if let Some(it) = self.hungry.take_if(|it| now >= it.until) {
            // Others would wait for as long as whatever holds the slots.
            self.lines[it.index].rests_until = now + REST;
        }
        if self.hungry.is_some() || now < self.hunger_at {
            return Ok(());
        }
        let shared = self.shared.clone();
        for group in shared.groups.all.iter().filter(|it| it.weight > 1) {
            let line = self.lines[group.index];
            if !line.due || now < line.rests_until || !shared.slots.is_crowded_out(group) {
                continue;
            }
            self.hunger_at = now + HUNGER;
            if self.next_due(group.kinds.clone()).await? == Some(Duration::ZERO) {
                self.hungry = Some(Hunger { index: group.index, until: now + KEEP_FREE });
                break;
            }
            self.lines[group.index].due = false;
        }
        Ok(())
    }

    fn all_due(&mut self) {
        self.lines.iter_mut().for_each(|it| (it.due, it.is_blocked) = (true, false));
    }

    fn blocked_due(&mut self) {
        let blocked = self.lines.iter_mut().filter(|it| it.is_blocked);
        blocked.for_each(|it| (it.due, it.is_blocked) = (true, false));
    }

    fn poll(&self) -> Duration {
        jittered(self.shared.config.poll, self.shared.jobs.ids.as_ref())
    }

    /// Waits for a sign that a round is worth it.
    async fn wait(&mut self) {
        let shared = self.shared.clone();
        let until = self.look_at.min(self.quarantine.look_at());
        tokio::select! {
            () = shared.stopped() => {}
            () = shared.beaten.notified(), if !shared.is_kept() => {}
            () = shared.wake.notified() => self.all_due(),
            () = shared.freed() => self.gather().await,
            () = shared.wrote.notified(), if self.lines.iter().any(|it| it.is_blocked) => self.blocked_due(),
            () = tokio::time::sleep_until(until), if shared.is_kept() => {}
        }
    }

    /// Short jobs end together: a moment's patience makes one claim of what would be many.
    async fn gather(&self) {
        let config = &self.shared.config;
        let enough = config.concurrency.min(config.batch).div_ceil(4);
        let is_enough = || config.concurrency.saturating_sub(self.shared.slots.used()) >= enough;
        if is_enough() || !self.lines.iter().any(|it| it.due) {
            return;
        }
        tokio::task::yield_now().await;
        if !is_enough() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}
