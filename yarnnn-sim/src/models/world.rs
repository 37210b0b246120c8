//! What the model providers remember: who writes, what was asked and answered, what is cached, what was spent.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use yarnnn_core::clock::Clock;
use yarnnn_core::hash::Sha256;

use super::count::{cut, tokens};
use super::prompt::Prompt;
use super::turn::Turn;
use super::writer::{SimWriter, Writer};

/// What a call used, in tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TokenUse {
    /// Read at the full price.
    pub input: u64,
    /// Written, thoughts included.
    pub output: u64,
    /// Of these, thoughts.
    pub thinking: u64,
    /// Read from the cache.
    pub cache_read: u64,
    /// Written to the cache.
    pub cache_write: u64,
    /// Web searches that the provider made.
    pub searches: u64,
}

impl TokenUse {
    fn all(&self) -> u64 {
        self.input + self.output + self.cache_read + self.cache_write
    }
}

/// A call that was answered, and charged.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelCall {
    /// What was asked.
    pub prompt: Prompt,
    /// What was answered, after it was cut.
    pub turn: Turn,
    /// What it used.
    pub usage: TokenUse,
    /// Whether it was answered as a stream.
    pub streamed: bool,
    /// When, by the simulator's clock.
    pub at: DateTime<Utc>,
}

/// A place in a request up to which a caller could ask to cache.
#[derive(Debug, Clone)]
pub(crate) struct CacheMark {
    /// Digest of everything up to here.
    pub(crate) digest: Sha256,
    /// Bytes up to here.
    pub(crate) bytes: usize,
    /// How long to keep it; none where nobody asked.
    pub(crate) keep: Option<TimeDelta>,
}

/// An answer with what it used.
#[derive(Debug)]
pub(crate) struct Answered {
    /// A number that no other answer has.
    pub(crate) number: u64,
    pub(crate) turn: Turn,
    pub(crate) usage: TokenUse,
    pub(crate) was_cut: bool,
}

#[derive(Debug)]
struct Kept {
    until: DateTime<Utc>,
    keep: TimeDelta,
}

#[derive(Debug)]
struct State {
    writer: Arc<dyn Writer>,
    calls: Vec<ModelCall>,
    number: u64,
    cache: HashMap<Sha256, Kept>,
    /// The thoughts that went out with a call of a tool, by the call's id.
    thoughts: HashMap<String, Vec<Value>>,
    /// Signatures of thoughts, and their texts.
    signatures: HashMap<String, String>,
    /// The providers' own calls of turns that paused.
    paused: HashSet<String>,
    most_tokens: Option<u64>,
}

/// The models of both providers. Their keys come from [`Tokens::key`](crate::Tokens::key).
#[derive(Debug)]
pub struct Models {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

impl Models {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        let state = State {
            writer: Arc::new(SimWriter::Faithful),
            calls: Vec::new(),
            number: 0,
            cache: HashMap::new(),
            thoughts: HashMap::new(),
            signatures: HashMap::new(),
            paused: HashSet::new(),
            most_tokens: None,
        };
        Self { clock, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says who writes from now on.
    pub fn set_writer(&self, writer: impl Writer) {
        self.state().writer = Arc::new(writer);
    }

    /// Every call that was answered, in order. Calls that were refused or broken off before they were carried out are in the
    /// journal only.
    pub fn calls(&self) -> Vec<ModelCall> {
        self.state().calls.clone()
    }

    /// What all of them used together.
    pub fn usage(&self) -> TokenUse {
        let mut sum = TokenUse::default();
        for it in self.state().calls.iter().map(|it| it.usage) {
            sum.input += it.input;
            sum.output += it.output;
            sum.thinking += it.thinking;
            sum.cache_read += it.cache_read;
            sum.cache_write += it.cache_write;
            sum.searches += it.searches;
        }
        sum
    }

    /// A spending cap at the provider, in tokens of all kinds: when it is reached, calls are refused and no time is named.
    pub fn spend_at_most(&self, tokens: Option<u64>) {
        self.state().most_tokens = tokens;
    }

    pub(crate) fn is_spent(&self) -> bool {
        let used = self.usage().all();
        self.state().most_tokens.is_some_and(|most| used >= most)
    }

    /// Lets the writer answer, cuts what is too long, and notes what it used.
    pub(crate) fn answer(&self, prompt: Prompt, mut usage: TokenUse, thought: usize, streamed: bool) -> Answered {
        let writer = Arc::clone(&self.state().writer);
        usage.thinking = tokens(thought).min(prompt.max_tokens);
        let (turn, written, was_cut) = cut(writer.write(&prompt), prompt.max_tokens - usage.thinking);
        usage.output = (written + usage.thinking).max(1);
        let mut state = self.state();
        state.number += 1;
        let call = ModelCall { prompt, turn: turn.clone(), usage, streamed, at: self.clock.now() };
        state.calls.push(call);
        Answered { number: state.number, turn, usage, was_cut }
    }

    /// Adds searches to the last call.
    pub(crate) fn searched(&self, searches: u64) {
        if let Some(call) = self.state().calls.last_mut() {
            call.usage.searches += searches;
        }
    }

    /// How a request's input is charged: read from the cache, written to it, or neither. Prefixes under `least` tokens are not
    /// cached.
    pub(crate) fn charge(&self, marks: &[CacheMark], least: u64) -> TokenUse {
        let now = self.clock.now();
        let total = marks.last().map_or(0, |it| tokens(it.bytes));
        let mut state = self.state();
        let asked = marks.iter().rposition(|it| it.keep.is_some() && tokens(it.bytes) >= least);
        let within = asked.and_then(|it| marks.get(..=it)).unwrap_or_default();
        let mut read = 0;
        let is_kept = |it: &&CacheMark| state.cache.get(&it.digest).is_some_and(|it| it.until > now);
        if let Some(mark) = within.iter().rev().find(is_kept) {
            read = tokens(mark.bytes);
            if let Some(kept) = state.cache.get_mut(&mark.digest) {
                kept.until = now + kept.keep;
            }
        }
        for (mark, keep) in within.iter().filter_map(|it| Some((it, it.keep?))).filter(|(it, _)| tokens(it.bytes) >= least) {
            state.cache.insert(mark.digest, Kept { until: now + keep, keep });
        }
        let write = within.last().map_or(0, |it| tokens(it.bytes)) - read;
        TokenUse { input: total - read - write, cache_read: read, cache_write: write, ..TokenUse::default() }
    }

    /// Remembers a thought, and the calls that went out with it.
    pub(crate) fn thought(&self, calls: &[String], block: &Value, signature: &str, text: &str) {
        let mut state = self.state();
        state.signatures.insert(signature.to_owned(), text.to_owned());
        for call in calls {
            state.thoughts.entry(call.clone()).or_default().push(block.clone());
        }
    }

    /// The text that was signed so.
    pub(crate) fn signed(&self, signature: &str) -> Option<String> {
        self.state().signatures.get(signature).cloned()
    }

    /// The thoughts that went out with a call.
    pub(crate) fn thoughts_of(&self, call: &str) -> Option<Vec<Value>> {
        self.state().thoughts.get(call).cloned()
    }

    /// Remembers that a turn with these calls of the provider paused.
    pub(crate) fn paused(&self, calls: impl IntoIterator<Item = String>) {
        self.state().paused.extend(calls);
    }

    pub(crate) fn has_paused(&self, call: &str) -> bool {
        self.state().paused.contains(call)
    }
}
