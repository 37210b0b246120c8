//! What the tools of a writing session answer.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::support::*;
use crate::agent::{FailedJob, PlatformState, PlatformView, ResourceView, SystemState};
use crate::id::JobId;
use crate::llm::ToolResult;
use crate::platform::{Platform, ResourceId};
use crate::sync::StoredItem;

async fn ask(workspace: Workspace, name: &str, input: Value) -> ToolResult {
    let model = ScriptedModel::new([calls(name, input), says("Done.")]);
    workspace.run(&model, task(2)).await.unwrap();
    model.results(1).remove(0)
}

async fn usual(name: &str, input: Value) -> ToolResult {
    ask(Workspace::usual(), name, input).await
}

fn rows(result: &ToolResult, name: &str) -> Vec<Value> {
    result.data.as_ref().unwrap()[name].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_search_shows_items_to_cite_and_deliverables() {
    let result = usual("Search", json!({ "query": "launch" })).await;
    assert_eq!(said(&result), json!({ "success": true, "count": 4, "message": "4 results" }));
    let shown: Vec<&str> = result.material.iter().map(|it| it.reference.as_str()).collect();
    assert_eq!(shown, ["s1", "s10", "s11"]);
    let rows = rows(&result, "results");
    assert_eq!(rows[1]["cite"], "s10");
    assert_eq!(rows[1]["ref"], format!("platform_content:{}", content_id(2)));
    assert_eq!(rows[3]["data"]["title"], "Launch digest");
}

#[tokio::test]
async fn a_search_keeps_to_its_scope() {
    let content = usual("Search", json!({ "query": "launch", "scope": "platform_content", "limit": 2 })).await;
    assert_eq!(rows(&content, "results").len(), 2);
    let reports = usual("Search", json!({ "query": "digest launch", "scope": "deliverable" })).await;
    assert_eq!((rows(&reports, "results").len(), reports.material.len()), (1, 0));
    let nothing = usual("Search", json!({ "query": "zebra" })).await;
    assert_eq!((said(&nothing)["count"].clone(), nothing.data.clone()), (json!(0), None));
    let codes = [("memory", "invalid_scope"), ("document", "unsupported_type"), ("work", "unsupported_type")];
    for (scope, code) in codes {
        assert_eq!(said(&usual("Search", json!({ "query": "launch", "scope": scope })).await)["error"], code);
    }
}

#[tokio::test]
async fn a_long_item_is_an_excerpt_around_what_was_found_and_reads_whole() {
    let text = format!("{} The zebra came at noon. {}", "before ".repeat(200), "after ".repeat(200));
    let workspace = Workspace { items: vec![(ana(), item(5, &text))], ..Workspace::default() };
    let result = ask(workspace.clone(), "Search", json!({ "query": "zebra" })).await;
    let shown = &result.material[0];
    assert!(text.contains(&shown.text) && shown.text.contains("The zebra came at noon."), "{}", shown.text);
    assert_eq!((shown.text.chars().count(), shown.marks.as_slice()), (500, ["excerpt".to_owned()].as_slice()));
    let whole = ask(workspace, "Read", json!({ "ref": format!("platform_content:{}", content_id(5)) })).await;
    assert_eq!(whole.material[0].text, text);
}

#[tokio::test]
async fn things_are_read_by_what_is_cited_by_id_and_by_path() {
    let cited = usual("Read", json!({ "ref": "s1" })).await;
    assert_eq!((cited.material[0].reference.as_str(), cited.data.unwrap()["cite"].clone()), ("s1", json!("s1")));
    let newest = usual("Read", json!({ "ref": "platform_content:latest" })).await;
    assert_eq!(newest.material[0].reference, "s1");
    let report = usual("Read", json!({ "ref": "deliverable:latest" })).await;
    assert_eq!(report.data.unwrap()["data"]["latest_version"]["version_number"], 3);
    let part = usual("Read", json!({ "ref": "deliverable:latest/latest_version/content" })).await;
    assert_eq!(part.data.unwrap()["data"], "## Done\n\n- The launch moved.");
    let author = usual("Read", json!({ "ref": format!("platform_content:{}/author", content_id(2)) })).await;
    assert_eq!((author.data.unwrap()["data"].clone(), author.material.len()), (json!("Mara"), 0));
}

#[tokio::test]
async fn several_are_read_at_once_and_each_says_how_it_went() {
    let result = usual("Read", json!({ "refs": ["s1", "deliverable:nothing", "nonsense"] })).await;
    assert_eq!(said(&result)["message"], "1 read, 2 not");
    let rows = rows(&result, "results");
    let errors: Vec<&Value> = rows.iter().map(|it| &it["error"]).collect();
    assert_eq!(errors, [&Value::Null, &json!("not_found"), &json!("invalid_ref")]);
}

#[tokio::test]
async fn what_cannot_be_read_has_its_code() {
    let codes = [
        (json!({}), "missing_ref"),
        (json!({ "ref": "s99" }), "invalid_ref"),
        (json!({ "ref": 7 }), "invalid_ref"),
        (json!({ "refs": [] }), "invalid_ref"),
        (json!({ "ref": "platform_content:seven" }), "invalid_ref"),
        (json!({ "ref": "platform_content:*" }), "invalid_ref"),
        (json!({ "ref": "deliverable:new" }), "invalid_ref"),
        (json!({ "ref": "session:current" }), "invalid_ref"),
        (json!({ "ref": "document:latest" }), "unsupported_type"),
        (json!({ "ref": "memory:role" }), "unsupported_type"),
        (json!({ "ref": "system:state" }), "unsupported_type"),
        (json!({ "ref": "deliverable:latest/destination" }), "not_found"),
        (json!({ "ref": "s1", "user": "someone" }), "invalid_input"),
    ];
    for (input, code) in codes {
        let result = usual("Read", input.clone()).await;
        assert_eq!((said(&result)["error"].clone(), result.is_error), (json!(code), true), "{input}");
    }
}

#[tokio::test]
async fn what_was_taken_back_or_has_expired_is_not_read() {
    let gone = StoredItem { withdrawn_at: Some(now()), retained: true, ..item(1, "taken back") };
    let old = StoredItem { expires_at: Some(now() - TimeDelta::days(1)), ..item(2, "expired") };
    let kept = StoredItem { retained: true, ..StoredItem { expires_at: None, ..item(3, "kept") } };
    let workspace = Workspace { items: [gone, old, kept].map(|it| (ana(), it)).to_vec(), ..Workspace::default() };
    for (number, is_read) in [(1, false), (2, false), (3, true)] {
        let result = ask(workspace.clone(), "Read", json!({ "ref": format!("platform_content:{}", content_id(number)) })).await;
        assert_eq!(said(&result)["success"], is_read, "{number}");
    }
}

#[tokio::test]
async fn lists_are_in_the_order_asked_for() {
    let newest = usual("List", json!({ "pattern": "platform_content:*", "limit": 2 })).await;
    let shown: Vec<&str> = newest.material.iter().map(|it| it.reference.as_str()).collect();
    assert_eq!(shown, ["s1", "s10"]);
    let oldest_first = usual("List", json!({ "pattern": "platform_content:?limit=2", "ascending": true })).await;
    assert_eq!(oldest_first.material[0].text, "The launch of part 2 moved to Friday.");
    let reports = usual("List", json!({ "pattern": "deliverable:?status=active" })).await;
    assert_eq!(rows(&reports, "items")[0]["data"]["title"], "Launch digest");
    let codes = [
        (json!({}), "missing_pattern"),
        (json!({ "pattern": "" }), "invalid_pattern"),
        (json!({ "pattern": "deliverable:latest" }), "invalid_pattern"),
        (json!({ "pattern": "deliverable:?user_id=2" }), "invalid_pattern"),
        (json!({ "pattern": "platform_content:?platform=google" }), "invalid_pattern"),
        (json!({ "pattern": "users:*" }), "invalid_pattern"),
        (json!({ "pattern": "memory:*" }), "unsupported_type"),
        (json!({ "pattern": "deliverable:*", "limit": 51 }), "invalid_input"),
    ];
    for (input, code) in codes {
        assert_eq!(said(&usual("List", input.clone()).await)["error"], code, "{input}");
    }
}

fn state() -> SystemState {
    let resource = |id: &str, hours: Option<i64>| ResourceView {
        resource_id: ResourceId::new(Platform::Slack, id).unwrap(),
        resource_name: format!("#{id}"),
        is_covered: hours.is_some(),
        item_count: 4,
        last_synced_at: hours.map(|it| now() - TimeDelta::hours(it)),
        last_error: None,
    };
    let view = PlatformView {
        platform: Platform::Slack,
        status: "active".into(),
        last_synced_at: Some(now()),
        total_items_synced: 16,
        synced_resources_count: 4,
        resources: vec![
            resource("a", Some(0)),
            resource("b", Some(5)),
            resource("c", Some(50)),
            resource("d", Some(200)),
            resource("e", None),
        ],
    };
    let failed = FailedJob {
        job_id: JobId::from_uuid(uuid::Uuid::from_u128(7)),
        kind: "sync".into(),
        error_message: None,
        failed_at: Some(now()),
    };
    SystemState {
        platforms: vec![PlatformState { view, unsynced: vec!["#random".into()] }],
        failed_jobs: vec![failed],
        scheduler: None,
    }
}

#[tokio::test]
async fn the_state_says_how_fresh_each_resource_is() {
    let workspace = Workspace { state: state(), ..Workspace::default() };
    let data = ask(workspace.clone(), "GetSystemState", json!({})).await.data.unwrap();
    let resources = data["platform_sync_status"][0]["resources"].as_array().unwrap();
    let fresh: Vec<&str> = resources.iter().map(|it| it["freshness"].as_str().unwrap()).collect();
    assert_eq!(fresh, ["fresh", "5 hours ago", "2 days ago", "stale (8 days)", "never synced"]);
    assert_eq!((&data["captured_at"], &data["scheduler_health"]), (&json!("2026-03-02T09:00:00.000000Z"), &Value::Null));
    assert_eq!(data["failed_jobs"].as_array().unwrap().len(), 1);
    let jobs = ask(workspace.clone(), "GetSystemState", json!({ "scope": "jobs" })).await.data.unwrap();
    assert!(jobs.get("platform_sync_status").is_none());
    let gmail = ask(workspace.clone(), "GetSystemState", json!({ "platform": "gmail" })).await.data.unwrap();
    assert_eq!(gmail["platform_sync_status"], json!([]));
    assert_eq!(said(&ask(workspace, "GetSystemState", json!({ "scope": "signals" })).await)["error"], "invalid_scope");
}
