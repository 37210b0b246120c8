//! What may be posted, and what is lost on its way.

use serde_json::{Value, json};

use super::Bench;
use crate::server::Fault;
use crate::server::testing::Client;

fn report(channel: &str) -> Value {
    let section = json!({ "type": "section", "text": { "type": "mrkdwn", "text": "All is well." } });
    let metadata = json!({ "event_type": "yarnnn_report", "event_payload": { "key": "a/1" } });
    json!({ "channel": channel, "text": "All is well.", "blocks": [section], "metadata": metadata })
}

async fn post(bench: &Bench, change: impl FnOnce(&mut Value)) -> Value {
    let mut body = report(&bench.channel);
    change(&mut body);
    bench.client.post_json("/api/chat.postMessage", &body).await.json()
}

#[tokio::test]
async fn what_was_posted_can_be_read_by_its_metadata() {
    let bench = Bench::start().await;
    let posted = post(&bench, |_| ()).await;
    let kept = bench.sim.slack().posted(&bench.channel);
    assert_eq!(
        (kept.len(), &kept[0].metadata, Value::from(kept[0].ts.clone())),
        (1, &Some(report("")["metadata"].clone()), posted["ts"].clone())
    );
    let arguments = [("channel", bench.channel.as_str()), ("include_all_metadata", "true")];
    let read = bench.call("conversations.history", &arguments).await.json();
    assert_eq!(read["messages"][0]["metadata"]["event_payload"]["key"], "a/1");
    assert_eq!(read["messages"][0]["blocks"], report("")["blocks"]);
    let without = bench.sim.tokens().slack(&["channels:history"]);
    let read = Client::new(bench.client.address).bearer(&without).get("/api/conversations.history", &arguments).await.json();
    assert_eq!((read["messages"][0]["text"].as_str(), read["messages"][0].get("metadata")), (Some("All is well."), None));
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_by_name() {
    let bench = Bench::start().await;
    let error = async |change: fn(&mut Value)| post(&bench, change).await["error"].as_str().map(str::to_owned);
    let is = |name: &str| Some(name.to_owned());
    assert_eq!(error(|it| it["channel"] = json!("C0NOWHERE")).await, is("channel_not_found"));
    assert_eq!(error(|it| it["text"] = json!("x".repeat(40_001))).await, is("msg_too_long"));
    assert_eq!(error(|it| *it = json!({ "channel": it["channel"] })).await, is("no_text"));
    assert_eq!(error(|it| it["blocks"] = json!([{ "type": "marquee" }])).await, is("invalid_blocks"));
    assert_eq!(error(|it| it["blocks"] = json!(vec![json!({ "type": "divider" }); 51])).await, is("invalid_blocks"));
    assert_eq!(error(|it| it["blocks"][0]["text"]["text"] = json!("x".repeat(3_001))).await, is("invalid_blocks"));
    assert_eq!(error(|it| it["blocks"] = json!({})).await, is("invalid_blocks_format"));
    assert_eq!(error(|it| it["metadata"] = json!({ "event_type": "x" })).await, is("invalid_metadata_format"));
    bench.sim.slack().bot_leaves(&bench.channel);
    assert_eq!(error(|_| ()).await, is("not_in_channel"));
    assert!(bench.sim.slack().posted(&bench.channel).is_empty());
    let reader = Client::new(bench.client.address).bearer(&bench.sim.tokens().slack(&["channels:history"]));
    let refused = reader.post_json("/api/chat.postMessage", &report(&bench.channel)).await.json();
    assert_eq!((&refused["error"], &refused["needed"]), (&json!("missing_scope"), &json!("chat:write")));
}

#[tokio::test]
async fn a_lost_answer_leaves_the_message_and_a_lost_request_does_not() {
    let bench = Bench::start().await;
    let body = report(&bench.channel).to_string();
    bench.sim.faults().once("slack.chat.postMessage", Fault::Disconnect);
    bench.sim.faults().once("slack.chat.postMessage", Fault::AnswerLost);
    for there in [0, 1] {
        let answer = bench.client.send("POST", "/api/chat.postMessage", "application/json; charset=utf-8", body.as_bytes()).await;
        assert!(answer.is_err());
        assert_eq!(bench.sim.slack().posted(&bench.channel).len(), there);
    }
}
