//! How many calls a provider takes, and what else it imposes. Nothing is limited until it is turned on.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::faults::matches;

/// Slack's tiers in calls a minute, for the calls that are simulated.
const SLACK_TIERS: [(&str, u32); 11] = [
    ("slack.conversations.list", 20),
    ("slack.conversations.history", 50),
    ("slack.conversations.replies", 50),
    ("slack.conversations.info", 50),
    ("slack.conversations.join", 50),
    ("slack.users.list", 20),
    ("slack.users.info", 100),
    ("slack.users.conversations", 50),
    ("slack.team.info", 50),
    ("slack.chat.postMessage", 60),
    ("slack.auth.test", 300),
];
const GMAIL_UNITS: u32 = 6_000;
/// For a team, whatever key it uses.
const RESEND_REQUESTS: u32 = 5;
const CALENDAR_REQUESTS: u32 = 600;
/// Three a second on average.
const NOTION_REQUESTS: u32 = 180;
/// What an app outside the marketplace gets of a page of history.
const RESTRICTED_OBJECTS: usize = 15;

/// So many units in every window of so long, for each token.
#[derive(Debug)]
struct Rule {
    call: String,
    units: u32,
    window: TimeDelta,
}

/// When units were spent, and how many.
type Spent = VecDeque<(DateTime<Utc>, u32)>;

#[derive(Debug)]
struct State {
    rules: Vec<Rule>,
    /// By rule and holder of the token.
    spent: HashMap<(usize, String), Spent>,
    slack_objects: Option<usize>,
    /// By calls, the latest word last.
    latency: Vec<(String, Duration)>,
    factor: f64,
    refused: u64,
}

impl Default for State {
    fn default() -> Self {
        let spent = HashMap::new();
        Self { rules: Vec::new(), spent, slack_objects: None, latency: Vec::new(), factor: 1.0, refused: 0 }
    }
}

/// Limits by call name (a name may end in `*`), counted per token by the simulator's clock.
#[derive(Debug, Default)]
pub struct Limits {
    state: Mutex<State>,
}

impl Limits {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rule(&self, call: &str, units: u32, window: TimeDelta) {
        self.state().rules.push(Rule { call: call.to_owned(), units, window });
    }

    /// At most so many requests in any minute. With a star, calls are counted together; Gmail's cost their quota units.
    pub fn per_minute(&self, call: &str, requests: u32) {
        self.rule(call, requests, TimeDelta::minutes(1));
    }

    /// At most so many requests in any second.
    pub fn per_second(&self, call: &str, requests: u32) {
        self.rule(call, requests, TimeDelta::seconds(1));
    }

    /// At least so much time between two requests.
    pub fn interval(&self, call: &str, least: TimeDelta) {
        self.rule(call, 1, least);
    }

    /// What the providers publish today, for an internal Slack app.
    pub fn published(&self) {
        for (call, requests) in SLACK_TIERS {
            self.per_minute(call, requests);
        }
        self.per_minute("gmail.*", GMAIL_UNITS);
        self.per_minute("calendar.*", CALENDAR_REQUESTS);
        self.per_minute("notion.*", NOTION_REQUESTS);
        self.per_second("resend.*", RESEND_REQUESTS);
    }

    /// Slack's limits for commercial apps outside its marketplace: one page of fifteen a minute.
    pub fn slack_restricted(&self) {
        self.per_minute("slack.conversations.history", 1);
        self.per_minute("slack.conversations.replies", 1);
        self.state().slack_objects = Some(RESTRICTED_OBJECTS);
    }

    /// Lets limits and latency pass `factor` times as fast, so that a long run takes minutes.
    pub fn scale(&self, factor: f64) {
        self.state().factor = factor;
    }

    /// Every call takes at least this long.
    pub fn latency(&self, latency: Duration) {
        self.latency_of("*", latency);
    }

    /// These calls (a name may end in `*`) take at least this long, whatever was said before.
    pub fn latency_of(&self, calls: &str, latency: Duration) {
        self.state().latency.push((calls.to_owned(), latency));
    }

    /// Turns everything off.
    pub fn clear(&self) {
        *self.state() = State::default();
    }

    /// How many calls were refused.
    pub fn refused(&self) -> u64 {
        self.state().refused
    }

    /// The largest page of history, where Slack restricts it.
    pub(crate) fn slack_objects(&self) -> Option<usize> {
        self.state().slack_objects
    }

    /// Spends the latency.
    pub(super) async fn wait(&self, call: &str) {
        let latency = {
            let state = self.state();
            let said = state.latency.iter().rev().find(|(calls, _)| matches(calls, call));
            said.map_or(Duration::ZERO, |(_, latency)| latency.div_f64(state.factor))
        };
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
    }

    /// Takes the call's units, or says in how many seconds they are there again. A refused call costs nothing.
    pub(super) fn admit(&self, call: &str, holder: &str, now: DateTime<Utc>) -> Result<(), u64> {
        let state = &mut *self.state();
        let cost = cost(call);
        let concerned: Vec<usize> = (0..state.rules.len()).filter(|&it| matches(&state.rules[it].call, call)).collect();
        let mut wait = TimeDelta::zero();
        for &index in &concerned {
            let window = scaled(state.rules[index].window, state.factor);
            let spent = state.spent.entry((index, holder.to_owned())).or_default();
            spent.retain(|(at, _)| *at + window > now);
            wait = wait.max(wait_for(spent, cost, state.rules[index].units, window, now));
        }
        if wait > TimeDelta::zero() {
            state.refused += 1;
            return Err(whole_seconds(wait));
        }
        for index in concerned {
            state.spent.entry((index, holder.to_owned())).or_default().push_back((now, cost));
        }
        Ok(())
    }
}

/// What a limit leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) limit: u32,
    pub(super) remaining: u32,
    /// Seconds until all of it is there again.
    pub(super) reset: u64,
}

impl Limits {
    /// What the first limit that concerns a call leaves its caller.
    pub(super) fn standing(&self, call: &str, holder: &str, now: DateTime<Utc>) -> Option<Standing> {
        let state = self.state();
        let (index, rule) = state.rules.iter().enumerate().find(|(_, it)| matches(&it.call, call))?;
        let window = scaled(rule.window, state.factor);
        let spent: Vec<_> = state.spent.get(&(index, holder.to_owned())).into_iter().flatten().collect();
        let living = || spent.iter().filter(|(at, _)| *at + window > now);
        let used: u32 = living().map(|(_, units)| units).sum();
        let reset = living().map(|(at, _)| *at + window - now).max().map_or(0, whole_seconds);
        Some(Standing { limit: rule.units, remaining: rule.units.saturating_sub(used), reset })
    }
}

/// How long until enough of what was spent has left the window.
fn wait_for(spent: &Spent, cost: u32, units: u32, window: TimeDelta, now: DateTime<Utc>) -> TimeDelta {
    let mut excess = (spent.iter().map(|(_, units)| units).sum::<u32>() + cost).saturating_sub(units);
    let mut wait = TimeDelta::zero();
    for (at, freed) in spent {
        if excess == 0 {
            break;
        }
        excess = excess.saturating_sub(*freed);
        wait = *at + window - now;
    }
    wait
}

fn whole_seconds(wait: TimeDelta) -> u64 {
    u64::try_from(wait.num_milliseconds()).unwrap_or_default().div_ceil(1_000).max(1)
}

fn scaled(window: TimeDelta, factor: f64) -> TimeDelta {
    let window = window.to_std().unwrap_or_default();
    TimeDelta::from_std(window.div_f64(factor)).unwrap_or(TimeDelta::zero())
}

/// Google's quota units; everywhere else a call is a call.
fn cost(call: &str) -> u32 {
    match call {
        "gmail.messages.list"
        | "gmail.messages.get"
        | "gmail.messages.attachments.get"
        | "gmail.drafts.list"
        | "gmail.drafts.get" => 5,
        "gmail.history.list" => 2,
        "gmail.threads.get" | "gmail.drafts.create" => 10,
        "gmail.messages.send" => 100,
        _ => 1,
    }
}
