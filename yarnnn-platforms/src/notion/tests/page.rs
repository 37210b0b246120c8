//! Pages as resources.

use serde_json::json;
use yarnnn_core::platform::{GapKind, PlatformError};

use super::reader::Reader;
use super::workspace::{Workspace, block, failure, id, paragraph};

fn text(kind: &str, text: &str) -> serde_json::Value {
    block(kind, json!({"rich_text": [{"plain_text": text}]}))
}

fn parent(kind: &str, id: &str, label: &str) -> serde_json::Value {
    let mut block = text(kind, label);
    block["id"] = json!(id);
    block["has_children"] = json!(true);
    block
}

#[tokio::test]
async fn a_page_reads_parents_before_children_in_plain_text() {
    let workspace = Workspace::new();
    let id = workspace.add(1, None, "");
    let blocks = vec![
        text("heading_1", "Plan"),
        paragraph(""),
        parent("toggle", "t1", "Open me"),
        block("to_do", json!({"rich_text": [{"plain_text": "Ship"}], "checked": true})),
        block("to_do", json!({"rich_text": [{"plain_text": "Rest"}]})),
        block("divider", json!({})),
        block("bookmark", json!({"url": "https://example.com", "caption": []})),
        block("embed", json!({"url": "https://example.com/e"})),
        parent("table", "t2", ""),
        block(
            "image",
            json!({"type": "file", "file": {"url": "https://signed.example"}, "caption": [{"plain_text": "The team"}]}),
        ),
        parent("child_page", "other", ""),
        block("hologram", json!({"rich_text": [{"plain_text": "from the future"}]})),
        block("hologram", json!({"strength": 7})),
        block("code", json!({"rich_text": [{"plain_text": "let x = 1;"}], "caption": [{"plain_text": "the code"}]})),
    ];
    let row = |cells: [&str; 2]| block("table_row", json!({"cells": cells.map(|it| json!([{"plain_text": it}]))}));
    {
        let mut state = workspace.state();
        state.per_page = 5;
        state.blocks.extend([
            (id.clone(), blocks),
            ("t1".into(), vec![text("quote", "inside")]),
            ("t2".into(), vec![row(["a", "b"]), row(["c", "d"])]),
        ]);
    }
    workspace.pass(600);
    let mut reader = Reader::page(workspace.client(), &id);
    reader.sync(false).await.unwrap();
    insta::assert_json_snapshot!(reader.stored[&id]);
    assert_eq!(reader.gaps, []);
    let mut calls = workspace.calls();
    calls.dedup();
    assert_eq!(calls[0], format!("GET pages/{id}"));
    assert!(!calls.iter().any(|it| it.contains("other")), "sub-pages are resources of their own: {calls:?}");
}

#[tokio::test]
async fn an_unchanged_page_costs_one_call_and_one_of_this_minute_is_read_again() {
    let workspace = Workspace::new();
    let id = workspace.add(1, None, "one");
    workspace.pass(30);
    let mut reader = Reader::page(workspace.client(), &id);
    reader.sync(false).await.unwrap();
    workspace.edit(&id, "two");
    workspace.pass(300);
    reader.sync(false).await.unwrap();
    assert_eq!(reader.texts()[id.as_str()], "two", "edited in the minute in which it was read");
    workspace.calls();
    reader.sync(false).await.unwrap();
    assert_eq!((workspace.calls().len(), reader.unchanged), (1, 1));
    reader.sync(true).await.unwrap();
    assert_eq!((workspace.calls().len(), reader.unchanged), (2, 2), "the audit looks too");
}

#[tokio::test]
async fn what_is_beyond_the_bounds_is_a_gap_for_as_long_as_it_is() {
    let workspace = Workspace::new();
    let (wide, deep) = (workspace.add(1, None, ""), workspace.add(2, None, ""));
    let level = |depth: u32| parent("toggle", &format!("l{}", depth + 1), &format!("level {depth}"));
    {
        let mut state = workspace.state();
        state.blocks.insert(wide.clone(), (0..501).map(|it| paragraph(&format!("line {it}"))).collect());
        state.blocks.insert(deep.clone(), vec![level(1)]);
        state.blocks.extend((2..6).map(|depth| (format!("l{depth}"), vec![level(depth)])));
    }
    workspace.pass(600);
    for (id, lines, last) in [(wide, 500, "line 499"), (deep, 3, "level 3")] {
        let mut reader = Reader::page(workspace.client(), &id);
        for _ in 0..2 {
            reader.sync(true).await.unwrap();
            let text = &reader.stored[&id].content;
            assert_eq!((text.lines().count(), text.lines().last().unwrap()), (lines, last));
            assert!(!reader.gaps.is_empty() && reader.gaps.iter().all(|it| it.kind == GapKind::Cap), "{:?}", reader.gaps);
            assert!(reader.gaps[0].reason.contains("notion page \"P"), "{:?}", reader.gaps);
        }
    }
}

#[tokio::test]
async fn an_error_in_the_middle_fails_the_page_and_leaves_the_cursor() {
    let workspace = Workspace::new();
    let id = workspace.add(1, None, "one");
    workspace.pass(600);
    let mut reader = Reader::page(workspace.client(), &id);
    reader.sync(false).await.unwrap();
    workspace.edit(&id, "two");
    {
        let mut state = workspace.state();
        state.per_page = 1;
        let more = vec![paragraph("two"), parent("toggle", "t", "more")];
        state.blocks.extend([(id.clone(), more), ("t".into(), vec![paragraph("inside")])]);
    }
    workspace.pass(600);
    let before = reader.cursor.clone();
    let strange =
        |results: serde_json::Value| json!({"object": "list", "results": results, "has_more": false, "next_cursor": null});
    let faults = [
        failure(400, "validation_error", "something is wrong"),
        failure(404, "object_not_found", "Could not find block."),
        failure(403, "restricted_resource", "no"),
        (200, json!({})),
        (200, json!({"object": "list", "results": [], "has_more": true, "next_cursor": "x"})),
        (200, json!({"object": "list", "results": [paragraph("x")], "has_more": true, "next_cursor": null})),
        (200, json!({"object": "error", "status": 500, "code": "internal_server_error"})),
        (200, strange(json!([7]))),
        (200, strange(json!([{"object": "block", "id": "x"}]))),
        (200, strange(json!([{"object": "block", "id": "x", "type": 7}]))),
    ];
    for (status, body) in faults {
        // The fault waits for the children of the toggle; what comes before is answered truly.
        workspace.fault("blocks/t/children", status, body.clone());
        let error = fail(&mut reader, &workspace).await;
        assert!(error.to_string().contains("notion blocks.children"), "{status} {body}: {error}");
        assert_eq!((reader.cursor.clone(), reader.texts()[id.as_str()]), (before.clone(), "one"));
    }
    reader.sync(false).await.unwrap();
    assert_eq!(reader.texts()[id.as_str()], "two\nmore\ninside");
}

async fn fail(reader: &mut Reader, workspace: &Workspace) -> PlatformError {
    let error = reader.sync(false).await.unwrap_err();
    assert!(workspace.state().faults.is_empty(), "the fault was not met");
    error
}

#[tokio::test]
async fn a_block_that_should_hold_something_and_does_not_is_a_gap_and_read_again() {
    let workspace = Workspace::new();
    let id = workspace.add(1, None, "");
    let copy = json!({"object": "block", "id": "s", "type": "synced_block", "has_children": true,
        "synced_block": {"synced_from": {"type": "block_id", "block_id": "o"}}});
    workspace.state().blocks.insert(id.clone(), vec![parent("toggle", "t", "more"), copy]);
    workspace.state().blocks.insert("t".into(), vec![]);
    workspace.pass(600);
    let mut reader = Reader::page(workspace.client(), &id);
    reader.sync(false).await.unwrap();
    assert_eq!(reader.gaps.len(), 1);
    assert!(reader.gaps[0].reason.contains("nothing could be read inside of: toggle t, synced_block s"), "{:?}", reader.gaps);
    workspace.state().blocks.insert("t".into(), vec![paragraph("there")]);
    reader.sync(false).await.unwrap();
    assert_eq!(reader.texts()[id.as_str()], "more\nthere");
    // A copy whose original is not shared stays as it is, and is named as long as it does.
    workspace.calls();
    reader.sync(false).await.unwrap();
    assert_eq!((reader.unchanged, reader.gaps.len(), workspace.calls().len()), (1, 1, 1));
}

#[tokio::test]
async fn a_page_that_goes_away_is_gone_and_comes_back() {
    let workspace = Workspace::new();
    let id = workspace.add(1, None, "one");
    workspace.pass(600);
    let mut reader = Reader::page(workspace.client(), &id);
    reader.sync(false).await.unwrap();
    workspace.change(&id, |it| it.trashed = true);
    for _ in 0..2 {
        reader.sync(true).await.unwrap();
        assert_eq!((reader.stored.len(), reader.gaps.len()), (0, 0), "who put it in the trash knows it");
    }
    workspace.change(&id, |it| it.trashed = false);
    reader.sync(true).await.unwrap();
    assert_eq!(reader.texts()[id.as_str()], "one");
    workspace.change(&id, |it| it.hidden = true);
    workspace.calls();
    reader.sync(false).await.unwrap();
    assert_eq!(workspace.calls(), [format!("GET pages/{id}"), "POST search".to_owned()], "looked for in two ways");
    assert!(reader.stored.is_empty() && reader.gaps[0].reason.contains("no longer shared"), "{:?}", reader.gaps);
    let error = reader.sync(false).await.unwrap_err();
    assert!(matches!(&error, PlatformError::NeedsUser { action } if action.contains("\"P1\" is not shared")), "{error}");
    workspace.change(&id, |it| it.hidden = false);
    reader.sync(false).await.unwrap();
    assert_eq!(reader.texts()[id.as_str()], "one");
}

#[tokio::test]
async fn a_page_that_is_away_is_one_gap_and_then_the_persons() {
    for is_trashed_first in [false, true] {
        let workspace = Workspace::new();
        let id = workspace.add(1, None, "one");
        workspace.pass(600);
        let mut reader = Reader::page(workspace.client(), &id);
        reader.sync(false).await.unwrap();
        if is_trashed_first {
            workspace.change(&id, |it| it.trashed = true);
            reader.sync(false).await.unwrap();
        }
        workspace.change(&id, |it| it.hidden = true);
        if !is_trashed_first {
            // An audit may still know the page that the fetch before it did not find.
            reader.audit().await.unwrap();
            assert_eq!((reader.stored.len(), reader.gaps.len()), (0, 0));
            reader.sync(false).await.unwrap();
            assert_eq!(reader.gaps.len(), 1);
        }
        for audit in [false, true, true] {
            let error = reader.sync(audit).await.unwrap_err();
            assert!(matches!(&error, PlatformError::NeedsUser { action } if action.contains("share it in Notion")), "{error}");
        }
    }
}

#[tokio::test]
async fn a_page_that_was_never_shared_asks_the_person() {
    let workspace = Workspace::new();
    let mut reader = Reader::page(workspace.client(), &id(9));
    let error = reader.sync(false).await.unwrap_err();
    assert!(matches!(&error, PlatformError::NeedsUser { action } if action.contains("share it in Notion")), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_asks_the_person_and_a_missing_page_that_a_search_finds_is_put_off() {
    let workspace = Workspace::new();
    let id = workspace.add(1, None, "one");
    let mut reader = Reader::page(workspace.client(), &id);
    reader.sync(false).await.unwrap();
    let (status, body) = failure(401, "unauthorized", "API token is invalid.");
    workspace.fault("pages", status, body);
    assert!(matches!(reader.sync(false).await.unwrap_err(), PlatformError::NeedsUser { .. }));
    // A 401 that is not Notion's own is no verdict on the token.
    workspace.fault("pages", 401, json!({"message": "The network asks you to sign in."}));
    reader.sync(false).await.unwrap();
    let (status, body) = failure(404, "object_not_found", "Could not find page.");
    workspace.fault("pages", status, body);
    let error = reader.sync(false).await.unwrap_err();
    assert!(error.is_transient() && error.to_string().contains("a search finds it"), "{error}");
    assert_eq!(reader.texts()[id.as_str()], "one");
}

#[tokio::test]
async fn authors_are_looked_up_once_and_never_where_that_is_forbidden() {
    let workspace = Workspace::new();
    let ids: Vec<_> = (1..4).map(|it| workspace.add(it, None, "x")).collect();
    for (status, author, look_ups) in [(200, Some("Name of ana"), 1), (404, None, 1), (403, None, 1)] {
        workspace.state().users.insert("ana".to_owned(), status);
        let client = workspace.client();
        for id in &ids {
            let mut reader = Reader::page(client.clone(), id);
            reader.sync(false).await.unwrap();
            assert_eq!(reader.stored[id].author.as_ref().map(|it| it.name.as_str()), author);
        }
        assert_eq!(workspace.calls().iter().filter(|it| it.contains("users")).count(), look_ups, "{status}");
    }
}
