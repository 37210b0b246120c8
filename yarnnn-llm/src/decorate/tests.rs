//! What stands around a client: money, second tries, the breaker, the other model. The models here say what was written down.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use futures::{StreamExt as _, stream};
use yarnnn_core::id::{UserId, VersionId};
use yarnnn_core::llm::{
    CallAccount, CallState, Content, LanguageModel, LlmError, ModelEvent, ModelEvents, ModelPrice, ModelRequest, ModelResponse,
    ModelTraits, SpendingCaps, StopReason, StreamCompletion, Usage,
};
use yarnnn_core::testing::{FixedClock, FixedIds};

use super::*;
use crate::testing::{MemoryLedger, asking};

const PRICE: ModelPrice =
    ModelPrice { input: 1_000_000, output: 5_000_000, cache_read: 100_000, cache_write: 1_250_000, search: 10_000, long: None };

/// Says one line of its script per call, and `fine` when there is none left.
#[derive(Debug, Default)]
struct Scripted {
    name: &'static str,
    script: Mutex<VecDeque<Line>>,
    calls: AtomicU32,
}

#[derive(Debug)]
enum Line {
    Fails(LlmError),
    Hangs,
    Breaks(Option<LlmError>),
}

impl Scripted {
    fn of(name: &'static str, script: Vec<Line>) -> Arc<Self> {
        Arc::new(Self { name, script: Mutex::new(script.into()), calls: AtomicU32::new(0) })
    }

    fn calls(&self) -> u32 {
        self.calls.load(Ordering::SeqCst)
    }

    fn next(&self) -> Option<Line> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.script.lock().unwrap().pop_front()
    }
}

fn fine() -> ModelResponse {
    let usage = Usage { calls: 1, input_tokens: 100, output_tokens: 10, ..Usage::default() };
    ModelResponse::of_text("fine", StopReason::Complete, usage)
}

#[async_trait]
impl LanguageModel for Scripted {
    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn traits(&self) -> ModelTraits {
        ModelTraits { price: PRICE, uses_tools: true, thinking_tokens: 500, ..ModelTraits::default() }
    }

    async fn complete(&self, _: &ModelRequest) -> Result<ModelResponse, LlmError> {
        match self.next() {
            None => Ok(fine()),
            Some(Line::Fails(error)) => Err(error),
            Some(_) => std::future::pending().await,
        }
    }
}

#[async_trait]
impl StreamCompletion for Scripted {
    async fn stream(&self, _: &ModelRequest) -> Result<ModelEvents, LlmError> {
        let begun = stream::iter([Ok(ModelEvent::Text("fi".into()))]);
        match self.next() {
            None => Ok(begun.chain(stream::iter([Ok(ModelEvent::Text("ne".into())), Ok(ModelEvent::Done(fine()))])).boxed()),
            Some(Line::Fails(error)) => Err(error),
            Some(Line::Hangs) => Ok(begun.chain(stream::pending()).boxed()),
            Some(Line::Breaks(error)) => Ok(begun.chain(stream::iter(error.map(Err))).boxed()),
        }
    }
}

fn transient(may_be_charged: bool) -> LlmError {
    LlmError::Transient { model: "a/m".into(), may_be_charged, source: "down".into() }
}

fn limited(seconds: u64) -> LlmError {
    LlmError::RateLimited { model: "a/m".into(), retry_after: Duration::from_secs(seconds) }
}

fn operator() -> LlmError {
    LlmError::NeedsOperator { model: "a/m".into(), setting: "ANTHROPIC_API_KEY", detail: "spent".into() }
}

fn clock() -> Arc<FixedClock> {
    Arc::new(FixedClock::parse("2026-11-22T10:00:00Z"))
}

fn books(ledger: &Arc<MemoryLedger>, caps: SpendingCaps) -> Ledger {
    Ledger { ledger: ledger.clone(), clock: clock(), ids: Arc::new(FixedIds::default()), caps }
}

fn budgeted(inner: Arc<dyn StreamCompletion>, caps: SpendingCaps) -> (Budgeted, Arc<MemoryLedger>) {
    let ledger = Arc::new(MemoryLedger::default());
    (Budgeted::new(Arc::new(Metered::new(inner)), books(&ledger, caps)), ledger)
}

fn of_version(number: u128) -> ModelRequest {
    let version = VersionId::from_uuid(uuid_of(number));
    ModelRequest { account: CallAccount { version: Some(version), ..CallAccount::of(UserId::LOCAL) }, ..asking("Hello") }
}

fn uuid_of(number: u128) -> uuid::Uuid {
    uuid::Uuid::from_u128(number)
}

#[tokio::test]
async fn a_call_is_reserved_at_its_ceiling_and_settled_at_its_cost() {
    let (model, ledger) = budgeted(Scripted::of("a/m", vec![]), SpendingCaps::default());
    let response = model.complete(&asking("Hello")).await.unwrap();
    assert_eq!(response.usage.cost_micro_usd, 100 + 50);
    let rows = ledger.rows();
    assert_eq!((rows[0].state, rows[0].usage, rows[0].model.as_str()), (CallState::Answered, response.usage, "a/m"));
    // What the model may think beyond the answer is part of the ceiling.
    let traits = ModelTraits { price: PRICE, ..ModelTraits::default() };
    assert_eq!(rows[0].ceiling, traits.ceiling(&ModelRequest { max_output_tokens: 1_500, ..asking("Hello") }));
    assert!(rows[0].request.is_none());
}

#[tokio::test]
async fn refused_lost_and_dropped_calls_are_told_apart() {
    let script = vec![Line::Fails(transient(false)), Line::Fails(operator()), Line::Fails(transient(true)), Line::Hangs];
    let (model, ledger) = budgeted(Scripted::of("a/m", script), SpendingCaps::default());
    for _ in 0..3 {
        model.complete(&asking("Hello")).await.unwrap_err();
    }
    let request = asking("Hello");
    let mut hanging = model.complete(&request);
    assert!(futures::poll!(&mut hanging).is_pending());
    drop(hanging);
    let states: Vec<CallState> = ledger.rows().iter().map(|it| it.state).collect();
    assert_eq!(states, [CallState::Refused, CallState::Refused, CallState::Lost, CallState::Reserved]);
    assert_eq!(ledger.spent(), 2 * ledger.rows()[0].ceiling);
}

#[tokio::test]
async fn streams_are_settled_when_they_end_and_count_when_they_do_not() {
    let script = vec![
        Line::Breaks(None),
        Line::Breaks(Some(transient(true))),
        Line::Breaks(Some(operator())),
        Line::Fails(transient(false)),
        Line::Hangs,
    ];
    let (model, ledger) = budgeted(Scripted::of("a/m", script), SpendingCaps::default());
    for events in [1, 2, 2] {
        assert_eq!(model.stream(&asking("Hello")).await.unwrap().collect::<Vec<_>>().await.len(), events);
    }
    assert!(model.stream(&asking("Hello")).await.is_err());
    let mut dropped = model.stream(&asking("Hello")).await.unwrap();
    assert!(dropped.next().await.unwrap().is_ok());
    drop(dropped);
    let events: Vec<ModelEvent> = model.stream(&asking("Hello")).await.unwrap().map(Result::unwrap).collect().await;
    assert!(matches!(&events[2], ModelEvent::Done(it) if it.usage.cost_micro_usd == 150));
    let states: Vec<CallState> = ledger.rows().iter().map(|it| it.state).collect();
    let expected =
        [CallState::Lost, CallState::Lost, CallState::Refused, CallState::Refused, CallState::Reserved, CallState::Answered];
    assert_eq!(states, expected);
}

#[tokio::test]
async fn a_version_is_answered_once_and_another_asks_anew() {
    let scripted = Scripted::of("a/m", vec![]);
    let (model, ledger) = budgeted(scripted.clone(), SpendingCaps::default());
    let first = model.complete(&of_version(1)).await.unwrap();
    assert_eq!(model.complete(&of_version(1)).await.unwrap(), first);
    let told: Vec<ModelEvent> = model.stream(&of_version(1)).await.unwrap().map(Result::unwrap).collect().await;
    assert_eq!(told, [ModelEvent::Text("fine".into()), ModelEvent::Done(first)]);
    assert_eq!((scripted.calls(), ledger.rows().len()), (1, 1));
    assert!(ledger.rows()[0].request.is_some());
    model.complete(&of_version(2)).await.unwrap();
    model.complete(&ModelRequest { max_output_tokens: 7, ..of_version(1) }).await.unwrap();
    model.complete(&asking("Hello")).await.unwrap();
    model.complete(&asking("Hello")).await.unwrap();
    assert_eq!(scripted.calls(), 5);
}

#[tokio::test]
async fn a_cap_is_named_by_its_setting_and_nothing_is_sent() {
    let cap = |run, user_day, installation_day| SpendingCaps { run, user_day, installation_day };
    let cases = [
        (cap(Some(10), None, None), "YARNNN_CAP_RUN_USD"),
        (cap(None, Some(10), None), "YARNNN_CAP_USER_DAY_USD"),
        (cap(None, None, Some(10)), "YARNNN_CAP_INSTALLATION_DAY_USD"),
    ];
    for (caps, setting) in cases {
        let scripted = Scripted::of("a/m", vec![]);
        let (model, ledger) = budgeted(scripted.clone(), caps);
        let error = model.complete(&of_version(1)).await.unwrap_err();
        assert!(matches!(error, LlmError::OverCap { cap, limit: 10, .. } if cap == setting), "{error}");
        assert_eq!((scripted.calls(), ledger.rows().len()), (0, 0));
    }
}

/// A hundred calls at once, of which some fail in every way, against a cap for a few of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn calls_that_are_made_at_once_never_exceed_a_cap() {
    let ceiling = Scripted::default().traits().ceiling(&asking("Hello"));
    let limit = ceiling * 7 + 3;
    let script = (0..30).map(|it| match it % 3 {
        0 => Line::Fails(transient(true)),
        1 => Line::Fails(transient(false)),
        _ => Line::Fails(limited(7)),
    });
    let scripted = Scripted::of("a/m", script.collect());
    let caps = SpendingCaps { user_day: Some(limit), ..SpendingCaps::default() };
    let (model, ledger) = budgeted(scripted.clone(), caps);
    let calls = (0..100).map(|_| {
        let model = model.clone();
        tokio::spawn(async move { model.complete(&asking("Hello")).await })
    });
    let outcomes = futures::future::join_all(calls).await;
    let over = outcomes.iter().filter(|it| matches!(it, Ok(Err(LlmError::OverCap { .. })))).count();
    assert!(ledger.spent() <= limit, "{} > {limit}", ledger.spent());
    assert_eq!(ledger.rows().len() + over, 100);
    assert!(scripted.calls() > 7 && over > 0, "{} {over}", scripted.calls());
}

#[derive(Debug)]
struct Half;

impl Chance for Half {
    fn up_to(&self, longest: Duration) -> Duration {
        longest / 2
    }
}

fn retrying(script: Vec<Line>) -> (Retrying, Arc<Scripted>) {
    let scripted = Scripted::of("a/m", script);
    (Retrying::new(scripted.clone(), Arc::new(Half)), scripted)
}

#[tokio::test(start_paused = true)]
async fn what_passes_is_tried_three_times_and_waited_for() {
    let fails = |errors: Vec<LlmError>| errors.into_iter().map(Line::Fails).collect::<Vec<_>>();
    let cases = [
        (vec![], 1, 0, true),
        (vec![transient(false), transient(true)], 3, 1 + 2, true),
        (vec![limited(60), transient(false)], 3, 60 + 2, true),
        (vec![transient(false), transient(false), transient(false)], 3, 1 + 2, false),
        (vec![limited(61)], 1, 0, false),
        (vec![operator()], 1, 0, false),
        (vec![LlmError::ContextTooLong { model: "a/m".into() }], 1, 0, false),
        (vec![LlmError::Permanent { model: "a/m".into(), detail: "no".into() }], 1, 0, false),
        (vec![LlmError::OverCap { cap: "c", limit: 0, spent: 0, ceiling: 1 }], 1, 0, false),
    ];
    for (number, (errors, calls, seconds, succeeds)) in cases.into_iter().enumerate() {
        let again = fails(errors.iter().map(copy).collect());
        let (model, scripted) = retrying(fails(errors));
        let begun = tokio::time::Instant::now();
        assert_eq!(model.complete(&asking("Hello")).await.is_ok(), succeeds, "{number}");
        assert_eq!((scripted.calls(), begun.elapsed().as_secs()), (calls, seconds), "{number}");
        let (model, scripted) = retrying(again);
        assert_eq!(model.stream(&asking("Hello")).await.is_ok(), succeeds, "{number}");
        assert_eq!(scripted.calls(), calls, "{number}");
    }
}

fn copy(error: &LlmError) -> LlmError {
    match error {
        LlmError::Transient { may_be_charged, .. } => transient(*may_be_charged),
        LlmError::RateLimited { retry_after, .. } => limited(retry_after.as_secs()),
        LlmError::OverCap { .. } => LlmError::OverCap { cap: "c", limit: 0, spent: 0, ceiling: 1 },
        LlmError::ContextTooLong { model } => LlmError::ContextTooLong { model: model.clone() },
        LlmError::Permanent { model, detail } => LlmError::Permanent { model: model.clone(), detail: detail.clone() },
        _ => operator(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_down_is_not_asked_threefold_for_ever() {
    let (model, scripted) = retrying((0..400).map(|_| Line::Fails(transient(false))).collect());
    for _ in 0..100 {
        model.complete(&asking("Hello")).await.unwrap_err();
    }
    assert_eq!(scripted.calls(), 100 + 20);
}

#[tokio::test]
async fn every_try_has_a_row_of_its_own() {
    tokio::time::pause();
    let (model, ledger) = budgeted(Scripted::of("a/m", vec![Line::Fails(transient(true))]), SpendingCaps::default());
    let model = Retrying::new(Arc::new(model), Arc::new(RandomChance));
    model.complete(&of_version(1)).await.unwrap();
    let states: Vec<CallState> = ledger.rows().iter().map(|it| it.state).collect();
    assert_eq!(states, [CallState::Lost, CallState::Answered]);
}

#[tokio::test]
async fn the_breaker_opens_after_five_failures_and_lets_one_through_after_half_a_minute() {
    let clock = clock();
    let failures = [(); 6].map(|()| Line::Fails(transient(false)));
    let scripted = Scripted::of("a/m", failures.into());
    let model = Breaker::new(scripted.clone(), clock.clone());
    let ask = || async { model.complete(&asking("Hello")).await.is_ok() };
    for _ in 0..7 {
        assert!(!ask().await);
    }
    assert_eq!(scripted.calls(), 5);
    clock.advance(TimeDelta::seconds(29));
    assert!(!ask().await && scripted.calls() == 5);
    clock.advance(TimeDelta::seconds(1));
    assert!(!ask().await && scripted.calls() == 6);
    assert!(!ask().await && scripted.calls() == 6);
    clock.advance(TimeDelta::seconds(30));
    assert!(ask().await && ask().await);
    assert_eq!(scripted.calls(), 8);
}

#[tokio::test]
async fn only_what_passes_and_in_a_row_opens_the_breaker() {
    let mut script: Vec<Line> = (0..4).map(|_| Line::Breaks(Some(transient(true)))).collect();
    script.push(Line::Fails(operator()));
    script.extend((0..4).map(|_| Line::Breaks(None)));
    let scripted = Scripted::of("a/m", script);
    let model = Breaker::new(scripted.clone(), clock());
    for _ in 0..11 {
        if let Ok(events) = model.stream(&asking("Hello")).await {
            events.collect::<Vec<_>>().await;
        }
    }
    assert_eq!(scripted.calls(), 11);
}

#[tokio::test]
async fn a_stream_that_breaks_counts_for_the_breaker() {
    let scripted = Scripted::of("a/m", (0..9).map(|_| Line::Breaks(Some(transient(true)))).collect());
    let model = Breaker::new(scripted.clone(), clock());
    for _ in 0..9 {
        if let Ok(events) = model.stream(&asking("Hello")).await {
            events.collect::<Vec<_>>().await;
        }
    }
    assert_eq!(scripted.calls(), 5);
}

#[tokio::test(start_paused = true)]
async fn the_other_model_answers_while_the_first_is_down_and_the_ledger_says_so() {
    let ledger = Arc::new(MemoryLedger::default());
    let ids = Arc::new(FixedIds::default());
    let books = Ledger { ids, ..books(&ledger, SpendingCaps::default()) };
    let chain = |scripted: Arc<Scripted>| -> Arc<dyn StreamCompletion> {
        let budgeted = Budgeted::new(Arc::new(Metered::new(scripted)), books.clone());
        let retrying = Retrying::new(Arc::new(budgeted), Arc::new(Half));
        Arc::new(Breaker::new(Arc::new(retrying), clock()))
    };
    let first = Scripted::of("a/first", (0..15).map(|_| Line::Fails(transient(false))).collect());
    let second = Scripted::of("b/second", vec![]);
    let model = Fallback::new(chain(first.clone()), chain(second.clone()));
    for number in 0..6 {
        assert_eq!(model.complete(&of_version(number)).await.unwrap().content, [Content::Text("fine".into())]);
    }
    assert_eq!(model.stream(&of_version(9)).await.unwrap().count().await, 3);
    // Three tries in each of five calls; then it is left alone.
    assert_eq!((first.calls(), second.calls()), (15, 7));
    let answered: Vec<_> = ledger.rows().into_iter().filter(|it| it.state == CallState::Answered).map(|it| it.model).collect();
    assert_eq!(answered, ["b/second"; 7]);
    assert_eq!(model.name(), "a/first");

    let spent = Scripted::of("a/first", vec![Line::Fails(operator())]);
    let model = Fallback::new(chain(spent), chain(second.clone()));
    assert!(matches!(model.complete(&asking("Hello")).await, Err(LlmError::NeedsOperator { .. })));
    assert_eq!(second.calls(), 7);
}
