//! Answers piece by piece.

use super::*;

/// The data of all events.
fn events(answer: &Answer) -> Vec<Value> {
    let text = String::from_utf8(answer.body.clone()).unwrap();
    text.lines().filter_map(|it| it.strip_prefix("data: ")).map(|it| serde_json::from_str(it).unwrap()).collect()
}

fn names(events: &[Value]) -> Vec<&str> {
    let mut names: Vec<_> = events.iter().map(|it| it["type"].as_str().unwrap()).collect();
    names.dedup();
    names
}

#[tokio::test]
async fn the_pieces_are_the_answer() {
    let bench = Bench::start().await;
    let text = "Fünf Boote liegen im Hafen, und das sechste wartet draußen.";
    let call = Written::Call { name: "Search".into(), input: json!({ "query": "boats in the harbor" }) };
    bench.script([Turn { parts: vec![Written::Text(text.into()), call], end: End::Complete }]);
    let answer = bench.ask(|it| it["stream"] = json!(true)).await;
    assert_eq!(answer.header("content-type"), Some("text/event-stream; charset=utf-8"));
    let events = events(&answer);
    let expected = [
        "message_start",
        "content_block_start",
        "ping",
        "content_block_delta",
        "content_block_stop",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ];
    assert_eq!(names(&events), expected);
    let joined = |name: &str| events.iter().filter_map(|it| it["delta"][name].as_str()).collect::<String>();
    assert_eq!(joined("text"), text);
    assert_eq!(serde_json::from_str::<Value>(&joined("partial_json")).unwrap(), json!({ "query": "boats in the harbor" }));
    let end = events.iter().find(|it| it["type"] == "message_delta").unwrap();
    assert_eq!(end["delta"]["stop_reason"], "tool_use");
    assert_eq!(end["usage"]["output_tokens"], bench.sim.models().calls()[0].usage.output);
}

#[tokio::test]
async fn a_stream_can_fail_on_its_way() {
    let bench = Bench::start().await;
    let streaming = |it: &mut Value| it["stream"] = json!(true);
    bench.sim.faults().once("anthropic.messages", Fault::StreamError);
    let failed = events(&bench.ask(streaming).await);
    assert_eq!(failed.last().unwrap()["error"]["type"], "overloaded_error");
    assert!(!names(&failed).contains(&"message_stop"));
    bench.sim.faults().once("anthropic.messages", Fault::UnknownEvents);
    let strange = events(&bench.ask(streaming).await);
    assert!(names(&strange).contains(&"quantum_flux") && names(&strange).contains(&"message_stop"));
    bench.sim.faults().once("anthropic.messages", Fault::TruncatedBody);
    let mut body = question();
    streaming(&mut body);
    let cut = bench.client.send("POST", "/v1/messages", "application/json", body.to_string().as_bytes()).await;
    assert!(cut.is_err());
}

#[tokio::test]
async fn a_call_can_be_no_json() {
    let bench = Bench::start().await;
    bench.script([Turn {
        parts: vec![Written::BrokenCall { name: "Search".into(), input: "{\"query\": \"har".into() }],
        end: End::Complete,
    }]);
    let events = events(&bench.ask(|it| it["stream"] = json!(true)).await);
    let input: String = events.iter().filter_map(|it| it["delta"]["partial_json"].as_str()).collect();
    assert_eq!(input, "{\"query\": \"har");
}
