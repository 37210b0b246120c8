//! Lists, filters and trees are read whole.

use proptest::prelude::*;
use serde_json::json;

use super::super::{Property, PropertyKind};
use super::*;

#[tokio::test]
async fn every_kind_of_block_is_read_whole_in_parts_of_any_size() {
    let world = World::new().await;
    let notion = world.notion();
    let page = notion.add_page(top(), "Everything", every_kind()).unwrap();
    let below = notion.add_page(Place::Inside(&page), "Below", vec![Block::paragraph("of the page below")]).unwrap();
    notion.add_database(Place::Inside(&page), "Tasks", &[]).unwrap();
    let original = notion.append_block(&page, Block::synced(vec![Block::paragraph("shared")])).unwrap();
    notion.append_block(&page, Block::synced_copy(&original)).unwrap();
    let expected = notion.snapshot()[&page].clone();
    assert_eq!(texts(&expected).iter().filter(|it| *it == "shared").count(), 2);
    for size in [1, 3, 100] {
        assert_eq!(world.words(&page, size).await, texts(&expected), "{size}");
    }
    assert_eq!(world.words(&below, 100).await, ["of the page below"]);
    let kinds: Vec<Value> = world.listed(&format!("/v1/blocks/{page}/children"), &[], 100).await;
    let kinds: Vec<&str> = kinds.iter().map(|it| it["type"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"child_page") && kinds.contains(&"child_database") && kinds.contains(&"hologram"), "{kinds:?}");
}

#[tokio::test]
async fn what_lies_in_an_unsupported_block_is_refused() {
    let world = World::new().await;
    let blocks = vec![Block::unsupported().with(vec![Block::paragraph("hidden")]), Block::paragraph("shown")];
    let page = world.notion().add_page(top(), "Page", blocks).unwrap();
    let listed = world.listed(&format!("/v1/blocks/{page}/children"), &[], 100).await;
    assert_eq!((&listed[0]["type"], &listed[0]["has_children"]), (&json!("unsupported"), &json!(true)));
    let answer = world.get(&format!("/v1/blocks/{}/children", ids(&listed)[0])).await;
    assert_eq!(code(&answer), refusal(400, "validation_error"));
    assert!(answer.json()["message"].as_str().unwrap().contains("not supported via the API"));
    assert_eq!(texts(&world.notion().snapshot()[&page]), ["shown"]);
}

#[tokio::test]
async fn lists_give_everything_once_and_refuse_foreign_cursors_and_sizes() {
    let world = World::new().await;
    let notion = world.notion();
    let database = notion.add_database(top(), "Tasks", &[]).unwrap();
    let pages: Vec<String> = (0..23).map(|it| notion.add_page(top(), &format!("Page {it}"), vec![]).unwrap()).collect();
    let rows: Vec<String> =
        (0..23).map(|it| notion.add_row(&database.data_source, &format!("Row {it}"), &[], vec![]).unwrap()).collect();
    let query = format!("/v1/data_sources/{}/query", database.data_source);
    for size in [1, 10, 23, 100] {
        let mut found: Vec<Value> = world.posted(&query, json!({}), size).await;
        found.sort_by_key(|it| rows.iter().position(|row| it["id"] == row.as_str()));
        assert_eq!(ids(&found), rows, "{size}");
        let found = world.posted("/v1/search", json!({ "filter": { "property": "object", "value": "page" } }), size).await;
        assert_eq!(found.len(), 46);
        assert!(rows.iter().chain(&pages).all(|id| ids(&found).contains(&id.as_str())));
        let found = world.posted("/v1/search", json!({}), size).await;
        assert_eq!(found.iter().filter(|it| it["object"] == "data_source").count(), 1);
        assert_eq!(found.len(), 47);
    }
    for body in [
        json!({ "page_size": 101 }),
        json!({ "page_size": 0 }),
        json!({ "page_size": "5" }),
        json!({ "start_cursor": database.id }),
    ] {
        assert_eq!(code(&world.post(&query, body.clone()).await), refusal(400, "validation_error"), "{body}");
    }
    let children = format!("/v1/blocks/{}/children?page_size=101", pages[0]);
    assert_eq!(code(&world.get(&children).await), refusal(400, "validation_error"));
}

#[tokio::test]
async fn an_edit_is_told_to_the_minute_on_the_block_and_on_its_page() {
    let world = World::new().await;
    let notion = world.notion();
    let page = notion.add_page(top(), "Plan", vec![Block::toggle("outer").with(vec![Block::paragraph("inner")])]).unwrap();
    let blocks = notion.snapshot()[&page].blocks.clone();
    world.later(5);
    notion.edit_block(&blocks[1].id, "changed").unwrap();
    let times = async || {
        let mut times = Vec::new();
        for path in [format!("pages/{page}"), format!("blocks/{}", blocks[0].id), format!("blocks/{}", blocks[1].id)] {
            times.push(world.get(&format!("/v1/{path}")).await.json()["last_edited_time"].as_str().unwrap().to_owned());
        }
        times
    };
    assert_eq!(times().await, ["2026-03-08T12:05:00.000Z", "2026-03-08T12:00:00.000Z", "2026-03-08T12:05:00.000Z"]);
    world.clock.advance(TimeDelta::seconds(30));
    notion.edit_block(&blocks[1].id, "changed again in the same minute").unwrap();
    assert_eq!(times().await[0], "2026-03-08T12:05:00.000Z");
    assert_eq!(world.words(&page, 100).await, ["outer", "changed again in the same minute"]);
    world.later(1);
    notion.add_page(Place::Inside(&page), "Below", vec![]).unwrap();
    assert_eq!(times().await[0], "2026-03-08T12:06:00.000Z");
}

#[tokio::test]
async fn rows_are_filtered_by_their_times_and_ordered_by_several_keys() {
    let world = World::new().await;
    let notion = world.notion();
    let columns = [("Weight", PropertyKind::Number), ("Edited", PropertyKind::LastEditedTime)];
    let source = notion.add_database(top(), "Tasks", &columns).unwrap().data_source;
    let mut rows = Vec::new();
    for (title, weight) in [("a", 10.0), ("b", 9.0), ("c", 10.0)] {
        rows.push(notion.add_row(&source, title, &[("Weight", Property::Number(weight))], vec![]).unwrap());
        world.later(10);
    }
    world.later(24 * 60);
    notion.set_property(&rows[0], "Weight", Property::Number(11.0)).unwrap();
    let titles = async |body: Value| {
        let rows = world.posted(&format!("/v1/data_sources/{source}/query"), body, 2).await;
        let titles: String = rows.iter().map(|it| plain(&it["properties"]["Name"]["title"])).collect();
        titles
    };
    let edited =
        |condition: &str, value: &str| json!({ "timestamp": "last_edited_time", "last_edited_time": { condition: value } });
    let by_time = json!([{ "timestamp": "last_edited_time", "direction": "ascending" }]);
    let cases = [
        (edited("on_or_after", "2026-03-08T12:10:00.000Z"), "bca"),
        (edited("after", "2026-03-08T12:10:00.000Z"), "ca"),
        (edited("before", "2026-03-08T12:10:00.000Z"), ""),
        (edited("on_or_before", "2026-03-08T12:10:00.000Z"), "b"),
        (edited("equals", "2026-03-08T12:20:00+00:00"), "c"),
        (edited("equals", "2026-03-08"), "bc"),
        (edited("after", "2026-03-08"), "a"),
        (json!({ "timestamp": "created_time", "created_time": { "on_or_before": "2026-03-08T12:10:00Z" } }), "ba"),
        (json!({ "property": "Edited", "date": { "after": "2026-03-08" } }), "a"),
        (json!({ "and": [edited("after", "2026-03-08T12:10:00Z"), edited("before", "2026-03-09")] }), "c"),
        (json!({ "or": [edited("equals", "2026-03-08T12:10:00Z"), edited("after", "2026-03-08")] }), "ba"),
    ];
    for (filter, expected) in cases {
        assert_eq!(titles(json!({ "filter": filter, "sorts": by_time })).await, expected, "{filter}");
    }
    let sorts = json!([{ "property": "Weight", "direction": "descending" }, { "property": "Name", "direction": "descending" }]);
    assert_eq!(titles(json!({ "sorts": sorts })).await, "acb");
    notion.set_property(&rows[0], "Weight", Property::Number(10.0)).unwrap();
    assert_eq!(titles(json!({ "sorts": sorts })).await, "cab");
    for body in [
        json!({ "filter": { "property": "Nothing", "date": { "after": "2026-03-08" } } }),
        json!({ "filter": edited("after", "yesterday") }),
        json!({ "filter": {} }),
        json!({ "sorts": [{ "property": "Nothing" }] }),
        json!({ "sorts": [{ "timestamp": "last_edited_time", "direction": "up" }] }),
    ] {
        let answer = world.post(&format!("/v1/data_sources/{source}/query"), body.clone()).await;
        assert_eq!(code(&answer), refusal(400, "validation_error"), "{body}");
    }
}

#[tokio::test]
async fn a_search_looks_at_titles_and_gives_what_was_edited_last_first() {
    let world = World::new().await;
    let notion = world.notion();
    let old = notion.add_page(top(), "Launch plan", vec![]).unwrap();
    world.later(1);
    let new = notion.add_page(top(), "The launch itself", vec![]).unwrap();
    notion.add_page(top(), "Risks", vec![Block::paragraph("of the launch")]).unwrap();
    let query = json!({ "query": "LAUNCH" });
    assert_eq!(ids(&world.posted("/v1/search", query.clone(), 100).await), [new.as_str(), &old]);
    world.later(1);
    notion.set_title(&old, "Plan of the launch").unwrap();
    assert_eq!(ids(&world.posted("/v1/search", query, 100).await), [old.as_str(), &new]);
    let ascending = json!({ "query": "launch", "sort": { "timestamp": "last_edited_time", "direction": "ascending" } });
    assert_eq!(ids(&world.posted("/v1/search", ascending, 1).await), [new.as_str(), &old]);
    for body in [json!({ "query": 5 }), json!({ "filter": { "property": "object", "value": "database" } })] {
        assert_eq!(code(&world.post("/v1/search", body).await), refusal(400, "validation_error"));
    }
}

#[tokio::test]
async fn what_lies_in_the_trash_is_in_no_list_and_comes_back() {
    let world = World::new().await;
    let notion = world.notion();
    let page = notion.add_page(top(), "Page", vec![Block::paragraph("one"), Block::paragraph("two")]).unwrap();
    let below = notion.add_page(Place::Inside(&page), "Below", vec![]).unwrap();
    let source = notion.add_database(Place::Inside(&below), "Tasks", &[]).unwrap().data_source;
    let row = notion.add_row(&source, "Row", &[], vec![]).unwrap();
    let first = notion.snapshot()[&page].blocks[0].id.clone();
    world.later(3);
    notion.trash(&first).unwrap();
    assert_eq!(world.words(&page, 100).await, ["two"]);
    assert_eq!(world.get(&format!("/v1/pages/{page}")).await.json()["last_edited_time"], "2026-03-08T12:03:00.000Z");
    assert_eq!(world.get(&format!("/v1/blocks/{first}")).await.json()["in_trash"], true);
    notion.trash(&below).unwrap();
    let found = world.posted("/v1/search", json!({}), 100).await;
    assert_eq!(ids(&found), [page.as_str()]);
    let answer = world.get(&format!("/v1/pages/{row}")).await.json();
    assert_eq!((&answer["in_trash"], &answer["archived"]), (&json!(true), &json!(true)));
    assert_eq!(notion.snapshot().keys().collect::<Vec<_>>(), [&page]);
    notion.restore(&below).unwrap();
    notion.restore(&first).unwrap();
    assert_eq!(world.words(&page, 100).await, ["one", "two"]);
    assert_eq!(world.posted("/v1/search", json!({}), 100).await.len(), 4);
    notion.trash(&row).unwrap();
    let query = format!("/v1/data_sources/{source}/query");
    assert_eq!(world.posted(&query, json!({}), 100).await.len(), 0);
    assert_eq!(ids(&world.posted(&query, json!({ "in_trash": true }), 100).await), [row.as_str()]);
}

/// A change of the workspace by its place in lists that exist when it happens.
#[derive(Debug, Clone)]
enum Change {
    AddPage(usize),
    AddRow,
    Append(usize),
    Edit(usize),
    Title(usize),
    Trash(usize),
    Restore(usize),
    Unshare(usize),
    Share(usize),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    use Change::*;
    let change = (0..9_u8, any::<usize>()).prop_map(|(kind, place)| match kind {
        0 => AddPage(place),
        1 => AddRow,
        2 => Append(place),
        3 => Edit(place),
        4 => Title(place),
        5 => Trash(place),
        6 => Restore(place),
        7 => Unshare(place),
        _ => Share(place),
    });
    proptest::collection::vec(change, 0..40)
}

/// Carries a change out; `known` are pages, rows and blocks, `sources` are data sources.
fn carry_out(notion: &Notion, change: &Change, number: usize, known: &mut Vec<String>, source: &str) {
    let at = |place: &usize| known[place % known.len()].clone();
    let text = format!("text {number}");
    match change {
        Change::AddPage(place) => known.push(notion.add_page(Place::Inside(&at(place)), &text, vec![Block::quote("q")]).unwrap()),
        Change::AddRow => known.push(notion.add_row(source, &text, &[], vec![Block::paragraph(text.as_str())]).unwrap()),
        Change::Append(place) => known.push(notion.append_block(&at(place), Block::bullet(text)).unwrap()),
        // A page has no words of its own and a block no title: such a change is refused and changes nothing.
        Change::Edit(place) => drop(notion.edit_block(&at(place), text)),
        Change::Title(place) => drop(notion.set_title(&at(place), &text)),
        Change::Trash(place) => notion.trash(&at(place)).unwrap(),
        Change::Restore(place) => notion.restore(&at(place)).unwrap(),
        Change::Unshare(place) => notion.unshare(&at(place)).unwrap(),
        Change::Share(place) => notion.share(&at(place)).unwrap(),
    }
}

async fn a_client_holds_the_snapshot(changes: Vec<Change>) {
    let world = World::new().await;
    let root = world.notion().add_page(top(), "Root", vec![]).unwrap();
    let source = world.notion().add_database(top(), "Tasks", &[]).unwrap().data_source;
    let mut known = vec![root];
    for (number, change) in changes.iter().enumerate() {
        carry_out(world.notion(), change, number, &mut known, &source);
        world.clock.advance(TimeDelta::seconds(25));
    }
    let expected = world.notion().snapshot();
    let found = world.posted("/v1/search", json!({ "filter": { "property": "object", "value": "page" } }), 3).await;
    assert_eq!(found.len(), expected.len());
    for page in &found {
        let expected = &expected[page["id"].as_str().unwrap()];
        let title = page["properties"].as_object().unwrap().values().find(|it| it["type"] == "title").unwrap();
        assert_eq!(plain(&title["title"]), expected.title);
        assert_eq!(page["last_edited_time"], super::super::wire::stamp(expected.last_edited));
        assert_eq!(world.words(&expected.id, 2).await, texts(expected));
    }
    let rows = expected.values().filter(|it| it.row_of.is_some()).count();
    assert_eq!(world.posted(&format!("/v1/data_sources/{source}/query"), json!({}), 3).await.len(), rows);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn whatever_happened_a_careful_client_holds_the_snapshot(changes in changes()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(a_client_holds_the_snapshot(changes));
    }
}
