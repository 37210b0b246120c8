//! What models cost: no cap is exceeded, every token that the provider counted stands in the ledger, and a plan says beforehand
//! what a run may cost.

use futures::StreamExt as _;
use futures::future::join_all;
use yarnnn::Error;
use yarnnn::deliverables::{CreateDeliverable, Deliverable, Kind, RunOutcome, RunRequest, RunStatus};
use yarnnn::llm::{
    Boundary, CallAccount, CallState, Content, LlmError, Message, ModelEvent, ModelPrice, ModelRequest, Role, SpendingCaps, Usage,
};
use yarnnn::models::{Api, Catalogue};
use yarnnn_sim::models::{Models, Scripted, TokenUse, Turn};
use yarnnn_sim::{Fault, SimWriter};

use crate::office::{CALLS, Office, WRITER, Wants};
use crate::place::Backend;

const SAID: [(&str, &str); 3] = [
    ("a", "We moved the launch to Thursday because the importer is too slow for large shops."),
    ("b", "The billing page is approved by legal and goes live on Monday morning."),
    ("c", "All tests of the importer are green on every branch since yesterday evening."),
];

fn price(model: &str) -> ModelPrice {
    Catalogue::built_in().choose(model).unwrap().model.price.unwrap()
}

/// What the provider says that a call used, at the prices of the table.
fn counted(used: TokenUse, price: &ModelPrice) -> Usage {
    let usage = Usage {
        calls: 1,
        input_tokens: used.input,
        output_tokens: used.output,
        cache_read_tokens: used.cache_read,
        cache_write_tokens: used.cache_write,
        searches: used.searches.try_into().unwrap(),
        cost_micro_usd: 0,
    };
    Usage { cost_micro_usd: price.cost(&usage), ..usage }
}

/// What the provider charged for everything it carried out, whether or not its answer came through.
fn charged(models: &Models, model: &str) -> Usage {
    let mut sum = Usage::default();
    models.calls().iter().for_each(|it| sum += counted(it.usage, &price(model)));
    sum
}

/// What counts as spent in the ledger.
async fn spent(office: &Office) -> u64 {
    office.ledger().await.iter().map(|it| it.usage.cost_micro_usd).sum()
}

/// What the dearest call of a run may cost: what is reserved for it.
async fn ceiling(backend: Backend) -> u64 {
    let office = with_channel(backend, &Wants::default()).await;
    office.run(&office.status_report().await).await.unwrap();
    let ceiling = office.ledger().await.iter().map(|it| it.ceiling).max().unwrap();
    office.close().await;
    ceiling
}

async fn with_channel(backend: Backend, wants: &Wants) -> Office {
    let office = Office::of(backend, wants).await;
    office.channel(&SAID, &[]).await;
    office
}

/// The setting that a run was refused by.
fn over_cap(ran: &Result<RunOutcome, Error>) -> Option<&'static str> {
    match ran {
        Err(Error::Model(LlmError::OverCap { cap, limit, spent, ceiling })) => {
            assert!(spent <= limit && spent + ceiling > *limit, "{cap}: {spent} and {ceiling} of {limit}");
            Some(cap)
        }
        Ok(outcome) => {
            assert_eq!(outcome.status, RunStatus::Delivered, "{:?}", outcome.error);
            None
        }
        Err(other) => panic!("{other}"),
    }
}

async fn many_at_once(backend: Backend, setting: &'static str, caps: fn(u64) -> SpendingCaps) {
    // Little more than one call may cost: reservations of calls at once collide, and what calls really cost uses it up.
    let ceiling = ceiling(backend).await;
    let cap = ceiling + ceiling / 8;
    let mut office = with_channel(backend, &Wants::caps(caps(cap))).await;
    let mut reports = vec![];
    for number in 0..24 {
        reports.push(office.create(CreateDeliverable::new("status_report", format!("Weekly {number}"))).await);
    }
    let ran = join_all(reports.iter().map(|it| office.run(it))).await;
    let refused: Vec<&Deliverable> =
        reports.iter().zip(&ran).filter(|(_, it)| over_cap(it) == Some(setting)).map(|(it, _)| it).collect();
    assert!(ran.iter().all(|it| over_cap(it).is_none_or(|it| it == setting)), "{ran:?}");
    let paid = charged(office.sim.models(), WRITER);
    assert!(!refused.is_empty() && paid.calls > 0, "{} of {} were refused", refused.len(), reports.len());
    assert!(paid.cost_micro_usd <= cap, "{paid:?} of {cap}");
    assert_eq!(spent(&office).await, paid.cost_micro_usd, "every row is settled");
    let message = ran.iter().find_map(|it| it.as_ref().err()).unwrap().to_string();
    assert!(message.contains(setting) && message.contains('$'), "{message}");

    // What is left is used until a call no longer fits, and no further.
    let mut was_refused = false;
    for report in refused.iter().cycle().take(200) {
        was_refused = over_cap(&office.run_as(&RunRequest { force: true, ..office.request(report) }).await).is_some();
        assert!(charged(office.sim.models(), WRITER).cost_micro_usd <= cap);
        if was_refused {
            break;
        }
    }
    assert!(was_refused, "{} of {cap}", spent(&office).await);

    // With another cap every refused run goes on, and what it paid for stays paid.
    let before = office.asked();
    office = office.opened(&Wants::default()).await;
    for report in &refused {
        let outcome = office.run(report).await.unwrap();
        assert!(matches!(outcome.status, RunStatus::Delivered | RunStatus::NoNews), "{:?}", outcome.error);
    }
    assert!(office.asked() > before);
    assert_eq!(spent(&office).await, charged(office.sim.models(), WRITER).cost_micro_usd);
    office.close().await;
}

#[tokio::test]
async fn a_cap_of_the_users_day_is_never_exceeded() {
    for backend in Backend::BOTH {
        let caps = |cap| SpendingCaps { user_day: Some(cap), ..SpendingCaps::default() };
        many_at_once(backend, "YARNNN_CAP_USER_DAY_USD", caps).await;
    }
}

#[tokio::test]
async fn a_cap_of_the_installations_day_is_never_exceeded() {
    for backend in Backend::BOTH {
        let caps = |cap| SpendingCaps { installation_day: Some(cap), ..SpendingCaps::default() };
        many_at_once(backend, "YARNNN_CAP_INSTALLATION_DAY_USD", caps).await;
    }
}

#[tokio::test]
async fn a_days_cap_is_there_again_on_the_next_day() {
    let ceiling = ceiling(Backend::Sqlite).await;
    let caps = SpendingCaps { user_day: Some(ceiling), installation_day: Some(ceiling), ..SpendingCaps::default() };
    let office = with_channel(Backend::Sqlite, &Wants::caps(caps)).await;
    let report = office.status_report().await;
    assert_eq!(over_cap(&office.run(&report).await), Some("YARNNN_CAP_USER_DAY_USD"), "its second call does not fit");
    let asked = office.asked();
    assert_eq!(over_cap(&office.run(&report).await), Some("YARNNN_CAP_USER_DAY_USD"));
    assert_eq!(office.asked(), asked, "the first call is not paid twice, and the second is not made");
    office.clock.advance(chrono::TimeDelta::days(1));
    let outcome = office.run(&report).await.unwrap();
    assert!(outcome.status == RunStatus::Delivered && outcome.resumed);
    assert_eq!((office.asked(), outcome.usage().calls), (asked + 1, 2));
}

/// A run that its own cap has ended: its cap stays what it is, so it does not wait.
fn ended_by_its_cap(outcome: &RunOutcome) {
    let error = outcome.error.as_deref().unwrap_or_default();
    assert!(outcome.status == RunStatus::Failed && error.contains("YARNNN_CAP_RUN_USD"), "{:?}: {error}", outcome.status);
    assert!(outcome.messages.is_empty() && !outcome.version.as_ref().unwrap().is_resumable());
}

#[tokio::test]
async fn a_cap_of_a_run_is_never_exceeded() {
    for backend in Backend::BOTH {
        let ceiling = ceiling(backend).await;
        let run = |cap| Wants::caps(SpendingCaps { run: Some(cap), ..SpendingCaps::default() });
        let mut office = with_channel(backend, &run(10)).await;
        let report = office.status_report().await;
        for (cap, calls) in [(10, 0), (ceiling - 1, 1), (ceiling, 2)] {
            office = office.opened(&run(cap)).await;
            let outcome = office.run(&report).await.unwrap();
            ended_by_its_cap(&outcome);
            assert_eq!(office.sim.models().calls().len(), calls, "{cap}");
            let version = outcome.version.unwrap().id;
            let rows = office.ledger().await.into_iter().filter(|it| it.account.version == Some(version));
            assert!(rows.map(|it| it.usage.cost_micro_usd).sum::<u64>() <= cap, "{cap}");
        }
        office = office.opened(&run(2 * ceiling)).await;
        assert_eq!(office.run(&report).await.unwrap().status, RunStatus::Delivered);
        assert_eq!((office.asked(), office.delivered().len()), (4, 3));
        office.close().await;
    }
}

/// A run whose process goes away while the provider has the request.
async fn dies(office: &Office, report: &Deliverable, fault: Fault) {
    office.sim.journal().clear();
    office.sim.faults().once(CALLS, fault);
    tokio::select! {
        () = office.sim.journal().reached(1) => {}
        ran = office.run(report) => panic!("it ended: {ran:?}"),
    }
}

#[tokio::test]
async fn what_a_dead_process_had_reserved_counts_as_spent() {
    for backend in Backend::BOTH {
        let ceiling = ceiling(backend).await;
        let caps = SpendingCaps { installation_day: Some(2 * ceiling + ceiling / 2), ..SpendingCaps::default() };
        let office = with_channel(backend, &Wants::caps(caps)).await;
        let report = office.status_report().await;
        for fault in [Fault::Hang, Fault::AnswerWithheld] {
            dies(&office, &report, fault).await;
            // Its hold ends by itself.
            office.clock.advance(chrono::TimeDelta::minutes(11));
        }
        let rows = office.ledger().await;
        assert!(
            rows.len() == 2 && rows.iter().all(|it| it.state == CallState::Reserved && it.usage.cost_micro_usd == it.ceiling)
        );
        assert_eq!(over_cap(&office.run(&report).await), Some("YARNNN_CAP_INSTALLATION_DAY_USD"), "two may have been charged");
        assert!(charged(office.sim.models(), WRITER).cost_micro_usd <= spent(&office).await);
        let office = office.opened(&Wants::caps(SpendingCaps { installation_day: Some(4 * ceiling), ..caps })).await;
        let outcome = office.run(&report).await.unwrap();
        assert!(outcome.status == RunStatus::Delivered && outcome.resumed);
        assert!(
            charged(office.sim.models(), WRITER).cost_micro_usd <= spent(&office).await && spent(&office).await <= 4 * ceiling
        );
        office.close().await;
    }
}

#[tokio::test]
async fn what_was_lost_on_its_way_counts_as_spent() {
    let ceiling = ceiling(Backend::Sqlite).await;
    let caps = SpendingCaps { run: Some(ceiling + ceiling / 2), ..SpendingCaps::default() };
    let office = with_channel(Backend::Sqlite, &Wants::caps(caps)).await;
    let report = office.status_report().await;
    office.sim.faults().once(CALLS, Fault::AnswerLost);
    // A second try could exceed it.
    ended_by_its_cap(&office.run(&report).await.unwrap());
    assert_eq!(office.asked(), 1);
    let rows = office.ledger().await;
    assert_eq!(
        rows.iter().map(|it| (it.state, it.usage.cost_micro_usd)).collect::<Vec<_>>(),
        [(CallState::Lost, rows[0].ceiling)]
    );
    assert!(charged(office.sim.models(), WRITER).cost_micro_usd <= rows[0].ceiling);

    let office = office.opened(&Wants::default()).await;
    assert_eq!(office.run(&report).await.unwrap().status, RunStatus::Delivered);
    let (paid, answered) = (charged(office.sim.models(), WRITER), office.ledger().await);
    let answered = answered.iter().filter(|it| it.state == CallState::Answered).map(|it| it.usage.cost_micro_usd).sum::<u64>();
    assert!(answered < paid.cost_micro_usd && paid.cost_micro_usd <= spent(&office).await);
}

/// A table in which one of the models speaks the older language of `OpenAI`.
fn chat() -> Catalogue {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("models.toml");
    let entry = "[[model]]\nid = \"gpt-5.6-luna\"\nprovider = \"openai\"\napi = \"chat\"\ncontext = 400_000\noutput = 128_000\n\
        price = { input = 200_000, output = 1_200_000, cache_read = 20_000, cache_write = 250_000, search = 10_000 }\n";
    std::fs::write(&path, entry).unwrap();
    let catalogue = Catalogue::with_file(&path).unwrap();
    assert_eq!(catalogue.choose("openai/gpt-5.6-luna").unwrap().model.api, Api::Chat);
    catalogue
}

fn question(office: &Office, text: &str) -> ModelRequest {
    ModelRequest {
        purpose: "tests.ask".to_owned(),
        account: CallAccount::of(office.user.id),
        boundary: Boundary::of("tests"),
        system: "Answer in one short line.".to_owned(),
        messages: vec![Message { role: Role::User, content: vec![Content::Text(text.to_owned())] }],
        tools: vec![],
        answers_now: false,
        server_tools: vec![],
        schema: None,
        max_output_tokens: 200,
    }
}

/// The ledger has what the provider counted, kind by kind, and nothing else.
async fn agrees(office: &Office, model: &str, what: &str) -> Usage {
    let rows = office.ledger().await;
    assert!(rows.iter().all(|it| it.state == CallState::Answered), "{model}: {what}");
    let mut ledger = Usage::default();
    for it in &rows {
        ledger += it.usage;
    }
    let provider = charged(office.sim.models(), model);
    assert_eq!(ledger, provider, "{model}: {what}");
    assert!(rows.iter().all(|it| it.usage.cost_micro_usd <= it.ceiling), "{model}: {what}: a call cost more than was reserved");
    ledger
}

/// Answers for a program where a report was asked for, and as it should when it is told.
fn no_report_at_first() -> Scripted {
    Scripted::new([Turn::text("{\"report\": [\"We moved the launch.\"]}")])
}

async fn every_way_of_calling(wants: Wants) {
    let model = wants.model;
    let office = with_channel(Backend::Sqlite, &wants).await;
    let report = office.status_report().await;
    let forced = RunRequest { force: true, ..office.request(&report) };

    assert_eq!(office.run(&report).await.unwrap().usage().calls, 2, "{model}");
    let tools = office.sim.models().calls().iter().filter(|it| it.prompt.has_results()).count();
    assert_eq!(tools, 1, "{model}: a tool was asked for");
    let cached = agrees(&office, model, "tools").await.cache_read_tokens;
    office.run_as(&forced).await.unwrap();
    assert!(agrees(&office, model, "cached prompts").await.cache_read_tokens > cached, "{model}: nothing came from the cache");

    office.sim.models().set_writer(no_report_at_first());
    let repaired = office.run_as(&forced).await.unwrap();
    assert!(repaired.version.unwrap().state.ran.unwrap().repaired, "{model}");
    agrees(&office, model, "a repair").await;

    office.sim.models().set_writer(Scripted::new([Turn::refusal()]));
    assert_eq!(office.run_as(&forced).await.unwrap().status, RunStatus::Failed, "{model}");
    agrees(&office, model, "a refusal").await;

    let endless =
        format!("## Summary\n\n{}", "- We moved the launch to Thursday because the importer is too slow. [s1]\n".repeat(900));
    office.sim.models().set_writer(Scripted::new([Turn::text(endless)]));
    let cut = office.run_as(&forced).await.unwrap().version.unwrap().state.ran.unwrap();
    assert_eq!(cut.stop, Some(yarnnn::llm::StopReason::OutputLimit), "{model}");
    agrees(&office, model, "a truncation").await;

    office.sim.models().set_writer(SimWriter::Faithful);
    let mut events = office.streaming(&wants).stream(&question(&office, "What is the launch waiting for?")).await.unwrap();
    let mut done = None;
    while let Some(event) = events.next().await {
        if let ModelEvent::Done(response) = event.unwrap() {
            done = Some(response);
        }
    }
    let streamed = office.sim.models().calls().pop().unwrap();
    assert!(streamed.streamed && counted(streamed.usage, &price(model)) == done.unwrap().usage, "{model}");
    agrees(&office, model, "a stream").await;

    if wants.web {
        let create = CreateDeliverable {
            description: Some("Berths of the harbor".into()),
            ..CreateDeliverable::new("research_brief", "Harbor")
        };
        let brief = office.create(create).await;
        assert_eq!(office.run(&brief).await.unwrap().status, RunStatus::Delivered);
        assert!(agrees(&office, model, "a search").await.searches > 0, "{model}: nothing was searched for");
    }
}

#[tokio::test]
async fn the_ledger_has_what_anthropic_counted() {
    every_way_of_calling(Wants { web: true, ..Wants::default() }).await;
}

#[tokio::test]
async fn the_ledger_has_what_openai_counted() {
    every_way_of_calling(Wants { web: true, ..Wants::model("openai/gpt-6.1-terra") }).await;
}

#[tokio::test]
async fn the_ledger_has_what_openais_older_language_counted() {
    every_way_of_calling(Wants { catalogue: chat(), ..Wants::model("openai/gpt-5.6-luna") }).await;
}

#[tokio::test]
async fn a_plan_says_what_a_run_may_cost() {
    let (mut within, mut runs) = (0, vec![]);
    for model in [WRITER, "anthropic/claude-haiku-5-5", "openai/gpt-6.1-terra"] {
        let office = Office::of(Backend::Sqlite, &Wants::model(model)).await;
        office.import_sample().await;
        for is_repaired in [false, true] {
            for kind in Kind::ALL {
                office.sim.models().set_writer(SimWriter::Faithful);
                if is_repaired {
                    office.sim.models().set_writer(no_report_at_first());
                }
                let create = CreateDeliverable::new(kind.as_str(), format!("{kind} of Brightwater"));
                let report =
                    office.create(CreateDeliverable { description: Some("Brightwater and the printers".into()), ..create }).await;
                let (deliverables, cx) = (office.yarnnn.deliverables(), office.yarnnn.stage_cx());
                let asked = office.asked();
                let plan = deliverables.plan(&cx, &office.request(&report)).await.unwrap();
                assert_eq!(office.asked(), asked, "a plan asks nobody");
                let outcome = office.run(&report).await.unwrap();
                assert_eq!(outcome.status, RunStatus::Delivered, "{model} {kind}: {:?}", outcome.error);
                let (from, to) = plan.cost_micro_usd;
                let cost = outcome.usage().cost_micro_usd;
                assert_eq!(outcome.version.as_ref().unwrap().state.ran.as_ref().unwrap().repaired, is_repaired, "{model} {kind}");
                let (few, most) = plan.calls;
                assert!((few..=most).contains(&outcome.usage().calls), "{model} {kind}: {} calls", outcome.usage().calls);
                within += usize::from((from..=to).contains(&cost));
                runs.push(format!("{model} {kind} (repaired: {is_repaired}): {cost} of {from} to {to}"));
            }
        }
        agrees(&office, model, "all reports").await;
    }
    eprintln!("{within} of {} runs cost what their plan said", runs.len());
    assert!(runs.len() >= 24 && within == runs.len(), "{runs:#?}");
}

/// Texts of which a tokenizer makes more tokens than of English, each as long as a message may be read.
const DEAR: [&str; 4] = ["発売日は金曜日に変わりました。", "🚀👩🏽‍💻", "aGVsbG8gd29ybGQ+/x7", "<&>\"<&>\""];

async fn with_dear_text(text: &str, wants: &Wants) -> Office {
    let office = Office::of(Backend::Sqlite, wants).await;
    let message = text.repeat(2_400 / text.len());
    let ids: Vec<String> = (0..24).map(|it| format!("m{it}")).collect();
    let messages: Vec<(&str, &str)> = ids.iter().map(|it| (it.as_str(), message.as_str())).collect();
    office.channel(&messages, &[]).await;
    office
}

#[tokio::test]
async fn no_text_costs_more_than_was_planned_and_reserved() {
    for text in DEAR {
        let office = with_dear_text(text, &Wants::default()).await;
        let report = office.status_report().await;
        let plan = office.yarnnn.deliverables().plan(&office.yarnnn.stage_cx(), &office.request(&report)).await.unwrap();
        assert!(plan.items > 20 && plan.input_tokens.1 > plan.prompt.len() as u64, "{text}: {:?}", plan.input_tokens);
        let outcome = office.run(&report).await.unwrap();
        let (from, to) = plan.cost_micro_usd;
        let cost = outcome.usage().cost_micro_usd;
        assert!((from..=to).contains(&cost), "{text}: {cost} of {from} to {to}");
        let rows = office.ledger().await;
        assert!(rows[0].ceiling <= to && rows.iter().all(|it| it.usage.cost_micro_usd <= it.ceiling), "{text}: {rows:?}");
        // Even if every byte that was sent had been a token.
        let asked = office.sim.models().calls().remove(0);
        let dearest = Usage { input_tokens: plan.prompt.len() as u64, output_tokens: asked.usage.output, ..Usage::default() };
        assert!(price(WRITER).cost(&dearest) <= rows[0].ceiling, "{text}");
        office.close().await;
    }
}

#[tokio::test]
async fn a_plan_says_what_a_cap_would_do() {
    let ceiling = ceiling(Backend::Sqlite).await;
    let day = |cap| SpendingCaps { user_day: Some(cap), ..SpendingCaps::default() };
    let run = |cap| SpendingCaps { run: Some(cap), ..SpendingCaps::default() };
    for (cap, caps) in [
        ("YARNNN_CAP_RUN_USD", &run as &dyn Fn(u64) -> SpendingCaps),
        ("YARNNN_CAP_USER_DAY_USD", &day as &dyn Fn(u64) -> SpendingCaps),
    ] {
        // Nothing fits; the first call does and the second does not; everything does.
        for (limit, calls, capped_by) in [(10, 0, None), (ceiling - 1, 1, Some(cap)), (100 * ceiling, 2, None)] {
            let office = with_channel(Backend::Sqlite, &Wants::caps(caps(limit))).await;
            let report = office.status_report().await;
            let plan = office.yarnnn.deliverables().plan(&office.yarnnn.stage_cx(), &office.request(&report)).await.unwrap();
            let ran = office.run(&report).await;
            assert_eq!(office.sim.models().calls().len(), calls, "{cap} of {limit}");
            assert_eq!(plan.capped_by, capped_by, "{cap} of {limit}");
            assert_eq!(plan.calls.0 == 0, calls == 0, "{cap} of {limit}");
            assert_eq!(plan.obstacle.as_ref().is_some_and(|it| it.contains(cap)), calls == 0, "{:?}", plan.obstacle);
            assert!(plan.cost_micro_usd.1 <= limit && spent(&office).await <= plan.cost_micro_usd.1, "{cap} of {limit}");
            let is_delivered = ran.is_ok_and(|it| it.status == RunStatus::Delivered);
            assert_eq!(is_delivered, calls == 2, "{cap} of {limit}");
            // What is spent of a day counts in the next plan.
            if calls == 1 && cap.contains("DAY") {
                let again = office.yarnnn.deliverables().plan(&office.yarnnn.stage_cx(), &office.request(&report)).await.unwrap();
                assert!(again.obstacle.unwrap().contains(cap));
            }
            office.close().await;
        }
    }
}
