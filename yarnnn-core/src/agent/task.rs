//! What a session is asked, and what comes of it.

use chrono::{DateTime, Utc};

use crate::id::ContentId;
use crate::llm::{Boundary, CallAccount, Message, StopReason, ToolResult, Usage};
use crate::platform::ResourceId;

/// What a session is asked.
#[derive(Debug, Clone)]
pub struct AgentTask {
    /// On whose account: tools see what belongs to this user and nothing else.
    pub account: CallAccount,
    /// What it is for, as `feature.verb`.
    pub purpose: &'static str,
    /// What delimits data.
    pub boundary: Boundary,
    /// Standing instructions; trusted text only.
    pub system: String,
    /// The instant that the session takes for now, also when it is repeated: kept with the run. What has expired by then is gone.
    pub at: DateTime<Utc>,
    /// The instant that was asked for, if it has come: what tools tell of syncs, jobs and the scheduler they tell as of then.
    pub as_of: DateTime<Utc>,
    /// The resources that its tools see; none for everything that the user has. With a scope they see of deliverables only the one
    /// of the account: whoever reads what is written may know what is in scope, and perhaps nothing else.
    pub scope: Option<Vec<ResourceId>>,
    /// Whether others than the user read what is written: with a scope, tools then leave out what earlier reports said.
    pub for_others: bool,
    /// Tools see nothing that was written after this.
    pub until: DateTime<Utc>,
    /// And no event that begins after this.
    pub events_until: DateTime<Utc>,
    /// What is said first, usually one turn of the user.
    pub messages: Vec<Message>,
    /// How often the model may ask for tools before it must answer. None of the calls after that offers any.
    pub rounds: u32,
    /// Whether it must answer at once. The tools of its rounds stay named, so that what is said first reads as it did when they were
    /// offered, and is found in the provider's cache.
    pub answers_now: bool,
    /// Upper bound of each answer, in tokens.
    pub max_output_tokens: u32,
    /// The number of the first reference that tools may give to what they find: `s241`.
    pub next_reference: usize,
    /// Items that `messages` show already, with their references. They keep them.
    pub known: Vec<(ContentId, String)>,
    /// What tools answered in an earlier try of this session: they are not asked again, so that it goes the same way.
    pub journal: Vec<ToolResult>,
}

/// What came of a session.
#[derive(Debug, Clone)]
pub struct AgentAnswer {
    /// What the model wrote at last.
    pub text: String,
    /// Why it stopped.
    pub stop: StopReason,
    /// The model, as `provider/model`.
    pub model: String,
    /// What all calls used together.
    pub usage: Usage,
    /// Items that tools showed to the model, with the references that they got, in the order in which they were shown; those that the
    /// task knew already are left out. The answer may cite them.
    pub found: Vec<(String, ContentId)>,
    /// The whole conversation: what was said first, and every turn since, the last answer included.
    pub messages: Vec<Message>,
}
