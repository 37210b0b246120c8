//! The list of scenarios, and what belongs to each.

use anyhow::Result;
use clap::ValueEnum;

use super::{blocked, capacity, crash, fairness, keys, kills, live_model, pauses, refresh, takeover, ticks};
use crate::plant::Plant;
use crate::report::Report;
use crate::stage::Stage;

/// One thing that must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    /// Workers killed at random: nothing lost, nothing twice, nobody innocent dead.
    Kills,
    /// A stopped worker comes back late: it changes nothing, and stops.
    Pauses,
    /// All threads busy for ten leases: no live job is taken back.
    Blocked,
    /// A job that kills its process is dead after its tries; the others are not punished.
    Crash,
    /// Many producers with one key: one job.
    Keys,
    /// Three requests a second shared by killed processes: never exceeded, none leaked.
    Capacity,
    /// One tenant with a mountain of jobs: the small ones start soon.
    Fairness,
    /// From death to the next claim, on this host and on another.
    Takeover,
    /// Random worlds behind the simulator: after every sync the stored set is the source's, minus what is named.
    LiveModel,
    /// Two processes and one rotating token: one refresh each time, and nobody is refused.
    Refresh,
    /// Ticks of the clock started two at a time and killed at random: every slot once, every user told their own numbers.
    Ticks,
}

impl Scenario {
    /// The bug that it is there to see.
    pub(crate) const fn plant(self) -> Plant {
        match self {
            Self::Kills => Plant::NoLedger,
            Self::Pauses => Plant::Heedless,
            Self::Blocked => Plant::SharedKeeper,
            Self::Crash => Plant::NoQuarantine,
            Self::Keys => Plant::KeyEach,
            Self::Capacity => Plant::NoPermit,
            Self::Fairness => Plant::NoOwnerLimit,
            Self::Takeover => Plant::SlowRescue,
            Self::LiveModel => Plant::CursorAhead,
            Self::Refresh => Plant::EagerRefresh,
            Self::Ticks => Plant::SlotsForgotten,
        }
    }

    /// Whether it holds only within so many seconds, and not whatever else the machine does.
    pub(crate) const fn is_bound_by_time(self) -> bool {
        matches!(self, Self::Blocked | Self::Fairness | Self::Takeover)
    }

    /// Its name on the command line.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|it| it.get_name().to_owned()).unwrap_or_default()
    }

    /// Plays it.
    pub(crate) async fn play(self, stage: &Stage) -> Result<Report> {
        match self {
            Self::Kills => kills::play(stage).await,
            Self::Pauses => pauses::play(stage).await,
            Self::Blocked => blocked::play(stage).await,
            Self::Crash => crash::play(stage).await,
            Self::Keys => keys::play(stage).await,
            Self::Capacity => capacity::play(stage).await,
            Self::Fairness => fairness::play(stage).await,
            Self::Takeover => takeover::play(stage).await,
            Self::LiveModel => live_model::play(stage).await,
            Self::Refresh => refresh::play(stage).await,
            Self::Ticks => ticks::play(stage).await,
        }
    }
}
