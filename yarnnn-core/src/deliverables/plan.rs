//! Plan: what a run would do, without a model call and without writing anything.

use super::model::{Deliverable, Destination};
use super::prompt;
use super::run::{Deliverables, RunRequest};
use super::version::SourceSnapshot;
use crate::error::Error;
use crate::id::VersionId;
use crate::pipeline::StageCx;
use crate::platform::Interval;

/// Characters of a token, on average; a request is counted with a margin of a fifth.
const CHARS_PER_TOKEN: usize = 4;

/// A source and what it would give.
pub type PlannedSource = SourceSnapshot;

/// What a run would do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The configuration.
    pub deliverable: Deliverable,
    /// The instant it would be written for.
    pub as_of: chrono::DateTime<chrono::Utc>,
    /// The stretch of time it would read.
    pub window: Interval,
    /// Whether the window was moved to the newest item.
    pub window_moved: bool,
    /// How context is gathered.
    pub strategy: &'static str,
    /// The sources and how many items each gives.
    pub sources: Vec<PlannedSource>,
    /// Items in the request.
    pub items: usize,
    /// The writer.
    pub model: String,
    /// Tools that the writer may use: none so far, it reads what was gathered.
    pub tools: Vec<String>,
    /// Who gets the report.
    pub recipients: Vec<String>,
    /// The request as text.
    pub prompt: String,
    /// Tokens of the request, from and to.
    pub input_tokens: (u64, u64),
    /// Price in US dollars, from and to. Models of this version run in the process and cost nothing.
    pub cost_usd: (f64, f64),
    /// Whether the run would write a report: something is new since the last one.
    pub has_news: bool,
    /// Its next run by schedule.
    pub next_run_at: Option<chrono::DateTime<chrono::Utc>>,
}

impl Deliverables {
    /// Works out what a run would do.
    ///
    /// # Errors
    /// `NotFound` and those of the store.
    pub async fn plan(&self, cx: &StageCx, request: &RunRequest) -> Result<Plan, Error> {
        let deliverable = self.parts.deliverables.get(request.user, request.deliverable).await?;
        let gathered = self.gather(cx, &deliverable, request.as_of).await?;
        // There is no version yet: the words that delimit its data are made up from the deliverable.
        let version = VersionId::from_uuid(deliverable.id.as_uuid());
        let prompt = prompt::request(&deliverable, version, &gathered.state, &gathered.items)?.render();
        let tokens = (prompt.chars().count() / CHARS_PER_TOKEN) as u64;
        Ok(Plan {
            has_news: !gathered.items.is_empty() && self.has_news(&deliverable, &gathered).await?,
            as_of: gathered.state.as_of,
            window: gathered.state.window,
            window_moved: gathered.state.window_moved,
            strategy: gathered.state.binding.as_str(),
            items: gathered.items.len(),
            sources: gathered.state.sources,
            model: self.parts.model.name(),
            tools: vec![],
            recipients: recipients(&deliverable),
            input_tokens: (tokens - tokens / 5, tokens + tokens / 5),
            cost_usd: (0.0, 0.0),
            next_run_at: deliverable.next_run_at,
            prompt,
            deliverable,
        })
    }
}

fn recipients(deliverable: &Deliverable) -> Vec<String> {
    vec![match &deliverable.destination {
        Destination::Email { address } => format!("{address}, as a mail in the outbox folder"),
        Destination::Folder { path: Some(path) } => format!("folder {path}"),
        Destination::Folder { path: None } => "the outbox folder".to_owned(),
    }]
}
