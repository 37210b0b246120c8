//! The Messages API as a caller over HTTP sees it.

mod caching;
mod refusals;
mod streams;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use serde_json::{Value, json};

use crate::models::{End, Scripted, Turn, Written};
use crate::server::testing::{Answer, Client};
use crate::server::{Fault, Provider};
use crate::{Running, Sim, VirtualClock};

struct Bench {
    sim: Sim,
    clock: Arc<VirtualClock>,
    client: Client,
    _running: Running,
}

impl Bench {
    async fn start() -> Self {
        let clock = Arc::new(VirtualClock::at(DateTime::UNIX_EPOCH + TimeDelta::days(20_000)));
        let sim = Sim::new(clock.clone());
        let running = sim.start().await.unwrap();
        let key = sim.tokens().key(Provider::Anthropic);
        let client = Client::new(running.address).with("x-api-key", &key).with("anthropic-version", "2023-06-01");
        Self { sim, clock, client, _running: running }
    }

    fn script(&self, turns: impl IntoIterator<Item = Turn>) {
        self.sim.models().set_writer(Scripted::new(turns));
    }

    async fn ask(&self, change: impl FnOnce(&mut Value)) -> Answer {
        let mut body = question();
        change(&mut body);
        self.client.post_json("/v1/messages", &body).await
    }

    /// The status and the message of a refusal.
    async fn refused(&self, change: impl FnOnce(&mut Value)) -> (u16, String) {
        let answer = self.ask(change).await;
        (answer.status, answer.json()["error"]["message"].as_str().unwrap_or_default().to_owned())
    }
}

fn question() -> Value {
    json!({ "model": "claude-sonnet-5-5", "max_tokens": 500, "messages": [{ "role": "user", "content": "Hello there" }] })
}

fn tool() -> Value {
    let schema = json!({ "type": "object", "properties": { "query": { "type": "string" } }, "required": ["query"] });
    json!({ "name": "Search", "description": "Finds.", "input_schema": schema })
}

#[tokio::test]
async fn an_answer_says_what_it_used() {
    let bench = Bench::start().await;
    bench.script([Turn::text("12345678")]);
    let answer = bench.ask(|_| ()).await;
    let message = answer.json();
    assert_eq!((answer.status, &message["content"][0]["text"]), (200, &json!("12345678")), "{message}");
    assert_eq!((&message["stop_reason"], &message["usage"]["output_tokens"]), (&json!("end_turn"), &json!(2)));
    let bytes = json!({ "type": "text", "text": "Hello there", "role": "user" }).to_string().len();
    assert_eq!(message["usage"]["input_tokens"], bytes.div_ceil(4));
    assert!(answer.header("request-id").is_some_and(|it| it.starts_with("req_")));
    let calls = bench.sim.models().calls();
    assert_eq!((calls.len(), calls[0].usage.output), (1, 2));
    assert_eq!(bench.sim.journal().calls("anthropic.messages").len(), 1);
}

#[tokio::test]
async fn an_answer_ends_as_its_writer_says() {
    let bench = Bench::start().await;
    bench.script([
        Turn::refusal(),
        Turn::text("Half of it").ending(End::Other("model_context_window_exceeded".into())),
        Turn::text("One two three four five"),
        Turn::text("One STOP two"),
    ]);
    let refused = bench.ask(|_| ()).await.json();
    assert_eq!((&refused["stop_reason"], &refused["stop_details"]["category"]), (&json!("refusal"), &json!("cyber")));
    assert_eq!(bench.ask(|_| ()).await.json()["stop_reason"], "model_context_window_exceeded");
    let cut = bench.ask(|it| it["max_tokens"] = json!(2)).await.json();
    assert_eq!((&cut["stop_reason"], &cut["content"][0]["text"]), (&json!("max_tokens"), &json!("One two ")));
    assert_eq!(cut["usage"]["output_tokens"], 2);
    let stopped = bench.ask(|it| it["stop_sequences"] = json!(["STOP"])).await.json();
    assert_eq!((&stopped["stop_reason"], &stopped["content"][0]["text"]), (&json!("stop_sequence"), &json!("One ")));
}

#[tokio::test]
async fn a_tool_is_asked_for_answered_and_used_up() {
    let bench = Bench::start().await;
    let asked = bench.ask(|it| it["tools"] = json!([tool()])).await.json();
    assert_eq!((&asked["stop_reason"], &asked["content"][0]["name"]), (&json!("tool_use"), &json!("Search")), "{asked}");
    let id = &asked["content"][0]["id"];
    let answered = bench
        .ask(|it| {
            it["tools"] = json!([tool()]);
            let result = json!([{ "type": "tool_result", "tool_use_id": id, "content": "<material-1>\n<item ref=\"s7\">The berths of the harbor are full until the end of May.</item>\n</material-1>" }]);
            it["messages"] = json!([it["messages"][0], { "role": "assistant", "content": asked["content"] }, { "role": "user", "content": result }]);
        })
        .await
        .json();
    assert!(answered["content"][0]["text"].as_str().unwrap().contains("until the end of May. [s7]"), "{answered}");
}

#[tokio::test]
async fn the_provider_searches_and_may_pause_on_the_way() {
    let bench = Bench::start().await;
    let paused = Turn { parts: vec![Written::Search("harbors berths".into())], end: End::Paused };
    bench.script([paused, Turn { parts: vec![Written::Search("harbors berths".into())], end: End::Complete }]);
    let search = json!([{ "type": "web_search_20250305", "name": "web_search", "max_uses": 2 }]);
    let first = bench.ask(|it| it["tools"] = search.clone()).await.json();
    assert_eq!(
        (&first["stop_reason"], &first["usage"]["server_tool_use"]["web_search_requests"]),
        (&json!("pause_turn"), &json!(1))
    );
    let second = bench
        .ask(|it| {
            it["tools"] = search;
            it["messages"] = json!([it["messages"][0], { "role": "assistant", "content": first["content"] }]);
        })
        .await
        .json();
    assert_eq!(second["stop_reason"], "end_turn", "{second}");
    let hit = &second["content"][1]["content"][0];
    assert!(hit["url"].as_str().unwrap().starts_with("http://127.0.0.1:"), "{hit}");
    assert_eq!(second["content"][2]["citations"][0]["url"], hit["url"]);
    assert_eq!(bench.sim.models().usage().searches, 2);
}

#[tokio::test]
async fn an_object_is_answered_where_a_schema_is_given() {
    let bench = Bench::start().await;
    let schema = json!({ "type": "object", "properties": { "pages": { "type": "array", "items": { "type": "integer" } } },
        "required": ["pages"], "additionalProperties": false });
    let message =
        bench.ask(|it| it["output_config"] = json!({ "format": { "type": "json_schema", "schema": schema } })).await.json();
    let object: Value = serde_json::from_str(message["content"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(object, json!({ "pages": [1] }));
}
