//! Plan: what a run would do and what it may cost, without a model call and without writing anything.

use super::model::{Deliverable, Destination};
use super::prompt;
use super::run::{Deliverables, RunRequest};
use super::version::SourceSnapshot;
use crate::error::Error;
use crate::id::VersionId;
use crate::llm::{ModelRequest, ModelTraits, Usage};
use crate::pipeline::StageCx;
use crate::platform::Interval;

/// Tokens that the shortest report has.
const SHORT_REPORT: u64 = 60;
/// A draft is sent back at most once.
const REPAIRS: u32 = 1;
/// Tokens that the answers of tools add to a request, at most, for each round.
const TOOL_ANSWER: u64 = 8_000;

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
    /// Items that earlier reports had and that are left out.
    pub reported_before: u32,
    /// Items that the writer cannot read as well at once.
    pub left_out: u32,
    /// The writer.
    pub model: String,
    /// Tools that the writer may use, and how often it may ask.
    pub tools: Vec<String>,
    /// Rounds with tools.
    pub tool_rounds: u32,
    /// Whether the web is searched before it writes.
    pub researches: bool,
    /// Who gets the report.
    pub recipients: Vec<String>,
    /// What keeps it from being delivered, if anything.
    pub obstacle: Option<String>,
    /// The request as text.
    pub prompt: String,
    /// Calls of the model, from and to.
    pub calls: (u32, u32),
    /// Tokens of the first request, from and to.
    pub input_tokens: (u64, u64),
    /// Price in millionths of a US dollar, from and to: one short answer, and every round, tool and repair that is allowed. What it
    /// costs to search the web comes on top.
    pub cost_micro_usd: (u64, u64),
    /// Whether anything that it reads is stored.
    pub found: bool,
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
        let gathered = self.gather(cx, &deliverable, request.as_of, request.force).await?;
        // There is no version yet: the words that delimit its data are made up from the deliverable.
        let version = VersionId::from_uuid(deliverable.id.as_uuid());
        let task = prompt::task(&self.parts.prompts, &deliverable, version, &gathered.state, &gathered.items)?;
        let writer = &self.parts.writer;
        let (asked, traits) = (writer.request(&task), writer.model().traits());
        let rounds = if asked.tools.is_empty() { 0 } else { task.rounds };
        let obstacle = self.parts.ways.check(request.user, &deliverable.destinations).await.err();
        let calls = (1, 1 + rounds + REPAIRS);
        Ok(Plan {
            found: gathered.found,
            has_news: gathered.has_news,
            as_of: gathered.state.as_of,
            window: gathered.state.window,
            window_moved: gathered.state.window_moved,
            strategy: gathered.state.binding.as_str(),
            items: gathered.items.len(),
            reported_before: gathered.state.reported_before,
            left_out: gathered.state.left_out,
            researches: self.parts.researcher(gathered.state.binding).is_some(),
            sources: gathered.state.sources,
            model: writer.model().name(),
            tools: asked.tools.iter().map(|it| it.name.clone()).collect(),
            tool_rounds: rounds,
            recipients: deliverable.destinations.iter().map(|it| self.recipient(it)).collect(),
            obstacle: obstacle.map(|it| it.to_string()),
            calls,
            input_tokens: asked.token_estimate(),
            cost_micro_usd: cost(&asked, &traits, calls.1),
            next_run_at: deliverable.next_run_at,
            prompt: asked.render(),
            deliverable,
        })
    }

    fn recipient(&self, destination: &Destination) -> String {
        let has_mail = self.parts.ways.channels.iter().any(|it| it.kind() == destination.channel());
        match destination {
            Destination::Email { address } if has_mail => address.to_string(),
            Destination::Email { address } => format!("{address}, as a mail in the outbox folder"),
            Destination::Slack { channel } => format!("{channel} in Slack"),
            Destination::Folder { path: Some(path) } => format!("folder {path}"),
            Destination::Folder { path: None } => "the outbox folder".to_owned(),
        }
    }
}

/// The cheapest run, and the dearest one that is allowed: each call reads what the ones before it read and wrote, and writes and
/// thinks as much as it may.
fn cost(request: &ModelRequest, traits: &ModelTraits, most: u32) -> (u64, u64) {
    let price = &traits.price;
    let (from, to) = request.token_estimate();
    let least = Usage { input_tokens: from, output_tokens: SHORT_REPORT, ..Usage::default() };
    let cached = Usage { cache_read_tokens: from, input_tokens: 0, ..least };
    let low = if price.cache_read > 0 { price.cost(&least).min(price.cost(&cached)) } else { price.cost(&least) };
    let output = u64::from(request.max_output_tokens) + u64::from(traits.thinking_tokens);
    let dearest = |earlier: u64| {
        let input_tokens = to + earlier * (output + TOOL_ANSWER);
        let plain = Usage { input_tokens, output_tokens: output, ..Usage::default() };
        let written = Usage { input_tokens: 0, cache_write_tokens: input_tokens, ..plain };
        price.cost(&plain).max(price.cost(&written))
    };
    (low, (0..u64::from(most)).map(dearest).sum())
}
