//! Both ways to ask as a caller over HTTP sees them.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use serde_json::{Value, json};

use crate::models::{End, Scripted, Turn, Written};
use crate::server::testing::{Answer, Client};
use crate::server::{Fault, Provider};
use crate::{Running, Sim, VirtualClock};

const CHAT: &str = "/v1/chat/completions";
const RESPONSES: &str = "/v1/responses";

struct Bench {
    sim: Sim,
    client: Client,
    _running: Running,
}

impl Bench {
    async fn start() -> Self {
        let sim = Sim::new(Arc::new(VirtualClock::at(DateTime::UNIX_EPOCH + TimeDelta::days(20_000))));
        let running = sim.start().await.unwrap();
        let client = Client::new(running.address).bearer(&sim.tokens().key(Provider::OpenAi));
        Self { sim, client, _running: running }
    }

    fn script(&self, turns: impl IntoIterator<Item = Turn>) {
        self.sim.models().set_writer(Scripted::new(turns));
    }

    async fn chat(&self, change: impl FnOnce(&mut Value)) -> Answer {
        let mut body = json!({ "model": "gpt-6.1-terra", "messages": [{ "role": "user", "content": "Hello" }] });
        change(&mut body);
        self.client.post_json(CHAT, &body).await
    }

    async fn respond(&self, change: impl FnOnce(&mut Value)) -> Answer {
        let mut body = json!({ "model": "gpt-6.1-terra", "input": "Hello", "store": false });
        change(&mut body);
        self.client.post_json(RESPONSES, &body).await
    }
}

fn code(answer: &Answer) -> (u16, Value) {
    (answer.status, answer.json()["error"]["code"].clone())
}

fn events(answer: &Answer) -> Vec<Value> {
    let text = String::from_utf8(answer.body.clone()).unwrap();
    let data = text.lines().filter_map(|it| it.strip_prefix("data: ")).filter(|it| *it != "[DONE]");
    data.map(|it| serde_json::from_str(it).unwrap()).collect()
}

fn search() -> Turn {
    Turn::call("Search", json!({ "query": "boats in the harbor" }))
}

#[tokio::test]
async fn keys_models_and_parameters_are_checked() {
    let bench = Bench::start().await;
    let nobody = Client::new(bench.client.address);
    assert_eq!(nobody.post_json(CHAT, &json!({})).await.status, 401);
    assert_eq!(code(&nobody.bearer("sk-wrong").post_json(CHAT, &json!({})).await), (401, json!("invalid_api_key")));
    assert_eq!(code(&bench.chat(|it| it["model"] = json!("gpt-4")).await), (404, json!("model_not_found")));
    assert_eq!(code(&bench.chat(|it| it["max_tokens"] = json!(5)).await), (400, json!("unsupported_parameter")));
    assert_eq!(code(&bench.chat(|it| it["temperature"] = json!(0)).await), (400, json!("unsupported_value")));
    let old = |it: &mut Value| {
        it["model"] = json!("gpt-4o");
        it["max_tokens"] = json!(5);
        it["temperature"] = json!(0);
    };
    assert_eq!(bench.chat(old).await.status, 200);
    let open = json!({ "type": "json_schema", "json_schema": { "name": "x", "strict": true, "schema": { "type": "object", "properties": { "a": {} } } } });
    assert_eq!(bench.chat(|it| it["response_format"] = open).await.status, 400);
    assert_eq!(
        code(&bench.chat(|it| it["messages"][0]["content"] = json!("w ".repeat(900_000))).await),
        (400, json!("context_length_exceeded"))
    );
}

#[tokio::test]
async fn limits_and_quotas_look_different() {
    let bench = Bench::start().await;
    bench.sim.faults().once("openai.*", Fault::RetryAfter(3));
    bench.sim.faults().once("openai.*", Fault::SpendCap);
    bench.sim.faults().once("openai.*", Fault::Overloaded(0));
    let rate = bench.chat(|_| ()).await;
    assert_eq!((code(&rate), rate.header("retry-after")), ((429, json!("rate_limit_exceeded")), Some("3")));
    let spent = bench.chat(|_| ()).await;
    assert_eq!((code(&spent), spent.header("retry-after")), ((429, json!("insufficient_quota")), None));
    assert_eq!(bench.respond(|_| ()).await.status, 503);
}

#[tokio::test]
async fn a_completion_says_what_it_used_thoughts_included() {
    let bench = Bench::start().await;
    bench.script([Turn::text("12345678"), Turn::text("12345678"), Turn::refusal()]);
    let answer = bench.chat(|_| ()).await.json();
    let (usage, thinking) = (&answer["usage"], bench.sim.models().calls()[0].usage.thinking);
    assert_eq!(answer["choices"][0]["message"]["content"], "12345678");
    assert_eq!((usage["completion_tokens"].as_u64(), thinking > 0), (Some(2 + thinking), true));
    assert_eq!(usage["completion_tokens_details"]["reasoning_tokens"], thinking);
    let cut = bench.chat(|it| it["max_completion_tokens"] = json!(3)).await.json();
    assert_eq!((&cut["choices"][0]["finish_reason"], &cut["choices"][0]["message"]["content"]), (&json!("length"), &json!("")));
    assert_eq!(cut["usage"]["completion_tokens"], 3);
    let refused = bench.chat(|_| ()).await.json();
    assert!(refused["choices"][0]["message"]["refusal"].is_string() && refused["choices"][0]["message"]["content"].is_null());
}

#[tokio::test]
async fn a_prefix_is_cached_without_being_asked_for() {
    let bench = Bench::start().await;
    let long = |it: &mut Value| {
        let system = json!({ "role": "system", "content": "instruction ".repeat(600) });
        it["messages"] = json!([system, it["messages"][0]]);
    };
    let used = |answer: Value| {
        (
            answer["usage"]["prompt_tokens"].as_u64().unwrap(),
            answer["usage"]["prompt_tokens_details"]["cached_tokens"].as_u64().unwrap(),
        )
    };
    let (all, cached) = used(bench.chat(long).await.json());
    assert_eq!((all > 1_024, cached), (true, 0));
    assert_eq!(used(bench.chat(long).await.json()), (all, all));
}

#[tokio::test]
async fn chat_calls_tools_whole_and_in_pieces() {
    let bench = Bench::start().await;
    bench.script([search(), search(), Turn::text("Done.")]);
    let tools = json!([{ "type": "function", "function": { "name": "Search", "parameters": { "type": "object" } } }]);
    let whole = bench.chat(|it| it["tools"] = tools.clone()).await.json();
    let message = &whole["choices"][0]["message"];
    assert_eq!((&whole["choices"][0]["finish_reason"], &message["content"]), (&json!("tool_calls"), &Value::Null));
    let streamed = bench
        .chat(|it| {
            it["tools"] = tools.clone();
            it["stream"] = json!(true);
            it["stream_options"] = json!({ "include_usage": true });
        })
        .await;
    assert!(streamed.body.ends_with(b"data: [DONE]\n\n"));
    let events = events(&streamed);
    let pieces = events.iter().filter_map(|it| it["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"].as_str());
    assert_eq!(pieces.collect::<String>(), message["tool_calls"][0]["function"]["arguments"].as_str().unwrap());
    assert_eq!(events.last().unwrap()["usage"], whole["usage"]);
    let id = &message["tool_calls"][0]["id"];
    let with = |results: Value| {
        move |it: &mut Value| {
            let mut messages = vec![it["messages"][0].clone(), message.clone()];
            messages.extend(results.as_array().unwrap().clone());
            it["messages"] = json!(messages);
        }
    };
    let result = json!({ "role": "tool", "tool_call_id": id, "content": "nothing" });
    assert_eq!(bench.chat(with(json!([]))).await.status, 400, "a call without a result");
    assert_eq!(bench.chat(with(json!([result, { "role": "tool", "tool_call_id": "call_x", "content": "" }]))).await.status, 400);
    assert_eq!(bench.chat(with(json!([result]))).await.json()["choices"][0]["message"]["content"], "Done.");
}

#[tokio::test]
async fn responses_call_tools_and_want_their_thoughts_back() {
    let bench = Bench::start().await;
    bench.script([search(), Turn::text("Done.")]);
    let first =
        bench.respond(|it| it["tools"] = json!([{ "type": "function", "name": "Search", "parameters": {} }])).await.json();
    let kinds: Vec<_> = first["output"].as_array().unwrap().iter().map(|it| it["type"].as_str().unwrap()).collect();
    assert_eq!((first["status"].as_str(), kinds), (Some("completed"), vec!["reasoning", "function_call"]));
    let (thought, call) = (first["output"][0].clone(), first["output"][1].clone());
    let result = json!({ "type": "function_call_output", "call_id": call["call_id"], "output": "nothing" });
    let question = json!({ "type": "message", "role": "user", "content": [{ "type": "input_text", "text": "Hello" }] });
    let with = |items: Value| move |it: &mut Value| it["input"] = items;
    assert_eq!(bench.respond(with(json!([question, thought, call]))).await.status, 400);
    assert_eq!(bench.respond(with(json!([question, result]))).await.status, 400);
    assert_eq!(bench.respond(with(json!([question, call, result]))).await.status, 400, "the thought is missing");
    let mut forged = thought.clone();
    forged["encrypted_content"] = json!("made up");
    assert_eq!(
        code(&bench.respond(with(json!([question, forged, call, result]))).await),
        (400, json!("invalid_encrypted_content"))
    );
    let done = bench.respond(with(json!([question, thought, call, result]))).await.json();
    assert_eq!(done["output"][1]["content"][0]["text"], "Done.", "{done}");
}

#[tokio::test]
async fn a_response_in_pieces_ends_with_the_whole_of_it() {
    let bench = Bench::start().await;
    let text = "Fünf Boote liegen im Hafen, und das sechste wartet draußen.";
    bench.script([Turn::text(text), Turn::text(text), Turn::text(text)]);
    let streamed = events(&bench.respond(|it| it["stream"] = json!(true)).await);
    let deltas: String =
        streamed.iter().filter(|it| it["type"] == "response.output_text.delta").map(|it| it["delta"].as_str().unwrap()).collect();
    assert_eq!(deltas, text);
    let last = streamed.last().unwrap();
    assert_eq!(
        (&last["type"], &last["response"]["output"][1]["content"][0]["text"]),
        (&json!("response.completed"), &json!(text))
    );
    let numbers: Vec<_> = streamed.iter().map(|it| it["sequence_number"].as_u64().unwrap()).collect();
    assert!(numbers.windows(2).all(|it| it[0] + 1 == it[1]));
    let cut = bench.respond(|it| it["max_output_tokens"] = json!(24)).await.json();
    assert_eq!((&cut["status"], &cut["incomplete_details"]["reason"]), (&json!("incomplete"), &json!("max_output_tokens")));
    bench.sim.faults().once("openai.responses", Fault::StreamError);
    let failed = events(&bench.respond(|it| it["stream"] = json!(true)).await);
    assert_eq!(failed.last().unwrap()["type"], "error");
}

#[tokio::test]
async fn the_provider_searches_in_responses() {
    let bench = Bench::start().await;
    bench.script([Turn { parts: vec![Written::Search("berths of harbors".into())], end: End::Complete }]);
    let answer = bench.respond(|it| it["tools"] = json!([{ "type": "web_search" }])).await.json();
    assert_eq!(
        (&answer["output"][1]["type"], &answer["output"][1]["action"]["query"]),
        (&json!("web_search_call"), &json!("berths of harbors"))
    );
    let content = &answer["output"][2]["content"][0];
    assert!(content["annotations"][0]["url"].as_str().unwrap().ends_with("/web/harbor/berths"), "{content}");
    assert_eq!(bench.sim.models().usage().searches, 1);
}

#[tokio::test]
async fn models_say_when_they_end() {
    let bench = Bench::start().await;
    let all = bench.client.get("/v1/models", &[]).await.json();
    let ids: Vec<_> = all["data"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect();
    assert!(ids.contains(&"gpt-6-luna") && !ids.contains(&"gpt-4"));
    assert_eq!(bench.client.get("/v1/models/gpt-4o", &[]).await.json()["shutdown_date"], "2027-01-14");
    assert_eq!(bench.client.get("/v1/models/gpt-3", &[]).await.status, 404);
}
