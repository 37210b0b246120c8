//! What is kept for a while and then deleted, whatever it says: what it is, and how long.

use chrono::TimeDelta;

/// What is deleted when it is old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Old {
    /// Sign-ins that nobody ended.
    SignIns,
    /// Passes of signals that ended.
    Passes,
    /// What signals acted upon.
    SignalHistory,
    /// Events that deliverables waited for.
    Events,
    /// Heartbeats, in the log of activity.
    Heartbeats,
    /// Lines of that log about passes.
    PassLines,
    /// Lines of that log about what was cleaned up.
    CleanupLines,
    /// Slots of schedules that ended, but for the newest of each deliverable.
    Slots,
    /// Notices by their last attempt, of versions that nobody goes on with. One in doubt is older than any retry by then, and nobody is
    /// asked about it.
    Notices,
}

impl Old {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::SignIns,
        Self::Passes,
        Self::SignalHistory,
        Self::Events,
        Self::Heartbeats,
        Self::PassLines,
        Self::CleanupLines,
        Self::Slots,
        Self::Notices,
    ];

    /// How long it is kept: a sign-in for as long as it may take (dossier §2.3); what is written each hour for a month; what people may
    /// ask for later, and what signals go by (14 days at most), for three.
    pub const fn kept(self) -> TimeDelta {
        match self {
            Self::SignIns => TimeDelta::minutes(10),
            Self::Passes | Self::Events | Self::Heartbeats => TimeDelta::days(30),
            Self::SignalHistory | Self::PassLines | Self::CleanupLines | Self::Slots | Self::Notices => TimeDelta::days(90),
        }
    }

    /// What it is called among the counters of the phase.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignIns => "sign_ins",
            Self::Passes => "passes",
            Self::SignalHistory => "signal_history",
            Self::Events => "events",
            Self::Heartbeats => "heartbeat_lines",
            Self::PassLines => "pass_lines",
            Self::CleanupLines => "cleanup_lines",
            Self::Slots => "slots",
            Self::Notices => "notices",
        }
    }
}

/// A pass that is open for longer was left.
pub(super) const PASS: TimeDelta = TimeDelta::days(1);
/// How long ticks are remembered.
pub(super) const TICKS: TimeDelta = TimeDelta::days(30);
