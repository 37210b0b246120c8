//! Passes, what they show, what was noticed before, and what a user wants to be told.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::outcome::PassOutcome;
use crate::deliverables::Kind;
use crate::id::{ContentId, DeliverableId, JobId, PassId, UserId};
use crate::jobs::NewJob;
use crate::platform::Platform;

/// Which platforms a pass looks at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignalsFilter {
    /// All.
    #[default]
    All,
    /// Only what lies ahead in calendars.
    CalendarOnly,
    /// Everything else.
    NonCalendar,
}

impl SignalsFilter {
    const ALL: [Self; 3] = [Self::All, Self::CalendarOnly, Self::NonCalendar];

    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::CalendarOnly => "calendar_only",
            Self::NonCalendar => "non_calendar",
        }
    }

    /// Whether a platform is looked at.
    pub fn includes(self, platform: Platform) -> bool {
        match self {
            Self::All => true,
            Self::CalendarOnly => platform == Platform::Calendar,
            Self::NonCalendar => platform != Platform::Calendar,
        }
    }
}

impl fmt::Display for SignalsFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no filter; write all, calendar_only or non_calendar")]
pub struct UnknownFilter(pub String);

impl FromStr for SignalsFilter {
    type Err = UnknownFilter;

    fn from_str(text: &str) -> Result<Self, UnknownFilter> {
        Self::ALL.into_iter().find(|it| it.as_str() == text).ok_or_else(|| UnknownFilter(text.to_owned()))
    }
}

/// What kind of thing was noticed. Users switch the first three off by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignalKind {
    /// A meeting is worth a preparation.
    MeetingPrep,
    /// Somebody who usually answers has gone silent.
    SilenceAlert,
    /// Contact with somebody is fading.
    ContactDrift,
    /// Anything else.
    Other,
}

impl SignalKind {
    const ALL: [Self; 4] = [Self::MeetingPrep, Self::SilenceAlert, Self::ContactDrift, Self::Other];

    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MeetingPrep => "meeting_prep",
            Self::SilenceAlert => "silence_alert",
            Self::ContactDrift => "contact_drift",
            Self::Other => "other",
        }
    }

    /// Reads a name; whatever is not known is something else.
    pub fn parse(text: &str) -> Self {
        Self::ALL.into_iter().find(|it| it.as_str() == text).unwrap_or(Self::Other)
    }

    /// How it stands in the history: by its own name, or by the type of the report (dossier §5.4).
    pub const fn signal_type(self, kind: Kind) -> &'static str {
        match self {
            Self::Other => kind.as_str(),
            named => named.as_str(),
        }
    }
}

/// For so long the same thing is not acted upon again (dossier §5.4, Appendix A.5).
pub(super) fn window_of(signal_type: &str) -> TimeDelta {
    match signal_type {
        "silence_alert" => TimeDelta::hours(168),
        "contact_drift" => TimeDelta::hours(336),
        _ => TimeDelta::hours(24),
    }
}

/// What a user wants to be told by signals. Everything, unless the user says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalPreferences {
    /// Preparations of meetings.
    pub meeting_prep: bool,
    /// That somebody has gone silent.
    pub silence_alert: bool,
    /// That contact with somebody is fading.
    pub contact_drift: bool,
}

impl Default for SignalPreferences {
    fn default() -> Self {
        Self { meeting_prep: true, silence_alert: true, contact_drift: true }
    }
}

impl SignalPreferences {
    /// Whether this kind is wanted.
    pub const fn wants(&self, kind: SignalKind) -> bool {
        match kind {
            SignalKind::MeetingPrep => self.meeting_prep,
            SignalKind::SilenceAlert => self.silence_alert,
            SignalKind::ContactDrift => self.contact_drift,
            SignalKind::Other => true,
        }
    }
}

/// A change of preferences. What is none stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PreferenceChange {
    /// Preparations of meetings.
    pub meeting_prep: Option<bool>,
    /// That somebody has gone silent.
    pub silence_alert: Option<bool>,
    /// That contact with somebody is fading.
    pub contact_drift: Option<bool>,
}

/// What started a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PassTrigger {
    /// The scheduler, once an hour.
    Hourly,
    /// The user.
    Manual,
}

impl PassTrigger {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hourly => "hourly",
            Self::Manual => "manual",
        }
    }

    /// Reads the stored name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Hourly, Self::Manual].into_iter().find(|it| it.as_str() == text)
    }
}

/// What a pass shows to the model, by rows: `s1-…`, `s2-…`, … are the items in this order, `d1-…`, `d2-…`, … the deliverables. An
/// answer can name nothing else.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// The items.
    pub items: Vec<ContentId>,
    /// The deliverables.
    pub deliverables: Vec<DeliverableId>,
    /// How many items were looked at, by platform; of each the first few are shown.
    pub found: BTreeMap<Platform, u32>,
}

impl Shown {
    /// How many items were looked at.
    pub fn total(&self) -> u32 {
        self.found.values().sum()
    }
}

/// A pass to be opened.
#[derive(Debug, Clone)]
pub struct OpenPass {
    /// Id: the job's, so that its next try is the same pass.
    pub id: PassId,
    /// Whose content.
    pub user: UserId,
    /// Which platforms.
    pub filter: SignalsFilter,
    /// What started it.
    pub trigger: PassTrigger,
    /// What it shows, unless an earlier try of it has chosen already.
    pub shown: Shown,
    /// Now.
    pub at: DateTime<Utc>,
}

/// A pass as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Pass {
    /// Id.
    pub id: PassId,
    /// Whose content.
    pub user: UserId,
    /// Which platforms.
    pub filter: SignalsFilter,
    /// What started it.
    pub trigger: PassTrigger,
    /// When it began: what its question takes for now.
    pub started_at: DateTime<Utc>,
    /// What it shows; forgotten when it ends.
    pub shown: Shown,
    /// What came of it, when it has ended.
    pub outcome: Option<PassOutcome>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

/// Something that was acted upon, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct SignalRecord {
    /// Its type.
    pub signal_type: String,
    /// What it was: an event, a thread, or a digest of what the model called it.
    pub signal_ref: String,
    /// When it was last acted upon.
    pub last_triggered_at: DateTime<Utc>,
    /// The report that it called for, while that exists.
    pub deliverable: Option<DeliverableId>,
    /// Title, reasoning, pass.
    pub metadata: serde_json::Value,
}

impl SignalRecord {
    /// Whether it still keeps the same thing from being acted upon. The last instant of its window does (Appendix A.5).
    pub fn holds(&self, now: DateTime<Utc>) -> bool {
        self.last_triggered_at >= now - window_of(&self.signal_type)
    }
}

/// Asks for a pass by hand.
#[derive(Debug, Clone)]
pub struct TakeTurn {
    /// Whose.
    pub user: UserId,
    /// How long after one another may be asked for.
    pub cool_down: TimeDelta,
    /// The job that does it: enqueued with the turn or not at all.
    pub job: NewJob,
    /// Now.
    pub at: DateTime<Utc>,
}

/// Whether a pass by hand was granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// This job does it: the one that was given, or one that waits or runs under its key already.
    Granted(JobId),
    /// One was asked for a little while ago.
    TooSoon {
        /// When.
        last: DateTime<Utc>,
    },
}

/// Which users.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CandidateQuery {
    /// Only this one; none for all.
    pub user: Option<UserId>,
    /// Only those of a tier that has signals.
    pub paying: bool,
    /// After this one, by id.
    pub after: Option<UserId>,
    /// At most this many.
    pub limit: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_instant_of_a_window_still_holds() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let record = |signal_type: &str| SignalRecord {
            signal_type: signal_type.into(),
            signal_ref: "E".into(),
            last_triggered_at: at("2026-03-02T09:00:00Z"),
            deliverable: None,
            metadata: serde_json::json!({}),
        };
        let holds = |it: &str, now: &str| record(it).holds(at(now));
        assert!(holds("meeting_prep", "2026-03-03T08:59:59Z") && holds("meeting_prep", "2026-03-03T09:00:00Z"));
        assert!(!holds("meeting_prep", "2026-03-03T09:00:01Z") && !holds("status_report", "2026-03-03T09:00:01Z"));
        assert!(holds("silence_alert", "2026-03-09T09:00:00Z") && !holds("silence_alert", "2026-03-09T09:00:01Z"));
        assert!(holds("contact_drift", "2026-03-16T09:00:00Z") && !holds("contact_drift", "2026-03-16T09:00:01Z"));
    }
}
