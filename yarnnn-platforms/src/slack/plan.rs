//! What is left of a fetch: stretches to list, threads to read, messages to look up. The page token carries all of it.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use yarnnn_core::platform::{Gap, GapKind, Interval, PageToken, Platform, PlatformError};

use super::audit::Known;
use super::calls::Onward;
use super::cursor::{Hole, Position, Thread};
use super::read::{Listed, protocol};
use super::stamp::Ts;
use super::stretch::{Kind, Stretch};

/// Threads that one fetch with a cap reads.
const THREADS: usize = 20;
/// Messages that one audit looks up by themselves.
const LOOK_UPS: usize = 200;
/// The time to live is listed again after so long.
const SWEEP_EVERY: TimeDelta = TimeDelta::hours(6);
/// For how long a page token is good. All its bounds are instants and ids of messages, which do not expire, and a cursor of
/// Slack's that is refused is passed over. But what it lists again, it was to list within hours.
pub(super) const GOOD_FOR: TimeDelta = TimeDelta::days(1);
const VERSION: u8 = 1;

/// A stored message to be looked for by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LookUp {
    pub(super) ts: Ts,
    /// The thread in which it is a reply.
    pub(super) thread: Option<Ts>,
}

/// The next thing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    List,
    LookUp,
    Threads,
}

/// What is left of a fetch.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Plan {
    v: u8,
    pub(super) began: DateTime<Utc>,
    pub(super) window: Option<Interval>,
    pub(super) stretches: VecDeque<Stretch>,
    pub(super) threads: VecDeque<Thread>,
    /// Where Slack would go on in threads of which pages were read.
    #[serde(default)]
    onward: BTreeMap<Ts, Onward>,
    pub(super) look_ups: VecDeque<LookUp>,
    /// What was listed before, to be listed again if that is due.
    sweep: Vec<Stretch>,
    sweep_is_due: bool,
    has_swept: bool,
    /// Threads that the cursor left, behind those that this fetch finds.
    due: VecDeque<Thread>,
    threads_begun: bool,
    rotated: bool,
    look_ups_left: usize,
    /// Messages that count against the cap.
    counted: u32,
    /// Messages that were listed.
    pub(super) seen: u32,
    /// Replies up to here are read; later ones in a known stretch are late.
    late: Ts,
    mark: Option<Ts>,
    /// Whether everything that the window holds can have been listed.
    pub(super) is_whole: bool,
    pub(super) is_limited: bool,
    pub(super) position: Position,
}

impl Plan {
    fn new(began: DateTime<Utc>, position: Position) -> Self {
        Self {
            v: VERSION,
            began,
            window: None,
            stretches: VecDeque::new(),
            threads: VecDeque::new(),
            onward: BTreeMap::new(),
            look_ups: VecDeque::new(),
            sweep: Vec::new(),
            sweep_is_due: false,
            has_swept: true,
            due: VecDeque::new(),
            threads_begun: false,
            rotated: true,
            look_ups_left: 0,
            counted: 0,
            seen: 0,
            late: Ts::ZERO,
            mark: None,
            is_whole: true,
            is_limited: false,
            position,
        }
    }

    /// Everything, back to the start of the window.
    pub(super) fn start(window: Interval, now: DateTime<Utc>) -> Self {
        let stretch = Stretch::of(Kind::Fill, Ts::of(window.from).before(), Ts::of(window.to).min(horizon(now)));
        let mut plan = Self::new(now, Position::unknown());
        plan.window = Some(window);
        plan.stretches.push_back(stretch);
        plan
    }

    /// What is new, what a cap cut off, and, when it is due, what was listed before; with what is given up for its age.
    pub(super) fn since(mut position: Position, now: DateTime<Utc>) -> (Self, Vec<Gap>) {
        let oldest_kept = oldest_kept(now);
        let (holes, given_up) = kept(std::mem::take(&mut position.holes), oldest_kept);
        let due = VecDeque::from(std::mem::take(&mut position.threads));
        let sweep_is_due = position.swept_at.is_none_or(|it| now - it >= SWEEP_EVERY);
        let new = Stretch::of(Kind::New, position.latest, horizon(now));
        let mut plan = Self::new(now, position);
        plan.sweep = known_stretches(oldest_kept.before(), plan.position.latest.after(), &holes);
        plan.stretches =
            std::iter::once(new).chain(holes.iter().map(|it| Stretch::of(Kind::Hole, it.after, it.before))).collect();
        (plan.sweep_is_due, plan.has_swept, plan.due) = (sweep_is_due, false, due);
        plan.late = plan.position.replies.unwrap_or(Ts::ZERO);
        (plan, given_up)
    }

    /// What is stored, back to the oldest of it, and at least the time to live: before all that is stored there may be what a list
    /// lacked, and threads of messages that are not kept.
    pub(super) fn audit(window: Interval, known: &Known<'_>, now: DateTime<Utc>) -> Self {
        let mut plan = Self::new(now, Position::unknown());
        let from = Ts::of(window.from);
        let kept = oldest_kept(now).max(from);
        let oldest = known.oldest_from(from).map_or(kept, |it| it.min(kept));
        let stretch = Stretch::of(Kind::Audit, oldest.before(), Ts::of(window.to).min(horizon(now)));
        plan.stretches.extend(Some(stretch).filter(|it| it.after.after() < it.before));
        (plan.rotated, plan.look_ups_left) = (false, LOOK_UPS);
        plan.window = Some(window);
        plan
    }

    /// Reads a page token.
    ///
    /// # Errors
    /// `Protocol` when it is none of ours.
    pub(super) fn read(token: &PageToken) -> Result<Self, PlatformError> {
        let plan = serde_json::from_str(token.as_str()).ok().filter(|it: &Self| it.v == VERSION);
        plan.ok_or_else(|| protocol("slack", "the page token is not one of this client".to_owned()))
    }

    pub(super) fn token(&self) -> Result<PageToken, PlatformError> {
        let unavailable =
            |error: serde_json::Error| PlatformError::Unavailable { what: "the page token".into(), source: error.into() };
        serde_json::to_string(self).map(PageToken::new).map_err(unavailable)
    }

    /// What to do next; nothing when everything is done or left to the next fetch.
    pub(super) fn next(&mut self, cap: Option<u32>, known: Option<&Known<'_>>) -> Option<Step> {
        loop {
            if let Some(stretch) = self.stretches.front() {
                if !stretch.kind.counts() || self.room(cap) > 0 {
                    return Some(Step::List);
                }
                self.position.holes.push(Hole { after: stretch.after, before: stretch.before });
                self.stretches.pop_front();
            } else if !self.has_swept && self.sweep_is_due {
                self.has_swept = true;
                self.stretches.extend(self.sweep.drain(..));
            } else if !self.look_ups.is_empty() {
                return Some(Step::LookUp);
            } else if !self.threads_begun {
                self.begin_threads(cap, known);
            } else if !self.threads.is_empty() {
                return Some(Step::Threads);
            } else if !self.rotated {
                self.rotated = true;
                self.rotate(known);
            } else {
                return None;
            }
        }
    }

    /// Whether a message of this time stands in the window, and so in its list.
    pub(super) fn lists(&self, ts: Ts) -> bool {
        self.window.is_some_and(|it| ts >= Ts::of(it.from))
    }

    /// How many more messages the cap lets in.
    pub(super) fn room(&self, cap: Option<u32>) -> u32 {
        cap.map_or(u32::MAX, |it| it.saturating_sub(self.counted))
    }

    /// Takes note of a page of the first stretch.
    pub(super) fn listed(&mut self, listed: &Listed) {
        let Some(mut stretch) = self.stretches.pop_front() else { return };
        let count = listed.count();
        self.seen = self.seen.saturating_add(count);
        self.is_limited |= listed.is_limited;
        self.is_whole &= listed.unreadable.is_empty() && !listed.is_limited;
        self.remember(listed);
        self.find_threads(stretch.kind, listed);
        if stretch.kind.counts() {
            self.counted = self.counted.saturating_add(count);
        }
        if stretch.kind != Kind::Audit {
            self.position.latest = self.position.latest.max(listed.newest().unwrap_or(Ts::ZERO));
        }
        match listed.oldest().filter(|_| listed.has_more) {
            Some(oldest) => {
                (stretch.before, stretch.opened) = (oldest, true);
                stretch.onward = listed.onward_after(stretch.onward);
                self.stretches.push_front(stretch);
            }
            // A hole is closed: what is around it is listed again too.
            None => self.sweep_is_due |= stretch.kind == Kind::Hole,
        }
    }

    /// What was there when the first page was listed: any reply that is not later was there for every page to tell.
    fn remember(&mut self, listed: &Listed) {
        if self.mark.is_some() {
            return;
        }
        let replies = listed.messages.values().filter_map(|it| it.begins()?.1);
        let there = replies.chain(listed.newest()).chain([self.position.latest, self.late]);
        self.mark = there.max();
    }

    fn find_threads(&mut self, kind: Kind, listed: &Listed) {
        let begun = listed.messages.values().rev().filter_map(super::wire::Message::begins);
        for (ts, latest) in begun {
            let after = if kind == Kind::Known { self.late } else { Ts::ZERO };
            if latest.is_none_or(|it| it > after) && !self.due.iter().any(|it| it.ts == ts) {
                self.add_thread(Thread { ts, after });
            }
        }
    }

    /// A thread to be read, unless it will be anyway.
    pub(super) fn add_thread(&mut self, thread: Thread) {
        if !self.threads.iter().any(|it| it.ts == thread.ts) {
            self.threads.push_back(thread);
        }
    }

    /// Where Slack would go on in a thread.
    pub(super) fn onward(&self, thread: Ts) -> Option<&Onward> {
        self.onward.get(&thread)
    }

    /// Takes note of a page of a thread.
    pub(super) fn thread_listed(&mut self, thread: Thread, listed: &Listed) {
        let onward = listed.onward_after(self.onward.remove(&thread.ts));
        if let Some(after) = listed.newest().filter(|_| listed.has_more) {
            self.threads.push_front(Thread { after, ..thread });
            self.onward.extend(onward.map(|it| (thread.ts, it)));
        }
    }

    /// From here on threads are read: by turns one that this fetch found and one that an earlier fetch left, so that neither
    /// waits for the other.
    fn begin_threads(&mut self, cap: Option<u32>, known: Option<&Known<'_>>) {
        self.threads_begun = true;
        for ts in known.into_iter().flat_map(Known::threads) {
            self.add_thread(Thread { ts, after: Ts::ZERO });
        }
        let (mut found, mut due) = (std::mem::take(&mut self.threads), std::mem::take(&mut self.due));
        while !found.is_empty() || !due.is_empty() {
            self.threads.extend(found.pop_front().into_iter().chain(due.pop_front()));
        }
        if cap.is_some() && self.threads.len() > THREADS {
            self.position.threads = self.threads.split_off(THREADS).into();
        }
    }

    /// Looks up some of what is too old to be listed, others each day.
    fn rotate(&mut self, known: Option<&Known<'_>>) {
        let from = self.window.map_or(Ts::ZERO, |it| Ts::of(it.from));
        let days = usize::try_from(self.began.timestamp() / 86_400).unwrap_or(0);
        let old: Vec<Ts> = known.into_iter().flat_map(|it| it.messages_before(from)).collect();
        let start = days.saturating_mul(LOOK_UPS).checked_rem(old.len()).unwrap_or(0);
        let left = self.look_ups_left.min(old.len());
        let turn = old.iter().cycle().skip(start).take(left);
        let turn: Vec<LookUp> = turn.map(|ts| LookUp { ts: *ts, thread: None }).collect();
        self.look_up(turn);
    }

    /// Looks these up, as far as the audit's share goes.
    pub(super) fn look_up(&mut self, missing: impl IntoIterator<Item = LookUp>) {
        for it in missing {
            let Some(left) = self.look_ups_left.checked_sub(1) else {
                tracing::info!(ts = %it.ts, "a stored message was not listed; it will be looked up by a later audit");
                continue;
            };
            self.look_ups_left = left;
            self.look_ups.push_back(it);
        }
    }

    /// Where the next fetch starts.
    pub(super) fn finished(&self) -> Position {
        let mut position = self.position.clone();
        if self.has_swept {
            position.swept_at = Some(self.began);
            position.replies = self.mark;
        }
        position
    }

    /// What the fetch leaves unread.
    pub(super) fn gaps(&self, label: &str) -> Vec<Gap> {
        let cut = |hole: &Hole| hole.gap(format!("{label}: a sync reads so many messages; these follow with the next ones"));
        let mut gaps: Vec<Gap> = self.position.holes.iter().map(cut).collect();
        if let Some(oldest) = self.position.threads.iter().map(|it| it.ts).min() {
            let count = self.position.threads.len();
            let reason = format!("{label}: the replies of {count} threads have not been read; they follow with the next syncs");
            gaps.push(Gap { kind: GapKind::UnreadThread, from: oldest.instant(), to: Some(self.began), reason });
        }
        if self.is_limited {
            let reason = format!("{label}: the workspace's plan hides older messages");
            gaps.push(Gap { kind: GapKind::Cap, from: None, to: None, reason });
        }
        gaps
    }
}

impl Hole {
    fn gap(&self, reason: String) -> Gap {
        Gap { kind: GapKind::Cap, from: self.after.opens().instant(), to: self.before.instant(), reason }
    }
}

/// Later than any message: clocks differ.
fn horizon(now: DateTime<Utc>) -> Ts {
    Ts::of(now + TimeDelta::days(1))
}

/// Messages before this are not kept.
pub(super) fn oldest_kept(now: DateTime<Utc>) -> Ts {
    Ts::of(now - Platform::Slack.time_to_live())
}

/// The holes without what is too old to be kept, which is named instead.
fn kept(holes: Vec<Hole>, oldest: Ts) -> (Vec<Hole>, Vec<Gap>) {
    let (mut kept, mut given_up) = (Vec::new(), Vec::new());
    for hole in holes {
        let old = Hole { before: hole.before.min(oldest), ..hole };
        if old.after.after() < old.before {
            given_up.push(old.gap("older than what is kept, and never read: these messages are given up".to_owned()));
        }
        let rest = Hole { after: hole.after.max(oldest.before()), ..hole };
        if rest.after.after() < rest.before {
            kept.push(rest);
        }
    }
    (kept, given_up)
}

/// What lies between the bounds and in none of the holes, newest first.
fn known_stretches(after: Ts, mut before: Ts, holes: &[Hole]) -> Vec<Stretch> {
    let mut holes: Vec<&Hole> = holes.iter().collect();
    holes.sort_by_key(|it| std::cmp::Reverse(it.before));
    let mut known = Vec::new();
    for hole in holes {
        // The messages at a hole's bounds were listed.
        known.push(Stretch::of(Kind::Known, after.max(hole.before.before()), before));
        before = before.min(hole.after.after());
    }
    known.push(Stretch::of(Kind::Known, after, before));
    known.retain(|it| it.after.after() < it.before);
    known
}
