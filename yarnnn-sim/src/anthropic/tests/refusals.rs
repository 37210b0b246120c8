//! What is refused.

use super::*;

#[tokio::test]
async fn without_a_key_or_a_version_nothing_is_answered() {
    let bench = Bench::start().await;
    let nobody = Client::new(bench.client.address);
    let answer = nobody.post_json("/v1/messages", &question()).await;
    assert_eq!((answer.status, &answer.json()["error"]["type"]), (401, &json!("authentication_error")));
    let wrong = nobody.with("x-api-key", "sk-ant-wrong").post_json("/v1/messages", &question()).await;
    assert_eq!((wrong.status, &wrong.json()["error"]["message"]), (401, &json!("invalid x-api-key")));
    let key = bench.sim.tokens().key(Provider::Anthropic);
    let bare = nobody.with("x-api-key", &key).post_json("/v1/messages", &question()).await;
    assert_eq!((bare.status, &bare.json()["error"]["message"]), (400, &json!("anthropic-version: header is required")));
    let other = nobody.bearer(&bench.sim.tokens().key(Provider::OpenAi)).with("anthropic-version", "2023-06-01");
    assert_eq!(other.post_json("/v1/messages", &question()).await.status, 401, "a key of another provider");
    assert!(bench.sim.models().calls().is_empty());
}

#[tokio::test]
async fn current_models_take_no_sampling_no_prefill_and_no_budget() {
    let bench = Bench::start().await;
    assert_eq!(bench.refused(|it| it["temperature"] = json!(0)).await.0, 400);
    assert_eq!(bench.refused(|it| it["temperature"] = json!(1.0)).await.0, 200);
    assert_eq!(bench.refused(|it| it["top_p"] = json!(0.5)).await.0, 400);
    assert_eq!(bench.refused(|it| it["top_k"] = json!(5)).await.0, 400);
    assert_eq!(bench.refused(|it| it["thinking"] = json!({ "type": "enabled", "budget_tokens": 1_024 })).await.0, 400);
    let prefill = |it: &mut Value| it["messages"] = json!([it["messages"][0], { "role": "assistant", "content": "{" }]);
    assert!(bench.refused(prefill).await.1.contains("prefill"));
    let old = |it: &mut Value| {
        it["model"] = json!("claude-haiku-4-5-20251001");
        it["temperature"] = json!(0);
        prefill(it);
    };
    assert_eq!(bench.refused(old).await.0, 200, "an older model takes both");
}

#[tokio::test]
async fn the_newest_version_takes_no_sampling_at_all() {
    let mut bench = Bench::start().await;
    bench.client = bench.client.with("anthropic-version", "2026-10-21");
    let old = |it: &mut Value| {
        it["model"] = json!("claude-haiku-4-5-20251001");
        it["temperature"] = json!(1.0);
    };
    assert_eq!(bench.refused(old).await, (400, "temperature: Extra inputs are not permitted".to_owned()));
    assert_eq!(bench.refused(|_| ()).await.0, 200);
}

#[tokio::test]
async fn retired_models_and_requests_without_a_bound_are_refused() {
    let bench = Bench::start().await;
    for model in ["claude-sonnet-4-20250514", "claude-3-opus-latest", "gpt-6-luna"] {
        assert_eq!(bench.refused(|it| it["model"] = json!(model)).await, (404, format!("model: {model}")));
    }
    let unbounded = |it: &mut Value| drop(it.as_object_mut().unwrap().remove("max_tokens"));
    assert_eq!(bench.refused(unbounded).await, (400, "max_tokens: Field required".to_owned()));
    assert!(bench.refused(|it| it["max_tokens"] = json!(200_000)).await.1.contains("128000"));
    assert!(bench.refused(|it| it["output_format"] = json!({})).await.1.contains("Extra inputs"));
    let long = "word ".repeat(900_000);
    assert!(bench.refused(|it| it["messages"][0]["content"] = json!(long)).await.1.starts_with("prompt is too long: "));
}

#[tokio::test]
async fn calls_and_results_belong_together() {
    let bench = Bench::start().await;
    let result = json!([{ "type": "tool_result", "tool_use_id": "toolu_1", "content": "x" }]);
    let alone = bench.refused(|it| it["messages"] = json!([{ "role": "user", "content": result }])).await;
    assert!(alone.0 == 400 && alone.1.contains("unexpected `tool_use_id`"), "{alone:?}");
    let call = json!([{ "type": "tool_use", "id": "toolu_1", "name": "Search", "input": {} }]);
    let open = |it: &mut Value| {
        let hello = it["messages"][0].clone();
        it["messages"] = json!([hello, { "role": "assistant", "content": call }, hello]);
    };
    assert!(bench.refused(open).await.1.contains("without `tool_result`"));
    let good = |it: &mut Value| {
        it["messages"] =
            json!([it["messages"][0], { "role": "assistant", "content": call }, { "role": "user", "content": result }]);
    };
    assert!(bench.refused(good).await.1.contains("must define tools"));
    let with_tools = |it: &mut Value| {
        good(it);
        it["tools"] = json!([tool()]);
        it["tool_choice"] = json!({ "type": "none" });
    };
    assert_eq!(bench.refused(with_tools).await.0, 200);
    assert!(bench.sim.models().calls()[0].prompt.tools.is_empty(), "none may be used");
}

#[tokio::test]
async fn thoughts_come_back_as_they_were() {
    let bench = Bench::start().await;
    let thinking = |it: &mut Value| {
        it["thinking"] = json!({ "type": "adaptive" });
        it["tools"] = json!([tool()]);
    };
    let first = bench.ask(thinking).await.json();
    assert_eq!((&first["content"][0]["type"], &first["content"][1]["type"]), (&json!("thinking"), &json!("tool_use")));
    let again = |content: Value| {
        let result = json!([{ "type": "tool_result", "tool_use_id": first["content"][1]["id"], "content": "x" }]);
        move |it: &mut Value| {
            thinking(it);
            it["messages"] =
                json!([it["messages"][0], { "role": "assistant", "content": content }, { "role": "user", "content": result }]);
        }
    };
    assert_eq!(bench.refused(again(first["content"].clone())).await.0, 200);
    assert!(bench.refused(again(json!([first["content"][1]]))).await.1.contains("cannot be modified"), "left away");
    let mut changed = first["content"].clone();
    changed[0]["thinking"] = json!("Something else.");
    assert!(bench.refused(again(changed.clone())).await.1.contains("cannot be modified"));
    changed[0]["signature"] = json!("made up");
    assert!(bench.refused(again(changed)).await.1.contains("Invalid `signature`"));
}

#[tokio::test]
async fn limits_overload_and_caps_look_different() {
    let bench = Bench::start().await;
    let call = "anthropic.messages";
    for fault in [Fault::RetryAfter(7), Fault::SpendCap, Fault::WorkspaceCap, Fault::Overloaded(0)] {
        bench.sim.faults().once(call, fault);
    }
    let rate = bench.ask(|_| ()).await;
    assert_eq!((rate.status, rate.header("retry-after")), (429, Some("7")));
    let spent = bench.ask(|_| ()).await;
    assert_eq!((spent.status, spent.header("retry-after")), (429, None));
    assert_eq!(bench.ask(|_| ()).await.status, 400);
    let busy = bench.ask(|_| ()).await;
    assert_eq!((busy.status, &busy.json()["error"]["type"], busy.header("retry-after")), (529, &json!("overloaded_error"), None));
    bench.sim.models().spend_at_most(Some(1));
    assert_eq!(bench.ask(|_| ()).await.status, 200, "nothing is spent yet");
    let capped = bench.ask(|_| ()).await;
    assert_eq!((capped.status, capped.header("retry-after")), (429, None));
    assert_eq!(bench.sim.models().calls().len(), 1);
}

#[tokio::test]
async fn a_lost_answer_was_charged_all_the_same() {
    let bench = Bench::start().await;
    bench.sim.faults().once("anthropic.messages", Fault::AnswerLost);
    bench.sim.faults().once("anthropic.messages", Fault::Disconnect);
    let send = || bench.client.send("POST", "/v1/messages", "application/json", b"{}");
    let body = question().to_string();
    let asked = bench.client.send("POST", "/v1/messages", "application/json", body.as_bytes()).await;
    assert!(asked.is_err());
    assert_eq!(bench.sim.models().calls().len(), 1);
    assert!(send().await.is_err());
    assert_eq!(bench.sim.models().calls().len(), 1, "the other one never arrived");
}
