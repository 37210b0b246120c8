//! The words of the port: a claim of a phase's slot, how it ended, and the row of both.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::cycle::comes;
use crate::pipeline::Holder;

/// What a phase counted, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Counters(BTreeMap<String, u64>);

impl Counters {
    /// Counts so many more.
    pub fn add(&mut self, name: &str, count: u64) {
        *self.0.entry(name.to_owned()).or_default() += count;
    }

    /// How many there are of a name.
    pub fn get(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or_default()
    }

    /// All, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(name, count)| (name.as_str(), *count))
    }
}

/// Where a slot of a phase stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhaseState {
    /// A tick is at it.
    Running,
    /// It is done.
    Done,
    /// It was not done, and the next tick of the same slot may try again.
    Failed,
}

impl ClaimPhase {
    /// The instant before which the slot was ended in advance, by somebody who tried the future: who asks in its time does it again.
    /// None for who asks in advance too.
    pub fn in_advance(&self) -> Option<DateTime<Utc>> {
        Some(comes(self.slot)).filter(|it| *it <= self.at)
    }
}

impl PhaseRow {
    /// Whether nothing is left to do, for who asks at this instant: it is done, and not only in advance.
    pub fn is_done(&self, at: DateTime<Utc>) -> bool {
        let comes = comes(self.slot);
        self.state == PhaseState::Done && (at < comes || self.ended_at.is_none_or(|ended| ended >= comes))
    }
}

impl PhaseState {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }

    /// Reads the stored name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Running, Self::Done, Self::Failed].into_iter().find(|it| it.as_str() == text)
    }
}

/// Asks for the right to run one slot of a phase.
#[derive(Debug, Clone)]
pub struct ClaimPhase {
    /// Which phase.
    pub phase: String,
    /// Which slot of it.
    pub slot: DateTime<Utc>,
    /// The time between its slots.
    pub period: TimeDelta,
    /// The slot of the tick that asks.
    pub cycle: DateTime<Utc>,
    /// Whether the slot is late.
    pub late: bool,
    /// Who asks.
    pub holder: Holder,
    /// A holder that is known to be gone.
    pub gone: Option<Holder>,
    /// When the right ends unless it is renewed.
    pub until: DateTime<Utc>,
    /// Now.
    pub at: DateTime<Utc>,
}

/// The right to run one slot of a phase: every write of its holder carries it, and a later claim makes it worthless.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhaseLease {
    /// Which phase.
    pub phase: String,
    /// Which slot of it.
    pub slot: DateTime<Utc>,
    /// Drawn with the claim.
    pub token: Uuid,
}

/// What came of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PhaseClaim {
    /// The caller runs it.
    Taken {
        /// Its right.
        lease: PhaseLease,
        /// The slot of the phase before this one, if any was ever run.
        previous: Option<DateTime<Utc>>,
        /// How many slots lie between the two: nobody ran them.
        missed: u64,
    },
    /// Somebody else runs it.
    Held(Holder),
    /// It is done.
    Done,
}

/// How a slot of a phase ended.
#[derive(Debug, Clone)]
pub struct PhaseEnd {
    /// What was counted.
    pub counters: Counters,
    /// Why it failed; none if it did not.
    pub error: Option<String>,
    /// Now.
    pub at: DateTime<Utc>,
}

/// A slot of a phase as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PhaseRow {
    /// Which phase.
    pub phase: String,
    /// Which slot of it.
    pub slot: DateTime<Utc>,
    /// The tick that ran it last.
    pub cycle: DateTime<Utc>,
    /// Where it stands.
    pub state: PhaseState,
    /// Who ran it last.
    pub holder: Holder,
    /// Whether it was late.
    pub late: bool,
    /// Slots before it that nobody ran.
    pub missed: u64,
    /// What was counted.
    pub counters: Counters,
    /// Why it failed.
    pub error: Option<String>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}
