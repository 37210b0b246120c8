//! A version: one written report, and how far its run has come.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::gathering::material::MaterialItem;
use super::kinds::Binding;
use super::learning::feedback::NewFeedback;
use super::model::Deliverable;
use super::scheduling::slot::{EndSlot, Lateness};
use crate::activity::NewActivity;
use crate::delivery::NewMessage;
use crate::evidence::SentenceRecord;
use crate::hash::Sha256;
use crate::id::{ContentId, DeliverableId, UserId, VersionId};
use crate::jobs::NewJob;
use crate::llm::{Noticed, Preference, ReportedClaim, StopReason, Usage};
use crate::pipeline::Holder;
use crate::platform::{Gap, Interval, ResourceId};

/// What people see of a version (dossier §2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum VersionStatus {
    /// Its run has not ended.
    Generating,
    /// It arrived.
    Delivered,
    /// Its run failed; `delivery_error` says why.
    Failed,
    /// It is written and verified, and waits for a person: too little of it could be proven.
    Staged,
    /// A person decided that it is not sent.
    Rejected,
    /// No report: it says why one is suggested, and waits for its user.
    Suggested,
    /// A suggestion that its user took up: what follows it are reports.
    Approved,
}

impl VersionStatus {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Generating => "generating",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Staged => "staged",
            Self::Rejected => "rejected",
            Self::Suggested => "suggested",
            Self::Approved => "approved",
        }
    }

    /// Reads the stored name.
    pub fn parse(text: &str) -> Option<Self> {
        let ended = [Self::Delivered, Self::Failed, Self::Rejected, Self::Approved];
        ended.into_iter().chain([Self::Generating, Self::Staged, Self::Suggested]).find(|it| it.as_str() == text)
    }
}

/// The last step of a run that was committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// The items are chosen.
    Gathered,
    /// What it asks for was looked up on the web. Reports that look nothing up pass this step by.
    Researched,
    /// The model has written a draft.
    Written,
    /// Its sentences are bound to evidence.
    Verified,
    /// The exact bytes of every message are in the outbox.
    Queued,
    /// Everything has arrived.
    Finished,
}

impl Step {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gathered => "gathered",
            Self::Researched => "researched",
            Self::Written => "written",
            Self::Verified => "verified",
            Self::Queued => "queued",
            Self::Finished => "finished",
        }
    }

    /// Reads the stored name.
    pub fn parse(text: &str) -> Option<Self> {
        let all = [Self::Gathered, Self::Researched, Self::Written, Self::Verified, Self::Queued, Self::Finished];
        all.into_iter().find(|it| it.as_str() == text)
    }
}

/// One gathered item and how the draft cites it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaterialRef {
    /// `s1`, `s2`, …
    pub reference: String,
    /// The row.
    pub content_id: ContentId,
    /// Digest of the row's content bytes when it was gathered.
    pub revision: Sha256,
    /// Whether an earlier revision of the item was reported before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub changed: bool,
    /// Whether a tool showed it to the writer, who told nothing of it: to its readers it stays news.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only_shown: bool,
    /// Whether it asked something that nobody had answered.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unanswered: bool,
}

/// What was known of a source when the run gathered from it (dossier, appendix B).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceSnapshot {
    /// The resource.
    pub resource: ResourceId,
    /// Its name.
    pub resource_name: String,
    /// When it was last read to its end: the registry's instant, not the run's.
    pub synced_at: Option<DateTime<Utc>>,
    /// The registry's cursor.
    pub platform_cursor: Option<String>,
    /// Items that this run gathered from it.
    pub item_count: u32,
    /// Instant of its newest item.
    pub source_latest_at: Option<DateTime<Utc>>,
    /// What the last sync of it could not see.
    pub gaps: Vec<Gap>,
    /// What went wrong in the last sync of it.
    pub last_error: Option<String>,
}

/// Statements of a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// All of them.
    pub sentences: u32,
    /// Those bound to evidence.
    pub with_evidence: u32,
    /// Those marked as inference.
    pub inference: u32,
}

/// What came of looking things up on the web.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Researched {
    /// Pages that became material; none when nothing was found.
    pub pages: u32,
    /// What the searches and their model used.
    pub usage: Usage,
}

/// How a model was used to write a draft.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ran {
    /// The model, as `provider/model`.
    pub model: String,
    /// Digest of the rendered request.
    pub request: Option<Sha256>,
    /// What it used, all calls together. Runs of earlier releases counted what they looked up as well.
    pub usage: Usage,
    /// Why it stopped, unless its answer was complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<StopReason>,
    /// Whether its first draft was sent back once.
    #[serde(default)]
    pub repaired: bool,
}

/// How a run ended without a report, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The model will not write it.
    Refused,
    /// The answer was cut before anything usable was said.
    Truncated,
    /// The request is more than the model reads.
    ContextOverflow,
    /// What the model wrote is no report, also after it was asked once more.
    Unusable,
    /// The cap on what one run may cost is used up.
    OverCap,
}

impl Ending {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Truncated => "truncated",
            Self::ContextOverflow => "context_overflow",
            Self::Unusable => "unusable",
            Self::OverCap => "over_cap",
        }
    }
}

/// What a run has decided so far. Kept with the version, so that any process can go on with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunState {
    /// The instant that was asked for; the date of its mails.
    pub asked_for: DateTime<Utc>,
    /// The instant the report is written for: earlier than asked for when the window was moved.
    pub as_of: DateTime<Utc>,
    /// When the run began: what it takes for now, also when it is repeated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<DateTime<Utc>>,
    /// How late it is, for a run by schedule that began after its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late: Option<Lateness>,
    /// Set when nobody but its owner receives the report.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stays_with_owner: bool,
    /// The zone of its owner's days, for a report without a schedule, which would name one; none when the owner has set none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<Tz>,
    /// What it is called for its readers; none for its title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called: Option<String>,
    /// The stretch of time it reads.
    pub window: Interval,
    /// Set when nothing lay in the usual window and it was moved to end at the newest item.
    pub window_moved: bool,
    /// How context was gathered.
    pub binding: Binding,
    /// The gathered items, in the order in which they are cited; pages of the web that were looked up for the report come last.
    pub material: Vec<MaterialRef>,
    /// Items that the writer found by itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub found: Vec<MaterialRef>,
    /// What was known of the sources.
    pub sources: Vec<SourceSnapshot>,
    /// What was looked up on the web; none while nothing was, and for versions of earlier releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub research: Option<Researched>,
    /// Who wrote the draft.
    pub ran: Option<Ran>,
    /// Its statements.
    pub tally: Option<Tally>,
    /// Set when the whole is told again because somebody asked for it, news or not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
    /// What earlier reports said that the writer should know of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub said: Vec<ReportedClaim>,
    /// What its reader wishes, by what they changed in earlier reports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub learned: Vec<Preference>,
    /// Items that were left out because earlier reports had them.
    #[serde(default)]
    pub reported_before: u32,
    /// Items that were left out because the model cannot read so much at once: the oldest.
    #[serde(default)]
    pub left_out: u32,
    /// Set when nothing is new and the reader wants to be told so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub quiet: bool,
    /// Set when a person let a staged report pass.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub approved: bool,
    /// How the run ended without a report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ending: Option<Ending>,
    /// What called for the run, if a signal did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noticed: Option<Noticed>,
}

impl RunState {
    /// The state of a run that has read nothing yet.
    pub const fn of(binding: Binding, (asked_for, as_of): (DateTime<Utc>, DateTime<Utc>), window: Interval) -> Self {
        Self {
            asked_for,
            as_of,
            started_at: None,
            late: None,
            stays_with_owner: false,
            timezone: None,
            called: None,
            window,
            window_moved: false,
            binding,
            material: vec![],
            found: vec![],
            sources: vec![],
            research: None,
            ran: None,
            tally: None,
            again: false,
            said: vec![],
            learned: vec![],
            reported_before: 0,
            left_out: 0,
            quiet: false,
            approved: false,
            ending: None,
            noticed: None,
        }
    }

    /// What a report is called for its readers.
    pub(super) fn title_of<'a>(&'a self, deliverable: &'a Deliverable) -> &'a str {
        self.called.as_deref().unwrap_or(&deliverable.title)
    }

    /// Everything that the report may stand on: what was gathered, then what the writer found.
    pub fn all_material(&self) -> impl Iterator<Item = &MaterialRef> {
        self.material.iter().chain(&self.found)
    }

    /// What the run used so far: what was looked up, and what was written.
    pub fn usage(&self) -> Usage {
        let mut usage = self.research.map(|it| it.usage).unwrap_or_default();
        usage += self.ran.as_ref().map(|it| it.usage).unwrap_or_default();
        usage
    }
}

/// A version as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// Id.
    pub id: VersionId,
    /// Owner.
    pub user: UserId,
    /// What it was written for.
    pub deliverable: DeliverableId,
    /// 1, 2, 3, … within the deliverable.
    pub number: u32,
    /// What people see.
    pub status: VersionStatus,
    /// The last committed step.
    pub step: Step,
    /// The key of an idempotent run.
    pub run_key: Option<String>,
    /// What the run has decided.
    pub state: RunState,
    /// What the model wrote.
    pub draft: Option<String>,
    /// The Markdown that was delivered.
    pub final_content: Option<String>,
    /// Why it failed.
    pub delivery_error: Option<String>,
    /// The process at work on it.
    pub held_by: Option<Holder>,
    /// Until when, unless it is renewed.
    pub held_until: Option<DateTime<Utc>>,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
    /// When it arrived.
    pub delivered_at: Option<DateTime<Utc>>,
}

impl Version {
    /// Whether a run can go on with it: it has not ended, or only its delivery failed.
    pub fn is_resumable(&self) -> bool {
        match self.status {
            VersionStatus::Generating => true,
            VersionStatus::Failed => self.step == Step::Queued,
            VersionStatus::Delivered
            | VersionStatus::Staged
            | VersionStatus::Rejected
            | VersionStatus::Suggested
            | VersionStatus::Approved => false,
        }
    }

    /// Whether a run is at it at this instant.
    pub fn is_held(&self, at: DateTime<Utc>) -> bool {
        self.held_until.is_some_and(|it| it > at)
    }
}

/// A version to be opened, with its items already gathered.
#[derive(Debug, Clone)]
pub struct OpenVersion {
    /// Id.
    pub id: VersionId,
    /// Owner.
    pub user: UserId,
    /// What it is written for.
    pub deliverable: DeliverableId,
    /// The number of the newest version that the run has seen (0 for none): the new one gets the next. When another run
    /// opened that one meanwhile, opening is a conflict.
    pub after: u32,
    /// The key of an idempotent run.
    pub run_key: Option<String>,
    /// The gathered items and the window.
    pub state: RunState,
    /// The gathered items as they are now, for whoever writes from them later.
    pub items: Vec<MaterialItem>,
    /// The process that opens it.
    pub holder: Holder,
    /// Until when it holds it.
    pub held_until: DateTime<Utc>,
    /// Now.
    pub at: DateTime<Utc>,
}

/// Takes or renews the right to work on a version.
#[derive(Debug, Clone)]
pub struct Hold {
    /// Owner.
    pub user: UserId,
    /// Which version.
    pub version: VersionId,
    /// The process that wants it.
    pub holder: Holder,
    /// A holder that is known to be gone: its hold does not count.
    pub gone: Option<Holder>,
    /// Until when.
    pub until: DateTime<Utc>,
    /// Now: an older hold that ended before does not count.
    pub at: DateTime<Utc>,
}

/// What a person says and decides about a version.
#[derive(Debug, Clone)]
pub struct DecideVersion {
    /// Owner.
    pub user: UserId,
    /// Which version.
    pub version: VersionId,
    /// The status it must have.
    pub seen: VersionStatus,
    /// `Generating` to let its run go on, `Rejected` to end it, or the same to decide nothing.
    pub status: VersionStatus,
    /// With what was decided.
    pub state: RunState,
    /// What was said.
    pub feedback: NewFeedback,
    /// The line for the activity log, of a decision.
    pub activity: Option<NewActivity>,
    /// The end of the slot that the version was opened for, if the decision ends it: stored with it.
    pub slot: Option<EndSlot>,
    /// Now.
    pub at: DateTime<Utc>,
}

/// One step of a run: committed whole or not at all, and only by the holder while the version stands at `expected`.
#[derive(Debug, Clone)]
pub struct StepCommit {
    /// Owner.
    pub user: UserId,
    /// Which version.
    pub version: VersionId,
    /// The step it must stand at.
    pub expected: Step,
    /// The process that holds it.
    pub holder: Holder,
    /// What the step brings.
    pub change: StepChange,
    /// A mail that tells the owner how the run ended: queued with it, under a key that is used once.
    pub notice: Option<NewMessage>,
    /// The end of the slot that the version was opened for, if the step ends its run: stored with it.
    pub slot: Option<EndSlot>,
    /// Jobs that follow from the step: enqueued with it or not at all.
    pub follow_up: Vec<NewJob>,
    /// Now.
    pub at: DateTime<Utc>,
}

/// What a step brings.
#[derive(Debug, Clone)]
pub enum StepChange {
    /// `gathered → researched`.
    Researched {
        /// With what was found, and what that used.
        state: RunState,
    },
    /// `gathered` or `researched` `→ written`.
    Written {
        /// What the model wrote.
        draft: String,
        /// With who wrote it.
        state: RunState,
        /// Items that the writer found by itself, as they are now.
        found: Vec<MaterialItem>,
    },
    /// `written → verified`.
    Verified {
        /// The statements and their evidence.
        sentences: Vec<SentenceRecord>,
        /// With the tally.
        state: RunState,
    },
    /// `verified → queued`: the report, its messages, and the retention of what it cites, together.
    Queued {
        /// The Markdown to be delivered.
        final_content: String,
        /// Messages with their exact bytes.
        messages: Vec<NewMessage>,
        /// Rows to be retained for this version.
        retain: Vec<ContentId>,
    },
    /// `queued → finished`: delivered.
    Finished {
        /// The line for the activity log.
        activity: NewActivity,
    },
    /// At `verified`: the report waits for a person, and the step stays.
    Staged {
        /// Why.
        reason: String,
        /// The line for the activity log.
        activity: NewActivity,
    },
    /// Any step: the run ends as failed and the step stays.
    Failed {
        /// Why.
        error: String,
        /// What the model wrote, when that was no report: for the owner to see.
        draft: Option<String>,
        /// With how it ended; none to leave the state as it is.
        state: Option<Box<RunState>>,
        /// The line for the activity log.
        activity: NewActivity,
    },
}
