//! What a pass wants, what the store lets it do, and what is told of it afterwards.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::model::SignalsFilter;
use crate::activity::{ActivityKind, NewActivity};
use crate::deliverables::NewDeliverable;
use crate::id::{ActivityId, ContentId, DeliverableId, JobId, PassId, UserId};
use crate::jobs::NewJob;

/// Deliverables that one pass makes, and that it sets going, at most.
pub(super) const MOST_CREATED: usize = 1;
pub(super) const MOST_TRIGGERED: usize = 3;

/// How a pass ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PassStatus {
    /// The model was asked, and answered.
    Completed,
    /// Too little was there to ask about.
    TooFewItems,
    /// There is no model to ask.
    NoModel,
    /// The user's tier has no signals.
    TierRestricted,
    /// The hour that it was for had passed before anybody came to it: the next hour's pass looks at the same.
    TooLate,
    /// The model could not be asked, or what it answered cannot be read.
    Failed,
}

impl PassStatus {
    /// The name in outputs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::TooFewItems => "too_few_items",
            Self::NoModel => "no_model",
            Self::TierRestricted => "tier_restricted",
            Self::TooLate => "too_late",
            Self::Failed => "failed",
        }
    }
}

/// What an action does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ActionKind {
    /// A new deliverable, run once.
    #[serde(rename = "create_signal_emergent")]
    Create,
    /// A run of one that exists.
    #[serde(rename = "trigger_existing")]
    Trigger,
}

impl ActionKind {
    /// The name that models and outputs use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create_signal_emergent",
            Self::Trigger => "trigger_existing",
        }
    }
}

/// An action that was carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionTaken {
    /// What was done.
    #[serde(rename = "action_type")]
    pub action: ActionKind,
    /// The deliverable that was made or set going.
    pub deliverable_id: DeliverableId,
    /// Its type.
    pub deliverable_type: String,
    /// Its title.
    pub title: String,
    /// The type under which it stands in the history.
    pub signal_type: String,
    /// What it was about, in the history.
    pub signal_reference: String,
    /// Why, in the model's words.
    pub reasoning: String,
    /// How sure the model was.
    pub confidence: Confidence,
    /// The job that runs it.
    pub job_id: JobId,
}

/// How sure a model is, in hundredths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Confidence(pub u8);

/// Why something that the model wanted was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DropReason {
    /// It is no action that there is.
    UnknownAction,
    /// The model is not sure enough.
    LowConfidence,
    /// Signals may not make a report of this type.
    TypeNotAllowed,
    /// It names an item or a source that it was not shown.
    UnknownReference,
    /// It names a deliverable that it was not shown, or that is gone.
    UnknownDeliverable,
    /// It would set a deliverable going about nothing that was shown.
    AboutNothing,
    /// It would prepare for a meeting, and names no event that was shown.
    NoEvent,
    /// It would prepare for a meeting that lies further ahead than a preparation looks.
    TooFarAhead,
    /// A text that the model was shown names the deliverable the way that answers do: it may be an order and no judgement.
    Dictated,
    /// The deliverable is paused or archived.
    NotActive,
    /// The user switched this kind of signal off.
    SwitchedOff,
    /// The user has a deliverable of this type.
    TypeTaken,
    /// The same was acted upon a little while ago.
    SeenBefore,
    /// Another action of this pass is of the same type.
    OnePerType,
    /// One pass does only so much.
    OverLimit,
    /// The tier allows no further deliverable.
    TierLimit,
    /// A run of it is under way already.
    AlreadyRunning,
}

impl DropReason {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::UnknownAction => "it is no action that there is",
            Self::LowConfidence => "the model is not sure enough",
            Self::TypeNotAllowed => "signals may not make a report of this type",
            Self::UnknownReference => "it names something that the model was not shown",
            Self::UnknownDeliverable => "it names no deliverable that the model was shown",
            Self::Dictated => "a text that the model was shown asks for it, which makes it no signal",
            Self::AboutNothing => "it is about nothing that the model was shown",
            Self::NoEvent => "it names no event to prepare for",
            Self::TooFarAhead => "the meeting lies further ahead than a preparation looks",
            Self::NotActive => "the deliverable is paused or archived",
            Self::SwitchedOff => "this kind of signal is switched off",
            Self::TypeTaken => "there is a deliverable of this type",
            Self::SeenBefore => "the same was acted upon a little while ago",
            Self::OnePerType => "another action of this pass is of the same type",
            Self::OverLimit => "one pass makes one deliverable and sets three going, at most",
            Self::TierLimit => "the tier allows no further deliverable",
            Self::AlreadyRunning => "a run of it is under way already",
        }
    }
}

/// Something that the model wanted and that was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// What it was called: action and title, in the model's words, bounded.
    pub what: String,
    /// Why not.
    pub reason: DropReason,
}

/// What came of a pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassOutcome {
    /// How it ended.
    pub status: PassStatus,
    /// Which platforms.
    pub filter: SignalsFilter,
    /// Items that were looked at.
    pub items_processed: u32,
    /// Actions that the model named.
    pub signals_evaluated: u32,
    /// What was done.
    pub actions_taken: Vec<ActionTaken>,
    /// What was not.
    pub dropped: Vec<Dropped>,
    /// Items that are kept because something was done about them.
    pub content_retained_count: u64,
    /// Why, in the model's words; one line.
    pub reasoning_summary: String,
    /// Why the model could not be asked, or its answer not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The model, as `provider/model`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

impl PassOutcome {
    /// A pass of which nothing but its end is known.
    pub const fn of(status: PassStatus, filter: SignalsFilter, items_processed: u32) -> Self {
        Self {
            status,
            filter,
            items_processed,
            signals_evaluated: 0,
            actions_taken: vec![],
            dropped: vec![],
            content_retained_count: 0,
            reasoning_summary: String::new(),
            error: None,
            model: None,
        }
    }

    /// A pass that was begun, and that nobody has gone on with since.
    pub fn abandoned(filter: SignalsFilter, items_processed: u32) -> Self {
        let error = Some("the pass was left open and nobody went on with it".to_owned());
        Self { error, ..Self::of(PassStatus::Failed, filter, items_processed) }
    }

    /// How many deliverables were made.
    pub fn created(&self) -> usize {
        self.actions_taken.iter().filter(|it| it.action == ActionKind::Create).count()
    }

    /// How many were set going.
    pub fn triggered(&self) -> usize {
        self.actions_taken.len() - self.created()
    }

    /// The line of the log: one for each pass, also when nothing was done (dossier §5.4, §12).
    pub fn line(&self, id: ActivityId, pass: PassId) -> NewActivity {
        let triggered: Vec<_> = self.actions_taken.iter().map(|it| it.deliverable_id).collect();
        let mut metadata = json!(self);
        if let Some(map) = metadata.as_object_mut() {
            map.insert("pass_id".to_owned(), json!(pass));
            map.insert("deliverables_created".to_owned(), json!(self.created()));
            map.insert("deliverables_triggered".to_owned(), json!(triggered));
        }
        NewActivity { id, kind: ActivityKind::SignalProcessed, key: pass.as_uuid(), summary: self.summary(), metadata }
    }

    /// One sentence for people, of the program's own words.
    pub fn summary(&self) -> String {
        let items = self.items_processed;
        match self.status {
            PassStatus::TooFewItems => format!("Signals: {items} items, too few to look for anything"),
            PassStatus::NoModel => "Signals: no model to ask (YARNNN_MODEL_FAST, or a key of a model)".to_owned(),
            PassStatus::TierRestricted => "Signals: not part of the free tier".to_owned(),
            PassStatus::TooLate => "Signals: nothing was looked at, the hour had passed before a worker was there".to_owned(),
            PassStatus::Failed => format!("Signals: {items} items, and the model gave no answer that can be used"),
            PassStatus::Completed => {
                let (made, set_going) = (self.created(), self.triggered());
                format!("Signals: {items} items, {made} reports made, {set_going} set going")
            }
        }
    }
}

/// What an action is to do.
#[derive(Debug, Clone)]
pub enum Act {
    /// Make this deliverable.
    Create(Box<NewDeliverable>),
    /// Set this one going.
    Trigger(DeliverableId),
}

/// An action that the program can vouch for, as far as it could see before the transaction.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// What to do.
    pub act: Act,
    /// When the same was acted upon since then, it is not done again; see also [`PassCommit::target_since`].
    pub unless_since: DateTime<Utc>,
    /// Whether another deliverable of the type keeps it from being made, also one that runs once and has run, or will not.
    pub one_of_a_kind: bool,
    /// Items that are kept when it is done.
    pub about: Vec<ContentId>,
    /// The run that follows.
    pub job: NewJob,
    /// What is told of it when it is done.
    pub taken: ActionTaken,
}

/// What the store says about an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is done.
    Done,
    /// It is not.
    Dropped(DropReason),
}

/// The end of a pass: one transaction. Everything in it happens or nothing does.
#[derive(Debug, Clone)]
pub struct PassCommit {
    /// Which pass.
    pub pass: PassId,
    /// Whose.
    pub user: UserId,
    /// What it wants, in order.
    pub wanted: Vec<Wanted>,
    /// Active deliverables that the tier allows; none for any number.
    pub slots: Option<u32>,
    /// What came of it but for what it wants.
    pub outcome: PassOutcome,
    /// Id of the line of the log.
    pub line: ActivityId,
    /// Now.
    pub at: DateTime<Utc>,
}

impl PassCommit {
    /// What a signal called for or set going since then is not set going, whatever else was noticed: nobody wants a report for each
    /// thread.
    pub fn target_since(&self) -> DateTime<Utc> {
        self.at - TimeDelta::hours(24)
    }

    /// What runs once for an event and was made before then leaves room for the next event, whatever has become of its run.
    pub fn room_since(&self) -> DateTime<Utc> {
        self.at - TimeDelta::hours(24)
    }

    /// What came of the pass, by what the store said about each action, and how many items it keeps.
    pub fn decided(&self, verdicts: &[Verdict], retained: u64) -> PassOutcome {
        let mut outcome = PassOutcome { content_retained_count: retained, ..self.outcome.clone() };
        for (wanted, verdict) in self.wanted.iter().zip(verdicts) {
            match verdict {
                Verdict::Done => outcome.actions_taken.push(wanted.taken.clone()),
                Verdict::Dropped(reason) => outcome.dropped.push(Dropped { what: wanted.what(), reason: *reason }),
            }
        }
        outcome
    }
}

impl Wanted {
    fn what(&self) -> String {
        format!("{} {}: {}", self.taken.action.as_str(), self.taken.deliverable_type, self.taken.title)
    }
}
