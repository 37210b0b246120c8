//! What is read from the cache and written to it.

use super::*;

fn used(answer: &Answer) -> [u64; 3] {
    let usage = &answer.json()["usage"];
    ["input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"].map(|it| usage[it].as_u64().unwrap())
}

fn with_system(text: &str, ttl: Option<&str>) -> impl Fn(&mut Value) + use<> {
    let control = ttl.map_or(json!({ "type": "ephemeral" }), |ttl| json!({ "type": "ephemeral", "ttl": ttl }));
    let system = json!([{ "type": "text", "text": text, "cache_control": control }]);
    move |it| it["system"] = system.clone()
}

#[tokio::test]
async fn a_prefix_is_written_once_and_read_for_five_minutes() {
    let bench = Bench::start().await;
    let system = with_system(&"instruction ".repeat(500), None);
    let [input, written, read] = used(&bench.ask(&system).await);
    assert!(written > 1_024 && read == 0 && input < 50, "{input} {written}");
    assert_eq!(used(&bench.ask(&system).await), [input, 0, written]);
    bench.clock.advance(TimeDelta::minutes(4));
    assert_eq!(used(&bench.ask(&system).await), [input, 0, written]);
    bench.clock.advance(TimeDelta::minutes(4));
    assert_eq!(used(&bench.ask(&system).await), [input, 0, written], "reading it kept it");
    bench.clock.advance(TimeDelta::minutes(6));
    assert_eq!(used(&bench.ask(&system).await), [input, written, 0]);
}

#[tokio::test]
async fn a_longer_conversation_reads_what_the_shorter_one_wrote() {
    let bench = Bench::start().await;
    let control = json!({ "type": "ephemeral" });
    let long = json!([{ "type": "text", "text": "material ".repeat(700), "cache_control": control }]);
    let [_, written, _] = used(&bench.ask(|it| it["messages"][0]["content"] = long.clone()).await);
    let answer = bench
        .ask(|it| {
            let more = json!([{ "type": "text", "text": "And now?", "cache_control": control }]);
            it["messages"] =
                json!([{ "role": "user", "content": long }, { "role": "assistant", "content": "So." }, { "role": "user", "content": more }]);
        })
        .await;
    let [input, more, read] = used(&answer);
    assert_eq!((input, read), (0, written));
    assert!(more > 0);
}

#[tokio::test]
async fn short_prefixes_other_models_and_unmarked_ones_are_not_cached() {
    let bench = Bench::start().await;
    let short = with_system("Be brief.", None);
    assert_eq!(used(&bench.ask(&short).await)[1], 0);
    let hour = with_system(&"instruction ".repeat(500), Some("1h"));
    let [_, written, _] = used(&bench.ask(&hour).await);
    bench.clock.advance(TimeDelta::minutes(50));
    assert_eq!(used(&bench.ask(&hour).await)[2], written);
    let other = |it: &mut Value| {
        hour(it);
        it["model"] = json!("claude-opus-5-5");
    };
    assert_eq!(used(&bench.ask(other).await)[2], 0);
    let five = json!(vec![json!({ "type": "text", "text": "x", "cache_control": { "type": "ephemeral" } }); 5]);
    assert!(bench.refused(|it| it["system"] = five).await.1.contains("maximum of 4"));
}
