//! Plan: what a run would do and what it may cost, without a model call and without writing anything.

use super::super::model::{Deliverable, Destination};
use super::super::run::{Deliverables, RunRequest};
use super::super::version::SourceSnapshot;
use super::prompt;
use crate::agent::BYTES_PER_TURN;
use crate::error::Error;
use crate::id::VersionId;
use crate::llm::{CapLeft, ModelRequest, ModelTraits, Usage, usd};
use crate::pipeline::StageCx;
use crate::platform::Interval;

/// Tokens that the shortest report has.
const SHORT_REPORT: u64 = 60;
/// A draft is sent back at most once.
const REPAIRS: u32 = 1;
/// Tokens that the answers of tools add to a request, at most, for each round.
const TOOL_ANSWER: u64 = BYTES_PER_TURN as u64;

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
    /// Calls of the model, from and to. None of either where nobody is asked: nothing is new, a cap forbids it, or the writer is
    /// computed in this process.
    pub calls: (u32, u32),
    /// Tokens of the first request, from and to: about as many as it has if it is plain, and never more than it can have
    /// ([`ModelRequest::token_ceiling`]).
    pub input_tokens: (u64, u64),
    /// Price in millionths of a US dollar, from and to: one short answer, and every round, tool and repair that is allowed, every
    /// byte a token, but no more than the caps leave. What it costs to search the web comes on top, and answers that are lost on
    /// their way and asked for once more.
    pub cost_micro_usd: (u64, u64),
    /// The setting of the cap that the upper price comes from: a run that would cost more is stopped there.
    pub capped_by: Option<&'static str>,
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
        let asks = gathered.found && (gathered.has_news || request.force) && !traits.is_local;
        let caps = traits.caps.before_a_run(self.parts.ledger.as_ref(), request.user, self.parts.clock.now()).await?;
        let spending = if asks { Spending::of(&asked, &traits, 1 + rounds + REPAIRS, &caps) } else { Spending::default() };
        let obstacle = self.parts.ways.check(request.user, &deliverable.destinations).await.err().map(|it| it.to_string());
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
            researches: self.parts.researcher(&deliverable, gathered.state.binding).is_some(),
            sources: gathered.state.sources,
            model: writer.model().name(),
            tools: asked.tools.iter().map(|it| it.name.clone()).collect(),
            tool_rounds: rounds,
            recipients: deliverable.destinations.iter().map(|it| self.recipient(it)).collect(),
            obstacle: obstacle.or(spending.refused),
            calls: spending.calls,
            input_tokens: spending.input_tokens,
            cost_micro_usd: spending.cost,
            capped_by: spending.capped_by,
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
            Destination::GmailDraft { address } => format!("{address}, as a draft in your Gmail"),
            Destination::Notion { page } => format!("a page below {page} in Notion"),
            Destination::Download { .. } => "whoever downloads it".to_owned(),
            Destination::Folder { path: Some(path) } => format!("folder {path}"),
            Destination::Folder { path: None } => "the outbox folder".to_owned(),
        }
    }
}

/// What a run asks for and may cost.
#[derive(Debug, Default, PartialEq, Eq)]
struct Spending {
    calls: (u32, u32),
    input_tokens: (u64, u64),
    cost: (u64, u64),
    capped_by: Option<&'static str>,
    /// Why its first call would not be made.
    refused: Option<String>,
}

impl Spending {
    /// Of a run that makes so many calls, at most, under these caps.
    fn of(request: &ModelRequest, traits: &ModelTraits, calls: u32, caps: &[CapLeft]) -> Self {
        let ceiling = traits.ceiling(request);
        if let Some(cap) = caps.iter().find(|it| it.refusal(ceiling).is_some()) {
            return Self { refused: Some(refusal(cap, ceiling)), ..Self::default() };
        }
        let (from, to) = (least(request, traits), most(request, traits, calls));
        let tightest = caps.iter().min_by_key(|it| it.left()).filter(|it| it.left() < to);
        let to = tightest.map_or(to, CapLeft::left);
        Self {
            calls: (1, calls),
            input_tokens: (request.token_floor(), request.token_ceiling()),
            cost: (from.min(to), to),
            capped_by: tightest.map(|it| it.cap),
            refused: None,
        }
    }
}

fn refusal(cap: &CapLeft, ceiling: u64) -> String {
    let (limit, left, ceiling) = (usd(cap.limit), usd(cap.left()), usd(ceiling));
    format!("the cap {} of {limit}: {left} is left, and the first call may cost up to {ceiling}", cap.cap)
}

/// The cheapest run: one short answer to a prompt that is in the provider's cache.
fn least(request: &ModelRequest, traits: &ModelTraits) -> u64 {
    let (price, prompt) = (&traits.price, request.token_floor());
    let plain = Usage { input_tokens: prompt, output_tokens: SHORT_REPORT, ..Usage::default() };
    let cached = Usage { cache_read_tokens: prompt, input_tokens: 0, ..plain };
    if price.cache_read > 0 { price.cost(&plain).min(price.cost(&cached)) } else { price.cost(&plain) }
}

/// The dearest run that is allowed: each call costs what is reserved for it, reads what the ones before it read and wrote, and
/// writes and thinks as much as it may.
fn most(request: &ModelRequest, traits: &ModelTraits, calls: u32) -> u64 {
    let grows = traits.output_ceiling(request) + TOOL_ANSWER;
    let ceilings = (0..u64::from(calls)).map(|earlier| traits.ceiling_with(request, earlier * grows));
    ceilings.fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::UserId;
    use crate::llm::{Boundary, CallAccount, Content, Message, ModelPrice, Role, SpendingCaps};

    fn request(text: &str) -> ModelRequest {
        ModelRequest {
            purpose: "tests.ask".to_owned(),
            account: CallAccount::of(UserId::LOCAL),
            boundary: Boundary::of("tests"),
            system: "Be brief.".to_owned(),
            messages: vec![Message { role: Role::User, content: vec![Content::Text(text.to_owned())] }],
            tools: vec![],
            answers_now: false,
            server_tools: vec![],
            schema: None,
            max_output_tokens: 1_000,
        }
    }

    fn traits(price: ModelPrice, thinking_tokens: u32) -> ModelTraits {
        ModelTraits { price, thinking_tokens, ..ModelTraits::default() }
    }

    fn cost(request: &ModelRequest, traits: &ModelTraits, calls: u32) -> (u64, u64) {
        Spending::of(request, traits, calls, &[]).cost
    }

    const PRICE: ModelPrice =
        ModelPrice { input: 1_000_000, output: 10_000_000, cache_read: 0, cache_write: 0, search: 0, long: None };

    #[test]
    fn an_interval_goes_from_one_short_answer_to_everything_that_is_allowed() {
        let request = request(&"word ".repeat(800));
        let (from, to) = (request.token_floor(), request.token_ceiling());
        let short = from + 10 * SHORT_REPORT;
        assert_eq!(cost(&request, &traits(PRICE, 0), 1), (short, to + 10_000));
        let second = to + 1_000 + TOOL_ANSWER + 10_000;
        assert_eq!(cost(&request, &traits(PRICE, 0), 2), (short, to + 10_000 + second), "a call reads what came before it");
        assert_eq!(cost(&request, &traits(PRICE, 500), 1), (short, to + 15_000), "thoughts are charged as written");
        assert_eq!(cost(&request, &traits(ModelPrice::default(), 500), 9), (0, 0));
    }

    #[test]
    fn a_cache_makes_the_cheapest_run_cheaper_and_the_dearest_dearer() {
        let request = request(&"word ".repeat(800));
        let (from, to) = (request.token_floor(), request.token_ceiling());
        let cached = ModelPrice { cache_read: 100_000, cache_write: 2_000_000, ..PRICE };
        assert_eq!(cost(&request, &traits(cached, 0), 1), (from.div_ceil(10) + 10 * SHORT_REPORT, 2 * to + 10_000));
    }

    #[test]
    fn the_interval_holds_for_every_script_whatever_the_tokenizer() {
        for text in ["word ", "запуск ", "発売日", "🚀", "👩🏽‍💻", "qX7+/zR", "<&>\""] {
            let request = request(&text.repeat(500));
            let (from, to) = cost(&request, &traits(PRICE, 0), 1);
            // From a token for every four bytes and one short answer to one for each byte and the longest.
            let bytes = request.render().len() as u64;
            for (prompt, answer) in [(bytes.div_ceil(4), SHORT_REPORT), (bytes, 1_000)] {
                let usage = Usage { input_tokens: prompt, output_tokens: answer, ..Usage::default() };
                assert!((from..=to).contains(&PRICE.cost(&usage)), "{text}: {usage:?} of {from} to {to}");
            }
        }
    }

    #[test]
    fn a_plan_says_what_the_caps_would() {
        let (request, traits) = (request("Hello"), traits(PRICE, 0));
        let cap = |cap, limit, spent| CapLeft { cap, limit, spent };
        let (ceiling, (from, to)) = (traits.ceiling(&request), cost(&request, &traits, 2));
        let run = |limit| Spending::of(&request, &traits, 2, &[cap(SpendingCaps::RUN, limit, 0)]);
        assert_eq!((run(to).cost, run(to).capped_by), ((from, to), None));
        assert_eq!((run(to - 1).cost, run(to - 1).capped_by), ((from, to - 1), Some(SpendingCaps::RUN)));
        assert_eq!((run(ceiling).calls, run(ceiling).refused), ((1, 2), None), "a first call that fits is made");
        let refused = run(ceiling - 1);
        assert_eq!((refused.calls, refused.cost), ((0, 0), (0, 0)));
        assert!(refused.refused.unwrap().starts_with("the cap YARNNN_CAP_RUN_USD of $0.0"));
        let day = Spending::of(&request, &traits, 2, &[cap(SpendingCaps::RUN, to, 0), cap(SpendingCaps::USER_DAY, to, 5)]);
        assert_eq!((day.cost.1, day.capped_by), (to - 5, Some(SpendingCaps::USER_DAY)));
    }
}
