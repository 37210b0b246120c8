//! Databases as resources.

use serde_json::json;
use yarnnn_core::platform::{Budget, Cursor, GapKind, PlatformError};

use super::reader::Reader;
use super::workspace::{DATABASE, OTHER_SOURCE, SOURCE, Workspace, block, failure, id, live, paragraph};

/// Rows edited a minute apart, the last one long ago.
fn table(rows: u32) -> Workspace {
    let workspace = Workspace::new();
    for number in 0..rows {
        workspace.add(number, Some(SOURCE), &format!("text {number}"));
        workspace.pass(60);
    }
    workspace.pass(600);
    workspace
}

fn capped(workspace: &Workspace, cap: Option<u32>) -> Reader {
    let mut reader = Reader::database(workspace.client());
    reader.budget = Budget { cap, ..Budget::default() };
    reader
}

fn count(calls: &[String], what: &str) -> usize {
    calls.iter().filter(|it| it.contains(what)).count()
}

#[tokio::test]
async fn rows_are_read_with_their_properties_and_in_small_pages() {
    let workspace = table(25);
    workspace.change(&id(3), |it| it.properties = json!({"Status": {"type": "status", "status": {"name": "Done"}}}));
    let mut reader = capped(&workspace, None);
    reader.sync(false).await.unwrap();
    assert_eq!((reader.stored.len(), reader.pages, reader.gaps.len()), (25, 3, 0));
    let calls = workspace.calls();
    let expected = [("databases", 1), ("query", 1), ("children", 25), ("users", 1)];
    assert_eq!(expected.map(|(what, _)| (what, count(&calls, what))), expected, "no call is made twice");
    insta::assert_json_snapshot!(reader.stored[&id(3)]);
    reader.sync(false).await.unwrap();
    assert_eq!(workspace.calls(), [format!("GET databases/{DATABASE}"), format!("POST data_sources/{SOURCE}/query")]);
}

#[tokio::test]
async fn only_what_was_edited_is_read_and_what_was_edited_just_now_twice() {
    let workspace = table(5);
    let mut reader = capped(&workspace, Some(300));
    reader.sync(false).await.unwrap();
    workspace.edit(&id(2), "new");
    workspace.calls();
    reader.sync(false).await.unwrap();
    assert_eq!(count(&workspace.calls(), "children"), 1);
    workspace.edit(&id(2), "newer");
    workspace.pass(300);
    for again in [1, 0] {
        reader.sync(false).await.unwrap();
        assert_eq!((reader.texts()[id(2).as_str()], count(&workspace.calls(), "children")), ("newer", again));
    }
}

#[tokio::test]
async fn a_cut_is_a_gap_that_later_syncs_close_newest_first() {
    let workspace = table(10);
    let mut reader = capped(&workspace, Some(4));
    for (read, gaps) in [(4, 1), (8, 1), (10, 0), (10, 0)] {
        workspace.calls();
        reader.sync(false).await.unwrap();
        let newest: Vec<_> = (10 - read..10).map(|it| id(u32::try_from(it).unwrap())).collect();
        assert_eq!(reader.stored.keys().cloned().collect::<Vec<_>>(), newest);
        assert_eq!(reader.gaps.len(), gaps);
        assert!(reader.gaps.iter().all(|it| it.kind == GapKind::Cap && it.to.is_some()), "{:?}", reader.gaps);
    }
    assert_eq!(count(&workspace.calls(), "children"), 0);
}

#[tokio::test]
async fn a_cut_among_rows_of_one_minute_is_closed_too() {
    let workspace = Workspace::new();
    for number in 0..10 {
        workspace.add(number, Some(SOURCE), "x");
    }
    workspace.pass(600);
    let mut reader = capped(&workspace, Some(3));
    for read in [3, 6, 9, 10] {
        workspace.calls();
        reader.sync(false).await.unwrap();
        assert_eq!((reader.stored.len(), count(&workspace.calls(), "children").min(3)), (read, read.min(3) - (read / 10) * 2));
    }
    assert_eq!(reader.gaps, []);
}

#[tokio::test]
async fn new_rows_come_before_the_rest_of_an_old_cut() {
    let workspace = table(6);
    let mut reader = capped(&workspace, Some(2));
    reader.sync(false).await.unwrap();
    for number in [10, 11, 12] {
        workspace.add(number, Some(SOURCE), "new");
        workspace.pass(60);
    }
    workspace.pass(600);
    let expect = [vec![4, 5, 11, 12], vec![3, 4, 5, 10, 11, 12], vec![1, 2, 3, 4, 5, 10, 11, 12]];
    for (numbers, gaps) in expect.into_iter().zip([2, 1, 1]) {
        reader.sync(false).await.unwrap();
        assert_eq!(reader.stored.keys().cloned().collect::<Vec<_>>(), numbers.into_iter().map(id).collect::<Vec<_>>());
        assert_eq!(reader.gaps.len(), gaps, "{:?}", reader.gaps);
    }
}

#[tokio::test]
async fn data_sources_of_one_database_share_the_cap() {
    let workspace = table(6);
    workspace.state().sources.push(OTHER_SOURCE.to_owned());
    for number in 20..26 {
        workspace.add(number, Some(OTHER_SOURCE), "other");
    }
    workspace.pass(600);
    let mut reader = capped(&workspace, Some(4));
    reader.sync(false).await.unwrap();
    assert_eq!((reader.stored.len(), reader.stored.keys().filter(|it| **it >= id(20)).count()), (4, 2));
    for _ in 0..2 {
        reader.sync(false).await.unwrap();
    }
    assert_eq!((reader.stored.len(), reader.gaps.len()), (12, 0));
}

#[tokio::test]
async fn more_rows_than_a_query_reaches_are_reached_by_several() {
    let workspace = table(25);
    (workspace.state().query_limit, workspace.state().per_page) = (7, 3);
    let mut reader = capped(&workspace, None);
    reader.sync(false).await.unwrap();
    assert_eq!((reader.stored.len(), reader.gaps.len()), (25, 0));
    reader.sync(true).await.unwrap();
    assert_eq!((reader.stored.len(), reader.unchanged), (25, 25));
}

#[tokio::test]
async fn a_list_that_changes_while_it_is_read_is_begun_anew() {
    let workspace = table(9);
    workspace.state().per_page = 4;
    let (status, body) = failure(400, "validation_error", "body.start_cursor: the start_cursor provided is invalid.");
    let mut reader = capped(&workspace, None);
    let first = first_page(&workspace);
    workspace.fault("query", 200, first);
    workspace.fault("query", status, body);
    reader.sync(false).await.unwrap();
    assert_eq!((reader.stored.len(), reader.gaps.len()), (9, 0));
}

fn first_page(workspace: &Workspace) -> serde_json::Value {
    let row = |number: u32| {
        let page = workspace.state().pages[&id(number)].clone();
        json!({"object": "page", "id": id(number), "last_edited_time": page.edited, "properties": {}})
    };
    json!({"object": "list", "results": [row(8), row(7)], "has_more": true, "next_cursor": "moved"})
}

#[tokio::test]
async fn an_audit_sees_deletions_edits_and_what_came_back() {
    let workspace = table(8);
    let mut reader = capped(&workspace, Some(300));
    reader.sync(false).await.unwrap();
    workspace.change(&id(0), |it| it.trashed = true);
    workspace.change(&id(1), |it| it.hidden = true);
    workspace.state().pages.remove(&id(2));
    workspace.change(&id(3), |it| it.source = Some("50000000-0000-4000-8000-000000000009".to_owned()));
    workspace.edit(&id(4), "edited");
    workspace.pass(600);
    workspace.calls();
    reader.sync(true).await.unwrap();
    let calls = workspace.calls();
    assert_eq!((reader.stored.len(), reader.unchanged), (4, 4));
    assert_eq!(
        (count(&calls, "children"), count(&calls, "GET pages")),
        (1, 4),
        "known rows are looked for by themselves: {calls:?}"
    );
    workspace.change(&id(0), |it| it.trashed = false);
    workspace.change(&id(1), |it| it.hidden = false);
    reader.sync(false).await.unwrap();
    assert_eq!(reader.stored.len(), 4, "nothing was edited");
    reader.sync(true).await.unwrap();
    assert_eq!((reader.texts()[id(0).as_str()], reader.texts()[id(1).as_str()], reader.gaps.len()), ("text 0", "text 1", 0));
}

#[tokio::test]
async fn a_database_that_goes_away_loses_its_rows_and_gets_them_back() {
    let workspace = table(5);
    let mut reader = capped(&workspace, Some(300));
    reader.sync(false).await.unwrap();
    workspace.state().database_trashed = true;
    for audit in [false, true] {
        reader.sync(audit).await.unwrap();
        assert_eq!((reader.stored.len(), reader.gaps.len()), (0, 0));
    }
    workspace.state().database_trashed = false;
    reader.sync(true).await.unwrap();
    assert_eq!((reader.stored.len(), reader.gaps.len()), (5, 0));
    workspace.state().database_hidden = true;
    for row in live(&workspace) {
        workspace.change(&row, |it| it.hidden = true);
    }
    reader.sync(true).await.unwrap();
    assert!(
        reader.stored.is_empty() && reader.gaps[0].reason.contains("database \"Tasks\": it was deleted"),
        "{:?}",
        reader.gaps
    );
    let error = reader.sync(true).await.unwrap_err();
    assert!(matches!(&error, PlatformError::NeedsUser { action } if action.contains("\"Tasks\" is not shared")), "{error}");
    // One that lay in the trash and is deleted for good, or no longer shared.
    workspace.state().database_hidden = false;
    workspace.state().database_trashed = true;
    reader.sync(false).await.unwrap();
    workspace.state().database_hidden = true;
    for _ in 0..2 {
        assert!(matches!(reader.sync(true).await.unwrap_err(), PlatformError::NeedsUser { .. }));
    }
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_named_and_an_answer_that_cannot_is_an_error() {
    let workspace = table(3);
    let mut reader = capped(&workspace, None);
    let row = json!({"object": "page", "id": id(1), "last_edited_time": "2026-03-02T09:01:00.000Z", "properties": {}});
    let list = |results| json!({"object": "list", "results": results, "has_more": false, "next_cursor": null});
    let strange = json!({"object": "page", "id": id(7), "last_edited_time": 12});
    workspace.fault("query", 200, list(json!([row, strange])));
    reader.sync(false).await.unwrap();
    assert_eq!((reader.stored.len(), reader.quarantined.len()), (1, 1));
    assert!(reader.quarantined[0].starts_with(&format!("{}: it is no page", id(7))), "{:?}", reader.quarantined);
    let before = reader.cursor.clone();
    for results in [json!([strange]), json!([7, "x"]), json!("x")] {
        workspace.fault("query", 200, list(results));
        let error = reader.sync(false).await.unwrap_err();
        assert!(error.to_string().starts_with("notion data_sources.query: "), "{error}");
        assert_eq!(reader.cursor, before);
    }
    workspace.fault("GET databases", 200, json!({"object": "database", "id": DATABASE, "data_sources": []}));
    assert!(matches!(reader.sync(false).await.unwrap_err(), PlatformError::NeedsUser { .. }));
}

#[tokio::test]
async fn a_row_that_notion_refuses_is_named_and_the_others_are_read() {
    let refusals = [
        failure(400, "validation_error", "something is wrong"),
        failure(403, "restricted_resource", "no"),
        failure(404, "object_not_found", "Could not find block."),
        (200, json!({"object": "list", "results": [7], "has_more": false, "next_cursor": null})),
    ];
    for (status, body) in refusals {
        let workspace = table(5);
        let mut reader = capped(&workspace, None);
        workspace.fault("blocks", status, body.clone());
        reader.sync(false).await.unwrap();
        assert_eq!(reader.stored.len(), 4, "{status} {body}");
        assert_eq!(reader.quarantined.len(), 1);
        assert!(reader.quarantined[0].contains(": the row \"P4\": notion blocks.children"), "{:?}", reader.quarantined);
        reader.sync(true).await.unwrap();
        assert_eq!((reader.stored.len(), reader.quarantined.len()), (5, 0), "the audit looks again");
    }
}

#[tokio::test]
async fn a_row_that_is_refused_like_all_others_fails_the_database() {
    let workspace = table(5);
    let mut reader = capped(&workspace, None);
    let (status, body) = failure(403, "restricted_resource", "no");
    workspace.fault("blocks", status, body.clone());
    workspace.fault("pages", status, body);
    let error = reader.sync(false).await.unwrap_err();
    assert!(matches!(&error, PlatformError::NeedsUser { action } if action.contains("Read content")), "{error}");
    assert_eq!(reader.cursor, None);
    let (status, body) = failure(404, "object_not_found", "no");
    workspace.fault("blocks", status, body);
    let (status, body) = failure(401, "unauthorized", "API token is invalid.");
    workspace.fault("pages", status, body);
    assert!(reader.sync(false).await.is_err(), "a token that is refused is no row's fault");
}

#[tokio::test]
async fn what_notion_shows_to_nobody_is_one_gap_of_its_row() {
    let workspace = table(5);
    let mut hidden = block("unsupported", json!({}));
    hidden["has_children"] = json!(true);
    let mut refused = block("transcription_of_tomorrow", json!({"rich_text": []}));
    (refused["id"], refused["has_children"]) = (json!("refused"), json!(true));
    let blocks = vec![paragraph("before"), hidden, refused, paragraph("after")];
    workspace.state().blocks.insert(id(4), blocks);
    let body = failure(400, "validation_error", "Block type transcription is not supported via the API.").1;
    let mut reader = capped(&workspace, None);
    workspace.fault("blocks/refused", 400, body.clone());
    reader.sync(false).await.unwrap();
    assert_eq!((reader.stored.len(), reader.texts()[id(4).as_str()]), (5, "before\nafter"));
    assert!(!workspace.calls().iter().any(|it| it.contains("b-unsupported")), "nothing is asked of it");
    assert_eq!((reader.gaps.len(), reader.gaps[0].kind), (1, GapKind::Unreadable));
    assert!(reader.gaps[0].reason.ends_with("does not show what is in 2 of its blocks"), "{:?}", reader.gaps);
    // A row of which nothing is shown is still a row.
    workspace.edit(&id(3), "x");
    workspace.pass(600);
    workspace.fault(Box::leak(format!("blocks/{}", id(3)).into_boxed_str()), 400, body);
    reader.sync(false).await.unwrap();
    assert_eq!((reader.texts()[id(3).as_str()], reader.gaps.len(), reader.quarantined.len()), ("P3", 2, 0));
}

#[tokio::test]
async fn a_row_of_the_far_future_is_named_and_no_panic() {
    for year in ["+262142-12-31", "-262143-01-01", "2201-01-01", "1969-12-31"] {
        let workspace = table(3);
        let mut reader = capped(&workspace, Some(2));
        let row =
            |number, edited: &str| json!({"object": "page", "id": id(number), "last_edited_time": edited, "properties": {}});
        let rows = [row(1, &format!("{year}T23:59:59Z")), row(2, "2026-03-02T09:02:00Z")];
        workspace.fault("query", 200, json!({"object": "list", "results": rows, "has_more": false, "next_cursor": null}));
        reader.sync(false).await.unwrap();
        assert_eq!((reader.stored.len(), reader.quarantined.len()), (1, 1), "{year}");
        assert!(reader.quarantined[0].contains("a time before 1970"), "{:?}", reader.quarantined);
    }
}

#[tokio::test]
async fn an_empty_list_of_rows_that_are_there_is_no_list() {
    let workspace = table(3);
    let mut reader = capped(&workspace, None);
    reader.sync(false).await.unwrap();
    let empty = json!({"object": "list", "results": [], "has_more": false, "next_cursor": null});
    workspace.fault("query", 200, empty.clone());
    workspace.fault("query", 200, empty.clone());
    let error = reader.sync(true).await.unwrap_err();
    assert!(error.is_transient() && error.to_string().contains("the list of rows is empty, but the row"), "{error}");
    // A rebuild that lists too little: what it lacks is looked for by itself, and nothing is listed for that.
    reader.cursor = Some(Cursor::new("of an older form"));
    workspace.fault("query", 200, empty);
    reader.sync(false).await.unwrap();
    assert_eq!((reader.stored.len(), reader.unchanged), (3, 3));
}
