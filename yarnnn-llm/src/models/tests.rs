//! Opening models from settings, and asking them over a loopback address.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use yarnnn_core::clock::SystemClock;
use yarnnn_core::id::RandomIds;
use yarnnn_core::llm::{CallState, LlmError, SpendingCaps};

use super::*;
use crate::testing::{Loopback, MemoryLedger, Reply, asking};
use crate::{Catalogue, Chance};

#[derive(Debug)]
struct AtOnce;

impl Chance for AtOnce {
    fn up_to(&self, _: Duration) -> Duration {
        Duration::ZERO
    }
}

fn models(config: ModelsConfig) -> (Models, Arc<MemoryLedger>) {
    let ledger = Arc::new(MemoryLedger::default());
    let mut models = Models::new(config, ledger.clone(), Arc::new(SystemClock), Arc::new(RandomIds)).unwrap();
    models.chance = Arc::new(AtOnce);
    (models, ledger)
}

fn keyed() -> ModelsConfig {
    ModelsConfig { anthropic_key: Some("sk-ant-1".into()), openai_key: Some("sk-2".into()), ..ModelsConfig::default() }
}

fn claude(text: &str) -> Reply {
    let usage = json!({ "input_tokens": 100, "output_tokens": 10 });
    let start = json!({ "type": "message_start", "message": { "usage": usage } });
    let block = json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": text } });
    let end = json!({ "type": "message_delta", "delta": { "stop_reason": "end_turn" } });
    Reply::values(&[start, block, end, json!({ "type": "message_stop" })])
}

fn overloaded() -> Reply {
    Reply::of(529, "application/json", json!({ "error": { "type": "overloaded_error" } }).to_string())
}

#[test]
fn the_default_goes_by_the_keys_that_are_set() {
    let both = keyed();
    assert_eq!(both.default_for(ModelTask::Writer), "anthropic/claude-sonnet-5-5");
    assert_eq!(both.default_for(ModelTask::Fast), "anthropic/claude-haiku-5-5");
    let openai = ModelsConfig { anthropic_key: Some("  ".into()), ..keyed() };
    assert_eq!(openai.default_for(ModelTask::Writer), "openai/gpt-6.1-terra");
    assert_eq!(openai.default_for(ModelTask::Fast), "openai/gpt-6-luna");
    assert_eq!(ModelsConfig::default().default_for(ModelTask::Writer), "extractive");
    for task in [ModelTask::Writer, ModelTask::Fast] {
        for config in [keyed(), ModelsConfig { anthropic_key: None, ..keyed() }, ModelsConfig::default()] {
            let name = config.default_for(task);
            assert!(models(config).0.open(name).is_ok(), "{name}");
        }
    }
}

#[test]
fn what_is_missing_is_named() {
    let problem = |config, name: &str| models(config).0.open(name).unwrap_err().to_string();
    insta::assert_snapshot!(
        problem(ModelsConfig::default(), "claude-sonnet-5-5"),
        @"ANTHROPIC_API_KEY is not set, and the model anthropic/claude-sonnet-5-5 needs it"
    );
    assert!(problem(ModelsConfig::default(), "gpt-6-luna").starts_with("OPENAI_API_KEY is not set"));
    assert!(problem(keyed(), "gpt-99").contains("is no known model"));
    let clear = ModelsConfig { openai_base: Some("http://llm.example".parse().unwrap()), ..keyed() };
    assert!(problem(clear, "gpt-6-luna").starts_with("OPENAI_BASE_URL: it would send keys"));
    let capped = ModelsConfig { caps: SpendingCaps { run: Some(1), ..SpendingCaps::default() }, ..keyed() };
    insta::assert_snapshot!(
        problem(capped.clone(), "openai/house"),
        @"a cap on spending is set and the prices of openai/house are not known: give them in the file of YARNNN_MODELS_FILE, or `price = {}` there for a model that costs nothing"
    );
    assert!(models(keyed()).0.open("openai/house").is_ok());
    let text = "[[model]]\nid = \"house\"\nprovider = \"openai\"\nprice = {}\n";
    let given = ModelsConfig { catalogue: Catalogue::built_in().with_text(text).unwrap(), ..capped };
    assert!(models(given).0.open("openai/house").is_ok());
}

#[test]
fn keys_are_not_shown() {
    let shown = format!("{:?}", models(keyed()).0);
    assert!(!shown.contains("sk-"), "{shown}");
    let model = models(keyed()).0.open("claude-sonnet-5-5").unwrap();
    assert!(!format!("{model:?}").contains("sk-"));
}

#[tokio::test]
async fn a_retired_name_asks_its_successor_and_a_second_try_has_its_own_row() {
    let server = Loopback::answering(vec![overloaded(), claude("Good morning")]).await;
    let config = ModelsConfig { anthropic_base: Some(server.base.clone()), ..keyed() };
    let (models, ledger) = models(config);
    let name = "claude-sonnet-4-20250514";
    assert!(models.choose(name).unwrap().unwrap().note.unwrap().contains("2026-06-15"));
    let model = models.open(name).unwrap();
    let response = model.complete(&asking("Hello")).await.unwrap();
    assert_eq!((model.name().as_str(), response.text().as_str()), ("anthropic/claude-sonnet-5-5", "Good morning"));
    assert_eq!(server.asked()[1].body["model"], "claude-sonnet-5-5");
    let rows = ledger.rows();
    assert_eq!(rows.iter().map(|it| it.state).collect::<Vec<_>>(), [CallState::Refused, CallState::Answered]);
    assert_eq!((rows[1].usage, ledger.spent()), (response.usage, 100 * 2 + 10 * 10));
}

#[tokio::test]
async fn the_fallback_writes_while_the_first_is_down() {
    let down = Loopback::answering(vec![overloaded(), overloaded(), overloaded()]).await;
    let answer: Value = json!({
        "status": "completed",
        "output": [{ "type": "message", "content": [{ "type": "output_text", "text": "Good morning" }] }],
        "usage": { "input_tokens": 100, "output_tokens": 10 },
    });
    let up = Loopback::answering(vec![Reply::json(&answer)]).await;
    let config = ModelsConfig { anthropic_base: Some(down.base.clone()), openai_base: Some(up.base.clone()), ..keyed() };
    let (models, ledger) = models(config);
    let model = models.open_with_fallback("claude-haiku-5-5", "gpt-6-luna").unwrap();
    assert_eq!(model.complete(&asking("Hello")).await.unwrap().text(), "Good morning");
    let rows: Vec<_> = ledger.rows().into_iter().map(|it| (it.model, it.state)).collect();
    let refused = ("anthropic/claude-haiku-5-5".to_owned(), CallState::Refused);
    assert_eq!(rows, [refused.clone(), refused.clone(), refused, ("openai/gpt-6-luna".to_owned(), CallState::Answered)]);
}

#[tokio::test]
async fn a_cap_stands_before_the_wire() {
    let server = Loopback::answering(vec![]).await;
    let caps = SpendingCaps { run: None, user_day: Some(100), installation_day: None };
    let config = ModelsConfig { anthropic_base: Some(server.base.clone()), caps, ..keyed() };
    let (models, ledger) = models(config);
    let error = models.open("claude-sonnet-5-5").unwrap().complete(&asking("Hello")).await.unwrap_err();
    assert!(matches!(error, LlmError::OverCap { cap: "YARNNN_CAP_USER_DAY_USD", limit: 100, .. }), "{error}");
    assert!(ledger.rows().is_empty() && server.asked().is_empty());
}
