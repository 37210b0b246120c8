//! What models are told, as they read it.

use serde_json::json;

use super::support::*;
use crate::agent::{Agent, MockWebSearch, Registry, Research, ResearchFields, ResearchMeans, WebQuery, WebSearch};
use crate::llm::CallAccount;

#[tokio::test]
async fn a_writing_session() {
    let model = ScriptedModel::new([calls("Search", json!({ "query": "launch", "limit": 2 })), says("It moved [s10].")]);
    Workspace::usual().run(&model, task(1)).await.unwrap();
    insta::assert_snapshot!("writing_session", model.asked()[1].render());
}

#[tokio::test]
async fn a_research_session() {
    let fields = ResearchFields {
        title: "Battery makers".into(),
        description: Some("Who builds what in Europe".into()),
        focus: Some("market".into()),
        subjects: vec!["Northvolt".into(), "CATL".into()],
        purpose: Some("Choose a supplier".into()),
    };
    let model = ScriptedModel::new([says("none")]);
    let means = ResearchMeans { search: std::sync::Arc::new(MockWebSearch::new()), pages: None };
    let agent: Agent<Research> = Agent::new(model.clone(), means, Registry::research(true));
    agent.run(&cx(), super::research::task_of(&fields)).await.unwrap();
    insta::assert_snapshot!("research_session", model.asked()[0].render());
}

#[tokio::test]
async fn a_search_by_a_model() {
    let model = ScriptedModel::new([says("There.")]);
    let query = WebQuery { account: CallAccount::of(ana()), words: "northvolt 2026".into(), max_results: 3 };
    crate::agent::ModelWebSearch::new(model.clone()).search(&query).await.unwrap();
    insta::assert_snapshot!("search_by_a_model", model.asked()[0].render());
}

#[test]
fn the_tools() {
    let tools = [Registry::writing().specs(), Registry::research(true).specs()].concat();
    insta::assert_snapshot!("tools", serde_json::to_string_pretty(&tools).unwrap());
}
