//! OpenAI's documented answers over a loopback address, in both ways to ask, what is sent, and what refusals come to.

use std::path::Path;
use std::sync::Arc;

use futures::TryStreamExt as _;
use proptest::prelude::*;
use serde_json::{Value, json};
use yarnnn_core::clock::SystemClock;
use yarnnn_core::id::RandomIds;
use yarnnn_core::llm::{
    CallState, Content, LanguageModel as _, LlmError, Message, ModelEvent, ModelPrice, ModelRequest, ModelResponse, Role,
    ServerTool, SpendingCaps, StopReason, StreamCompletion as _, Usage,
};

use super::answer::Uncounted;
use super::stream::{ChatAssembler, ResponseAssembler};
use super::{OpenAiClient, request};
use crate::catalogue::{Api, Catalogue, ModelEntry, Provider};
use crate::decorate::{Budgeted, Ledger, Metered};
use crate::http::{Feed, Transport, checked_base};
use crate::testing::{Loopback, MemoryLedger, Reply, asking, conversation};

const KEY: &str = "sk-secret";
const PRICE: ModelPrice =
    ModelPrice { input: 1_000_000, output: 5_000_000, cache_read: 50_000, cache_write: 1_250_000, search: 10_000, long: None };

/// An answer of the documentation: the method, the path and the number of the example stand in its name.
fn example(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/openai/examples.json");
    let all: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let (_, found) = all.as_object().unwrap().iter().find(|(key, _)| key.starts_with(name)).unwrap();
    found["response"].as_str().unwrap().to_owned()
}

fn entry(api: Api) -> ModelEntry {
    ModelEntry { api, price: Some(PRICE), ..ModelEntry::unknown(Provider::OpenAi, "gpt") }
}

fn client(server: &Loopback, model: ModelEntry, key: Option<&str>) -> OpenAiClient {
    let path: &[&str] = if model.api == Api::Chat { &["chat", "completions"] } else { &["responses"] };
    OpenAiClient::new(model, checked_base(&server.base, path).unwrap(), key.map(Into::into), Transport::new().unwrap())
}

fn booked(client: OpenAiClient) -> (Budgeted, Arc<MemoryLedger>) {
    let ledger = Arc::new(MemoryLedger::default());
    let (clock, ids) = (Arc::new(SystemClock), Arc::new(RandomIds));
    let books = Ledger { ledger: ledger.clone(), clock, ids, caps: SpendingCaps::default() };
    (Budgeted::new(Arc::new(Metered::new(Arc::new(client))), books), ledger)
}

/// The usage as the answer says it, read by other means than the client's.
fn stated(answer: &Value) -> Usage {
    let number = |paths: [&str; 2]| paths.iter().find_map(|it| answer.pointer(it)?.as_u64()).unwrap_or(0);
    let cached = number(["/usage/prompt_tokens_details/cached_tokens", "/usage/input_tokens_details/cached_tokens"]);
    let searches = answer["output"].as_array().into_iter().flatten().filter(|it| it["type"] == "web_search_call").count();
    let mut usage = Usage {
        calls: 1,
        input_tokens: number(["/usage/prompt_tokens", "/usage/input_tokens"]) - cached,
        output_tokens: number(["/usage/completion_tokens", "/usage/output_tokens"]),
        cache_read_tokens: cached,
        searches: u32::try_from(searches).unwrap(),
        ..Usage::default()
    };
    usage.cost_micro_usd = PRICE.cost(&usage);
    usage
}

async fn answered(api: Api, reply: Reply) -> (ModelResponse, Arc<MemoryLedger>) {
    let server = Loopback::answering(vec![reply]).await;
    let (model, ledger) = booked(client(&server, entry(api), Some(KEY)));
    (model.complete(&asking("Hello")).await.unwrap(), ledger)
}

#[tokio::test]
async fn every_documented_answer_is_read_and_booked() {
    let chat = [0, 1, 3, 4].map(|it| (Api::Chat, format!("POST /chat/completions #{it}")));
    let responses = [0, 1, 2, 3, 4, 6, 7].map(|it| (Api::Responses, format!("POST /responses #{it}")));
    for (number, (api, name)) in chat.into_iter().chain(responses).enumerate() {
        let answer: Value = serde_json::from_str(&example(&name)).unwrap();
        let (response, ledger) = answered(api, Reply::json(&answer)).await;
        let rows = ledger.rows();
        assert_eq!((rows.len(), rows[0].state, rows[0].usage), (1, CallState::Answered, stated(&answer)), "{name}");
        insta::assert_json_snapshot!(format!("answer_{number}"), response);
    }
}

async fn events(api: Api, text: String) -> Vec<ModelEvent> {
    let server = Loopback::answering(vec![Reply::events(text)]).await;
    let model = client(&server, entry(api), Some(KEY));
    model.stream(&asking("Hello")).await.unwrap().try_collect().await.unwrap()
}

#[tokio::test]
async fn a_response_in_pieces_is_read_and_booked() {
    let text = example("POST /responses #5");
    let told = events(Api::Responses, text.clone()).await;
    let Some((ModelEvent::Done(response), texts)) = told.split_last() else { panic!("{told:?}") };
    let joined: String = texts.iter().map(|it| if let ModelEvent::Text(it) = it { it.as_str() } else { panic!() }).collect();
    // The documentation shows only the first piece; the end tells the rest.
    assert_eq!((joined.as_str(), texts.len()), ("Hi there! How can I assist you today?", 2));
    assert_eq!(response.text(), joined);
    let mut request = asking("Hello");
    request.max_output_tokens = 20_000;
    let server = Loopback::answering(vec![Reply::events(text)]).await;
    let (model, ledger) = booked(client(&server, entry(Api::Responses), Some(KEY)));
    model.complete(&request).await.unwrap();
    assert_eq!(server.asked()[0].body["stream"], true);
    let usage = Usage { calls: 1, input_tokens: 37, output_tokens: 11, ..Usage::default() };
    assert_eq!(ledger.rows()[0].usage, Usage { cost_micro_usd: PRICE.cost(&usage), ..usage });
}

/// The documented pieces as they come on the wire, with the usage that is asked for.
fn chat_stream() -> String {
    let pieces = example("POST /chat/completions #2");
    let pieces = pieces.lines().filter(|it| it.starts_with('{')).map(|it| format!("data: {it}\n\n"));
    let usage = json!({ "choices": [], "usage": {
        "prompt_tokens": 20, "completion_tokens": 7, "total_tokens": 27,
        "prompt_tokens_details": { "cached_tokens": 5, "cache_write_tokens": 3 },
        "completion_tokens_details": { "reasoning_tokens": 4 },
    } });
    pieces.chain([format!("data: {usage}\n\ndata: [DONE]\n\n")]).collect::<Vec<_>>().concat()
}

#[tokio::test]
async fn a_chat_completion_in_pieces_is_read_with_its_usage() {
    let told = events(Api::Chat, chat_stream()).await;
    let usage =
        Usage { calls: 1, input_tokens: 12, output_tokens: 7, cache_read_tokens: 5, cache_write_tokens: 3, ..Usage::default() };
    let done = ModelResponse::of_text("Hello", StopReason::Complete, usage);
    assert_eq!(told, [ModelEvent::Text("Hello".into()), ModelEvent::Done(done)]);
}

#[tokio::test]
async fn calls_of_tools_in_pieces_are_put_together() {
    let delta = |calls: Value| json!({ "choices": [{ "delta": { "tool_calls": calls }, "finish_reason": null }] });
    let pieces = [
        delta(json!([{ "index": 0, "id": "call_1", "type": "function", "function": { "name": "Search", "arguments": "" } }])),
        delta(json!([{ "index": 0, "function": { "arguments": "{\"query\":" } }])),
        delta(json!([{ "index": 1, "id": "call_2", "function": { "name": "Read", "arguments": "{\"ref" } }])),
        delta(json!([{ "index": 0, "function": { "arguments": "\"launch\"}" } }])),
        json!({ "choices": [{ "delta": {}, "finish_reason": "tool_calls" }] }),
    ];
    let text: Vec<String> = pieces.iter().map(|it| format!("data: {it}\n\n")).collect();
    let told = events(Api::Chat, text.concat() + "data: [DONE]\n\n").await;
    let [ModelEvent::Done(response)] = told.as_slice() else { panic!("{told:?}") };
    let inputs: Vec<&Value> = response.tool_calls().map(|it| &it.input).collect();
    assert_eq!(inputs, [&json!({ "query": "launch" }), &json!("{\"ref")]);
    assert_eq!(response.stop, StopReason::ToolUse);
    // The server counted nothing: what it may have been counts.
    assert_eq!(response.usage.input_tokens, asking("Hello").token_ceiling());
    assert_eq!(response.usage.output_tokens, 1_000);
}

#[tokio::test]
async fn requests_are_written_in_both_ways() {
    let done = json!({ "status": "completed", "output": [] });
    let server = Loopback::answering(vec![Reply::json(&done)]).await;
    let terra = ModelEntry { thinking_tokens: 0, ..Catalogue::built_in().choose("gpt-6.1-terra").unwrap().model };
    client(&server, terra, Some(KEY)).complete(&conversation()).await.unwrap();
    let asked = &server.asked()[0];
    assert!(asked.head.starts_with("post /responses http/1.1\r\n"), "{}", asked.head);
    assert!(asked.head.contains("authorization: bearer sk-secret\r\n"));
    insta::assert_json_snapshot!("a_whole_response_request", asked.body);
    insta::assert_json_snapshot!("a_whole_chat_request", request::body(&entry(Api::Chat), &conversation(), true).unwrap());
    assert!(request::body(&entry(Api::Responses), &conversation(), false).unwrap().get("include").is_none());
    let searching = ModelRequest { server_tools: vec![ServerTool::WebSearch { max_uses: 2 }], ..asking("What is new?") };
    let body = request::body(&entry(Api::Responses), &searching, false).unwrap();
    assert_eq!((&body["tools"], &body["max_tool_calls"]), (&json!([{ "type": "web_search" }]), &json!(2)));
    for api in [Api::Chat, Api::Responses] {
        let mut request = conversation();
        request.messages.push(Message { role: Role::Assistant, content: vec![Content::Text("Sure,".into())] });
        assert!(matches!(request::body(&entry(api), &request, false), Err(LlmError::Permanent { .. })));
        let loose = ModelEntry { structured: false, ..entry(api) };
        let body = request::body(&loose, &conversation(), false).unwrap();
        assert!(body.get("response_format").is_none() && body.get("text").is_none());
        assert!(body.to_string().contains("fits this schema"));
    }
}

#[test]
fn a_model_that_must_answer_keeps_the_tools_it_spoke_of_and_may_use_none() {
    let last = ModelRequest { answers_now: true, ..conversation() };
    insta::assert_json_snapshot!("a_last_response_request", request::body(&entry(Api::Responses), &last, false).unwrap());
    insta::assert_json_snapshot!("a_last_chat_request", request::body(&entry(Api::Chat), &last, false).unwrap());
    for api in [Api::Chat, Api::Responses] {
        let without = ModelRequest { answers_now: true, ..asking("Hello") };
        let body = request::body(&entry(api), &without, false).unwrap();
        assert!(body.get("tools").is_none() && body.get("tool_choice").is_none(), "a choice without tools is refused");
        let body = request::body(&entry(api), &conversation(), false).unwrap();
        assert!(body.get("tools").is_some() && body.get("tool_choice").is_none());
    }
}

#[test]
fn a_server_that_does_not_search_says_so_before_anything_is_sent() {
    let searching = ModelRequest { server_tools: vec![ServerTool::WebSearch { max_uses: 1 }], ..asking("What is new?") };
    let error = request::body(&entry(Api::Chat), &searching, false).unwrap_err();
    assert!(matches!(&error, LlmError::Permanent { .. }) && error.to_string().contains("cannot search the web"), "{error}");
    assert!(request::body(&entry(Api::Responses), &searching, false).is_ok());
}

#[test]
fn only_closed_schemas_are_strict() {
    let strict = |schema: Value| {
        let mut request: ModelRequest = conversation();
        request.schema.as_mut().unwrap().schema = schema;
        request::body(&entry(Api::Chat), &request, false).unwrap()["response_format"]["json_schema"]["strict"].clone()
    };
    let inner = json!({ "type": "object", "properties": { "a": {} }, "required": ["a"], "additionalProperties": false });
    assert_eq!(strict(inner.clone()), true);
    let outer = |inner: Value| json!({ "type": "object", "properties": { "b": inner }, "required": ["b"], "additionalProperties": false });
    assert_eq!(strict(outer(inner.clone())), true);
    let mut open = inner.clone();
    open["required"] = json!([]);
    assert_eq!(strict(outer(open)), false);
    let mut open = inner;
    open.as_object_mut().unwrap().remove("additionalProperties");
    assert_eq!(strict(outer(open)), false);
}

#[tokio::test]
async fn a_server_of_ones_own_needs_no_key() {
    let answer = json!({ "choices": [{ "message": { "content": "Hi" }, "finish_reason": "stop" }] });
    let server = Loopback::answering(vec![Reply::json(&answer)]).await;
    let model = client(&server, ModelEntry::unknown(Provider::OpenAi, "house"), None);
    let response = model.complete(&asking("Hello")).await.unwrap();
    let asked = &server.asked()[0];
    assert!(asked.head.starts_with("post /chat/completions") && !asked.head.contains("authorization"));
    // It counted nothing and costs nothing: a guess will do.
    assert_eq!(response.usage.input_tokens, asking("Hello").token_floor());
}

#[tokio::test]
async fn reasons_to_stop_are_told_apart() {
    let chat = async |reason: &str, message: Value| {
        let usage = json!({ "prompt_tokens": 1, "completion_tokens": 2 });
        let answer = json!({ "choices": [{ "message": message, "finish_reason": reason }], "usage": usage });
        answered(Api::Chat, Reply::json(&answer)).await.0
    };
    let empty = chat("length", json!({ "content": "" })).await;
    assert_eq!((empty.content, empty.stop), (vec![], StopReason::OutputLimit));
    let refused = chat("stop", json!({ "content": null, "refusal": "No." })).await;
    assert_eq!(refused.stop, StopReason::Refused { detail: Some("No.".into()) });
    assert!(matches!(chat("content_filter", json!({})).await.stop, StopReason::Refused { .. }));
    let call = json!({ "tool_calls": [{ "id": "1", "function": { "name": "Search", "arguments": "" } }] });
    let called = chat("stop", call).await;
    assert_eq!((called.stop, &called.content.len()), (StopReason::ToolUse, &1));
    assert_eq!(chat("tired", json!({})).await.stop, StopReason::Other("tired".into()));

    let response = async |status: &str, reason: Value, output: Value| {
        let answer = json!({ "status": status, "incomplete_details": { "reason": reason }, "output": output, "usage": {} });
        answered(Api::Responses, Reply::json(&answer)).await.0
    };
    assert_eq!(response("incomplete", json!("max_output_tokens"), json!([])).await.stop, StopReason::OutputLimit);
    assert!(matches!(response("incomplete", json!("content_filter"), json!([])).await.stop, StopReason::Refused { .. }));
    assert_eq!(response("cancelled", json!(null), json!([])).await.stop, StopReason::Other("cancelled".into()));
    let said = json!([{ "type": "message", "content": [{ "type": "refusal", "refusal": "No." }] }]);
    assert_eq!(response("completed", json!(null), said).await.stop, StopReason::Refused { detail: Some("No.".into()) });
    let thought = json!([{ "type": "reasoning", "encrypted_content": "ZW5j" }, { "type": "function_call", "call_id": "1", "name": "Search", "arguments": "{}" }]);
    let kept = response("completed", json!(null), thought).await;
    assert!(matches!(kept.content.as_slice(), [Content::Opaque(_), Content::ToolCall(_)]));
    assert_eq!(kept.stop, StopReason::ToolUse);
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let said = |status: u16, kind: &str, code: Option<&str>, words: &str| {
        let words = format!("{words} (you wrote: Salaries of Ana and Bo, key {KEY})");
        let body = json!({ "error": { "message": words, "type": kind, "param": null, "code": code } });
        Reply::of(status, "application/json", body.to_string())
    };
    let invalid = |code, words: &str| said(400, "invalid_request_error", code, words);
    let failed = json!({ "status": "failed", "error": { "code": "server_error", "message": "Salaries" }, "output": [] });
    let cases = [
        ("too long", invalid(Some("context_length_exceeded"), "too long")),
        ("too long, vLLM", said(400, "BadRequestError", None, "This model's maximum context length is 4096 tokens.")),
        ("too long, llama.cpp", said(400, "exceed_context_size_error", None, "exceeds the available context size")),
        ("bad request", invalid(None, "you must provide a model parameter")),
        ("no key", said(401, "invalid_request_error", Some("invalid_api_key"), "Incorrect API key provided")),
        ("country", said(403, "request_forbidden", Some("unsupported_country_region_territory"), "no")),
        ("no model", said(404, "invalid_request_error", Some("model_not_found"), "The model `x` does not exist")),
        ("no model, Ollama", said(404, "api_error", None, "model \"x\" not found, try pulling it first")),
        ("no such place", Reply::of(404, "text/plain", "404 page not found: Salaries")),
        ("rate", said(429, "requests", Some("rate_limit_exceeded"), "slow").header("retry-after", "7")),
        ("rate, reset", said(429, "tokens", Some("rate_limit_exceeded"), "slow").header("x-ratelimit-reset-tokens", "1m2s")),
        ("rate, no time", said(429, "tokens", Some("rate_limit_exceeded"), "slow")),
        ("quota", said(429, "insufficient_quota", Some("insufficient_quota"), "quota").header("retry-after", "7")),
        ("broken", said(500, "server_error", None, "oops")),
        ("overloaded", said(503, "server_error", None, "overloaded")),
        ("failed", Reply::json(&failed)),
        ("no choice", Reply::json(&json!({ "choices": [] }))),
        ("HTML", Reply::of(200, "text/html", "<html>Salaries</html>")),
    ];
    let mut outcomes = Vec::new();
    for (name, reply) in cases {
        let api = if name == "failed" { Api::Responses } else { Api::Chat };
        let server = Loopback::answering(vec![reply]).await;
        let error = client(&server, entry(api), Some(KEY)).complete(&asking("Salaries of Ana and Bo")).await.unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains(KEY) && !shown.contains("Salaries"), "{shown}");
        let charged = matches!(error, LlmError::Transient { may_be_charged: true, .. });
        outcomes.push(format!("{name}: {error}{}", if charged { " [may be charged]" } else { "" }));
    }
    insta::assert_snapshot!(outcomes.join("\n"));
}

fn cut<A: crate::http::Assemble>(text: &str, share: f64, piece: usize, assembler: A) -> Vec<Result<ModelEvent, LlmError>> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a share of a text")]
    let end = (share * text.len() as f64) as usize;
    let mut feed = Feed::new(assembler);
    let mut events: Vec<_> = text.as_bytes()[..end].chunks(piece).flat_map(|it| feed.push(it)).collect();
    events.extend(feed.finish());
    events
}

proptest! {
    /// Wherever a stream is cut before its end, it ends with an error.
    #[test]
    fn a_cut_stream_is_never_done(share in 0.0_f64..1.0, piece in 1_usize..300) {
        let uncounted = Uncounted::of(&entry(Api::Chat), &asking("Hello"));
        let chat = chat_stream();
        let chat = chat.strip_suffix("]\n\n").unwrap();
        let response = example("POST /responses #5");
        let response = response.trim_end().strip_suffix('}').unwrap();
        for events in [
            cut(chat, share, piece, ChatAssembler::new("openai/m".into(), uncounted)),
            cut(response, share, piece, ResponseAssembler::new("openai/m".into(), uncounted)),
        ] {
            prop_assert!(!events.iter().any(|it| matches!(it, Ok(ModelEvent::Done(_)))));
            let broken = matches!(events.last(), Some(Err(LlmError::Transient { may_be_charged: true, .. })));
            prop_assert!(broken, "{:?}", events.last());
        }
    }
}
