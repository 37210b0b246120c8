//! The eight active report types, their aliases, and what follows from each (dossier §6.1).

use std::fmt;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::llm::{Grouping, OutlineSection, SectionFocus};
use crate::platform::Platform;

/// An active report type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// What happened in Slack channels.
    SlackChannelDigest,
    /// What is in the inbox.
    GmailInboxBrief,
    /// What changed in Notion pages.
    NotionPageSummary,
    /// The week ahead.
    WeeklyCalendarPreview,
    /// What to know before the next meetings.
    MeetingPrep,
    /// Where things stand, over all platforms.
    StatusReport,
    /// What is known about a subject.
    ResearchBrief,
    /// Whatever the description says.
    Custom,
}

/// How context is gathered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Binding {
    /// From the type's own platform.
    PlatformBound,
    /// From all sources.
    CrossPlatform,
    /// From all sources there are, with a directive to look for more.
    Research,
    /// Like cross-platform, with the directive of research.
    Hybrid,
}

impl Binding {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PlatformBound => "platform_bound",
            Self::CrossPlatform => "cross_platform",
            Self::Research => "research",
            Self::Hybrid => "hybrid",
        }
    }

    /// How often the writer may ask for tools (dossier §6.7).
    pub const fn tool_rounds(self) -> u32 {
        match self {
            Self::PlatformBound => 2,
            Self::CrossPlatform => 3,
            Self::Research | Self::Hybrid => 6,
        }
    }
}

/// When a report of the type makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TemporalPattern {
    /// Again and again.
    Scheduled,
    /// When something comes up.
    Reactive,
    /// When asked for.
    OnDemand,
}

/// What follows from a type.
#[derive(Debug, Clone)]
pub struct KindProfile {
    /// How context is gathered.
    pub binding: Binding,
    /// Its own platform, for platform-bound types.
    pub primary_platform: Option<Platform>,
    /// When it makes sense.
    pub temporal_pattern: TemporalPattern,
    /// How fresh its sources should be.
    pub freshness_requirement_hours: u32,
    /// How far it looks back from the instant it is written for.
    pub looks_back: TimeDelta,
    /// How far it looks ahead.
    pub looks_ahead: TimeDelta,
    /// How the statements of a section are put together.
    pub grouping: Grouping,
    /// Its sections.
    pub sections: Vec<OutlineSection>,
    /// Upper bound of its statements.
    pub max_statements: u32,
    /// Whether every report tells the whole again: what lies ahead, or a subject. Others tell what is new.
    pub restates: bool,
}

/// The text names no report type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a report type; the types are {types}", types = Kind::names())]
pub struct UnknownType(pub String);

impl Kind {
    /// All active types.
    pub const ALL: [Self; 8] = [
        Self::SlackChannelDigest,
        Self::GmailInboxBrief,
        Self::NotionPageSummary,
        Self::WeeklyCalendarPreview,
        Self::MeetingPrep,
        Self::StatusReport,
        Self::ResearchBrief,
        Self::Custom,
    ];

    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SlackChannelDigest => "slack_channel_digest",
            Self::GmailInboxBrief => "gmail_inbox_brief",
            Self::NotionPageSummary => "notion_page_summary",
            Self::WeeklyCalendarPreview => "weekly_calendar_preview",
            Self::MeetingPrep => "meeting_prep",
            Self::StatusReport => "status_report",
            Self::ResearchBrief => "research_brief",
            Self::Custom => "custom",
        }
    }

    /// The name for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::SlackChannelDigest => "Slack channel digest",
            Self::GmailInboxBrief => "Inbox brief",
            Self::NotionPageSummary => "Notion page summary",
            Self::WeeklyCalendarPreview => "Weekly calendar preview",
            Self::MeetingPrep => "Meeting preparation",
            Self::StatusReport => "Status report",
            Self::ResearchBrief => "Research brief",
            Self::Custom => "Custom report",
        }
    }

    /// The retired types that resolve to this one (decision record 082).
    const fn aliases(self) -> &'static [&'static str] {
        match self {
            Self::SlackChannelDigest => &["slack_standup"],
            Self::GmailInboxBrief => &["inbox_summary", "reply_draft", "follow_up_tracker", "thread_summary"],
            Self::NotionPageSummary | Self::WeeklyCalendarPreview => &[],
            Self::MeetingPrep => &["meeting_summary", "one_on_one_prep"],
            Self::StatusReport => &[
                "stakeholder_update",
                "board_update",
                "weekly_status",
                "project_brief",
                "cross_platform_digest",
                "activity_summary",
                "daily_strategy_reflection",
            ],
            Self::ResearchBrief => &["deep_research", "intelligence_brief"],
            Self::Custom => &["client_proposal", "performance_self_assessment", "newsletter_section", "changelog"],
        }
    }

    /// The type with this name or alias.
    pub fn resolve(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == name || it.aliases().contains(&name))
    }

    fn names() -> String {
        Self::ALL.map(Self::as_str).join(", ")
    }

    /// What follows from the type.
    pub fn profile(self) -> KindProfile {
        let (binding, primary_platform, temporal_pattern, freshness) = self.classification();
        let (back, ahead) = self.window_days();
        KindProfile {
            binding,
            primary_platform,
            temporal_pattern,
            freshness_requirement_hours: freshness,
            looks_back: TimeDelta::days(back),
            looks_ahead: TimeDelta::days(ahead),
            grouping: self.grouping(),
            sections: self.sections().iter().map(Section::outline).collect(),
            max_statements: self.max_statements(),
            restates: matches!(self, Self::WeeklyCalendarPreview | Self::MeetingPrep | Self::ResearchBrief),
        }
    }

    const fn classification(self) -> (Binding, Option<Platform>, TemporalPattern, u32) {
        use TemporalPattern::{OnDemand, Reactive, Scheduled};
        match self {
            Self::SlackChannelDigest => (Binding::PlatformBound, Some(Platform::Slack), Scheduled, 1),
            Self::GmailInboxBrief => (Binding::PlatformBound, Some(Platform::Gmail), Scheduled, 1),
            Self::NotionPageSummary => (Binding::PlatformBound, Some(Platform::Notion), Scheduled, 4),
            Self::WeeklyCalendarPreview => (Binding::PlatformBound, Some(Platform::Calendar), Scheduled, 4),
            Self::MeetingPrep => (Binding::PlatformBound, Some(Platform::Calendar), Reactive, 1),
            Self::StatusReport => (Binding::CrossPlatform, None, Scheduled, 4),
            Self::ResearchBrief => (Binding::Research, None, OnDemand, 24),
            Self::Custom => (Binding::Hybrid, None, OnDemand, 4),
        }
    }

    /// Days back and ahead of the instant a report is written for.
    const fn window_days(self) -> (i64, i64) {
        match self {
            Self::SlackChannelDigest | Self::GmailInboxBrief | Self::NotionPageSummary | Self::StatusReport => (7, 0),
            Self::WeeklyCalendarPreview => (0, 7),
            Self::MeetingPrep => (21, 2),
            Self::ResearchBrief => (90, 0),
            Self::Custom => (14, 0),
        }
    }

    const fn grouping(self) -> Grouping {
        match self {
            Self::SlackChannelDigest => Grouping::Thread,
            Self::WeeklyCalendarPreview => Grouping::Day,
            Self::MeetingPrep => Grouping::Event,
            Self::GmailInboxBrief | Self::NotionPageSummary | Self::StatusReport | Self::ResearchBrief | Self::Custom => {
                Grouping::Topic
            }
        }
    }

    const fn max_statements(self) -> u32 {
        match self {
            Self::SlackChannelDigest => 15,
            Self::GmailInboxBrief | Self::NotionPageSummary => 20,
            Self::WeeklyCalendarPreview | Self::MeetingPrep | Self::StatusReport | Self::Custom => 24,
            Self::ResearchBrief => 30,
        }
    }

    const fn sections(self) -> &'static [Section] {
        use SectionFocus as F;
        match self {
            Self::SlackChannelDigest => &[
                Section("Hot threads", "the threads that most people took part in", F::Threads),
                Section("Key decisions", "what was decided or agreed", F::Decisions),
                Section("Unanswered questions", "questions nobody has answered yet", F::Questions),
                Section("Highlights", "what else is worth knowing", F::Highlights),
            ],
            Self::GmailInboxBrief => &[
                Section("Urgent", "what cannot wait", F::Blockers),
                Section("Action required", "what someone asks the reader to do", F::Requests),
                Section("Follow-ups", "promises and dates", F::NextSteps),
                Section("For your information", "what is good to know", F::Information),
            ],
            Self::NotionPageSummary => &[
                Section("Changes", "pages that are new or changed", F::Changes),
                Section("Completed", "tasks that are done", F::Done),
                Section("Open points", "questions and comments without an answer", F::Questions),
                Section("Key points", "what the pages say", F::Highlights),
            ],
            Self::WeeklyCalendarPreview => {
                &[Section("The week", "every event, day by day", F::Events), Section("People", "who will be there", F::People)]
            }
            Self::MeetingPrep => &[
                Section("Meetings", "the next meetings with time and place", F::Events),
                Section("People", "who will be there", F::People),
                Section("What was said before", "what the sources say about each meeting's subject and people", F::Background),
                Section("Open points", "questions without an answer", F::Questions),
                Section("Next steps", "what was promised", F::NextSteps),
            ],
            Self::StatusReport => &[
                Section("Summary", "what matters most", F::Highlights),
                Section("Accomplishments", "what was finished", F::Done),
                Section("Decisions", "what was decided", F::Decisions),
                Section("Blockers", "what is stuck or at risk", F::Blockers),
                Section("Next steps", "what comes next, by whom and when", F::NextSteps),
            ],
            Self::ResearchBrief => &[
                Section("Key takeaways", "what matters most about the subject", F::Highlights),
                Section("Findings", "what the sources say about the subject", F::Information),
                Section("Numbers", "figures that were named", F::Metrics),
                Section("Open questions", "what nobody has answered", F::Questions),
            ],
            Self::Custom => &[
                Section("Highlights", "what matters most", F::Highlights),
                Section("Decisions", "what was decided", F::Decisions),
                Section("Open points", "what is unanswered or stuck", F::Questions),
                Section("Next steps", "what comes next", F::NextSteps),
            ],
        }
    }
}

/// Heading, meaning, focus.
struct Section(&'static str, &'static str, SectionFocus);

impl Section {
    fn outline(&self) -> OutlineSection {
        OutlineSection { heading: self.0.to_owned(), meaning: self.1.to_owned(), focus: self.2 }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_and_alias_resolves_to_exactly_one_type() {
        for kind in Kind::ALL {
            assert_eq!(Kind::resolve(kind.as_str()), Some(kind));
            for alias in kind.aliases() {
                assert_eq!(Kind::resolve(alias), Some(kind), "{alias}");
            }
        }
        assert_eq!(Kind::resolve("weekly_status"), Some(Kind::StatusReport));
        assert_eq!(Kind::resolve("horoscope"), None);
    }

    #[test]
    fn classification_is_the_dossiers() {
        let rows = Kind::ALL.map(|kind| {
            let it = kind.profile();
            (it.binding.as_str(), it.primary_platform.map(Platform::as_str), it.freshness_requirement_hours)
        });
        let expected = [
            ("platform_bound", Some("slack"), 1),
            ("platform_bound", Some("gmail"), 1),
            ("platform_bound", Some("notion"), 4),
            ("platform_bound", Some("calendar"), 4),
            ("platform_bound", Some("calendar"), 1),
            ("cross_platform", None, 4),
            ("research", None, 24),
            ("hybrid", None, 4),
        ];
        assert_eq!(rows, expected);
    }
}
