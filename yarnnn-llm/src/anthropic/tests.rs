//! Anthropic's recorded answers over a loopback address, what is sent, and what refusals come to.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _};
use proptest::prelude::*;
use serde_json::{Value, json};
use yarnnn_core::clock::SystemClock;
use yarnnn_core::id::RandomIds;
use yarnnn_core::llm::{
    CallState, Content, LanguageModel as _, LlmError, Message, ModelEvent, ModelPrice, ModelResponse, OpaqueBlock, Role,
    ServerTool, StopReason, StreamCompletion, Usage, WebHit,
};

use super::stream::Assembler;
use super::{AnthropicClient, request};
use crate::catalogue::{Catalogue, ModelEntry};
use crate::decorate::{Budgeted, Ledger, Metered};
use crate::http::{Feed, Transport, checked_base};
use crate::testing::{Loopback, MemoryLedger, Reply, asking, conversation};

const KEY: &str = "sk-ant-secret";

fn fixtures(of: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/anthropic").join(of)
}

fn files(of: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(fixtures(of)).unwrap().map(|it| it.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 10);
    files
}

fn sonnet() -> ModelEntry {
    Catalogue::built_in().choose("claude-sonnet-5-5").unwrap().model
}

fn client(server: &Loopback) -> AnthropicClient {
    let url = checked_base(&server.base, &["v1", "messages"]).unwrap();
    AnthropicClient::new(sonnet(), url, KEY.into(), Transport::new().unwrap())
}

fn booked(server: &Loopback) -> (Budgeted, Arc<MemoryLedger>) {
    let ledger = Arc::new(MemoryLedger::default());
    let (clock, ids) = (Arc::new(SystemClock), Arc::new(RandomIds));
    let books = Ledger { ledger: ledger.clone(), clock, ids, caps: yarnnn_core::llm::SpendingCaps::default() };
    (Budgeted::new(Arc::new(Metered::new(Arc::new(client(server)))), books), ledger)
}

/// The usage as a file says it, read by other means than the client's.
fn stated(usages: &[&Value]) -> Usage {
    let last = |path: &str| usages.iter().rev().find_map(|it| it.pointer(path)?.as_u64()).unwrap_or(0);
    let mut usage = Usage {
        calls: 1,
        input_tokens: last("/input_tokens"),
        output_tokens: last("/output_tokens"),
        cache_read_tokens: last("/cache_read_input_tokens"),
        cache_write_tokens: last("/cache_creation_input_tokens"),
        searches: u32::try_from(last("/server_tool_use/web_search_requests")).unwrap(),
        cost_micro_usd: 0,
    };
    let price: ModelPrice = sonnet().price.unwrap();
    usage.cost_micro_usd = price.cost(&usage);
    usage
}

fn stated_in_events(text: &str) -> Usage {
    let events: Vec<Value> =
        text.lines().filter_map(|it| it.strip_prefix("data:")).map(|it| serde_json::from_str(it).unwrap()).collect();
    let start = events.iter().find_map(|it| it.pointer("/message/usage"));
    let end = events.iter().filter(|it| it["type"] == "message_delta").filter_map(|it| it.get("usage"));
    stated(&start.into_iter().chain(end).collect::<Vec<_>>())
}

/// One row, answered, with what the answer used.
fn assert_booked(ledger: &MemoryLedger, usage: Usage, what: &str) {
    let rows = ledger.rows();
    assert_eq!(rows.len(), 1, "{what}");
    assert_eq!((rows[0].state, rows[0].usage), (CallState::Answered, usage), "{what}");
}

async fn streamed(text: &str, what: &str) -> ModelResponse {
    let server = Loopback::answering(vec![Reply::events(text), Reply::events(text)]).await;
    let (model, ledger) = booked(&server);
    let events: Vec<ModelEvent> = model.stream(&asking("Hello")).await.unwrap().try_collect().await.unwrap();
    let mut texts = String::new();
    for event in &events[..events.len() - 1] {
        let ModelEvent::Text(text) = event else { panic!("{what}: {event:?}") };
        texts.push_str(text);
    }
    let Some(ModelEvent::Done(response)) = events.last() else { panic!("{what}: {events:?}") };
    assert_eq!(response.text(), texts, "{what}");
    assert_booked(&ledger, stated_in_events(text), what);
    // A whole answer of a long request comes in pieces too.
    let (model, ledger) = booked(&server);
    assert_eq!(&model.complete(&asking("Hello")).await.unwrap(), response, "{what}");
    assert_booked(&ledger, stated_in_events(text), what);
    response.clone()
}

#[tokio::test]
async fn every_recorded_stream_is_read_and_booked() {
    for path in files("streaming-fixtures") {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let response = streamed(&std::fs::read_to_string(&path).unwrap(), name).await;
        insta::assert_json_snapshot!(format!("stream_{name}"), response);
    }
}

#[tokio::test]
async fn every_recorded_exchange_is_read_and_booked() {
    let mut read = 0;
    let recorded = files("recorded-snapshots");
    for path in recorded.iter().chain([&fixtures("nock-ToolRunner.json")]) {
        let exchanges: Vec<Value> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        for (number, exchange) in exchanges.iter().enumerate() {
            let what = format!("{} {number}", path.display());
            let answer = exchange.pointer("/response/body").unwrap_or(&exchange["response"]);
            match answer.as_str() {
                Some(text) => drop(streamed(text, &what).await),
                None if answer["type"] == "error" => limited(&exchange["response"], &what).await,
                None => whole(answer, &what).await,
            }
            read += 1;
        }
    }
    assert_eq!(read, 38);
}

async fn whole(answer: &Value, what: &str) {
    let server = Loopback::answering(vec![Reply::json(answer)]).await;
    let (_, ledger) = booked(&server);
    let small = ModelEntry { thinking_tokens: 0, ..sonnet() };
    let url = checked_base(&server.base, &["v1", "messages"]).unwrap();
    let client = AnthropicClient::new(small, url, KEY.into(), Transport::new().unwrap());
    let books = Ledger {
        ledger: ledger.clone(),
        clock: Arc::new(SystemClock),
        ids: Arc::new(RandomIds),
        caps: yarnnn_core::llm::SpendingCaps::default(),
    };
    let model = Budgeted::new(Arc::new(Metered::new(Arc::new(client))), books);
    let response = model.complete(&asking("Hello")).await.unwrap();
    assert!(server.asked()[0].body.get("stream").is_none());
    assert_booked(&ledger, stated(&[&answer["usage"]]), what);
    let texts = answer["content"].as_array().unwrap().iter().filter(|it| it["type"] == "text");
    assert_eq!(response.text(), texts.map(|it| it["text"].as_str().unwrap()).collect::<String>(), "{what}");
    let calls = answer["content"].as_array().unwrap().iter().filter(|it| it["type"] == "tool_use");
    let calls: Vec<&Value> = calls.map(|it| &it["input"]).collect();
    assert_eq!(response.tool_calls().map(|it| &it.input).collect::<Vec<_>>(), calls, "{what}");
    let asks = response.stop == StopReason::ToolUse;
    assert_eq!(asks, answer["stop_reason"] == "tool_use", "{what}");
}

/// The refusal of a limit, which the recorded client waited for.
async fn limited(response: &Value, what: &str) {
    let mut reply = Reply { body: response["body"].to_string().into_bytes(), ..Reply::of(429, "application/json", "") };
    let wait = response["headers"].get("retry-after").map(|it| it.as_str().unwrap());
    reply.headers.extend(wait.map(|it| ("retry-after".to_owned(), it.to_owned())));
    let server = Loopback::answering(vec![reply]).await;
    let (model, ledger) = booked(&server);
    let error = model.complete(&asking("Hello")).await.unwrap_err();
    match wait {
        Some(wait) => {
            let waits = matches!(&error, LlmError::RateLimited { retry_after, .. } if retry_after.as_secs().to_string() == wait);
            assert!(waits, "{what}: {error}");
        }
        None => assert!(matches!(&error, LlmError::NeedsOperator { .. }), "{what}: {error}"),
    }
    assert_eq!(ledger.rows()[0].state, CallState::Refused, "{what}");
}

#[tokio::test]
async fn the_key_and_the_version_are_sent_and_the_whole_request() {
    let text = std::fs::read_to_string(fixtures("streaming-fixtures/basic_response.txt")).unwrap();
    let server = Loopback::answering(vec![Reply::events(text)]).await;
    client(&server).complete(&conversation()).await.unwrap();
    let asked = &server.asked()[0];
    assert!(asked.head.starts_with("post /v1/messages http/1.1\r\n"), "{}", asked.head);
    assert!(asked.head.contains("x-api-key: sk-ant-secret\r\n") && asked.head.contains("anthropic-version: 2023-06-01\r\n"));
    insta::assert_json_snapshot!("a_whole_request", asked.body);
}

#[test]
fn a_model_that_must_answer_keeps_the_tools_it_spoke_of_and_may_use_none() {
    let last = yarnnn_core::llm::ModelRequest { answers_now: true, ..conversation() };
    let body = request::body(&sonnet(), &last, false).unwrap();
    insta::assert_json_snapshot!("a_last_request", body);
    let mut searching = asking("What is new?");
    (searching.answers_now, searching.server_tools) = (true, vec![ServerTool::WebSearch { max_uses: 1 }]);
    let body = request::body(&sonnet(), &searching, false).unwrap();
    assert_eq!((&body["tools"][0]["name"], &body["tool_choice"]), (&json!("web_search"), &json!({ "type": "none" })));
    let without = yarnnn_core::llm::ModelRequest { answers_now: true, ..asking("Hello") };
    let body = request::body(&sonnet(), &without, false).unwrap();
    assert!(body.get("tools").is_none() && body.get("tool_choice").is_none(), "a choice without tools is refused");
}

#[test]
fn requests_differ_with_the_model_and_the_conversation() {
    let body = |model: &ModelEntry, request| request::body(model, &request, false).unwrap();
    let last_round = body(&sonnet(), yarnnn_core::llm::ModelRequest { tools: vec![], schema: None, ..conversation() });
    assert_eq!(last_round["tool_choice"], json!({ "type": "none" }));
    assert_eq!(last_round["tools"][0]["name"], "Search");
    let plain = body(&ModelEntry::unknown(crate::Provider::Anthropic, "house"), conversation());
    assert!(plain.get("thinking").is_none() && plain["output_config"].get("effort").is_none());
    assert_eq!(plain["max_tokens"], 1_000);
    let loose = body(&ModelEntry { structured: false, ..sonnet() }, conversation());
    assert!(loose["output_config"].get("format").is_none());
    assert!(loose["system"][0]["text"].as_str().unwrap().contains("fits this schema"));
    for sampling in ["temperature", "top_p", "top_k"] {
        assert!(plain.get(sampling).is_none());
    }
}

#[test]
fn a_search_is_offered_and_what_it_found_goes_back_as_it_came() {
    let mut request = asking("What is new?");
    request.server_tools = vec![ServerTool::WebSearch { max_uses: 2 }];
    let body = request::body(&sonnet(), &request, false).unwrap();
    assert_eq!(body["tools"], json!([{ "type": "web_search_20250305", "name": "web_search", "max_uses": 2 }]));
    assert!(body.get("tool_choice").is_none());
    let call = json!({ "type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": { "query": "news" } });
    let page = json!({ "type": "web_search_result", "url": "https://a.example/", "title": "A", "encrypted_content": "ZW5j" });
    let found = json!({ "type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [page] });
    let failed = json!({ "type": "web_search_tool_result", "content": { "type": "web_search_tool_result_error" } });
    let quote = json!({ "url": "https://a.example/", "cited_text": "It rains." });
    let text = json!({ "type": "text", "text": "Rain.", "citations": [quote] });
    let content = super::answer::contents(vec![call.clone(), found.clone(), failed.clone(), text]);
    let hit = WebHit { url: "https://a.example/".into(), title: "A".into(), snippet: "It rains.".into() };
    assert_eq!(content[2], Content::WebHits(vec![hit]));
    assert_eq!(content.len(), 5);
    request.messages.push(Message { role: Role::Assistant, content });
    let body = request::body(&sonnet(), &request, false).unwrap();
    assert_eq!(body["messages"][1]["content"], json!([call, found, failed, { "type": "text", "text": "Rain." }]));
}

#[test]
fn an_address_is_told_once_and_a_search_that_failed_finds_nothing() {
    let page = |url: &str| json!({ "type": "web_search_result", "url": url, "title": "x".repeat(1_000) });
    let found = |pages: Vec<Value>| json!({ "type": "web_search_tool_result", "content": pages });
    let long = json!({ "url": "https://b.example/", "cited_text": "ä".repeat(1_000) });
    let mut blocks = vec![
        found(vec![page("https://a.example/"), page("https://a.example/"), page("https://b.example/")]),
        found(vec![page("https://b.example/"), json!({ "type": "web_search_result" }), json!(7)]),
        json!({ "type": "text", "text": "Rain.", "citations": [long] }),
    ];
    for code in ["max_uses_exceeded", "unavailable", "too_many_requests", "query_too_long", "invalid_input"] {
        let error = json!({ "type": "web_search_tool_result_error", "error_code": code });
        blocks.push(json!({ "type": "web_search_tool_result", "content": error }));
    }
    let content = super::answer::contents(blocks);
    let hits = content.iter().filter_map(|it| if let Content::WebHits(hits) = it { Some(hits) } else { None });
    let hits: Vec<&WebHit> = hits.flatten().collect();
    assert_eq!(hits.iter().map(|it| it.url.as_str()).collect::<Vec<_>>(), ["https://a.example/", "https://b.example/"]);
    assert_eq!((hits[0].title.len(), hits[0].snippet.len(), hits[1].snippet.chars().count()), (300, 0, 500));
    assert_eq!(content.iter().filter(|it| matches!(it, Content::Opaque(_))).count(), 7, "every block goes back");
}

#[tokio::test]
async fn searches_are_booked_and_reserved_for() {
    let usage = json!({ "input_tokens": 5, "output_tokens": 6, "server_tool_use": { "web_search_requests": 2 } });
    let answer = json!({ "content": [], "stop_reason": "end_turn", "usage": usage });
    let server = Loopback::answering(vec![Reply::json(&answer)]).await;
    let ledger = Arc::new(MemoryLedger::default());
    let caps = yarnnn_core::llm::SpendingCaps::default();
    let books = Ledger { ledger: ledger.clone(), clock: Arc::new(SystemClock), ids: Arc::new(RandomIds), caps };
    let small = ModelEntry { thinking_tokens: 0, output: Some(2_048), ..sonnet() };
    let url = checked_base(&server.base, &["v1", "messages"]).unwrap();
    let small = AnthropicClient::new(small, url, KEY.into(), Transport::new().unwrap());
    let mut request = asking("What is new?");
    request.server_tools = vec![ServerTool::WebSearch { max_uses: 3 }];
    let ceiling = small.traits().ceiling(&request);
    let model = Budgeted::new(Arc::new(Metered::new(Arc::new(small))), books);
    assert_eq!(model.complete(&request).await.unwrap().usage.searches, 2);
    let row = &ledger.rows()[0];
    assert_eq!((row.ceiling, row.usage.searches), (ceiling, 2));
    assert!(ceiling > 3 * 10_000 && row.usage.cost_micro_usd > 2 * 10_000, "{row:?}");
}

#[test]
fn only_what_is_long_enough_and_will_be_read_again_is_cached() {
    let marks = |request: &yarnnn_core::llm::ModelRequest| {
        let body = request::body(&sonnet(), request, false).unwrap();
        let marked = |path: &str| body.pointer(path).is_some_and(|it| it.get("cache_control").is_some());
        (marked("/tools/0"), marked("/system/0"), marked("/messages/0/content/0"))
    };
    let long = "word ".repeat(1_000);
    assert_eq!(marks(&asking("short")), (false, false, false));
    assert_eq!(marks(&asking(&long)), (false, false, false));
    let mut request = asking(&long);
    request.tools = conversation().tools;
    assert_eq!(marks(&request), (false, false, true));
    request.system = long.clone();
    assert_eq!(marks(&request), (false, true, true));
    request.tools[0].description = long;
    assert_eq!(marks(&request), (true, true, true));
}

#[tokio::test]
async fn the_models_turn_is_never_begun_for_it_but_a_paused_one_goes_back() {
    let ending_with = |content| {
        let mut request = asking("Look it up");
        request.messages.push(Message { role: Role::Assistant, content });
        request
    };
    let begun = request::body(&sonnet(), &ending_with(vec![Content::Text("Sure,".into())]), false);
    assert!(matches!(begun, Err(LlmError::Permanent { .. })));
    let block = json!({ "type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {} });
    let paused = vec![Content::Opaque(OpaqueBlock { provider: "anthropic".into(), block: block.clone() })];
    let body = request::body(&sonnet(), &ending_with(paused), false).unwrap();
    assert_eq!(body["messages"][1], json!({ "role": "assistant", "content": [block] }));
    assert!(request::body(&sonnet(), &yarnnn_core::llm::ModelRequest { messages: vec![], ..asking("") }, false).is_err());
}

#[tokio::test]
async fn reasons_to_stop_are_told_apart() {
    let stop = async |reason: Value, details: Value| {
        let usage = json!({ "input_tokens": 1, "output_tokens": 2 });
        let answer = json!({ "content": [], "stop_reason": reason, "stop_details": details, "usage": usage });
        let message = serde_json::from_value(answer).unwrap();
        super::answer::answer(message).stop
    };
    assert_eq!(stop(json!("end_turn"), json!(null)).await, StopReason::Complete);
    assert_eq!(stop(json!("stop_sequence"), json!(null)).await, StopReason::Complete);
    assert_eq!(stop(json!("max_tokens"), json!(null)).await, StopReason::OutputLimit);
    assert_eq!(stop(json!("pause_turn"), json!(null)).await, StopReason::Paused);
    assert_eq!(stop(json!("model_context_window_exceeded"), json!(null)).await, StopReason::ContextFull);
    let category = json!({ "type": "refusal", "category": "cyber", "explanation": null });
    assert_eq!(stop(json!("refusal"), category).await, StopReason::Refused { detail: Some("cyber".into()) });
    assert_eq!(stop(json!("refusal"), json!(null)).await, StopReason::Refused { detail: None });
    assert_eq!(stop(json!("tired"), json!(null)).await, StopReason::Other("tired".into()));
    assert!(matches!(stop(json!(null), json!(null)).await, StopReason::Other(_)));
}

async fn refused(reply: Reply) -> LlmError {
    let server = Loopback::answering(vec![reply]).await;
    let error = client(&server).complete(&asking("Salaries of Ana and Bo")).await.unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains(KEY) && !shown.contains("Salaries"), "{shown}");
    error
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let said = |status: u16, kind: &str, words: &str| {
        let words = format!("{words} (you wrote: Salaries of Ana and Bo, key {KEY})");
        let body = json!({ "type": "error", "error": { "type": kind, "message": words }, "request_id": "req_1" });
        Reply::of(status, "application/json", body.to_string())
    };
    let invalid = |words: &str| said(400, "invalid_request_error", words);
    let cases = [
        ("too long", invalid("prompt is too long: 1000001 tokens > 1000000 maximum")),
        ("too long with output", invalid("input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000")),
        ("too large", said(413, "request_too_large", "Request exceeds the maximum size")),
        ("workspace cap", invalid("You have reached your specified workspace API usage limits.")),
        ("no credit", invalid("Your credit balance is too low to access the Anthropic API.")),
        ("bad request", invalid("messages: at least one message is required")),
        ("bad request, retry", invalid("a hiccup").header("x-should-retry", "true")),
        ("no key", said(401, "authentication_error", "invalid x-api-key")),
        ("not allowed", said(403, "permission_error", "no")),
        ("billing", said(402, "billing_error", "pay")),
        ("no model", said(404, "not_found_error", "model: claude-sonnet-4-20250514")),
        ("no such place", Reply::of(404, "text/html", "<html>Salaries</html>")),
        ("moved", Reply::of(308, "text/html", "").header("location", "https://elsewhere.example/")),
        ("rate", said(429, "rate_limit_error", "slow down").header("retry-after", "7")),
        ("rate in ms", said(429, "rate_limit_error", "slow down").header("retry-after-ms", "1500").header("retry-after", "7")),
        ("spend cap", said(429, "rate_limit_error", "your organization's spend limit")),
        ("spend cap with a wait", said(429, "rate_limit_error", "spend limit").header("retry-after", "7")),
        ("never", said(429, "rate_limit_error", "no").header("retry-after", "7").header("x-should-retry", "false")),
        ("overloaded", said(529, "overloaded_error", "Overloaded")),
        ("broken", said(500, "api_error", "oops")),
        ("broken for good", said(500, "api_error", "oops").header("x-should-retry", "false")),
        ("late", said(504, "timeout_error", "late")),
        ("conflict", said(409, "conflict_error", "again")),
        ("not JSON", Reply::of(200, "text/html", "<html>Salaries</html>")),
        ("half", Reply { missing: 100, ..Reply::events("event: ping\ndata: {\"type\": \"ping\"}\n\n") }),
    ];
    let mut outcomes = Vec::new();
    for (name, reply) in cases {
        let error = refused(reply).await;
        let charged = matches!(error, LlmError::Transient { may_be_charged: true, .. });
        outcomes.push(format!("{name}: {error}{}", if charged { " [may be charged]" } else { "" }));
    }
    insta::assert_snapshot!(outcomes.join("\n"));
}

#[tokio::test]
async fn nothing_is_charged_where_nobody_listens_but_perhaps_where_nobody_answers() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: url::Url = format!("http://{}/v1/messages", listener.local_addr().unwrap()).parse().unwrap();
    let patience = std::time::Duration::from_millis(300);
    let model = AnthropicClient::new(sonnet(), url, KEY.into(), Transport::new().unwrap().waiting(patience));
    let error = model.complete(&asking("Hello")).await.unwrap_err();
    assert!(matches!(error, LlmError::Transient { may_be_charged: true, .. }), "{error:?}");
    drop(listener);
    let error = model.complete(&asking("Hello")).await.unwrap_err();
    assert!(matches!(error, LlmError::Transient { may_be_charged: false, .. }), "{error:?}");
}

#[tokio::test]
async fn an_error_may_come_after_the_beginning() {
    let start =
        json!({ "type": "message_start", "message": { "content": [], "usage": { "input_tokens": 5, "output_tokens": 1 } } });
    let error = json!({ "type": "error", "error": { "type": "overloaded_error", "message": "Overloaded" } });
    for (begun, text) in [(true, format!("data: {start}\n\ndata: {error}\n\n")), (false, format!("data: {error}\n\n"))] {
        let server = Loopback::answering(vec![Reply::events(text)]).await;
        let (model, ledger) = booked(&server);
        let events: Vec<_> = model.stream(&asking("Hello")).await.unwrap().collect().await;
        let [Err(LlmError::Transient { may_be_charged, .. })] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!(*may_be_charged, begun);
        assert_eq!(ledger.rows()[0].state, if begun { CallState::Lost } else { CallState::Refused });
    }
}

#[test]
fn a_number_that_no_call_can_have_does_not_overflow() {
    let usage = json!({ "input_tokens": u64::MAX, "output_tokens": u64::MAX, "cache_read_input_tokens": u64::MAX });
    let message = serde_json::from_value(json!({ "content": [{}, 7, null], "usage": usage })).unwrap();
    let response = super::answer::answer(message);
    assert!(sonnet().price.unwrap().cost(&response.usage) > 0);
    assert_eq!(response.content.len(), 3);
}

proptest! {
    /// Wherever a stream is cut, it ends with an error, and what was told before is the beginning of the text.
    #[test]
    fn a_cut_stream_is_never_done(file in 0_usize..19, cut in 0.0_f64..1.0, piece in 1_usize..400) {
        let paths = files("streaming-fixtures");
        let text = std::fs::read(&paths[file % paths.len()]).unwrap();
        let stop = text.windows(14).position(|it| it == b"\"message_stop\"").unwrap();
        // `event: message_stop` stands before the data; the data are whole with the closing brace.
        let end = stop + text[stop..].iter().position(|it| *it == b'}').unwrap();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a share of a file")]
        let cut = (cut * end as f64) as usize;
        let mut feed = Feed::new(Assembler::new("anthropic/m".into()));
        let mut events = Vec::new();
        for piece in text[..cut].chunks(piece) {
            events.extend(feed.push(piece));
        }
        events.extend(feed.finish());
        prop_assert!(!events.iter().any(|it| matches!(it, Ok(ModelEvent::Done(_)))));
        let broken = matches!(events.last(), Some(Err(LlmError::Transient { may_be_charged: true, .. })));
        prop_assert!(broken, "{:?}", events.last());
    }

    /// No bytes make it panic.
    #[test]
    fn no_stream_makes_it_panic(
        kinds in prop::collection::vec(0_usize..8, 0..30),
        index in 0_usize..3,
        junk in "[ -~]{0,20}",
    ) {
        let mut feed = Feed::new(Assembler::new("anthropic/m".into()));
        for kind in kinds {
            let event = match kind {
                0 => json!({ "type": "message_start", "message": { "usage": {} } }),
                1 => json!({ "type": "content_block_start", "index": index, "content_block": { "type": junk } }),
                2 => json!({ "type": "content_block_start", "index": index, "content_block": 7 }),
                3 => json!({ "type": "content_block_delta", "index": index, "delta": { "type": "input_json_delta", "partial_json": junk } }),
                4 => json!({ "type": "content_block_delta", "index": index, "delta": { "type": "citations_delta" } }),
                5 => json!({ "type": "message_delta", "usage": null }),
                6 => json!({ "type": junk }),
                _ => json!({ "type": "message_stop" }),
            };
            feed.push(format!("data: {event}\n\n").as_bytes());
        }
        feed.push(junk.as_bytes());
        feed.finish();
    }
}
