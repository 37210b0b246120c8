//! A session that writes for others sees what its report stands on, and no session sees what comes after its instant.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::support::*;
use crate::agent::{
    AgentTask, DeliverableView, FailedJob, PlatformState, PlatformView, ResourceView, SchedulerHealth, SystemState,
};
use crate::clock::instant_text;
use crate::id::JobId;
use crate::llm::{CallAccount, ToolResult};
use crate::platform::{ContentType, Platform, ResourceId};
use crate::sync::StoredItem;

const SECRET: &str = "payroll";

fn resource(text: &str) -> ResourceId {
    text.parse().unwrap()
}

fn within(text: &str, it: StoredItem) -> StoredItem {
    StoredItem { resource: resource(text), resource_name: format!("#{text}"), ..it }
}

fn platform(platform: Platform, ids: &[&str]) -> PlatformState {
    let view = |id: &&str| ResourceView {
        resource_id: ResourceId::new(platform, id).unwrap(),
        resource_name: format!("#{id}"),
        is_covered: true,
        item_count: 4,
        last_synced_at: Some(now() - TimeDelta::hours(i64::try_from(id.len()).unwrap())),
        last_error: None,
    };
    let view = PlatformView {
        platform,
        status: "active".into(),
        last_synced_at: Some(now()),
        total_items_synced: 7_777,
        synced_resources_count: 7_777,
        resources: ids.iter().map(view).collect(),
    };
    PlatformState { view, unsynced: vec![format!("#{SECRET}-archive")] }
}

/// One channel that the report stands on, and beside it everything that its readers may not know.
fn workspace() -> Workspace {
    let mut secret = deliverable(3, "Launch of the payroll");
    secret.latest_version.as_mut().unwrap().content = Some(format!("The {SECRET} is late."));
    let mut own = deliverable(1, "Launch digest");
    own.description = Some(format!("The launch, and {SECRET}"));
    own.latest_version.as_mut().unwrap().content = Some(format!("The launch waits for {SECRET}."));
    let mail = StoredItem { content_type: ContentType::Email, ..item(6, &format!("The launch waits for {SECRET}.")) };
    let failed = FailedJob {
        job_id: JobId::from_uuid(uuid::Uuid::from_u128(7)),
        kind: "sync".into(),
        error_message: Some(format!("#{SECRET} is gone")),
        failed_at: Some(now()),
    };
    Workspace {
        items: vec![
            (ana(), within("slack:C9", item(5, &format!("The launch waits for {SECRET}.")))),
            (ana(), within("gmail:INBOX", mail)),
            (ana(), item(1, "The launch moved to Friday.")),
        ],
        deliverables: vec![(ana(), secret), (ana(), own)],
        state: SystemState {
            platforms: vec![platform(Platform::Slack, &[SECRET, "C1"]), platform(Platform::Gmail, &[SECRET])],
            failed_jobs: vec![failed],
            scheduler: None,
        },
        ..Workspace::default()
    }
}

fn scoped(scope: &[&str]) -> AgentTask {
    let account = CallAccount { deliverable: Some(deliverable(1, "").id), ..CallAccount::of(ana()) };
    AgentTask { account, scope: Some(scope.iter().map(|it| resource(it)).collect()), ..task(2) }
}

async fn ask(workspace: Workspace, task: AgentTask, name: &str, input: Value) -> ToolResult {
    let model = ScriptedModel::new([calls(name, input), says("Done.")]);
    workspace.run(&model, task).await.unwrap();
    model.results(1).remove(0)
}

fn everything() -> Vec<(&'static str, Value)> {
    let (secret, own) = (deliverable(3, "").id, deliverable(1, "").id);
    vec![
        ("Search", json!({ "query": "launch" })),
        ("Search", json!({ "query": SECRET })),
        ("Search", json!({ "query": "launch", "platform": "gmail" })),
        ("Search", json!({ "query": "launch", "scope": "deliverable" })),
        ("Read", json!({ "ref": format!("platform_content:{}", content_id(5)) })),
        ("Read", json!({ "refs": [format!("platform_content:{}", content_id(6)), format!("deliverable:{secret}")] })),
        ("Read", json!({ "ref": "s7" })),
        ("Read", json!({ "ref": "platform_content:latest" })),
        ("Read", json!({ "ref": format!("deliverable:{secret}") })),
        ("Read", json!({ "ref": format!("deliverable:{secret}/latest_version/content") })),
        ("Read", json!({ "ref": "deliverable:latest" })),
        ("Read", json!({ "ref": format!("deliverable:{own}") })),
        ("Read", json!({ "ref": format!("deliverable:{own}/latest_version/content") })),
        ("Read", json!({ "ref": "platform:slack" })),
        ("Read", json!({ "ref": "platform:gmail" })),
        ("Read", json!({ "ref": "platform:latest/resources" })),
        ("List", json!({ "pattern": "platform_content:*" })),
        ("List", json!({ "pattern": "platform_content:?platform=gmail" })),
        ("List", json!({ "pattern": "deliverable:*", "limit": 1 })),
        ("List", json!({ "pattern": "platform:*" })),
        ("GetSystemState", json!({})),
        ("GetSystemState", json!({ "platform": "gmail" })),
    ]
}

#[tokio::test]
async fn nothing_outside_of_the_scope_is_shown() {
    for scope in [&["slack:C1"][..], &[]] {
        for (name, input) in everything() {
            // The reference of an item that an earlier try was shown does not help either.
            let known = vec![(content_id(5), "s7".into())];
            let shown = ask(workspace(), AgentTask { known, ..scoped(scope) }, name, input.clone()).await;
            let text = serde_json::to_string(&shown).unwrap();
            assert!(!text.contains(SECRET) && !text.contains("7777"), "{name} {input}: {text}");
        }
    }
    for (name, input) in everything() {
        let open = AgentTask { scope: None, known: vec![(content_id(5), "s7".into())], ..scoped(&[]) };
        let shown = ask(workspace(), open, name, input.clone()).await;
        let text = serde_json::to_string(&shown).unwrap();
        assert!(text.contains(SECRET) || text.contains("7777"), "{name} {input} asks for nothing that is kept back: {text}");
    }
}

/// A title that a model made may be of anything that its owner has; what the owner calls a report goes out with it.
#[tokio::test]
async fn what_a_model_called_a_report_is_not_shown() {
    let mut own = DeliverableView { titled_by_model: true, ..deliverable(1, "Prep: the payroll") };
    own.latest_version = None;
    let workspace = Workspace { deliverables: vec![(ana(), own)], ..Workspace::default() };
    for (name, input) in [
        ("Read", json!({ "ref": "deliverable:latest" })),
        ("Read", json!({ "ref": "deliverable:latest/title" })),
        ("List", json!({ "pattern": "deliverable:*" })),
        ("Search", json!({ "query": "payroll", "scope": "deliverable" })),
    ] {
        let owners = || AgentTask { for_others: false, ..scoped(&[]) };
        for (task, is_shown) in [(scoped(&[]), false), (owners(), true), (AgentTask { scope: None, ..scoped(&[]) }, true)] {
            let shown = serde_json::to_string(&ask(workspace.clone(), task, name, input.clone()).await).unwrap();
            assert_eq!(shown.contains("the payroll"), is_shown, "{name} {input}: {shown}");
        }
    }
}

/// Every way to a report, and of one's own to every part of it that has words.
fn ways_to_reports() -> Vec<(&'static str, Value)> {
    let (other, own) = (format!("deliverable:{}", deliverable(3, "").id), format!("deliverable:{}", deliverable(1, "").id));
    vec![
        ("Read", json!({ "ref": "deliverable:latest" })),
        ("Read", json!({ "ref": "deliverable:latest/description" })),
        ("Read", json!({ "ref": "deliverable:latest/latest_version" })),
        ("Read", json!({ "ref": own })),
        ("Read", json!({ "ref": format!("{own}/description") })),
        ("Read", json!({ "ref": format!("{own}/latest_version/content") })),
        ("Read", json!({ "refs": [other, own, format!("{other}/latest_version/content")] })),
        ("List", json!({ "pattern": "deliverable:*", "limit": 1 })),
        ("List", json!({ "pattern": "deliverable:?status=active", "order_by": "title" })),
        ("Search", json!({ "query": "launch" })),
        ("Search", json!({ "query": "launch", "scope": "deliverable" })),
    ]
}

/// A session for the owner alone goes on from what its report said, although what it reads is listed; one for others does not. Other
/// reports are out of sight of both.
#[tokio::test]
async fn what_its_report_said_is_shown_to_the_owner_s_session_alone() {
    let mut workspace = workspace();
    let own = &mut workspace.deliverables[1].1;
    own.description = Some("The launch, and its lanterns".to_owned());
    own.latest_version.as_mut().unwrap().content = Some("The launch waits for lanterns.".to_owned());
    for scope in [&["slack:C1"][..], &[]] {
        for (name, input) in ways_to_reports() {
            for for_others in [false, true] {
                let task = AgentTask { for_others, ..scoped(scope) };
                let shown = serde_json::to_string(&ask(workspace.clone(), task, name, input.clone()).await).unwrap();
                assert_eq!(shown.contains("lanterns"), !for_others, "{name} {input}: {shown}");
                assert!(!shown.contains(SECRET), "{name} {input}: {shown}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_in_scope_is_shown_as_if_there_were_nothing_else() {
    let ask = async |name, input| ask(workspace(), scoped(&["slack:C1"]), name, input).await;
    for (name, input) in [
        ("Search", json!({ "query": "launch", "scope": "platform_content" })),
        ("Read", json!({ "ref": "platform_content:latest" })),
        ("Read", json!({ "ref": format!("platform_content:{}", content_id(1)) })),
        ("List", json!({ "pattern": "platform_content:?platform=slack", "limit": 1 })),
    ] {
        let shown: Vec<_> = ask(name, input.clone()).await.material.into_iter().map(|it| it.text).collect();
        assert_eq!(shown, ["The launch moved to Friday."], "{name} {input}");
    }
    for reference in ["deliverable:latest".to_owned(), format!("deliverable:{}", deliverable(1, "").id)] {
        let own = ask("Read", json!({ "ref": reference })).await.data.unwrap();
        assert_eq!(own["data"]["title"], "Launch digest");
    }
    let listed = ask("List", json!({ "pattern": "deliverable:*", "limit": 1 })).await.data.unwrap();
    assert_eq!(listed["items"][0]["data"]["title"], "Launch digest");
    let platforms = ask("List", json!({ "pattern": "platform:*" })).await.data.unwrap();
    let (slack, count) = (&platforms["items"][0]["data"], platforms["items"].as_array().unwrap().len());
    assert_eq!((count, &slack["total_items_synced"], &slack["synced_resources_count"]), (1, &json!(4), &json!(1)));
    let state = ask("GetSystemState", json!({})).await.data.unwrap();
    assert_eq!(state["platform_sync_status"][0]["resources_count"], 1);
    assert_eq!(state["platform_sync_status"][0]["freshness"], "2 hours ago");
}

#[tokio::test]
async fn what_was_written_after_the_instant_is_not_there() {
    let at = |hours: i64, it: StoredItem| StoredItem { source_timestamp: Some(now() + TimeDelta::hours(hours)), ..it };
    let event = |hours, it| at(hours, StoredItem { content_type: ContentType::Event, ..within("calendar:team", it) });
    let undated = StoredItem { source_timestamp: None, ..item(7, "launch undated") };
    let items = vec![
        at(1, item(1, "launch too late")),
        event(30, item(2, "launch party too late")),
        event(24, item(3, "launch party")),
        at(0, item(4, "launch now")),
        at(-9, item(5, "launch before")),
    ];
    let workspace = Workspace { items: items.into_iter().map(|it| (ana(), it)).collect(), ..Workspace::default() };
    let bounded = || AgentTask { at: now() + TimeDelta::hours(2), events_until: now() + TimeDelta::days(1), ..task(2) };
    let texts = |it: ToolResult| it.material.into_iter().map(|it| it.text).collect::<Vec<_>>();
    let seen = ["launch party", "launch now", "launch before"];
    let listed = ask(workspace.clone(), bounded(), "List", json!({ "pattern": "platform_content:*", "limit": 3 })).await;
    assert_eq!(texts(listed), seen);
    let found = ask(workspace.clone(), bounded(), "Search", json!({ "query": "launch", "limit": 3 })).await;
    assert_eq!(texts(found), ["launch party", "launch now"], "a message after the instant and before its events takes room");
    for (number, is_read) in [(1, false), (2, false), (3, true), (4, true), (5, true)] {
        let input = json!({ "ref": format!("platform_content:{}", content_id(number)) });
        assert_eq!(said(&ask(workspace.clone(), bounded(), "Read", input).await)["success"], is_read, "{number}");
    }
    let calm = Workspace { items: vec![(ana(), undated)], ..Workspace::default() };
    assert_eq!(texts(ask(calm, bounded(), "Search", json!({ "query": "launch" })).await), ["launch undated"]);
}

#[tokio::test]
async fn the_state_is_told_as_of_the_instant_of_the_report_and_not_of_the_sessions_now() {
    let tick = now() + TimeDelta::hours(1);
    let scheduler = Some(SchedulerHealth { last_heartbeat_at: tick });
    let workspace = Workspace { state: SystemState { scheduler, ..SystemState::default() }, ..Workspace::default() };
    for (as_of, is_known) in [(now(), false), (tick, true)] {
        let task = AgentTask { at: now() + TimeDelta::hours(2), as_of, ..task(2) };
        let data = ask(workspace.clone(), task, "GetSystemState", json!({})).await.data.unwrap();
        assert_eq!((&data["captured_at"], data["scheduler_health"].is_object()), (&json!(instant_text(as_of)), is_known));
    }
}

#[tokio::test]
async fn what_expires_is_told_by_the_sessions_now_and_not_by_the_instant_of_its_report() {
    let old = StoredItem { expires_at: Some(now() - TimeDelta::hours(1)), ..item(40, "launch of old") };
    let workspace = Workspace { items: vec![(ana(), old)], ..Workspace::default() };
    let earlier = now() - TimeDelta::hours(30);
    let task = AgentTask { until: earlier, events_until: earlier, ..task(2) };
    let read = ask(workspace, task, "Read", json!({ "ref": format!("platform_content:{}", content_id(40)) })).await;
    assert_eq!(said(&read)["error"], "not_found");
}
