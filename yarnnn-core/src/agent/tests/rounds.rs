//! How often a model is asked, with what, and when it ends.

use serde_json::json;

use super::support::*;
use crate::agent::AgentTask;
use crate::error::{Error, StoreError};
use crate::llm::{Content, ModelResponse, Role, StopReason};
use crate::pipeline::{CancelHandle, StageCx};
use crate::testing::FixedClock;

fn search() -> ModelResponse {
    calls("Search", json!({ "query": "launch" }))
}

#[tokio::test]
async fn a_model_that_needs_nothing_is_asked_once() {
    let model = ScriptedModel::new([says("Done.")]);
    let answer = Workspace::usual().run(&model, task(3)).await.unwrap();
    assert_eq!((answer.text.as_str(), answer.stop), ("Done.", StopReason::Complete));
    assert_eq!(answer.model, "test/scripted");
    assert_eq!(model.asked().len(), 1);
    let names: Vec<String> = model.asked()[0].tools.iter().map(|it| it.name.clone()).collect();
    assert_eq!(names, ["Search", "Read", "List", "GetSystemState"]);
}

#[tokio::test]
async fn a_model_that_asks_for_ever_has_its_rounds_and_one_call_without_tools() {
    for rounds in [2, 3, 6, 6] {
        let model = ScriptedModel::new([search()]);
        let answer = Workspace::usual().run(&model, task(rounds)).await.unwrap();
        let asked = model.asked();
        let offers: Vec<bool> = asked.iter().map(|it| !it.tools.is_empty() && !it.answers_now).collect();
        let expected: Vec<bool> = (0..rounds).map(|_| true).chain([false]).collect();
        assert_eq!(offers, expected, "{rounds} rounds");
        let last = asked.last().unwrap().messages.last().unwrap();
        assert!(matches!(last.content.last(), Some(Content::Text(it)) if it.starts_with("No more tools")));
        assert_eq!((answer.text.as_str(), answer.usage.calls), ("", rounds + 1));
    }
}

#[tokio::test]
async fn after_its_rounds_a_model_writes() {
    let model = ScriptedModel::new([search(), search(), says("It moved [s10].")]);
    let answer = Workspace::usual().run(&model, task(2)).await.unwrap();
    assert_eq!(answer.text, "It moved [s10].");
    assert_eq!(answer.usage.input_tokens, 30);
}

#[tokio::test]
async fn without_rounds_no_tool_is_offered_and_the_system_text_stays() {
    let model = ScriptedModel::new([says("Done.")]);
    Workspace::usual().run(&model, task(0)).await.unwrap();
    assert!(model.asked()[0].tools.is_empty());
    assert_eq!(model.asked()[0].system, "You write reports.");
}

#[tokio::test]
async fn an_empty_answer_is_asked_for_once_more_without_tools() {
    let nothing = ModelResponse { content: vec![], stop: StopReason::Complete, usage: used(), by: None };
    for empty in [stops(" ", StopReason::OutputLimit), nothing] {
        let model = ScriptedModel::new([empty, says("Done.")]);
        let answer = Workspace::usual().run(&model, task(3)).await.unwrap();
        assert_eq!(answer.text, "Done.");
        assert!(model.asked()[1].answers_now);
        assert_eq!(model.asked()[1].messages.last().unwrap().role, Role::User);
    }
    let silent = ScriptedModel::new([stops("", StopReason::Complete)]);
    assert_eq!(Workspace::usual().run(&silent, task(3)).await.unwrap().text, "");
    assert_eq!(silent.asked().len(), 2);
}

#[tokio::test]
async fn text_beside_a_call_is_no_answer_and_a_cut_text_is_one() {
    let mut talking = search();
    talking.content.insert(0, Content::Text("Let me look.".into()));
    let model = ScriptedModel::new([talking, stops("The rest is", StopReason::OutputLimit)]);
    let answer = Workspace::usual().run(&model, task(3)).await.unwrap();
    assert_eq!((answer.text.as_str(), answer.stop), ("The rest is", StopReason::OutputLimit));
}

#[tokio::test]
async fn a_refusal_and_a_full_context_end_the_session_at_once() {
    for stop in [StopReason::Refused { detail: None }, StopReason::ContextFull] {
        let mut refusal = search();
        refusal.stop = stop.clone();
        let model = ScriptedModel::new([refusal]);
        let answer = Workspace::usual().run(&model, task(3)).await.unwrap();
        assert_eq!((answer.stop, model.asked().len()), (stop, 1));
    }
}

#[tokio::test]
async fn a_paused_turn_is_sent_back_and_its_text_goes_on() {
    let model = ScriptedModel::new([stops("First, ", StopReason::Paused), says("and second.")]);
    let answer = Workspace::usual().run(&model, task(3)).await.unwrap();
    assert_eq!(answer.text, "First, and second.");
    let last = model.asked()[1].messages.last().unwrap().clone();
    assert_eq!((last.role, last.content), (Role::Assistant, vec![Content::Text("First, ".into())]));
    let dozing = ScriptedModel::new([stops("zz", StopReason::Paused)]);
    assert_eq!(Workspace::usual().run(&dozing, task(3)).await.unwrap().stop, StopReason::Paused);
    assert_eq!(dozing.asked().len(), 5);
}

#[tokio::test]
async fn turns_go_back_as_they_came_and_are_in_the_answer() {
    let thinking = turn(vec![thought(), call("Search", json!({ "query": "launch" }))]);
    let model = ScriptedModel::new([thinking.clone(), says("Done.")]);
    let answer = Workspace::usual().run(&model, task(3)).await.unwrap();
    assert_eq!(model.asked()[1].messages[1].content, thinking.content);
    assert_eq!(answer.messages.len(), 4);
    assert_eq!(answer.messages[1].content, thinking.content);
    assert_eq!(answer.messages[3].content, vec![Content::Text("Done.".into())]);
}

#[tokio::test]
async fn the_calls_of_a_turn_are_answered_in_order() {
    let ids = ["a", "b", "c"];
    let content = ids.map(|id| match call("List", json!({ "pattern": "deliverable:*" })) {
        Content::ToolCall(it) => Content::ToolCall(crate::llm::ToolCall { id: id.into(), ..it }),
        other => other,
    });
    let model = ScriptedModel::new([turn(content.to_vec()), says("Done.")]);
    Workspace::usual().run(&model, task(3)).await.unwrap();
    let answered: Vec<String> = model.results(1).into_iter().map(|it| it.call_id).collect();
    assert_eq!(answered, ids);
}

#[tokio::test]
async fn what_was_asked_to_stop_asks_no_more() {
    let cancel = CancelHandle::default();
    let cx = StageCx::new(std::sync::Arc::new(FixedClock::at(now()))).with_cancel(cancel.token());
    cancel.cancel();
    let model = ScriptedModel::new([search()]);
    let ended = Workspace::usual().agent(&model).run(&cx, task(3)).await;
    assert!(matches!(ended, Err(Error::Cancelled)));
    assert!(model.asked().is_empty());
}

#[tokio::test]
async fn a_store_that_is_gone_for_now_ends_the_run_and_one_that_is_broken_is_told() {
    let unavailable = || StoreError::Unavailable { source: "down".into() };
    let corrupt = || StoreError::Corrupt { what: "row".into(), source: "secret words".into() };
    let inputs = [
        ("Search", json!({ "query": "launch" }), "search_failed"),
        ("Read", json!({ "ref": "deliverable:latest" }), "read_failed"),
        ("List", json!({ "pattern": "deliverable:*" }), "list_failed"),
        ("GetSystemState", json!({}), "state_fetch_failed"),
    ];
    for (name, input, code) in inputs {
        let model = ScriptedModel::new([calls(name, input.clone()), says("Done.")]);
        let down = Workspace { trouble: Some(unavailable), ..Workspace::usual() };
        assert!(matches!(down.run(&model, task(3)).await, Err(Error::Store(StoreError::Unavailable { .. }))), "{name}");
        let model = ScriptedModel::new([calls(name, input), says("Done.")]);
        let broken = Workspace { trouble: Some(corrupt), ..Workspace::usual() };
        broken.run(&model, task(3)).await.unwrap();
        let result = model.results(1).remove(0);
        assert_eq!(said(&result)["error"], code);
        assert!(!result.text.contains("secret"));
    }
}

#[tokio::test]
async fn an_item_keeps_its_reference_and_new_ones_are_numbered_on() {
    let model = ScriptedModel::new([search(), search(), says("Done [s10][s1].")]);
    let answer = Workspace::usual().run(&model, AgentTask { next_reference: 1, ..task(3) }).await.unwrap();
    for request in [1, 2] {
        let shown: Vec<String> = model.results(request)[0].material.iter().map(|it| it.reference.clone()).collect();
        assert_eq!(shown, ["s1", "s2", "s3"], "s1 is taken, though the task says it comes next");
    }
    let found: Vec<_> = answer.found.iter().map(|(reference, item)| (reference.as_str(), *item)).collect();
    assert_eq!(found, [("s2", content_id(2)), ("s3", content_id(3))]);
}

#[tokio::test]
async fn what_an_earlier_try_was_answered_is_answered_again_and_its_references_are_taken() {
    let script = || [search(), calls("Read", json!({ "ref": "s11" })), says("Done.")];
    let model = ScriptedModel::new(script());
    let first = Workspace::usual().run(&model, task(3)).await.unwrap();
    let journal = model.results(1);
    let again = ScriptedModel::new(script());
    let changed = Workspace { items: Workspace::usual().items.split_off(1), ..Workspace::usual() };
    let second = changed.run(&again, AgentTask { journal, ..task(3) }).await.unwrap();
    assert_eq!(again.asked(), model.asked());
    assert_eq!(second.found, first.found);
}
